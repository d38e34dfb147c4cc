/** Attributes are text, so that an index can find a number it is looked up by its usual spellings: 500, 500.0; 1.5, 1.50. */
export const equalSpellings = (value: string): readonly string[] => {
  if (/^-?(?:0|[1-9]\d{0,14})$/.test(value)) return [value, `${value}.0`];
  const decimal = /^(-?(?:0|[1-9]\d{0,14}))\.(\d{1,15})$/.exec(value);
  if (decimal === null) return [value];
  const fraction = decimal[2]?.replace(/0+$/, "") ?? "";
  const shortest = fraction === "" ? `${decimal[1]}` : `${decimal[1]}.${fraction}`;
  return [...new Set([value, shortest, fraction === "" ? `${shortest}.0` : `${shortest}0`])];
};
