import type { QuestionRow } from "@antiphon/client";
import { describe, expect, test } from "vitest";

import { type Draft, draftOf, filled } from "../src/inbox/form/draft";
import { formOf, type Schema } from "../src/inbox/form/field";
import { inboxOrder, step } from "../src/inbox/order";
import { countdown, deadlineWords, outcomeWords } from "../src/inbox/words";

const NOW = Date.parse("2026-11-21T12:00:00.000Z");

function question(part: Partial<QuestionRow> = {}): QuestionRow {
  return {
    question_id: "q1",
    run_id: "run_1",
    run_name: "research",
    kind: "approval",
    prompt: "Deploy?",
    details: null,
    options: null,
    schema: null,
    value: null,
    status: "open",
    deadline: null,
    has_default: false,
    default: null,
    asked_at: "2026-11-21T11:00:00.000Z",
    ended_at: null,
    action: null,
    answer: null,
    by: null,
    is_default: false,
    reason: null,
    ...part,
  };
}

const fill = (schema: Schema, draft: Draft) => {
  const { value, problems } = filled(formOf(schema), draft);
  return { value, problems: Object.fromEntries(problems) };
};

/** As pydantic writes the schema of nested models. */
const DEPLOY: Schema = {
  title: "Deploy",
  type: "object",
  required: ["where", "copies"],
  properties: {
    where: { $ref: "#/$defs/Place" },
    copies: { type: "integer", minimum: 1, maximum: 5 },
    note: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
    dry: { type: "boolean", default: true },
    tags: { type: "array", items: { type: "string", minLength: 2 }, maxItems: 2 },
    owner: { $ref: "#/$defs/Owner" },
  },
  $defs: {
    Place: { enum: ["here", "there"], title: "Place", type: "string" },
    Owner: {
      type: "object",
      required: ["name"],
      properties: { name: { type: "string" }, share: { type: "number", exclusiveMinimum: 0 } },
    },
  },
};

describe("a form from a schema", () => {
  test("references, alternatives with null, enumerations and nested objects become fields", () => {
    const form = formOf(DEPLOY);
    const kinds = form.kind === "group" ? form.fields.map(([name, field]) => [name, field.kind, field.required]) : [];
    expect(kinds).toEqual([
      ["where", "choice", true],
      ["copies", "number", true],
      ["note", "text", false],
      ["dry", "flag", false],
      ["tags", "list", false],
      ["owner", "group", false],
    ]);
  });
  test("it begins with the defaults", () => {
    expect(draftOf(formOf(DEPLOY))).toMatchObject({ where: "", copies: "", note: "", dry: true, tags: [] });
  });
  test("it begins with a given value", () => {
    const draft = draftOf(formOf(DEPLOY), { where: "there", copies: 2, tags: ["ab"], dry: false });
    expect(draft).toMatchObject({ where: "1", copies: "2", tags: ["ab"], dry: false });
  });
  test("what is filled in is the value; what is left empty is left out", () => {
    const draft = { where: "1", copies: "3", note: " ", dry: false, tags: ["ab"], owner: { name: "", share: "" } };
    expect(fill(DEPLOY, draft)).toEqual({
      value: { where: "there", copies: 3, dry: false, tags: ["ab"] },
      problems: {},
    });
  });
  test("each mistake is told at its place", () => {
    const draft = {
      where: "",
      copies: "9",
      note: "",
      dry: false,
      tags: ["a", "bc", "de"],
      owner: { name: "", share: "0" },
    };
    expect(fill(DEPLOY, draft).problems).toEqual({
      "/where": "Choose one",
      "/copies": "At most 5",
      "/tags": "At most 2",
      "/tags/0": "At least 2 characters",
      "/owner/name": "Required",
      "/owner/share": "More than 0",
    });
  });
  test.each<[Schema, string, unknown, string | undefined]>([
    [{ type: "integer" }, "4.5", undefined, "A whole number is needed"],
    [{ type: "integer" }, "-4", -4, undefined],
    [{ type: "number" }, "1,5", 1.5, undefined],
    [{ type: "number" }, "x", undefined, "A number is needed"],
    [{ type: "number", multipleOf: 0.1 }, "0.3", 0.3, undefined],
    [{ type: "number", multipleOf: 0.1 }, "0.35", undefined, "A multiple of 0.1"],
    [{ type: "string", pattern: "^a" }, "b", undefined, "Must match ^a"],
    [{ type: "string", pattern: "(" }, "b", "b", undefined],
    [{ type: "string", maxLength: 1 }, "👍", "👍", undefined],
    [{ type: ["string", "null"] }, "", null, undefined],
    [{}, '{"a": [1]}', { a: [1] }, undefined],
    [{}, "{", undefined, "This is not JSON"],
  ])("%j filled with %j", (schema, text, value, problem) => {
    expect(fill(schema, text)).toEqual({ value, problems: problem === undefined ? {} : { "": problem } });
  });
  test("a schema that contains itself ends in JSON", () => {
    const node: Schema = {
      $ref: "#/$defs/N",
      $defs: { N: { type: "object", properties: { next: { $ref: "#/$defs/N" } } } },
    };
    expect(JSON.stringify(formOf(node))).toContain('"kind":"json"');
  });
  test("a tick that was taken away is told, also where nothing else is filled in", () => {
    const schema: Schema = { type: "object", properties: { dry: { type: "boolean", default: true } } };
    expect(fill(schema, { dry: false })).toEqual({ value: { dry: false }, problems: {} });
  });
  test("an object all of whose fields may be empty is an empty object", () => {
    expect(fill({ type: "object", properties: { a: { type: "string" } } }, { a: "" })).toEqual({
      value: {},
      problems: {},
    });
  });
});

