import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AntiphonError, applyPatch } from "../src/index.js";
import type { PatchOperation } from "../src/index.js";
import { sameJson } from "../src/patch.js";

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof AntiphonError) return `${error.code} ${error.pointer ?? ""}`;
    throw error;
  }
  return "no error";
}

describe("RFC 6902, appendix A", () => {
  test.each<[string, unknown, PatchOperation[], unknown]>([
    ["A.1 add a member", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { baz: "qux", foo: "bar" }],
    ["A.2 add an element", { foo: ["bar", "baz"] }, [{ op: "add", path: "/foo/1", value: "qux" }], { foo: ["bar", "qux", "baz"] }],
    ["A.3 remove a member", { baz: "qux", foo: "bar" }, [{ op: "remove", path: "/baz" }], { foo: "bar" }],
    ["A.4 remove an element", { foo: ["bar", "qux", "baz"] }, [{ op: "remove", path: "/foo/1" }], { foo: ["bar", "baz"] }],
    ["A.5 replace", { baz: "qux", foo: "bar" }, [{ op: "replace", path: "/baz", value: "boo" }], { baz: "boo", foo: "bar" }],
    [
      "A.6 move a member",
      { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } },
      [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
      { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } },
    ],
    ["A.7 move an element", { foo: [1, 2, 3, 4] }, [{ op: "move", from: "/foo/1", path: "/foo/3" }], { foo: [1, 3, 4, 2] }],
    ["A.8 test", { baz: "qux", foo: ["a", 2, "c"] }, [{ op: "test", path: "/foo/1", value: 2 }], { baz: "qux", foo: ["a", 2, "c"] }],
    ["A.10 add a nested member", { foo: "bar" }, [{ op: "add", path: "/child", value: { g: {} } }], { foo: "bar", child: { g: {} } }],
    ["A.14 escapes", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }], { "/": 9, "~1": 10 }],
    ["A.16 add an array", { foo: ["bar"] }, [{ op: "add", path: "/foo/-", value: ["abc"] }], { foo: ["bar", ["abc"]] }],
    ["the whole value", { foo: 1 }, [{ op: "replace", path: "", value: [1] }], [1]],
    ["a name like a method", {}, [{ op: "add", path: "/toString", value: 1 }], { toString: 1 }],
    ["an empty name", {}, [{ op: "add", path: "/", value: 1 }], { "": 1 }],
  ])("%s", (_name, before, operations, after) => {
    expect(applyPatch(before, operations)).toEqual(after);
  });

  test.each<[string, unknown, PatchOperation[]]>([
    ["A.9 a failed test", { baz: "qux" }, [{ op: "test", path: "/baz", value: "bar" }]],
    ["A.12 no parent", { foo: "bar" }, [{ op: "add", path: "/baz/bat", value: 1 }]],
    ["A.15 no conversion", { "~1": 10 }, [{ op: "test", path: "/~01", value: "10" }]],
    ["an inherited name", {}, [{ op: "remove", path: "/toString" }]],
    ["beyond the array", [1], [{ op: "add", path: "/2", value: 1 }]],
    ["a leading zero", [1, 2], [{ op: "replace", path: "/01", value: 1 }]],
    ["replacing what is not there", {}, [{ op: "replace", path: "/a", value: 1 }]],
    ["removing everything", {}, [{ op: "remove", path: "" }]],
    ["moving into itself", { a: { b: 1 } }, [{ op: "move", from: "/a", path: "/a/c" }]],
    ["no pointer", {}, [{ op: "add", path: "a", value: 1 }]],
    ["a wrong escape", {}, [{ op: "add", path: "/~2", value: 1 }]],
    ["an unknown operation", {}, [{ op: "guess", path: "/a" } as unknown as PatchOperation]],
  ])("%s is refused", (_name, before, operations) => {
    expect(code(() => applyPatch(before, operations))).toBe("invalid_patch /0");
  });
});

test("__proto__ is an ordinary name", () => {
  const value = applyPatch(JSON.parse('{"__proto__": {"a": 1}}'), [
    { op: "add", path: "/__proto__/b", value: 2 },
    { op: "add", path: "/c", value: 3 },
  ]);
  expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1,"b":2},"c":3}');
  expect(({} as Record<string, unknown>)["b"]).toBeUndefined();
});

describe("by machine", () => {
  const key = fc.constantFrom("a", "b", "c", "0", "1", "2", "-", "__proto__");
  const path = fc.array(key, { maxLength: 3 }).map((keys) => keys.map((name) => `/${name}`).join(""));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(null, true, 1, 2, "x"),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }).map((found) => JSON.parse(JSON.stringify(found)) as unknown),
    ),
  }));
  const operation: fc.Arbitrary<PatchOperation> = fc.oneof(
    fc.record({ op: fc.constantFrom("add" as const, "add" as const, "replace" as const, "test" as const), path, value }),
    fc.record({ op: fc.constant("remove" as const), path }),
    fc.record({ op: fc.constantFrom("move" as const, "copy" as const), from: path, path }),
  );

  function freeze(node: unknown): unknown {
    if (typeof node === "object" && node !== null) Object.values(Object.freeze(node)).forEach(freeze);
    return node;
  }

  /** The obvious way: one operation after the other on deep copies. */
  function slowly(start: unknown, operations: readonly PatchOperation[]): unknown {
    return operations.reduce((node, each) => JSON.parse(JSON.stringify(applyPatch(node, [each]))) as unknown, start);
  }

  test("a patch equals its operations one by one, touches nothing old and nothing of the patch", () => {
    let applied = 0;
    fc.assert(
      fc.property(fc.record({ a: value, b: value, c: fc.array(value) }), fc.array(operation, { maxLength: 12 }), (start, operations) => {
        const frozen = freeze(start);
        const fits: PatchOperation[] = [];
        for (const each of operations) {
          if (code(() => slowly(start, [...fits, each])) === "no error") fits.push(each);
        }
        freeze(fits);
        const result = applyPatch(frozen, fits);
        expect(JSON.stringify(result)).toBe(JSON.stringify(slowly(start, fits)));
        applied += fits.length;
      }),
      { numRuns: 800 },
    );
    expect(applied).toBeGreaterThan(400);
  });

  test("what a patch does not reach stays the same object", () => {
    fc.assert(
      fc.property(value, value, value, (left, right, added) => {
        const before = { left, right: { inner: right } };
        const after = applyPatch(before, [{ op: "add", path: "/right/new", value: added }]) as typeof before;
        expect(after).not.toBe(before);
        expect(after.left).toBe(left);
        expect(after.right.inner).toBe(right);
        expect(applyPatch(after, [{ op: "remove", path: "/right/new" }])).toEqual(before);
      }),
    );
  });

  test("equality is that of the texts with sorted names", () => {
    const sorted = (node: unknown): unknown =>
      typeof node !== "object" || node === null
        ? node
        : Array.isArray(node)
          ? node.map(sorted)
          : ["object", ...Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, sorted(each)])];
    fc.assert(
      fc.property(value, value, (left, right) => {
        expect(sameJson(left, right)).toBe(JSON.stringify(sorted(left)) === JSON.stringify(sorted(right)));
        expect(sameJson(left, JSON.parse(JSON.stringify(left)))).toBe(true);
      }),
    );
  });
});
