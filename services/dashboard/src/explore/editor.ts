/**
 * The query editor: one line that grows, coloured by the language's own grammar. It lives in a shadow root, where its
 * styles are adopted sheets: in the page itself they would be a style tag, which the content security policy refuses.
 */

import { parser } from "@astralog/schemas/query/grammar";
import {
  acceptCompletion,
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, LanguageSupport, LRLanguage, syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, placeholder } from "@codemirror/view";
import { styleTags, tags } from "@lezer/highlight";
import { fieldNames, fieldOf, literalOf, pipeWords, underlineOf } from "./language.ts";

export interface EditorHooks {
  onChange(text: string): void;
  onRun(): void;
  onLeave(): void;
  fields(): readonly { name: string; type?: string; coverage?: number }[];
  values(field: string): Promise<readonly { value: string; count: number }[]>;
}

export interface QueryEditor {
  readonly view: EditorView;
  setText(text: string): void;
  /** Underlines the word at the 1-based column; undefined takes the line away. */
  underline(column: number | undefined): void;
  focus(): void;
  destroy(): void;
}

const language = LRLanguage.define({
  parser: parser.configure({
    props: [
      styleTags({
        FieldName: tags.propertyName,
        Quoted: tags.string,
        Operator: tags.operator,
        "Minus or and not to": tags.operatorKeyword,
        Regex: tags.regexp,
        "Value RangeValue Number": tags.literal,
        "StageName/Name Keyword WhereWord": tags.keyword,
        "Call/Name": tags.function(tags.variableName),
        Bar: tags.operatorKeyword,
        "( ) RangeOpen RangeClose RangeOpenExclusive RangeCloseExclusive": tags.bracket,
      }),
    ],
  }),
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--ansi-green)" },
  { tag: tags.regexp, color: "var(--ansi-green)" },
  { tag: [tags.keyword, tags.function(tags.variableName)], color: "var(--ansi-magenta)" },
  { tag: tags.operator, color: "var(--text-soft)" },
  { tag: tags.operatorKeyword, color: "var(--ansi-magenta)" },
  { tag: tags.bracket, color: "var(--text-soft)" },
]);

const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", overflowX: "hidden" },
  ".cm-content": { fontFeatureSettings: '"calt" 0', padding: "8px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0" },
  ".cm-placeholder": { color: "var(--text-faint)" },
  ".cm-wrong": { textDecoration: "underline wavy var(--level-error) 1px", textUnderlineOffset: "4px" },
  ".cm-tooltip": {
    border: "0",
    borderRadius: "7px",
    backgroundColor: "var(--bg-raised)",
    boxShadow: "var(--shadow-float)",
    overflow: "hidden",
    zIndex: "50",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--mono)",
    fontSize: "12.5px",
    maxHeight: "260px",
    padding: "4px",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
    padding: "4px 8px",
    borderRadius: "5px",
    color: "var(--text)",
    display: "flex",
    gap: "16px",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--bg-selected)", color: "var(--text)" },
  ".cm-completionLabel": { flex: "1" },
  ".cm-completionDetail": { color: "var(--text-faint)", fontStyle: "normal" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)" },
});

const setWrong = StateEffect.define<readonly [number, number] | undefined>();
const wrongMark = Decoration.mark({ class: "cm-wrong" });
const wrongField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, transaction) => {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects)
      if (effect.is(setWrong))
        next =
          effect.value === undefined || effect.value[0] >= effect.value[1]
            ? Decoration.none
            : Decoration.set([wrongMark.range(...effect.value)]);
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const counted = new Intl.NumberFormat("en", { notation: "compact" });

const complete =
  (hooks: EditorHooks) =>
  async (context: CompletionContext): Promise<CompletionResult | null> => {
    const value = context.matchBefore(/(?:[\w.@$/-]+|"[^"]*"):(?:>=|<=|>|<)?(?:"[^"]*|[^\s()":]*)$/);
    if (value !== null) {
      const [, name = "", begun = ""] = /^([\w.@$/-]+|"[^"]*"):((?:>=|<=|>|<)?"?[^"]*)$/.exec(value.text) ?? [];
      const operator = /^(?:>=|<=|>|<)/.exec(begun)?.[0] ?? "";
      const found = await hooks.values(name.replaceAll('"', ""));
      const from = context.pos - begun.length + operator.length;
      const options = found.map(({ value: label, count }, i) => ({
        label: literalOf(label),
        detail: counted.format(count),
        boost: -i,
      }));
      if (name === "level" && options.length === 0)
        options.push(
          ...["fatal", "error", "warn", "info", "debug", "trace"].map((label, i) => ({ label, detail: "", boost: -i })),
        );
      return { from, options, filter: true };
    }
    const word = context.matchBefore(/[\w.@$/]+$/);
    const behind = pipeWords(context.state.sliceDoc(0, word?.from ?? context.pos));
    if (behind !== undefined) {
      return {
        from: word?.from ?? context.pos,
        options: [
          ...behind.map((label) => ({ label, detail: "", boost: 1 })),
          ...(/\|\s*$/.test(context.state.sliceDoc(0, word?.from ?? context.pos))
            ? []
            : hooks.fields().map(({ name }) => ({ label: fieldOf(name), detail: "field" }))),
        ],
        validFor: /^[\w.@$/]*$/,
      };
    }
    if (word === null && !context.explicit) return null;
    const known = hooks.fields();
    const names = known.length > 0 ? known : fieldNames.map((name) => ({ name }));
    return {
      from: word?.from ?? context.pos,
      options: names.map(({ name, ...about }) => ({
        label: fieldOf(name),
        apply: (view: EditorView, _: unknown, from: number, to: number) => {
          const insert = `${fieldOf(name)}:`;
          view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length } });
          startCompletion(view);
        },
        detail:
          "coverage" in about && about.coverage !== undefined ? `in ${Math.round(about.coverage * 100)} %` : "field",
      })),
      validFor: /^[\w.@$/]*$/,
    };
  };

/** As a key's command: it was handled. */
const did = (act: () => void) => (): boolean => {
  act();
  return true;
};

export const createEditor = (host: HTMLElement, text: string, label: string, hooks: EditorHooks): QueryEditor => {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(keymap.of([{ key: "Tab", run: acceptCompletion }, ...completionKeymap])),
        Prec.high(
          keymap.of([
            { key: "Enter", run: did(hooks.onRun) },
            { key: "Mod-Enter", run: did(hooks.onRun) },
            { key: "Escape", run: did(hooks.onLeave) },
            { key: "ArrowDown", run: (one) => one.state.doc.length === 0 && startCompletion(one) },
          ]),
        ),
        keymap.of([...historyKeymap, ...defaultKeymap]),
        history(),
        new LanguageSupport(language),
        syntaxHighlighting(colours),
        autocompletion({ override: [complete(hooks)], icons: false, defaultKeymap: false }),
        placeholder('timeout  "connection refused"  level:>=warn  service:api-*'),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
        wrongField,
        look,
        EditorView.updateListener.of((update) => {
          if (update.docChanged) hooks.onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    view,
    setText: (next) => {
      if (view.state.doc.toString() !== next)
        view.dispatch({
          changes: { from: 0, to: view.state.doc.length, insert: next },
          selection: { anchor: next.length },
        });
    },
    underline: (column) =>
      view.dispatch({
        effects: setWrong.of(column === undefined ? undefined : underlineOf(view.state.doc.toString(), column)),
      }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
};
