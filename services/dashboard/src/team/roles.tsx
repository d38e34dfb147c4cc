/** Roles: those that come with the product, told by what they may, and one's own. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { ActDialog, ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { NameField } from "../account/fields.tsx";
import { patch, post, remove } from "../api/client.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { Read, Section } from "../ui/parts.tsx";
import { type Permission, type Role, useRoles } from "./data.ts";
import { PermissionList } from "./pickers.tsx";

type Open = { readonly kind: "new" } | { readonly kind: "change" | "delete"; readonly role: Role };

export const Roles = () => {
  const mayWrite = useMay()("roles.write");
  const roles = useRoles();
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const begin = (): void => setOpen({ kind: "new" });
  useCommands(mayWrite ? [{ id: "new-role", title: "New role", section: "Team", keys: "n", run: begin }] : []);
  const offered = roles.data?.permissions ?? [];
  return (
    <>
      <Section
        title="Your own roles"
        about="A role of your own is a choice among the permissions. Nobody can give one that has more than himself."
        act={
          mayWrite ? (
            <Button small look="primary" icon={<Plus size={14} />} onClick={begin}>
              New role
            </Button>
          ) : null
        }
      >
        <Read from={roles} what="the roles">
          {({ roles: own, permissions }) =>
            own.length === 0 ? (
              <p className="soft small">There is none: the roles below do for most.</p>
            ) : (
              own.map((role) => (
                <div key={role.id} className="sentence">
                  <RoleWords name={role.name} may={role.permissions} permissions={permissions} />
                  {mayWrite ? (
                    <RowMenu label={`Acts on ${role.name}`}>
                      <MenuItem onSelect={() => setOpen({ kind: "change", role })}>Name and permissions</MenuItem>
                      <MenuLine />
                      <MenuItem danger onSelect={() => setOpen({ kind: "delete", role })}>
                        Delete
                      </MenuItem>
                    </RowMenu>
                  ) : null}
                </div>
              ))
            )
          }
        </Read>
      </Section>
      {roles.data === undefined ? null : (
        <Section title="Roles that are always there">
          {roles.data.built_in.map(({ id, meaning, permissions }) => (
            <div key={id} className="sentence">
              <RoleWords name={id} about={meaning} may={permissions} permissions={offered} />
            </div>
          ))}
        </Section>
      )}
      {open?.kind === "new" ? <RoleDialog offered={offered} onClose={close} /> : null}
      {open?.kind === "change" ? <RoleDialog of={open.role} offered={offered} onClose={close} /> : null}
      {open?.kind === "delete" ? <DeleteRole of={open.role} onClose={close} /> : null}
    </>
  );
};

interface WordsProps {
  readonly name: string;
  readonly about?: string;
  readonly may: readonly string[];
  readonly permissions: readonly Permission[];
}

const RoleWords = ({ name, about, may, permissions }: WordsProps) => (
  <div className="grow">
    <strong>{name}</strong>
    {about === undefined ? null : <span className="soft">{about}</span>}
    <details>
      <summary className="faint small">
        {may.length} of {permissions.length} permissions
      </summary>
      <ul className="permissions small">
        {permissions.map(({ id, meaning }) => (
          <li key={id} className={may.includes(id) ? undefined : "faint"}>
            {may.includes(id) ? "Can: " : "Cannot: "}
            {meaning}
          </li>
        ))}
      </ul>
    </details>
  </div>
);

interface RoleDialogProps {
  readonly of?: Role;
  readonly offered: readonly Permission[];
  readonly onClose: () => void;
}

const RoleDialog = ({ of: role, offered, onClose }: RoleDialogProps) => {
  const [name, setName] = useState(role?.name ?? "");
  const [chosen, setChosen] = useState<readonly string[]>(role?.permissions ?? ["events.read"]);
  const acts = useActs("roles", "members", "me");
  const given = { name: name.trim(), permissions: chosen };
  return (
    <ActDialog
      wide
      title={role === undefined ? "New role" : `Change ${role.name}`}
      {...(role === undefined ? {} : { about: "It holds at once for everybody who has this role." })}
      acts={acts}
      submit={role === undefined ? "Make the role" : "Save"}
      disabled={given.name === "" || chosen.length === 0}
      work={() => (role === undefined ? post("/roles", given) : patch(`/roles/${role.id}`, given))}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
      <PermissionList offered={offered} value={chosen} onChange={setChosen} />
    </ActDialog>
  );
};

const DeleteRole = ({ of: role, onClose }: { of: Role; onClose: () => void }) => (
  <ConfirmDialog
    title={`Delete ${role.name}`}
    about="Only a role that no member and no open invitation has can be deleted."
    word={role.name}
    acts={useActs("roles")}
    submit="Delete"
    work={() => remove(`/roles/${role.id}`)}
    onClose={onClose}
  />
);
