import type { RunRow, RunTable } from "@antiphon/client";
import { describe, expect, test } from "vitest";

import { ALL_RUNS } from "../src/lib/route";
import { childrenOf, receiptOf, treeOf } from "../src/runs/family";
import { filterRows, isFiltering, valuesOf } from "../src/runs/filter";
import { parseInput } from "../src/runs/input";
import { oneLine, pretty } from "../src/runs/json";
import { leafWords } from "../src/runs/leaf";
import { ownerWords } from "../src/runs/ownerWords";
import { dollars, endWords, lastedWords, tokens, usageWords } from "../src/runs/words";

function run(part: Partial<RunRow> = {}): RunRow {
  return {
    run_id: "run_1",
    name: "research",
    title: null,
    status: "running",
    reason: null,
    thread_id: null,
    parent_run_id: null,
    by: "ada",
    labels: {},
    created_at: "2026-11-21T12:00:00.000Z",
    started_at: "2026-11-21T12:00:00.000Z",
    ended_at: null,
    progress: null,
    progress_message: null,
    usage: {},
    questions: 0,
    error: null,
    owner: { kind: "remote", client: "agent.py", pid: 8121 },
    on_disconnect: "continue",
    tool: null,
    ...part,
  };
}

describe("numbers", () => {
  test.each([
    [0, "0"],
    [999, "999"],
    [18_240, "18.2 k"],
    [999_949, "1000 k"],
    [1_400_000, "1.4 M"],
  ])("%d tokens are %s", (n, text) => {
    expect(tokens(n)).toBe(text);
  });
  test.each([
    [0, "$0"],
    [0.14, "$0.14"],
    [12.345, "$12.35"],
    [0.0042, "$0.004"],
    [0.0004, "$0.0004"],
    [0.00001, "< $0.0001"],
  ])("%d is %s", (usd, text) => {
    expect(dollars(usd)).toBe(text);
  });
  test("tokens and cost, as far as they were told", () => {
    expect(usageWords({ input_tokens: 18_000, output_tokens: 240, cost_usd: 0.14 })).toBe("18.2 k tokens · $0.14");
    expect(usageWords({ total_tokens: 7 })).toBe("7 tokens");
    expect(usageWords({})).toBe("");
  });
  test("the duration ticks in whole seconds while the run goes on", () => {
    const now = Date.parse("2026-11-21T12:02:41.900Z");
    expect(lastedWords(run(), now)).toBe("2 m 41 s");
    expect(lastedWords(run({ ended_at: "2026-11-21T12:00:00.420Z" }), now)).toBe("420 ms");
    expect(lastedWords(run({ started_at: null }), now)).toBe("");
  });
});

describe("why it ended", () => {
  const end = (part: Partial<Parameters<typeof endWords>[0]>) =>
    endWords({ status: "running", reason: null, error: null, cancelledBy: null, ...part });
  test("says who, and why", () => {
    expect(end({})).toBeNull();
    expect(end({ status: "cancelled", cancelledBy: "ada", reason: "too dear" })).toEqual({
      tone: "stop",
      title: "Cancelled by ada",
      why: "too dear",
    });
    expect(end({ status: "failed", error: { message: "no such file", type: "OSError" } })).toMatchObject({
      title: "Failed with OSError",
      why: "no such file",
    });
    expect(end({ status: "lost" })?.why).toBe("Its owner gave no sign of life.");
  });
});

describe("the filter", () => {
  const rows = [
    run({ run_id: "a", title: "Tea in Fujian", labels: { team: "Blue" } }),
    run({ run_id: "b", name: "draft", status: "failed", by: "bob", error: { message: "no kettle" }, thread_id: "t1" }),
    run({ run_id: "c", status: "waiting", by: null }),
  ];
  const found = (part: Partial<typeof ALL_RUNS>): string[] =>
    filterRows(rows, { ...ALL_RUNS, ...part }).map((row) => row.run_id);
  test.each<[Partial<typeof ALL_RUNS>, string[]]>([
    [{}, ["a", "b", "c"]],
    [{ status: "active" }, ["a", "c"]],
    [{ status: "ended" }, ["b"]],
    [{ status: "waiting" }, ["c"]],
    [{ name: "research" }, ["a", "c"]],
    [{ by: "bob" }, ["b"]],
    [{ thread: "t1" }, ["b"]],
    [{ text: "FUJIAN tea" }, ["a"]],
    [{ text: "blue" }, ["a"]],
    [{ text: "kettle" }, ["b"]],
    [{ text: "kettle fujian" }, []],
  ])("%j", (filter, ids) => {
    expect(found(filter)).toEqual(ids);
  });
  test("offers the values that there are", () => {
    expect(valuesOf(rows, "name")).toEqual(["draft", "research"]);
    expect(valuesOf(rows, "by")).toEqual(["ada", "bob"]);
    expect([isFiltering(ALL_RUNS), isFiltering({ ...ALL_RUNS, by: "x" })]).toEqual([false, true]);
  });
});

describe("families", () => {
  const table: RunTable = {
    top: run({ run_id: "top", status: "cancelling" }),
    leaf: run({ run_id: "leaf", parent_run_id: "left", status: "cancelling" }),
    left: run({ run_id: "left", parent_run_id: "top", status: "cancelled", created_at: "2026-11-21T12:00:02.000Z" }),
    right: run({ run_id: "right", parent_run_id: "top", status: "succeeded", created_at: "2026-11-21T12:00:01.000Z" }),
    other: run({ run_id: "other", status: "cancelling" }),
  };
  test("children are in the order in which they began", () => {
    expect(childrenOf(table, "top").map((row) => row.run_id)).toEqual(["right", "left"]);
  });
  test("the receipt of a cancel is read from the whole tree", () => {
    const { stopped, draining } = receiptOf(treeOf(table, "top"));
    expect(stopped.map((row) => row.run_id)).toEqual(["left"]);
    expect(draining.map((row) => row.run_id)).toEqual(["top", "leaf"]);
  });
});

describe("JSON", () => {
  test("an input is JSON, or nothing", () => {
    expect(parseInput(" ")).toEqual({});
    expect(parseInput('{"q": 1}')).toEqual({ input: { q: 1 } });
    expect(parseInput("tea")).toMatchObject({ problem: expect.stringContaining("not JSON") as unknown });
  });
  test("arguments are shown while they grow", () => {
    expect(oneLine('{"a":\n   "b')).toBe('{"a": "b');
    expect(pretty('{"a":')).toBe('{"a":');
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
  });
  test("leaves of a state", () => {
    expect([leafWords(""), leafWords(null), leafWords(2), leafWords("x")]).toEqual(['""', "null", "2", "x"]);
  });
  test("whose code it is", () => {
    expect(ownerWords({ kind: "remote", client: "agent.py", pid: 7 })).toBe("agent.py · pid 7");
    expect(ownerWords({ kind: "local", client: null })).toBe("this server");
    expect(ownerWords({ kind: "imported", client: null })).toBe("imported from a file");
  });
});
