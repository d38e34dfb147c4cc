/** One event whole: its fields, itself as JSON, what stands around it, its trace, and where it went. */
import "../style/pages.css";
import "./drawer.css";
import { Check, Copy, X } from "lucide-react";
import { Tabs } from "radix-ui";
import type { ReactNode } from "react";
import { useCommands } from "../shell/commands.tsx";
import { IconButton, useCopied } from "../ui/controls.tsx";
import { Menu, MenuItem, MenuLabel } from "../ui/overlays.tsx";
import { formatStamp } from "../ui/time.ts";
import { eventAsCurl } from "./commands-of.ts";
import type { EventView } from "./data.ts";
import { EventAround } from "./event-around.tsx";
import { EventFields } from "./event-fields.tsx";
import { EventReceipt } from "./event-receipt.tsx";
import { LevelSign, Message } from "./event-row.tsx";
import { EventTrace } from "./event-trace.tsx";
import { type EventPart, eventParts } from "./url-state.ts";

interface DrawerProps {
  readonly event: EventView;
  readonly part: EventPart;
  readonly pinned: readonly string[];
  readonly utc: boolean;
  /** Where it was found. */
  readonly place?: string;
  readonly marks: RegExp | undefined;
  readonly onPart: (part: EventPart) => void;
  readonly onEvent: (id: string) => void;
  /** The trace in the list, with the events that are known of it. */
  readonly onTrace: (events: readonly EventView[]) => void;
  readonly onFilter: (filter: string, exclude: boolean) => void;
  readonly onPin: (field: string) => void;
  readonly onClose: () => void;
}

const titles: Readonly<Record<EventPart, string>> = {
  fields: "Fields",
  json: "JSON",
  around: "Around",
  trace: "Trace",
  receipt: "Receipt",
};

export const Drawer = (props: DrawerProps) => {
  const { event, utc, place = "", marks, onPart, onEvent } = props;
  const parts = eventParts.filter((part) => part !== "trace" || event.trace_id !== "");
  const part = parts.includes(props.part) ? props.part : "fields";
  useCommands(
    parts.map((one, i) => ({
      id: `event-${one}`,
      title: `${titles[one]} of the event`,
      section: "Event",
      keys: `${i + 1}`,
      run: () => onPart(one),
    })),
  );
  const contents: Readonly<Record<EventPart, () => ReactNode>> = {
    fields: () => <EventFields {...props} />,
    json: () => <pre className="drawer-json">{JSON.stringify(event, null, 2)}</pre>,
    around: () => <EventAround {...{ event, utc, place }} onEvent={onEvent} />,
    trace: () => <EventTrace {...{ event, utc, place }} onEvent={onEvent} onAll={props.onTrace} />,
    receipt: () => <EventReceipt event={event} utc={utc} />,
  };
  return (
    <aside className="drawer" aria-label="Event">
      <header className="drawer-head">
        <LevelSign level={event.level} />
        <h2 className="grow cut figures" title={event.timestamp}>
          {formatStamp(event.timestamp, utc, 9)}
        </h2>
        <CopyMenu event={event} />
        <IconButton label="Close" keys="Esc" onClick={props.onClose}>
          <X size={16} />
        </IconButton>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard must reach that. */}
      <pre className="drawer-message" tabIndex={0}>
        <Message text={event.message} marks={marks} />
      </pre>
      <Tabs.Root
        className="drawer-parts"
        value={part}
        onValueChange={(next) => onPart(next as EventPart)}
        activationMode="manual"
      >
        <Tabs.List className="drawer-tabs" aria-label="About the event">
          {parts.map((one) => (
            <Tabs.Trigger key={one} value={one}>
              {titles[one]}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content key={part} value={part} className="drawer-body">
          {contents[part]()}
        </Tabs.Content>
      </Tabs.Root>
    </aside>
  );
};

const CopyMenu = ({ event }: { event: EventView }) => {
  const [copied, copy] = useCopied();
  return (
    <Menu
      trigger={
        <button type="button" className="icon-button" aria-label={copied ? "Copied" : "Copy the event"}>
          {copied ? <Check size={15} /> : <Copy size={15} />}
        </button>
      }
    >
      <MenuLabel>Copy</MenuLabel>
      <MenuItem onSelect={() => copy(event.message)}>Message</MenuItem>
      <MenuItem onSelect={() => copy(JSON.stringify(event, null, 2))}>JSON</MenuItem>
      <MenuItem onSelect={() => copy(eventAsCurl(location.origin, event.id))}>curl</MenuItem>
      <MenuItem
        onSelect={() => copy(`${location.origin}/explore?${new URLSearchParams({ from: "", event: event.id })}`)}
      >
        Link
      </MenuItem>
    </Menu>
  );
};