describe("deadlines", () => {
  test.each([
    [42_000, "0:42"],
    [41_001, "0:42"],
    [848_000, "14:08"],
    [0, "0:00"],
    [-5, "0:00"],
    [11_100_000, "3 h 05 m"],
  ])("%d ms are %s", (ms, text) => {
    expect(countdown(ms)).toBe(text);
  });
  test("the default is stated, and when it applies", () => {
    const row = question({ deadline: "2026-11-21T12:14:08.000Z", has_default: true, default: "reject" });
    expect(deadlineWords(row, NOW)).toEqual({ before: "Default", value: "reject", after: "in 14:08", urgent: false });
    expect(deadlineWords(row, NOW + 800_000).urgent).toBe(true);
    expect(deadlineWords({ ...row, default: { action: "edit", answer: 2 } }, NOW).value).toBe("edit: 2");
    expect(deadlineWords({ ...row, has_default: false }, NOW).before).toBe("Withdrawn");
    expect(deadlineWords(question(), NOW).before).toBe("No deadline");
  });
});

describe("outcomes", () => {
  const answered = (part: Partial<QuestionRow>): QuestionRow => question({ status: "answered", by: "ada", ...part });
  test.each<[QuestionRow, boolean, string]>([
    [answered({ action: "approve" }), false, "Approved by ada"],
    [answered({ action: "approve" }), true, "Approved by you"],
    [answered({ action: "reject", answer: "too dear" }), false, "Rejected by ada: too dear"],
    [answered({ action: "reject" }), false, "Rejected by ada"],
    [answered({ action: "edit", answer: { usd: 1 } }), false, 'Approved with changes by ada: {"usd":1}'],
    [answered({ action: "answer", answer: 1, options: [{ value: 1, label: "One" }] }), false, "Answered by ada: One"],
    [
      answered({ is_default: true, by: null, default: "reject", action: "reject" }),
      false,
      "Nobody answered: the default reject applies",
    ],
    [question({ status: "withdrawn", reason: "the run ended" }), false, "Withdrawn: the run ended"],
  ])("%#", (row, mine, text) => {
    expect(outcomeWords(row, mine).text).toBe(text);
  });
});

describe("the inbox", () => {
  const rows = [
    question({ question_id: "never", asked_at: "2026-11-21T09:00:00.000Z" }),
    question({ question_id: "late", deadline: "2026-11-21T14:00:00.000Z" }),
    question({ question_id: "soon", deadline: "2026-11-21T12:01:00.000Z" }),
    question({
      question_id: "over",
      deadline: "2026-11-21T12:00:30.000Z",
      status: "answered",
      ended_at: "2026-11-21T12:00:01.000Z",
    }),
  ];
  const table = Object.fromEntries(rows.map((row) => [row.question_id, row]));
  const ids = (list: readonly QuestionRow[]): string[] => list.map((row) => row.question_id);
  test("the nearest deadline comes first, none last; what ended stands below", () => {
    const { shown, earlier } = inboxOrder(table, new Set());
    expect([ids(shown), ids(earlier)]).toEqual([["soon", "late", "never"], ["over"]]);
  });
  test("what ended while somebody looked stays in its place", () => {
    const { shown, earlier } = inboxOrder(table, new Set(["over"]));
    expect([ids(shown), ids(earlier)]).toEqual([["over", "soon", "late", "never"], []]);
  });
  test("j and k go from one to the next and stop at the ends", () => {
    const { shown } = inboxOrder(table, new Set());
    expect(step(shown, null, 1)?.question_id).toBe("soon");
    expect(step(shown, "soon", 1)?.question_id).toBe("late");
    expect(step(shown, "never", 1)?.question_id).toBe("never");
    expect(step(shown, "soon", -1)?.question_id).toBe("soon");
    expect(step([], "soon", 1)).toBeUndefined();
  });
});
