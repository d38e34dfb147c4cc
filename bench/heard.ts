/** Webhooks of the fault tests: each message is verified when it comes, as its receiver would, and known by what it tells. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Receiver, startReceiver, until, verified } from "@astralog/testbed";

export interface Hook extends Receiver {
  /** Change to the ids of the messages that told of it; reminders and steps tell none. */
  readonly messages: ReadonlyMap<string, ReadonlySet<string>>;
  /** Messages that were not signed as they must be. */
  readonly unsigned: readonly string[];
  /** How many messages there were, and how many requests beyond one for each. */
  count(): { ids: number; again: number };
}

export const startHook = async (
  secret: string,
  answer: Parameters<typeof startReceiver>[0] = (response) => response.writeHead(204).end(),
  port?: number,
): Promise<Hook> => {
  const messages = new Map<string, Set<string>>();
  const unsigned: string[] = [];
  const receiver = await startReceiver((response, before) => {
    const one = receiver.got[before];
    try {
      if (one !== undefined)
        for (const { transition } of verified(one, secret).data.incidents)
          if (transition !== "") messages.set(transition, (messages.get(transition) ?? new Set()).add(one.id));
    } catch (error) {
      unsigned.push(String(error));
    }
    answer(response, before);
  }, port);
  const count = (): { ids: number; again: number } => {
    const ids = new Set(receiver.got.map(({ id }) => id)).size;
    return { ids, again: receiver.got.length - ids };
  };
  return { ...receiver, messages, unsigned, count };
};

/** Until each that is due stands in some message, or the time is over; a copy comes later than that. */
export const untilTold = async ({ messages }: Hook, due: () => readonly string[], ms: number): Promise<void> => {
  const told = () => (due().every((id) => messages.has(id)) ? true : undefined);
  await until("what is to be told", told, ms).catch(() => undefined);
  await sleep(1_000);
};
