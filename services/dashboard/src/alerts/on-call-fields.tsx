/** Turns that follow each other, and who stands in for a while. */
import type { OnCall } from "@astralog/schemas/alerts/destination";
import { onCallAt } from "@astralog/schemas/alerts/destination";
import { Plus, X } from "lucide-react";
import { Button, Field, IconButton, Input } from "../ui/controls.tsx";
import type { Destination } from "./data.ts";
import { isDirect } from "./destination-kinds.ts";

interface Props {
  readonly of: OnCall;
  readonly all: readonly Destination[];
  readonly onChange: (onCall: OnCall) => void;
}

const day = 86_400_000;
const instant = (wall: string): string => (wall === "" ? "" : new Date(wall).toISOString());
const wallOf = (iso: string): string => {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? "" : new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

export const OnCallFields = ({ of: given, all, onChange }: Props) => {
  const set = (changes: Partial<OnCall>): void => onChange({ ...given, ...changes });
  const targets = all.filter(({ kind }) => isDirect(kind));
  const nameOf = (id: string | undefined): string => targets.find((one) => one.id === id)?.name ?? "nobody";
  const free = targets.filter(({ id }) => !given.turns.includes(id));
  if (targets.length === 0)
    return (
      <p className="warn small">Make a destination for each person first: a webhook, a chat, a pager or e-mail.</p>
    );
  return (
    <>
      <fieldset className="choices">
        <legend>Turns, in their order</legend>
        {given.turns.map((id, i) => (
          <div key={id} className="row">
            <span className="grow">
              {i + 1}. {nameOf(id)}
            </span>
            <IconButton
              label={`Take ${nameOf(id)} out`}
              onClick={() => set({ turns: given.turns.filter((one) => one !== id) })}
            >
              <X size={14} />
            </IconButton>
          </div>
        ))}
        {free.length === 0 ? null : (
          <select
            className="input"
            aria-label="Add to the turns"
            value=""
            onChange={({ target }) => set({ turns: [...given.turns, target.value] })}
          >
            <option value="" disabled>
              Add…
            </option>
            {free.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </fieldset>
      <div className="filters">
        <Field label="Days of a turn">
          {(ids) => (
            <Input
              {...ids}
              type="number"
              min={1}
              max={60}
              value={given.days}
              onChange={({ target }) => set({ days: Number(target.value) })}
            />
          )}
        </Field>
        <Field label="Handed over at">
          {(ids) => (
            <Input
              {...ids}
              type="time"
              value={given.handover}
              onChange={({ target }) => set({ handover: target.value })}
            />
          )}
        </Field>
        <Field label="The first turn begins">
          {(ids) => (
            <Input {...ids} type="date" value={given.from} onChange={({ target }) => set({ from: target.value })} />
          )}
        </Field>
        <Field label="Time zone">
          {(ids) => <Input {...ids} value={given.zone} onChange={({ target }) => set({ zone: target.value.trim() })} />}
        </Field>
      </div>
      {given.instead.map((one, i) => {
        const change = (changes: Partial<typeof one>): void =>
          set({ instead: given.instead.map((each, n) => (n === i ? { ...each, ...changes } : each)) });
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: two may say the same, and only their order tells them apart.
          <div key={i} className="filters filters-times">
            <Field label="Instead">
              {(ids) => (
                <select
                  {...ids}
                  className="input"
                  value={one.to}
                  onChange={({ target }) => change({ to: target.value })}
                >
                  {targets.map(({ id, name }) => (
                    <option key={id} value={id}>
                      {name}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            <Field label="from">
              {(ids) => (
                <Input
                  {...ids}
                  type="datetime-local"
                  value={wallOf(one.from)}
                  onChange={({ target }) => change({ from: instant(target.value) })}
                />
              )}
            </Field>
            <Field label="until">
              {(ids) => (
                <Input
                  {...ids}
                  type="datetime-local"
                  value={wallOf(one.until)}
                  onChange={({ target }) => change({ until: instant(target.value) })}
                />
              )}
            </Field>
            <Button small onClick={() => set({ instead: given.instead.filter((_, n) => n !== i) })}>
              Take out
            </Button>
          </div>
        );
      })}
      <div className="row">
        <Button
          small
          icon={<Plus size={14} />}
          onClick={() => {
            const now = Date.now();
            const [from, until] = [new Date(now).toISOString(), new Date(now + day).toISOString()];
            set({ instead: [...given.instead, { from, until, to: targets[0]?.id ?? "" }] });
          }}
        >
          Somebody else for a while
        </Button>
      </div>
      <Now of={given} nameOf={nameOf} />
    </>
  );
};

/** Half-written fields have no answer yet. */
const Now = ({ of: given, nameOf }: { of: OnCall; nameOf: (id: string | undefined) => string }) => {
  try {
    const now = Date.now();
    return (
      <p className="soft small" aria-live="polite">
        Now: {nameOf(onCallAt(given, now))}. In {given.days} {given.days === 1 ? "day" : "days"}:{" "}
        {nameOf(onCallAt(given, now + given.days * day))}.
      </p>
    );
  } catch {
    return null;
  }
};
