/** Hours of the week in a zone: when people are told, or when a maintenance window is on. */
import { days, type Schedule } from "@astralog/schemas/alerts/local-time";
import { Field, Input } from "../ui/controls.tsx";

interface Props {
  readonly title: string;
  /** Undefined: always. */
  readonly of: Partial<Schedule> | undefined;
  /** What it begins with when it is turned on. */
  readonly begins: Schedule;
  readonly wrongs?: Readonly<Record<string, string>>;
  readonly onChange: (schedule: Schedule | undefined) => void;
}

export const ScheduleFields = ({ title, of: given, begins, wrongs = {}, onChange }: Props) => {
  const schedule: Schedule | undefined = given === undefined ? undefined : { ...begins, ...given };
  const set = (changes: Partial<Schedule>): void =>
    schedule === undefined ? undefined : onChange({ ...schedule, ...changes });
  const text = (name: "from" | "to" | "timezone", label: string) => (
    <Field label={label} error={wrongs[`schedule.${name}`]}>
      {(ids) => (
        <Input
          {...ids}
          value={schedule?.[name] ?? ""}
          onChange={({ target }) => set({ [name]: target.value.trim() })}
        />
      )}
    </Field>
  );
  return (
    <div className="stack-small">
      <label className="choice small">
        <input
          type="checkbox"
          checked={schedule !== undefined}
          onChange={({ target }) => onChange(target.checked ? begins : undefined)}
        />
        <span>{title}</span>
      </label>
      {schedule === undefined ? null : (
        <>
          <fieldset className="segmented wraps">
            <legend className="hidden">Days</legend>
            {days.map((day) => (
              <button
                key={day}
                type="button"
                aria-pressed={schedule.days.includes(day)}
                onClick={() => set({ days: days.filter((one) => (one === day) !== schedule.days.includes(one)) })}
              >
                {day}
              </button>
            ))}
          </fieldset>
          <div className="filters">
            {text("from", "From")}
            {text("to", "To")}
            {text("timezone", "Time zone")}
          </div>
        </>
      )}
    </div>
  );
};
