/** Who is in the organization, what they may do, and what the organization asks of them. */
import "../style/pages.css";
import "../account/account.css";
import { Parts, usePart } from "../ui/parts.tsx";
import { Members } from "./members.tsx";
import { Roles } from "./roles.tsx";
import { Settings } from "./settings.tsx";
import { Teams } from "./teams.tsx";

const parts = [
  ["members", "Members"],
  ["teams", "Teams"],
  ["roles", "Roles"],
  ["settings", "Organization"],
] as const;

const rooms = { members: Members, teams: Teams, roles: Roles, settings: Settings } as const;

export const TeamPage = () => {
  const at = usePart(parts) ?? "members";
  const Room = rooms[at];
  return (
    <div className="page">
      <Parts label="Parts of the team" at={at} parts={parts} />
      <Room />
    </div>
  );
};
