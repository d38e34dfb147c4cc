/** What holds for the whole organization, in sentences. */
import { useState } from "react";
import { useLocation } from "wouter";
import { ActDialog, type Acts, ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { NameField } from "../account/fields.tsx";
import { Wrong } from "../account/frame.tsx";
import { currentOrganization, hasFactor, useMe } from "../account/session.ts";
import { patch, post, put } from "../api/client.ts";
import { setOrganization } from "../api/organization.ts";
import { useRead, useTagged } from "../api/read.ts";
import { Button } from "../ui/controls.tsx";
import { Read, Section } from "../ui/parts.tsx";
import { useMembers } from "./data.ts";

interface Organization {
  readonly id: string;
  readonly name: string;
}

export const Settings = () => {
  const mayWrite = useMay()("organization.write");
  const [open, setOpen] = useState<"name" | "leave">();
  const close = (): void => setOpen(undefined);
  const organization = useTagged<Organization>("organization", "/organization");
  const renaming = useActs("organization", "me");
  const isMember = currentOrganization(useMe().data) !== undefined;
  return (
    <Section
      title="Organization"
      about={mayWrite ? undefined : "You may see these, and change none: that needs the permission organization.write."}
    >
      <Read from={organization} what="the organization">
        {({ value, etag }) => (
          <>
            <div className="sentence">
              <div className="grow">
                <span>
                  The organization is called <strong>{value.name}</strong>.
                </span>
                <span className="faint small mono">{value.id}</span>
              </div>
              {mayWrite ? (
                <Button small onClick={() => setOpen("name")}>
                  Rename
                </Button>
              ) : null}
            </div>
            <FactorRule mayWrite={mayWrite} />
            {isMember ? (
              <div className="sentence">
                <div className="grow">
                  <span>You belong to it.</span>
                  <span className="soft small">The last owner cannot leave: somebody must be able to run it.</span>
                </div>
                <Button small aria-label="Leave the organization" onClick={() => setOpen("leave")}>
                  Leave
                </Button>
              </div>
            ) : null}
            {open === "name" ? (
              <Rename key={etag} from={value.name} etag={etag} acts={renaming} onClose={close} />
            ) : null}
            {open === "leave" ? <Leave from={value} onClose={close} /> : null}
          </>
        )}
      </Read>
    </Section>
  );
};

const FactorRule = ({ mayWrite }: { mayWrite: boolean }) => {
  const rule = useRead<{ required: boolean }>("mfa-rule", "/organization/mfa");
  const without = useMembers().data?.filter(({ second_factor: has }) => !has).length;
  const me = useMe().data;
  const acts = useActs("mfa-rule", "me");
  if (rule.data === undefined) return null;
  const on = rule.data.required;
  const locksOut = !on && me !== undefined && !hasFactor(me);
  return (
    <>
      <div className="sentence">
        <div className="grow">
          <span>
            {on ? "Members need a second factor to do anything here." : "Members may come in without a second factor."}
          </span>
          <span className="soft small">
            {locksOut
              ? "You have none yourself: set one up in your account first."
              : without === undefined || without === 0
                ? "All of them have one."
                : on
                  ? `${without} of them ${without === 1 ? "has" : "have"} none yet, and can do nothing but set one up.`
                  : `${without} of them ${without === 1 ? "has" : "have"} none, and would first have to set one up.`}
          </span>
        </div>
        {mayWrite ? (
          <Button
            small
            busy={acts.busy}
            disabled={locksOut}
            onClick={() => void acts.run(() => put("/organization/mfa", { required: !on }))}
          >
            {on ? "Ask for none" : "Require one"}
          </Button>
        ) : null}
      </div>
      <Wrong>{acts.wrong}</Wrong>
      {acts.dialog}
    </>
  );
};

interface RenameProps {
  readonly from: string;
  readonly etag: string;
  readonly acts: Acts;
  readonly onClose: () => void;
}

const Rename = ({ from, etag, acts, onClose }: RenameProps) => {
  const [name, setName] = useState(from);
  return (
    <ActDialog
      title="Rename the organization"
      acts={acts}
      submit="Rename"
      disabled={name.trim() === ""}
      work={() => patch("/organization", { name: name.trim() }, etag)}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
    </ActDialog>
  );
};

const Leave = ({ from: { id, name }, onClose }: { from: Organization; onClose: () => void }) => {
  const [, go] = useLocation();
  return (
    <ConfirmDialog
      title={`Leave ${name}`}
      about="You lose every way into it at once. Somebody there must invite you to come back."
      word={name}
      acts={useActs("me")}
      submit="Leave"
      work={async () => {
        await post(`/organizations/${id}/leave`);
        setOrganization(null);
      }}
      onDone={() => go("/account")}
      onClose={onClose}
    />
  );
};
