/** An editor of queries in a page's own frame: completes fields and values, and says what is wrong once one stops typing. */
import { useEffect, useRef, useState } from "react";
import { type FieldInfo, topValues } from "./data.ts";
import { createEditor, type QueryEditor } from "./editor.ts";
import { findWrong, type Wrong } from "./language.ts";
import type { Range } from "./time-range.ts";

export interface QueryEditing {
  readonly host: React.RefObject<HTMLDivElement | null>;
  readonly text: string;
  readonly wrong: Wrong | undefined;
  /** Looks at once; whether it can be run. */
  check(): boolean;
  focus(): void;
}

interface Options {
  readonly q: string;
  /** For those who cannot see it. */
  readonly label: string;
  /** Whose values are offered. */
  readonly range: Range;
  readonly fields: readonly FieldInfo[];
  readonly find?: (text: string) => Wrong | undefined;
  readonly onRun: () => void;
  /** Each text that is typed, for who keeps it as `q`. */
  readonly onText?: (text: string) => void;
}

/** So long nobody is told: a half-typed word is not wrong. */
const patienceMs = 700;

export const useQueryEditor = ({ q, label, range, fields, find = findWrong, onRun, onText }: Options): QueryEditing => {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<QueryEditor>(undefined);
  const [text, setText] = useState(q);
  const [wrong, setWrong] = useState<Wrong>();
  const live = useRef({ q, fields, range, onRun, onText });
  live.current = { q, fields, range, onRun, onText };
  /** What was typed and given on, and has not come back as `q`: by then more may have been typed. */
  const given = useRef<string[]>([]);

  const show = (found: Wrong | undefined): void => {
    setWrong(found);
    editor.current?.underline(found?.column);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; a changed q is set into it below.
  useEffect(() => {
    if (host.current === null) return;
    const made = createEditor(host.current, q, label, {
      onChange: (typed) => {
        setText(typed);
        const { q: known, onText: give } = live.current;
        if (give === undefined || typed === (given.current.at(-1) ?? known)) return;
        given.current.push(typed);
        give(typed);
      },
      onRun: () => live.current.onRun(),
      onLeave: () => made.view.contentDOM.blur(),
      fields: () => live.current.fields,
      values: (field) => topValues(field, live.current.range),
    });
    editor.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => {
    const echo = given.current.indexOf(q);
    given.current = echo < 0 ? [] : given.current.slice(echo + 1);
    if (echo < 0) editor.current?.setText(q);
  }, [q]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what it looks with is the same for an editor's whole life.
  useEffect(() => {
    const found = find(text);
    if (found === undefined) return show(undefined);
    const timer = setTimeout(() => show(found), patienceMs);
    return () => clearTimeout(timer);
  }, [text]);

  return {
    ...{ host, text, wrong },
    check: () => {
      const found = find(text);
      show(found);
      return found === undefined;
    },
    focus: () => editor.current?.focus(),
  };
};
