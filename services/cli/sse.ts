/** Server-sent events out of bytes, cut wherever the network cut them. */
export interface ServerEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

export const createSseReader = () => {
  const decoder = new TextDecoder();
  let rest = "";
  return (piece: Buffer): ServerEvent[] => {
    const blocks = (rest + decoder.decode(piece, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    return blocks.flatMap((block) => {
      const fields = new Map(
        block.split("\n").map((line) => [line.split(":", 1)[0] ?? "", line.replace(/^\w+: ?/, "")]),
      );
      const data = fields.get("data");
      return data === undefined ? [] : [{ event: fields.get("event") ?? "message", id: fields.get("id") ?? "", data }];
    });
  };
};
