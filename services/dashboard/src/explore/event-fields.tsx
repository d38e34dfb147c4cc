/** An event's fields, each to filter by, pin or copy. What was redacted says by which detector. */
import { EyeOff, Minus, Pin, Plus } from "lucide-react";
import { CopyIconButton, IconButton } from "../ui/controls.tsx";
import { formatAgo, formatStamp } from "../ui/time.ts";
import { type EventView, textOf } from "./data.ts";
import { filterOf } from "./language.ts";
import { detectorWords, piecesOf } from "./redactions.ts";

interface EventFieldsProps {
  readonly event: EventView;
  readonly pinned: readonly string[];
  readonly utc: boolean;
  readonly onFilter: (filter: string, exclude: boolean) => void;
  readonly onPin: (field: string) => void;
}

const builtIn = ["service", "host", "source", "level", "trace_id", "span_id"] as const;

export const EventFields = ({ event, pinned, utc, onFilter, onPin }: EventFieldsProps) => {
  const fields: [string, string][] = [
    ...builtIn.flatMap((name): [string, string][] => (event[name] === "" ? [] : [[name, event[name]]])),
    ...Object.entries(event.attributes).map(([name, value]): [string, string] => [name, textOf(value)]),
  ];
  return (
    <>
      <ul className="drawer-fields">
        {fields.map(([name, value]) => (
          <li key={name}>
            <span className="field-name mono">{name}</span>
            <span className="field-value mono">{value === "" ? '""' : <Redactable text={value} />}</span>
            <span className="field-acts">
              <IconButton label={`Only ${name} like this`} onClick={() => onFilter(filterOf(name, value), false)}>
                <Plus size={14} />
              </IconButton>
              <IconButton label={`Without ${name} like this`} onClick={() => onFilter(filterOf(name, value), true)}>
                <Minus size={14} />
              </IconButton>
              <IconButton label={`Pin ${name} as a column`} on={pinned.includes(name)} onClick={() => onPin(name)}>
                <Pin size={14} />
              </IconButton>
              <CopyIconButton label={`Copy ${name}`} text={value} />
            </span>
          </li>
        ))}
      </ul>
      <p className="faint small">
        Received {formatStamp(event.received_at, utc)} ({formatAgo(event.received_at)}), kept as <code>{event.id}</code>
      </p>
    </>
  );
};

/** The value as it is stored; a redaction stands out, and tells a screen reader what it is. */
const Redactable = ({ text }: { text: string }) =>
  piecesOf(text).map(({ text: piece, detector, at }) =>
    detector === undefined ? (
      piece
    ) : (
      <span key={at} className="redacted" title={`${detectorWords(detector)}: taken out before anything was stored`}>
        <EyeOff size={12} aria-hidden />
        {detectorWords(detector)}
      </span>
    ),
  );
