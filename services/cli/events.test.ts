import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { detectFormat, eventWriter, parseFields } from "./events.ts";

const read = (bytes: Buffer): Record<string, unknown> => JSON.parse(bytes.toString());

test("a first line that is a JSON object makes an input JSON", () => {
  expect(detectFormat(Buffer.from('{"a":1}'))).toBe("json");
  expect(detectFormat(Buffer.from("{not json}"))).toBe("text");
  expect(detectFormat(Buffer.from("[1,2]"))).toBe("text");
  expect(detectFormat(Buffer.from('127.0.0.1 - - "GET / HTTP/1.1"'))).toBe("text");
});

test("any line of text is the message, byte for byte", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.dictionary(fc.string(), fc.string()), (line, fields) => {
      fc.pre(!("__proto__" in fields && Object.keys(fields).includes("__proto__")));
      const event = read(eventWriter(fields)(Buffer.from(line), "text"));
      expect(event).toEqual({ ...fields, message: line });
    }),
  );
});

test("given fields are for events that lack them; all else stays as it came", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.dictionary(fc.string(), fc.string()),
      (event, fields) => {
        fc.pre(![event, fields].some((each) => Object.keys(each).includes("__proto__")));
        const line = JSON.stringify(event);
        const text = eventWriter(fields)(Buffer.from(line), "json").toString();
        const wanted = { ...fields, ...JSON.parse(line) };
        expect(JSON.parse(text)).toEqual(wanted);
        // No name stands twice: what a second one means is the receiver's choice.
        expect(text.length).toBe(JSON.stringify(wanted).length);
      },
    ),
  );
});

test("a number keeps its digits", () => {
  const write = eventWriter({ service: "web" });
  expect(write(Buffer.from('{"id":12345678901234567890}'), "json").toString()).toBe(
    '{"service":"web","id":12345678901234567890}',
  );
});

test("a line that is no object goes as it is, so that the receiver can name it", () => {
  expect(eventWriter({ a: "b" })(Buffer.from("[1]"), "json").toString()).toBe("[1]");
  expect(eventWriter({ a: "b" })(Buffer.from("{ }"), "json").toString()).toBe('{"a":"b" }');
});

test("fields are split at the first =", () => {
  expect(parseFields(["a=b=c", "d="])).toEqual({ a: "b=c", d: "" });
  expect(() => parseFields(["nothing"])).toThrow('--field takes name=value, not "nothing".');
});
