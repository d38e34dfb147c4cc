/** Chooses the window of time: by name, in words, by calendar; says which zone, and moves with the arrow keys. */
import { CalendarClock, ChevronLeft, ChevronRight } from "lucide-react";
import { useState } from "react";
import { Button, classes, Field, IconButton, Input } from "../ui/controls.tsx";
import { Popover } from "../ui/overlays.tsx";
import { localZone } from "../ui/time.ts";
import { describeRange, presets, type Range, shift } from "./time-range.ts";
import { readRange } from "./time-words.ts";

interface TimePickerProps {
  readonly range: Range;
  readonly utc: boolean;
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
  readonly onChange: (range: Range) => void;
  readonly onZone: (utc: boolean) => void;
}

export const TimePicker = ({ range, utc, open, onOpen, onChange, onZone }: TimePickerProps) => {
  const [words, setWords] = useState("");
  const read = words.trim() === "" ? undefined : readRange(words, Date.now(), utc);
  const choose = (next: Range): void => {
    onChange(next);
    onOpen(false);
    setWords("");
  };
  return (
    <div className="time-picker">
      <IconButton label="Earlier" keys="⇧←" onClick={() => onChange(shift(range, -0.5, Date.now()))}>
        <ChevronLeft size={16} />
      </IconButton>
      <Popover
        open={open}
        onOpen={onOpen}
        label="Time"
        className="time-choices"
        trigger={
          <Button small icon={<CalendarClock size={14} />}>
            <span className="hidden">Time: </span>
            <span className="cut">{describeRange(range, utc, Date.now())}</span>
            <span className="faint small">{utc ? "UTC" : "local"}</span>
          </Button>
        }
      >
        <form
          className="stack-small"
          onSubmit={(event) => {
            event.preventDefault();
            if (read !== undefined) choose(read);
          }}
        >
          <Field
            label="In words or as dates"
            hint={
              read === undefined
                ? words === ""
                  ? "20m, yesterday 14:00 to 15:00, since monday, 24 nov"
                  : "Not understood yet. Try: last 3 days, 14:00 to 15:30"
                : `${describeRange(read, utc, Date.now())} (${utc ? "UTC" : localZone})`
            }
          >
            {(ids) => <Input {...ids} autoFocus value={words} onChange={(event) => setWords(event.target.value)} />}
          </Field>
        </form>
        <ul className="time-presets">
          {presets.map(([one, name]) => (
            <li key={name}>
              <button
                type="button"
                className={classes("menu-item", one.from === range.from && one.to === range.to && "is-active")}
                onClick={() => choose(one)}
              >
                {name}
              </button>
            </li>
          ))}
        </ul>
        <fieldset className="segmented">
          <legend className="hidden">Zone</legend>
          {[false, true].map((one) => (
            <button key={String(one)} type="button" aria-pressed={utc === one} onClick={() => onZone(one)}>
              {one ? "UTC" : `Local (${localZone})`}
            </button>
          ))}
        </fieldset>
      </Popover>
      <IconButton label="Later" keys="⇧→" onClick={() => onChange(shift(range, 0.5, Date.now()))}>
        <ChevronRight size={16} />
      </IconButton>
    </div>
  );
};
