/**
 * The elements of an XML text, read more strictly than the libraries behind it do, so that no two readers can see two
 * different documents: no document type, comment, processing instruction or CDATA, no entity but XML's own five, every
 * attribute quoted, every element closed. What does not fit is refused, not mended.
 */
import { Fault } from "@astralog/chassis";

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** As written, prefixes included. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly parent: XmlElement | undefined;
  /** The text directly in it. */
  text: string;
}

export const mostXml = 262_144;
const deepest = 32;

const refused = (why: string): Fault => new Fault("xml_refused", `The XML is refused: ${why}.`);

const declaration =
  /^\s*<\?xml version=["']1\.0["'](?: encoding=["']utf-8["'])?(?: standalone=["'](?:yes|no)["'])?\s*\?>/i;
const markup =
  /<(\/?)([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)((?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const attribute = /\s+([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g;
const entity = /&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));/g;
const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const plainText = (text: string): string => {
  if (text.replace(entity, "").includes("&")) throw refused("it has an entity of its own");
  return text.replace(entity, (_, name: string | undefined, decimal: string | undefined, hex: string | undefined) => {
    if (name !== undefined) return named[name] ?? "";
    const point = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number.parseInt(decimal, 10);
    if (point > 0x10ffff) throw refused("it names a character that there is not");
    return String.fromCodePoint(point);
  });
};

const attributesOf = (text: string): Map<string, string> => {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single] of text.matchAll(attribute)) {
    if (attributes.has(name)) throw refused("an element has an attribute twice");
    attributes.set(name, plainText(double ?? single ?? ""));
  }
  return attributes;
};

/** In document order, the root first. Faults: `xml_refused`. */
export const readElements = (xml: string): XmlElement[] => {
  if (xml.length > mostXml) throw refused(`it has more than ${mostXml} characters`);
  const text = xml.replace(declaration, "").trim();
  if (/<[!?]/.test(text)) throw refused("it has a document type, a comment, CDATA or an instruction");
  const elements: XmlElement[] = [];
  const open: { element: XmlElement; tag: string }[] = [];
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf("<", at);
    const between = plainText(text.slice(at, next === -1 ? text.length : next));
    const top = open.at(-1)?.element;
    if (top !== undefined) top.text += between;
    else if (between !== "") throw refused("there is text outside of its root");
    if (next === -1) break;
    markup.lastIndex = next;
    const [all = "", close, tag = "", attributes = "", empty] = markup.exec(text) ?? [];
    if (all === "") throw refused("it is not well-formed");
    at = next + all.length;
    if (close === "/") {
      if (open.pop()?.tag !== tag || attributes !== "" || empty === "/") throw refused("its elements do not nest");
      continue;
    }
    if (top === undefined && elements.length > 0) throw refused("it has two roots");
    if (open.length >= deepest) throw refused(`it is nested deeper than ${deepest}`);
    const element: XmlElement = {
      name: tag.slice(tag.indexOf(":") + 1),
      attributes: attributesOf(attributes),
      parent: top,
      text: "",
    };
    elements.push(element);
    if (empty !== "/") open.push({ element, tag });
  }
  if (open.length > 0 || elements.length === 0) throw refused("it is not complete");
  return elements;
};

/** Those of that name directly in `parent`. */
export const childrenOf = (elements: readonly XmlElement[], parent: XmlElement, name: string): XmlElement[] =>
  elements.filter((one) => one.parent === parent && one.name === name);
