const hole = /^<(?:uuid|time|ip|mac|email|hex|num|any)>$/;

/** A template in its parts: what stays the same, and the holes. */
export const partsOf = (template: string): { text: string; hole: boolean; at: number }[] => {
  let at = 0;
  return template
    .split(/(<(?:uuid|time|ip|mac|email|hex|num|any)>)/)
    .map((text) => {
      const part = { text, hole: hole.test(text), at };
      at += text.length;
      return part;
    })
    .filter(({ text }) => text !== "");
};
