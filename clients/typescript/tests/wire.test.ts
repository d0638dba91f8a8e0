import fc from "fast-check";
import { expect, test } from "vitest";
import { AntiphonError } from "../src/index.js";
import { decodeFrame, decodeSubscribed } from "../src/wire.js";

function outcome(run: () => unknown): string {
  try {
    run();
    return "understood";
  } catch (error) {
    if (error instanceof AntiphonError) return error.code;
    throw error;
  }
}

const word = fc.oneof(fc.constantFrom("channel", "offset", "type", "data", "time", "from", "to", "state", "version", "value"), fc.string());
const params = fc.dictionary(word, fc.jsonValue(), { maxKeys: 8 });

test("whatever text comes, it is understood or a protocol error", () => {
  const frame = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({
        jsonrpc: fc.constant("2.0"),
        method: fc.constantFrom("event", "gap", "caught_up", "welcome", "problem", "goodbye", "other"),
        params: fc.oneof(params, fc.jsonValue()),
      })
      .map((message) => JSON.stringify(message)),
    fc
      .record({ id: fc.jsonValue(), result: fc.jsonValue(), error: fc.jsonValue() }, { requiredKeys: [] })
      .map((message) => JSON.stringify(message)),
  );
  fc.assert(
    fc.property(frame, (text) => {
      expect(["understood", "protocol_error"]).toContain(outcome(() => decodeFrame(text)));
    }),
    { numRuns: 2000 },
  );
  expect(outcome(() => decodeFrame(new Uint8Array()))).toBe("protocol_error");
});

test("whatever a subscribe is answered, it is understood or a protocol error", () => {
  fc.assert(
    fc.property(fc.oneof(params, fc.jsonValue()), (result) => {
      expect(["understood", "protocol_error"]).toContain(outcome(() => decodeSubscribed("a", result)));
    }),
  );
});

test("an event keeps its data as it is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (data) => {
      const text = JSON.stringify({ jsonrpc: "2.0", method: "event", params: { channel: "a", offset: 1, type: "t", data, time: "now", by: "me" } });
      const expected = { kind: "event", channel: "a", offset: 1, type: "t", data: JSON.parse(JSON.stringify(data)) as unknown, time: "now", by: "me" };
      expect(decodeFrame(text)).toEqual(expected);
    }),
  );
});
