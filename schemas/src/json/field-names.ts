/**
 * Names of JSON members, remembered. A client sends the same few names in the same order in every event, so the name
 * that followed last time is compared first and costs no look-up; the dotted path and its Avro bytes are made once.
 *
 * `Map`, never plain objects: `__proto__` and `constructor` are names like any other.
 */
import { type Roles, roleOf } from "./field-roles.ts";

/** A full dotted path. */
export interface Name {
  readonly text: string;
  /** The text as an Avro string: length, then UTF-8. */
  readonly avro: Buffer;
  /** Which known field it may be, or -1. */
  readonly role: number;
  /** The serial number of the event it was last seen in: how a repeated name is noticed. */
  seen: number;
  /** How many values that event has under it so far. */
  copies: number;
}

/** A member name under its parent. Two nodes may share a Name: `{"a.b":1}` and `{"a":{"b":1}}`. */
export interface NameNode {
  readonly name: Name;
  /** The name's bytes between its quotes; undefined when it needs escapes and cannot be compared so. */
  readonly raw: Buffer | undefined;
  readonly children: Map<string, NameNode>;
  /** The first member, and the sibling after this one, as they were last time. */
  first: NameNode | undefined;
  next: NameNode | undefined;
}

/** A tenant that sends ever new names must not make the receiver grow: past this all are forgotten and learnt anew. */
export const rememberedNames = 8_192;

const needsEscape = /["\\\u0000-\u001f]/;

const avroString = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  const head: number[] = [];
  let rest = bytes.length * 2;
  for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128);
  head.push(rest);
  return Buffer.concat([Buffer.from(head), bytes]);
};

export class Names {
  root: NameNode;
  private readonly roles: Roles;
  private byText = new Map<string, Name>();
  private nodes = 0;

  private readonly most: number;

  constructor(roles: Roles, most = rememberedNames) {
    this.roles = roles;
    this.most = most;
    this.root = this.node(this.name(""), "");
  }

  /** Forgets all when there are too many. Only between events: an event's names must stay the same objects. */
  trim(): void {
    if (this.nodes <= this.most) return;
    this.byText = new Map();
    this.nodes = 0;
    this.root = this.node(this.name(""), "");
  }

  /** The name of a whole path. */
  name(text: string): Name {
    const known = this.byText.get(text);
    if (known !== undefined) return known;
    const made: Name = { text, avro: avroString(text), role: roleOf(this.roles, text), seen: 0, copies: 0 };
    this.byText.set(text, made);
    this.nodes++;
    return made;
  }

  /** The node of member `key` under `parent`. */
  child(parent: NameNode, key: string): NameNode {
    const known = parent.children.get(key);
    if (known !== undefined) return known;
    const made = this.node(this.name(parent === this.root ? key : `${parent.name.text}.${key}`), key);
    parent.children.set(key, made);
    return made;
  }

  private node(name: Name, key: string): NameNode {
    this.nodes++;
    return {
      name,
      raw: needsEscape.test(key) ? undefined : Buffer.from(key),
      children: new Map(),
      first: undefined,
      next: undefined,
    };
  }
}
