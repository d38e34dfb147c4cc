/** Server-sent events out of bytes, cut wherever the network cut them. */
export interface ServerEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** Takes text as it comes and gives the events that are whole. */
export const createEventReader = () => {
  let rest = "";
  return (text: string): ServerEvent[] => {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop() ?? "";
    return blocks.flatMap((block) => {
      const one = { event: "message", id: "", data: "" };
      for (const line of block.split("\n")) {
        const [, name = "", value = ""] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
        if (name === "event" || name === "id") one[name] = value;
        else if (name === "data") one.data += (one.data === "" ? "" : "\n") + value;
      }
      return one.data === "" ? [] : [one];
    });
  };
};
