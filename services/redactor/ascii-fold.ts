/**
 * `(?i)` for the letters that are written, and no others. RE2's own folds the Kelvin sign to k and the long s to s, which costs the scan's automaton two
 * more bytes of look-ahead at each k and s, and would let a detector see what the scan does not.
 */
const flag = "(?i)";

/** The pattern with a leading `(?i)` spelled out as classes; any other pattern as it is. */
export const asciiFold = (pattern: string): string => {
  if (!pattern.startsWith(flag)) return pattern;
  let out = "";
  let inClass = false;
  for (let i = flag.length; i < pattern.length; i++) {
    const char = pattern[i] ?? "";
    if (char === "\\") {
      const length = pattern[i + 1] === "x" ? 4 : 2;
      out += pattern.slice(i, i + length);
      i += length - 1;
    } else if (inClass) {
      inClass = char !== "]";
      const range = /^[a-z]-[a-z]/.exec(pattern.slice(i, i + 3))?.[0];
      if (range !== undefined) {
        out += range + range.toUpperCase();
        i += 2;
      } else out += /[a-z]/i.test(char) ? char.toLowerCase() + char.toUpperCase() : char;
    } else if (pattern.startsWith("(?P<", i)) {
      const end = pattern.indexOf(">", i);
      out += pattern.slice(i, end + 1);
      i = end;
    } else {
      inClass = char === "[";
      const [lower, upper] = [char.toLowerCase(), char.toUpperCase()];
      out += lower === upper || lower.length + upper.length > 2 ? char : `[${lower}${upper}]`;
    }
  }
  return out;
};
