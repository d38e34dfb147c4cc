/** One event whole: its fields, each to filter by, pin or copy; or as JSON. */
import { Minus, Pin, Plus, X } from "lucide-react";
import { useState } from "react";
import { CopyButton, CopyIconButton, IconButton } from "../ui/controls.tsx";
import { formatAgo, formatStamp } from "../ui/time.ts";
import { type EventView, textOf } from "./data.ts";
import { LevelSign, Message } from "./event-row.tsx";
import { filterOf } from "./language.ts";

interface DrawerProps {
  readonly event: EventView;
  readonly pinned: readonly string[];
  readonly utc: boolean;
  readonly marks: RegExp | undefined;
  readonly onFilter: (filter: string, exclude: boolean) => void;
  readonly onPin: (field: string) => void;
  readonly onClose: () => void;
}

const builtIn = ["service", "host", "source", "level", "trace_id", "span_id"] as const;

export const Drawer = ({ event, pinned, utc, marks, onFilter, onPin, onClose }: DrawerProps) => {
  const [json, setJson] = useState(false);
  const fields: [string, string][] = [
    ...builtIn.flatMap((name): [string, string][] => (event[name] === "" ? [] : [[name, event[name]]])),
    ...Object.entries(event.attributes).map(([name, value]): [string, string] => [name, textOf(value)]),
  ];
  return (
    <aside className="drawer" aria-label="Event">
      <header className="drawer-head">
        <LevelSign level={event.level} />
        <h2 className="grow cut figures" title={event.timestamp}>
          {formatStamp(event.timestamp, utc, 9)}
        </h2>
        <IconButton label="Close" keys="Esc" onClick={onClose}>
          <X size={16} />
        </IconButton>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard must reach that. */}
      <div className="drawer-body" tabIndex={0}>
        <pre className="drawer-message">
          <Message text={event.message} marks={marks} />
        </pre>
        <div className="row wrap">
          <fieldset className="segmented">
            <legend className="hidden">Show as</legend>
            <button type="button" aria-pressed={!json} onClick={() => setJson(false)}>
              Fields
            </button>
            <button type="button" aria-pressed={json} onClick={() => setJson(true)}>
              JSON
            </button>
          </fieldset>
          <span className="grow" />
          <CopyButton text={event.message} label="Copy message" />
          <CopyButton text={JSON.stringify(event, null, 2)} label="Copy JSON" />
        </div>
        {json ? (
          <pre className="drawer-json">{JSON.stringify(event, null, 2)}</pre>
        ) : (
          <ul className="drawer-fields">
            {fields.map(([name, value]) => (
              <li key={name}>
                <span className="field-name mono">{name}</span>
                <span className="field-value mono">{value === "" ? '""' : value}</span>
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
        )}
        <p className="faint small">
          Received {formatStamp(event.received_at, utc)} ({formatAgo(event.received_at)}), kept as{" "}
          <code>{event.id}</code>
        </p>
      </div>
    </aside>
  );
};
