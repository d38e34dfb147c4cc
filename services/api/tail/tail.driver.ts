/** For the real tests: listens to a live tail and keeps what came, each with the moment it came. */
export interface Heard {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
  readonly at: number;
}

export interface Ear {
  readonly heard: readonly Heard[];
  readonly ended: Promise<void>;
  stop(): void;
}

const readBlock = (block: string, at: number): Heard => {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
  return { event: field("event") || "message", id: field("id"), data: JSON.parse(field("data")), at };
};

/** Resolves once the tail is open. Throws the answer's text when it is refused. */
export const listenTo = async (
  url: string,
  key: string,
  q: string,
  lastId?: string,
  read: (body: ReadableStream<Uint8Array>) => AsyncIterable<Uint8Array> = (body) => body,
): Promise<Ear> => {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/v1/tail?${new URLSearchParams({ q })}`, {
    headers: { authorization: `Bearer ${key}`, ...(lastId === undefined ? {} : { "last-event-id": lastId }) },
    signal: stop.signal,
  });
  const { body } = response;
  if (response.status !== 200 || body === null) throw new Error(await response.text());
  const heard: Heard[] = [];
  const decoder = new TextDecoder();
  let rest = "";
  const ended = (async () => {
    for await (const bytes of read(body)) {
      const at = performance.now();
      const blocks = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) heard.push(readBlock(block, at));
    }
  })().catch(() => undefined);
  return { heard, ended, stop: () => stop.abort() };
};
