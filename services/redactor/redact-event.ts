/** One decoded event: every text in it is looked at, and every attribute's key decides about its value. */
import type { Event } from "@astralog/schemas";
import { detectorOfName } from "./names.ts";
import { redactValue } from "./redact-json.ts";
import { type Counts, redactNamed, redactText } from "./redact-text.ts";

/** The event without its secrets: the same object when it has none. Throws when it cannot be sure. */
export const redactEvent = (event: Event, counts: Counts): Event => {
  const service = redactText(event.service, counts);
  const host = redactText(event.host, counts);
  const message = redactValue(event.message, counts);
  const trace_id = redactText(event.trace_id, counts);
  const span_id = redactText(event.span_id, counts);
  // It holds one letter per attribute. Anything longer than that is not what it says it is.
  const letters = /^[snb0j]*$/.test(event.attribute_types) ? event.attribute_types : "";
  const { attributes, attribute_types } = redactAttributes(event.attributes, letters, counts);
  const same =
    service === event.service &&
    host === event.host &&
    message === event.message &&
    trace_id === event.trace_id &&
    span_id === event.span_id &&
    attribute_types === event.attribute_types &&
    attributes === event.attributes;
  return same ? event : { ...event, service, host, message, trace_id, span_id, attribute_types, attributes };
};

const redactAttributes = (
  attributes: string[],
  types: string,
  counts: Counts,
): { attributes: string[]; attribute_types: string } => {
  let redacted: string[] | undefined;
  let letters = types;
  for (let i = 0; i + 1 < attributes.length; i += 2) {
    const [key = "", value = ""] = [attributes[i], attributes[i + 1]];
    const named = detectorOfName(key);
    const newKey = redactText(key, counts);
    const newValue = (named && redactNamed(value, named, counts)) ?? redactValue(value, counts);
    if (newKey === key && newValue === value) continue;
    redacted ??= [...attributes];
    redacted[i] = newKey;
    redacted[i + 1] = newValue;
    // A marker is a string, whatever it stands for; redacted JSON is still JSON.
    const letter = i / 2;
    if (letters[letter] === "n" || letters[letter] === "b" || letters[letter] === "0")
      letters = `${letters.slice(0, letter)}s${letters.slice(letter + 1)}`;
    else if (letters[letter] === "j" && newValue.startsWith("[redacted:"))
      letters = `${letters.slice(0, letter)}s${letters.slice(letter + 1)}`;
  }
  return { attributes: redacted ?? attributes, attribute_types: letters };
};
