/** What fires and what has fired; newest first. */
import { Link } from "wouter";
import { useAddress } from "../shell/address.ts";
import { Button } from "../ui/controls.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { groupWords, type Incident, stateWords, useIncidents } from "./data.ts";

export const State = ({ of: { state, closed, incident } }: { of: Incident }) => (
  <>
    <span className={closed ? "soft" : "warn"}>{stateWords(state)}</span>
    {incident.hold === "" ? null : <div className="faint small">held back: {incident.hold}</div>}
  </>
);

export const Incidents = () => {
  const address = useAddress();
  const all = address.get("all") === "1";
  const incidents = useIncidents(!all);
  return (
    <Section
      title="Incidents"
      about="What rules have found and not seen end yet."
      act={
        <Button small onClick={() => address.set({ all: all ? "" : "1" })}>
          {all ? "Only open ones" : "Closed ones, too"}
        </Button>
      }
    >
      <Read from={incidents} what="the incidents">
        {({ incidents: found }) =>
          found.length === 0 ? (
            <p className="soft small">{all ? "No rule has found anything yet." : "Nothing fires."}</p>
          ) : (
            <List heads={["Incident", "State", "-Severity", "Since"]}>
              {found.toReversed().map((one) => (
                <tr key={one.id}>
                  <td>
                    <Link href={`/alerts/incidents/${one.id}`}>{one.incident.ruleName || one.rule}</Link>
                    <div className="faint small mono break">{groupWords(one.incident.group)}</div>
                    <div className="soft small break">{one.incident.latest.found}</div>
                  </td>
                  <td>
                    <State of={one} />
                  </td>
                  <td className="wide-only">{one.incident.severity}</td>
                  <td className="figures">{formatAgo(one.created_at)}</td>
                </tr>
              ))}
            </List>
          )
        }
      </Read>
    </Section>
  );
};
