/** What an admin key may do: all that its kind may, or a choice among it. */
import { keyPermissions, permissions } from "@astralog/schemas/permissions";
import { PermissionList } from "../team/pickers.tsx";

const offered = keyPermissions.admin.map((id) => ({ id, meaning: permissions[id] }));

interface Props {
  /** Undefined is all. */
  readonly value: readonly string[] | undefined;
  readonly onChange: (value: readonly string[] | undefined) => void;
}

export const KeyPermissions = ({ value, onChange }: Props) => (
  <>
    <div className="check-list">
      <label className="choice">
        <input
          type="checkbox"
          checked={value === undefined}
          onChange={() => onChange(value === undefined ? [] : undefined)}
        />
        <span>All that an admin key may</span>
      </label>
    </div>
    {value === undefined ? null : <PermissionList offered={offered} value={value} onChange={onChange} />}
  </>
);
