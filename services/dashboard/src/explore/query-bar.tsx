/** Where a question is written: completes fields and values, underlines what is wrong, remembers what was asked. */
import { CornerDownLeft, History } from "lucide-react";
import { useEffect, useImperativeHandle, useRef, useState } from "react";
import { readStored, writeStored } from "../shell/stored.ts";
import { Button, IconButton } from "../ui/controls.tsx";
import { Menu, MenuItem, MenuLabel } from "../ui/overlays.tsx";
import { type FieldInfo, topValues } from "./data.ts";
import { createEditor, type QueryEditor } from "./editor.ts";
import { findWrong, type Wrong } from "./language.ts";
import type { Range } from "./time-range.ts";

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
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<QueryEditor>(undefined);
  const [text, setText] = useState(q);
  const [wrong, setWrong] = useState<Wrong>();
  const live = useRef({ fields, range, text, onRun });
  live.current = { fields, range, text, onRun };

  const run = (): void => {
    const now = live.current.text;
    const found = findWrong(now);
    setWrong(found);
    editor.current?.underline(found?.column);
    if (found === undefined) {
      remember(now);
      live.current.onRun(now.trim());
    }
  };
  const runNow = useRef(run);
  runNow.current = run;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; a changed q is set into it below.
  useEffect(() => {
    if (host.current === null) return;
    const made = createEditor(host.current, q, "Query", {
      onChange: setText,
      onRun: () => runNow.current(),
      onLeave: () => made.view.contentDOM.blur(),
      fields: () => live.current.fields,
      values: (field) => topValues(field, live.current.range),
    });
    editor.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => editor.current?.setText(q), [q]);
  // After a pause, so that a half-typed word is not called wrong.
  useEffect(() => {
    const found = findWrong(text);
    if (found === undefined) {
      setWrong(undefined);
      editor.current?.underline(undefined);
      return;
    }
    const timer = setTimeout(() => {
      setWrong(found);
      editor.current?.underline(found.column);
    }, 700);
    return () => clearTimeout(timer);
  }, [text]);
  useImperativeHandle(ref, () => ({ focus: () => editor.current?.focus() }), []);

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
      <div role="alert">
        {shown === undefined ? null : (
          <p className="query-wrong">
            <strong>{shown.message}</strong> {shown.suggestion} <span className="faint">Column {shown.column}.</span>
          </p>
        )}
      </div>
    </search>
  );
};
