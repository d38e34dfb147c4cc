/** Inviting somebody, changing what a member may, and removing one. */
import { useState } from "react";
import { ActDialog, type Acts, ConfirmDialog, useActs } from "../account/acts.tsx";
import { EmailField } from "../account/fields.tsx";
import { patch, post, remove } from "../api/client.ts";
import { useTagged } from "../api/read.ts";
import { Modal } from "../ui/overlays.tsx";
import { Read } from "../ui/parts.tsx";
import { type Member, nameOf, type Scope } from "./data.ts";
import { RolePicker, ScopePicker } from "./pickers.tsx";

interface Closing {
  readonly onClose: () => void;
}

export const InviteDialog = ({ onClose }: Closing) => {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("member");
  const [sources, setSources] = useState<Scope>(null);
  const acts = useActs("invitations");
  return (
    <ActDialog
      title="Invite somebody"
      about="They get a mail with a link that is good for a few days, and only for this address."
      acts={acts}
      submit="Send the invitation"
      disabled={email.trim() === ""}
      work={() => post("/invitations", { email: email.trim(), role, sources: role === "owner" ? null : sources })}
      onClose={onClose}
    >
      <EmailField value={email} onChange={setEmail} autoComplete="off" />
      <RolePicker value={role} onChange={setRole} />
      {role === "owner" ? null : <ScopePicker value={sources} onChange={setSources} />}
    </ActDialog>
  );
};

/** The form begins anew when the member was changed by somebody else meanwhile. */
export const MemberDialog = ({ of: { person, ...member }, onClose }: Closing & { of: Member }) => {
  const read = useTagged<Member>("member", `/members/${person}`);
  const acts = useActs("members", "member", "me");
  if (read.data !== undefined)
    return (
      <MemberForm key={read.data.etag} member={read.data.value} etag={read.data.etag} acts={acts} onClose={onClose} />
    );
  return (
    <Modal open onClose={onClose} title={`Change ${nameOf(member)}`}>
      <Read from={read} what="the member">
        {() => null}
      </Read>
    </Modal>
  );
};

interface FormProps extends Closing {
  readonly member: Member;
  readonly etag: string;
  readonly acts: Acts;
}

const MemberForm = ({ member, etag, acts, onClose }: FormProps) => {
  const [role, setRole] = useState(member.role);
  const [sources, setSources] = useState(member.sources);
  return (
    <ActDialog
      title={`Change ${nameOf(member)}`}
      about="It holds from the next thing they do; nobody has to sign in again."
      acts={acts}
      submit="Save"
      work={() => patch(`/members/${member.person}`, { role, sources: role === "owner" ? null : sources }, etag)}
      onClose={onClose}
    >
      <RolePicker value={role} onChange={setRole} />
      {role === "owner" ? (
        <p className="field-note">An owner sees all sources.</p>
      ) : (
        <ScopePicker value={sources} onChange={setSources} />
      )}
    </ActDialog>
  );
};

export const RemoveMember = ({ of: member, onClose }: Closing & { of: Member }) => (
  <ConfirmDialog
    title={`Remove ${nameOf(member)}`}
    about="They lose every way into this organization at once. What they made stays, and so does their name in the audit trail."
    word={member.email}
    acts={useActs("members", "teams")}
    submit="Remove"
    work={() => remove(`/members/${member.person}`)}
    onClose={onClose}
  />
);
