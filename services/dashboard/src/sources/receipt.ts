/** An event's id names its record: "3-1742-0" lies in "3-1742". */
export const receiptOf = (text: string): string => {
  const event = /^((?:[\w.-]+:)?\d+-\d+)-\d+$/.exec(text.trim());
  return event === null ? text.trim() : `${event[1]}x1`;
};
