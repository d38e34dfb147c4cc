/** CSV that a spreadsheet may open: RFC 4180, and no cell that it would run as a formula. */

/** A spreadsheet takes a cell that begins so as a formula, also behind what it trims away. */
const formula = /^[=+\-@\t\r]/;
const quoted = /[",\r\n]/;

export const csvCell = (value: string): string => {
  const safe = formula.test(value) ? `'${value}` : value;
  return quoted.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export const csvLine = (cells: readonly string[]): string => `${cells.map(csvCell).join(",")}\r\n`;
