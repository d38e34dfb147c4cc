/** What fires, what is looked for, what is held back, and who is told. */
import "../style/pages.css";
import "../account/account.css";
import "./alerts.css";
import { Parts, usePart } from "../ui/parts.tsx";
import { Destinations } from "./destinations.tsx";
import { Incidents } from "./incidents.tsx";
import { Rules } from "./rules.tsx";
import { Silences } from "./silences.tsx";

const parts = [
  ["incidents", "Incidents"],
  ["rules", "Rules"],
  ["silences", "Silences"],
  ["destinations", "Destinations"],
] as const;

const rooms = { incidents: Incidents, rules: Rules, silences: Silences, destinations: Destinations } as const;

export const AlertsPage = () => {
  const at = usePart(parts) ?? "incidents";
  const Room = rooms[at];
  return (
    <div className="page">
      <Parts label="Parts of alerts" at={at} parts={parts} />
      <Room />
    </div>
  );
};
