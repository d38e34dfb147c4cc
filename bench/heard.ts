/** What a webhook heard, change by change; each message is verified as its receiver would. */
import { type Receiver, until, verified } from "@astralog/testbed";

export interface HeardOf {
  /** Transition to the ids of the messages that told of it. */
  readonly messages: ReadonlyMap<string, ReadonlySet<string>>;
  /** Messages that there were, and requests beyond one for each. */
  readonly ids: number;
  readonly again: number;
}

/** Reminders and steps tell no change. Throws where a signature is wrong. */
export const heardOf = ({ got }: Receiver, secret: string): HeardOf => {
  const messages = new Map<string, Set<string>>();
  for (const one of got)
    for (const { transition } of verified(one, secret).data.incidents)
      if (transition !== "") messages.set(transition, (messages.get(transition) ?? new Set()).add(one.id));
  const ids = new Set(got.map(({ id }) => id)).size;
  return { messages, ids, again: got.length - ids };
};

/** Until each that is due stands in some message, or the time is over; a copy comes later than that. */
export const untilTold = async ({ got }: Receiver, due: () => readonly string[], ms: number): Promise<void> => {
  await until(
    "what is to be told",
    () => (due().every((id) => got.some(({ body }) => body.includes(id))) ? true : undefined),
    ms,
  ).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
};
