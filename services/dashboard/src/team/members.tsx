/** Who belongs to the organization: what they may do and see, and when they were last here. */
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { useMay } from "../account/acts.tsx";
import { useMe } from "../account/session.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { type ListedMember, nameOf, scopeWords, useMembers, useSourceNames, useTeams } from "./data.ts";
import { Invitations } from "./invitations.tsx";
import { InviteDialog, MemberDialog, RemoveMember } from "./member-dialogs.tsx";

type Open = { readonly kind: "invite" } | { readonly kind: "change" | "remove"; readonly member: ListedMember };

export const Members = () => {
  const may = useMay();
  const me = useMe().data;
  const members = useMembers();
  const teams = useTeams().data?.teams ?? [];
  const sources = useSourceNames();
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const mayWrite = may("members.write");
  const invite = (): void => setOpen({ kind: "invite" });
  useCommands(
    mayWrite
      ? [{ id: "invite", title: "Invite somebody", section: "Team", keys: "n", also: "add member", run: invite }]
      : [],
  );
  return (
    <>
      <Section
        title="Members"
        about={mayWrite ? undefined : "You may see them, and change none: that needs the permission members.write."}
        act={
          mayWrite ? (
            <Button small look="primary" icon={<UserPlus size={14} />} onClick={invite}>
              Invite
            </Button>
          ) : null
        }
      >
        <Read from={members} what="the members">
          {(all) => (
            <List
              heads={["Member", "Role", "-Sources", "-Teams", "-Second factor", "Last seen", ...(mayWrite ? [""] : [])]}
            >
              {all.map((member) => (
                <tr key={member.person}>
                  <td>
                    <strong>{nameOf(member)}</strong>{" "}
                    {member.person === me?.id ? <span className="badge">you</span> : null}
                    {member.name === "" ? null : <div className="faint small">{member.email}</div>}
                  </td>
                  <td>{member.role_name ?? member.role}</td>
                  <td className="wide-only soft">{scopeWords(member.sources, sources)}</td>
                  <td className="wide-only soft">
                    {member.teams.map((id) => teams.find((team) => team.id === id)?.name ?? id).join(", ")}
                  </td>
                  <td className="wide-only">
                    {member.second_factor ? <span className="good">set up</span> : <span className="warn">none</span>}
                  </td>
                  <td className="soft">{member.seen_at === null ? "never" : formatAgo(member.seen_at)}</td>
                  {mayWrite ? (
                    <td className="acts">
                      <RowMenu label={`Acts on ${nameOf(member)}`}>
                        <MenuItem onSelect={() => setOpen({ kind: "change", member })}>Role and sources</MenuItem>
                        <MenuLine />
                        <MenuItem danger onSelect={() => setOpen({ kind: "remove", member })}>
                          Remove
                        </MenuItem>
                      </RowMenu>
                    </td>
                  ) : null}
                </tr>
              ))}
            </List>
          )}
        </Read>
      </Section>
      <Invitations />
      {open?.kind === "invite" ? <InviteDialog onClose={close} /> : null}
      {open?.kind === "change" ? <MemberDialog of={open.member} onClose={close} /> : null}
      {open?.kind === "remove" ? <RemoveMember of={open.member} onClose={close} /> : null}
    </>
  );
};
