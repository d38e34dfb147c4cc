/** Making and changing a team, and who is in it. */
import { useState } from "react";
import { ActDialog, type Acts, ConfirmDialog, useActs } from "../account/acts.tsx";
import { NameField } from "../account/fields.tsx";
import { Wrong } from "../account/frame.tsx";
import { patch, post, put, remove } from "../api/client.ts";
import { useTagged } from "../api/read.ts";
import { Button } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import { Read } from "../ui/parts.tsx";
import { nameOf, type Scope, type Team, useMembers, useTeams } from "./data.ts";
import { ScopePicker } from "./pickers.tsx";

interface Closing {
  readonly onClose: () => void;
}

interface FormProps extends Closing {
  readonly title: string;
  readonly submit: string;
  readonly from: Pick<Team, "name" | "sources">;
  readonly acts: Acts;
  readonly work: (given: { name: string; sources: Scope }) => Promise<unknown>;
}

const TeamForm = ({ from, work, ...rest }: FormProps) => {
  const [name, setName] = useState(from.name);
  const [sources, setSources] = useState(from.sources);
  return (
    <ActDialog {...rest} disabled={name.trim() === ""} work={() => work({ name: name.trim(), sources })}>
      <NameField value={name} onChange={setName} />
      <ScopePicker value={sources} onChange={setSources} />
    </ActDialog>
  );
};

export const NewTeam = ({ onClose }: Closing) => (
  <TeamForm
    title="New team"
    submit="Make the team"
    from={{ name: "", sources: [] }}
    acts={useActs("teams")}
    work={(given) => post("/teams", given)}
    onClose={onClose}
  />
);

export const TeamDialog = ({ of: team, onClose }: Closing & { of: Team }) => {
  const path = `/teams/${team.id}`;
  const read = useTagged<Team>("team", path);
  const acts = useActs("teams", "team", "members");
  const title = `Change ${team.name}`;
  if (read.data === undefined)
    return (
      <Modal open onClose={onClose} title={title}>
        <Read from={read} what="the team">
          {() => null}
        </Read>
      </Modal>
    );
  const { etag, value } = read.data;
  const work = (given: object) => patch(path, given, etag);
  return <TeamForm key={etag} title={title} submit="Save" from={value} acts={acts} work={work} onClose={onClose} />;
};

/** Each tick is an act of its own, and holds at once. */
export const TeamMembers = ({ of: team, onClose }: Closing & { of: Team }) => {
  const members = useMembers();
  const now = useTeams().data?.teams.find(({ id }) => id === team.id) ?? team;
  const acts = useActs("teams", "members");
  const [going, setGoing] = useState<{ readonly person: string; readonly isIn: boolean }>();
  const set = async (person: string, isIn: boolean): Promise<void> => {
    const path = `/teams/${team.id}/members/${person}`;
    setGoing({ person, isIn });
    await acts.run(() => (isIn ? put(path, {}) : remove(path)));
    setGoing(undefined);
  };
  return (
    <Modal open onClose={onClose} title={`Members of ${now.name}`} about="Each change holds at once.">
      <div className="stack">
        <Read from={members} what="the members">
          {(all) => (
            <fieldset className="check-list">
              <legend className="hidden">Members</legend>
              {all.map((one) => (
                <label key={one.person} className="choice">
                  <input
                    type="checkbox"
                    checked={going?.person === one.person ? going.isIn : now.members.includes(one.person)}
                    disabled={acts.busy}
                    onChange={(event) => void set(one.person, event.target.checked)}
                  />
                  <span>
                    {nameOf(one)} <span className="faint">{one.name === "" ? "" : one.email}</span>
                  </span>
                </label>
              ))}
            </fieldset>
          )}
        </Read>
        <Wrong>{acts.wrong}</Wrong>
        <div className="row end">
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
      {acts.dialog}
    </Modal>
  );
};

export const DeleteTeam = ({ of: team, onClose }: Closing & { of: Team }) => (
  <ConfirmDialog
    title={`Delete ${team.name}`}
    about="Its members stay in the organization, and see what their own sources and other teams give them."
    word={team.name}
    acts={useActs("teams", "members")}
    submit="Delete"
    work={() => remove(`/teams/${team.id}`)}
    onClose={onClose}
  />
);
