/** OTLP logs in protobuf: walked record by record, so that a large request is never an object tree. */
import { settleHalves } from "@astralog/schemas/json/index";
import {
  arrayLeaf,
  booleanLeaf,
  checkDepth,
  doubleLeaf,
  type KeyValues,
  type LogRecord,
  nothing,
  type Surroundings,
  surroundings,
  textLeaf,
  type Value,
} from "./otlp-event.ts";
import { ProtobufReader } from "./protobuf.ts";

/** Visits each record with what surrounds it, in order. Throws a ProtobufError when the bytes are no such request. */
export function* protobufRecords(body: Buffer): Generator<{ record: ProtobufReader; around: () => Surroundings }> {
  const request = new ProtobufReader(body, 0, body.length);
  for (let field = request.next(); field !== 0; field = request.next()) {
    if (field === 1) yield* resourceRecords(request.message());
    else request.skip();
  }
}

function* resourceRecords(message: ProtobufReader) {
  // Fields may come in any order, so what all records share is collected first.
  const resource: [string, Value][] = [];
  const scopes: ProtobufReader[] = [];
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) {
      const inner = message.message();
      for (let f = inner.next(); f !== 0; f = inner.next()) f === 1 ? resource.push(keyValue(inner, 1)) : inner.skip();
    } else if (field === 2) scopes.push(message.message());
    else message.skip();
  }
  for (const scope of scopes) yield* scopeRecords(scope, resource);
}

function* scopeRecords(message: ProtobufReader, resource: KeyValues) {
  const about = { name: "", version: "", attributes: [] as [string, Value][] };
  const { at } = message;
  let any = false;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) {
      const inner = message.message();
      for (let f = inner.next(); f !== 0; f = inner.next()) {
        if (f === 1) about.name = inner.string();
        else if (f === 2) about.version = inner.string();
        else if (f === 3) about.attributes.push(keyValue(inner, 1));
        else inner.skip();
      }
    } else {
      any ||= field === 2;
      message.skip();
    }
  }
  if (!any) return;
  let made: Surroundings | undefined;
  const around = () => (made ??= surroundings(resource, about));
  message.at = at;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 2) yield { record: message.message(), around };
    else message.skip();
  }
}

const keyValue = (parent: ProtobufReader, depth: number): [string, Value] => {
  const message = parent.message();
  let key = "";
  let value: Value = nothing;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) key = message.string();
    else if (field === 2) value = anyValue(message.message(), depth);
    else message.skip();
  }
  return [key, value];
};

const anyValue = (message: ProtobufReader, depth: number): Value => {
  checkDepth(depth);
  let value: Value = nothing;
  for (let field = message.next(); field !== 0; field = message.next()) {
    switch (field) {
      case 1:
        value = textLeaf(message.string());
        break;
      case 2:
        value = booleanLeaf(message.number() !== 0);
        break;
      case 3:
        message.number();
        value = { letter: "n", text: String(message.high === 0 ? message.low : message.int64()) };
        break;
      case 4:
        value = doubleLeaf(message.double());
        break;
      case 5: {
        const items: Value[] = [];
        const list = message.message();
        for (let f = list.next(); f !== 0; f = list.next())
          f === 1 ? items.push(anyValue(list.message(), depth + 1)) : list.skip();
        value = arrayLeaf(items);
        break;
      }
      case 6: {
        const pairs: [string, Value][] = [];
        const list = message.message();
        for (let f = list.next(); f !== 0; f = list.next())
          f === 1 ? pairs.push(keyValue(list, depth + 1)) : list.skip();
        value = pairs;
        break;
      }
      case 7: {
        const { start, end } = message.bytes();
        value = textLeaf(message.buffer.toString("base64", start, end));
        break;
      }
      default:
        message.skip();
    }
  }
  return value;
};

/** Decodes one record. Throws a ProtobufError or a RecordProblem. */
export const protobufRecord = (message: ProtobufReader): LogRecord => {
  const record: LogRecord = {
    time: "no_time",
    severityNumber: 0,
    severityText: "",
    body: nothing,
    attributes: [],
    droppedAttributes: 0,
    flags: 0,
    traceId: "",
    spanId: "",
    eventName: "",
  };
  const attributes: [string, Value][] = [];
  let low = 0;
  let high = 0;
  for (let field = message.next(); field !== 0; field = message.next()) {
    switch (field) {
      case 1:
      case 11:
        message.fixed64();
        if (field === 1 ? message.low !== 0 || message.high !== 0 : low === 0 && high === 0) ({ low, high } = message);
        break;
      case 2:
        record.severityNumber = message.number();
        break;
      case 3:
        record.severityText = message.string();
        break;
      case 5:
        record.body = anyValue(message.message(), 1);
        break;
      case 6:
        attributes.push(keyValue(message, 1));
        break;
      case 7:
        record.droppedAttributes = message.number();
        break;
      case 8:
        record.flags = message.fixed32();
        break;
      case 9:
        record.traceId = hex(message);
        break;
      case 10:
        record.spanId = hex(message);
        break;
      case 12:
        record.eventName = message.string();
        break;
      default:
        message.skip();
    }
  }
  record.attributes = attributes;
  if (low !== 0 || high !== 0) record.time = settleHalves(low, high);
  return record;
};

const hex = (message: ProtobufReader): string => {
  const { start, end } = message.bytes();
  return message.buffer.toString("hex", start, end);
};

/** Whether every record says when it happened or was seen. Throws a ProtobufError. */
export const allTimed = (body: Buffer): boolean => {
  for (const { record } of protobufRecords(body)) {
    let timed = false;
    for (let field = record.next(); field !== 0; field = record.next()) {
      if (field === 1 || field === 11) {
        record.fixed64();
        timed ||= record.low !== 0 || record.high !== 0;
      } else record.skip();
    }
    if (!timed) return false;
  }
  return true;
};
