/**
 * The filters that directories send before they make or change somebody: one attribute equal to one value, or several
 * such joined by `and`. What else the standard knows is refused by name, not answered with everybody.
 */
import { ScimError } from "./scim-error.ts";

export interface Condition<Name extends string> {
  readonly attribute: Name;
  readonly value: string;
}

const comparison =
  /\s*(?:urn:[\w:.-]+:(?=\w))?([A-Za-z][\w.]*)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false)\s*(?:\band\b|$)/iy;

/** `attributes` in the standard's spelling; callers may write them in any case. Throws ScimError `invalidFilter`. */
export const parseFilter = <Name extends string>(
  text: string | undefined,
  attributes: readonly Name[],
): Condition<Name>[] => {
  const conditions: Condition<Name>[] = [];
  if (text === undefined || text.trim() === "") return conditions;
  const wrong = () =>
    new ScimError(400, `Filters here are: ${attributes.join(", ")} eq "value", joined by and.`, "invalidFilter");
  if (text.length > 1_024) throw wrong();
  comparison.lastIndex = 0;
  while (comparison.lastIndex < text.length) {
    const [, name = "", value] = comparison.exec(text) ?? [];
    const attribute = attributes.find((one) => one.toLowerCase() === name.toLowerCase());
    if (attribute === undefined || value === undefined) throw wrong();
    try {
      conditions.push({ attribute, value: String(JSON.parse(value.toLowerCase() === "true" ? "true" : value)) });
    } catch {
      throw wrong();
    }
  }
  if (/\band\s*$/i.test(text)) throw wrong();
  return conditions;
};
