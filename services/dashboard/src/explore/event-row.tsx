/** One event on one line: level, time, service, pinned fields, message. Its text reaches the page as text nodes only. */
import { memo } from "react";
import { classes } from "../ui/controls.tsx";
import { formatAgo, formatStamp } from "../ui/time.ts";
import { readAnsi } from "./ansi.ts";
import { type EventView, fieldValue } from "./data.ts";

const letters: Readonly<Record<string, string>> = {
  trace: "T",
  debug: "D",
  info: "I",
  warn: "W",
  error: "E",
  fatal: "F",
};

export const LevelSign = ({ level }: { level: string }) => (
  <span className={`level level-${level || "none"}`} title={level || "no level"}>
    <span aria-hidden>{letters[level] ?? "·"}</span>
    <span className="hidden">{level || "no level"}</span>
  </span>
);

const pieces = (text: string, marks: RegExp | undefined): { text: string; marked: boolean; at: number }[] => {
  if (marks === undefined) return [{ text, marked: false, at: 0 }];
  const found: { text: string; marked: boolean; at: number }[] = [];
  let from = 0;
  for (const match of text.matchAll(marks)) {
    if (match[0] === "") continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index), marked: false, at: from });
    found.push({ text: match[0], marked: true, at: match.index });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from), marked: false, at: from });
  return found;
};

export const Message = ({ text, marks }: { text: string; marks: RegExp | undefined }) => {
  let at = 0;
  return readAnsi(text).map((piece) => {
    const key = at;
    at += piece.text.length + 1;
    const inner = pieces(piece.text, marks).map((one) =>
      one.marked ? <mark key={one.at}>{one.text}</mark> : one.text,
    );
    return piece.className === "" ? (
      inner
    ) : (
      <span key={key} className={piece.className}>
        {inner}
      </span>
    );
  });
};

interface RowProps {
  readonly event: EventView;
  readonly marks: RegExp | undefined;
  readonly pinned: readonly string[];
  readonly utc: boolean;
  readonly days: boolean;
}

export const EventCells = memo(({ event, marks, pinned, utc, days }: RowProps) => (
  <>
    <span role="gridcell">
      <LevelSign level={event.level} />
    </span>
    <span
      role="gridcell"
      className="cell-time figures"
      onPointerEnter={({ currentTarget }) => {
        // Said when it is asked for: "2 min ago" does not stay true.
        currentTarget.title = `${event.timestamp}, ${formatAgo(event.timestamp)}`;
      }}
    >
      {formatStamp(event.timestamp, utc).slice(days ? 0 : 11)}
    </span>
    <span role="gridcell" className="cell-service cut">
      {event.service}
    </span>
    {pinned.map((field) => (
      <span role="gridcell" key={field} className={classes("cell-pinned cut mono")}>
        {fieldValue(event, field) ?? ""}
      </span>
    ))}
    <span role="gridcell" className="cell-message mono">
      <Message text={event.message} marks={marks} />
    </span>
  </>
));
