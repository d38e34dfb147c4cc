/** Teams: what their members see beyond their own sources. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { useMay } from "../account/acts.tsx";
import { useCommands } from "../shell/commands.tsx";
import { Button } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { nameOf, scopeWords, type Team, useMembers, useSourceNames, useTeams } from "./data.ts";
import { DeleteTeam, NewTeam, TeamDialog, TeamMembers } from "./team-dialogs.tsx";

type Open = { readonly kind: "new" } | { readonly kind: "change" | "members" | "delete"; readonly team: Team };

export const Teams = () => {
  const mayWrite = useMay()("teams.write");
  const teams = useTeams();
  const members = useMembers().data ?? [];
  const sources = useSourceNames();
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const begin = (): void => setOpen({ kind: "new" });
  useCommands(mayWrite ? [{ id: "new-team", title: "New team", section: "Team", keys: "n", run: begin }] : []);
  const namesOf = ({ members: ids }: Team): string =>
    ids.length === 0
      ? "nobody yet"
      : ids
          .map((id) => members.find(({ person }) => person === id))
          .map((one) => (one ? nameOf(one) : "somebody"))
          .join(", ");
  return (
    <Section
      title="Teams"
      about="Who is in a team sees its sources besides his own. What he may do there is his role's."
      act={
        mayWrite ? (
          <Button small look="primary" icon={<Plus size={14} />} onClick={begin}>
            New team
          </Button>
        ) : null
      }
    >
      <Read from={teams} what="the teams">
        {({ teams: all }) =>
          all.length === 0 ? (
            <p className="soft small">There is no team. A few people do without.</p>
          ) : (
            <List heads={["Team", "Members", "Sources", ...(mayWrite ? [""] : [])]}>
              {all.map((team) => (
                <tr key={team.id}>
                  <td>
                    <strong>{team.name}</strong>
                  </td>
                  <td className="soft">{namesOf(team)}</td>
                  <td className="soft">{scopeWords(team.sources, sources)}</td>
                  {mayWrite ? (
                    <td className="acts">
                      <RowMenu label={`Acts on ${team.name}`}>
                        <MenuItem onSelect={() => setOpen({ kind: "members", team })}>Members</MenuItem>
                        <MenuItem onSelect={() => setOpen({ kind: "change", team })}>Name and sources</MenuItem>
                        <MenuLine />
                        <MenuItem danger onSelect={() => setOpen({ kind: "delete", team })}>
                          Delete
                        </MenuItem>
                      </RowMenu>
                    </td>
                  ) : null}
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {open?.kind === "new" ? <NewTeam onClose={close} /> : null}
      {open?.kind === "change" ? <TeamDialog of={open.team} onClose={close} /> : null}
      {open?.kind === "members" ? <TeamMembers of={open.team} onClose={close} /> : null}
      {open?.kind === "delete" ? <DeleteTeam of={open.team} onClose={close} /> : null}
    </Section>
  );
};
