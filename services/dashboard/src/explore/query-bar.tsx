/** Where a question is written: completes fields and values, underlines what is wrong, remembers what was asked. */
import { CornerDownLeft, History } from "lucide-react";
import { useImperativeHandle } from "react";
import { readStored, writeStored } from "../shell/stored.ts";
import { Button, IconButton } from "../ui/controls.tsx";
import { Menu, MenuItem, MenuLabel } from "../ui/overlays.tsx";
import type { FieldInfo } from "./data.ts";
import type { Wrong } from "./language.ts";
import { QueryWrong } from "./query-wrong.tsx";
import type { Range } from "./time-range.ts";
import { useQueryEditor } from "./use-query-editor.ts";

export interface QueryBarHandle {
  focus(): void;
}

interface QueryBarProps {
  readonly q: string;
  readonly range: Range;
  readonly fields: readonly FieldInfo[];
  /** What the server said is wrong with the query as it was run. */
  readonly refused: Wrong | undefined;
  readonly onRun: (q: string) => void;
  readonly ref: React.Ref<QueryBarHandle>;
}

const keep = 30;
export const remember = (q: string): void => {
  if (q.trim() === "") return;
  writeStored("queries", [q, ...readStored<string[]>("queries", []).filter((one) => one !== q)].slice(0, keep));
};

export const QueryBar = ({ q, range, fields, refused, onRun, ref }: QueryBarProps) => {
  const run = (): void => {
    if (!editing.check()) return;
    remember(text);
    onRun(text.trim());
  };
  const editing = useQueryEditor({ ...{ q, range, fields }, label: "Query", onRun: run });
  const { host, text, wrong } = editing;
  useImperativeHandle(ref, () => ({ focus: editing.focus }));

  const shown = wrong ?? (text.trim() === q.trim() ? refused : undefined);
  const past = readStored<string[]>("queries", []);
  return (
    <search className="query">
      <div className="query-line">
        <div className="query-editor" ref={host} />
        {past.length === 0 ? null : (
          <Menu
            trigger={
              <IconButton label="Queries before">
                <History size={15} />
              </IconButton>
            }
          >
            <MenuLabel>Queries before</MenuLabel>
            {past.slice(0, 12).map((one) => (
              <MenuItem key={one} onSelect={() => onRun(one)}>
                <span className="mono">{one}</span>
              </MenuItem>
            ))}
          </Menu>
        )}
        <Button
          look={text.trim() === q.trim() ? "quiet" : "primary"}
          small
          onClick={run}
          icon={<CornerDownLeft size={14} />}
        >
          Run
        </Button>
      </div>
      <QueryWrong of={shown} />
    </search>
  );
};
