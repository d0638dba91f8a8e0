import { describe, expect, test } from "vitest";

import { parseAnsi } from "../src/lib/ansi";
import { bytes, count, duration, elapsed, percent, plural } from "../src/lib/format";
import { excerpt, findAll, markSegments } from "../src/lib/marks";

describe("marks", () => {
  test("an occurrence may lie across colours", () => {
    const marked = markSegments(parseAnsi("ab\x1b[31mcd\x1b[0mef"), "bcde", false);
    expect(marked.map(({ text, marked: on }) => [text, on])).toEqual([
      ["a", false],
      ["b", true],
      ["cd", true],
      ["e", true],
      ["f", false],
    ]);
  });
  test("several occurrences, not overlapping", () => {
    expect(findAll("aaaa", "aa", false)).toEqual([0, 2]);
    expect(markSegments(parseAnsi("xaxa"), "a", false).filter((s) => s.marked)).toHaveLength(2);
  });
  test("ignoring case concerns ASCII letters, and positions stay true", () => {
    expect(findAll("İERROR", "error", true)).toEqual([1]);
    expect(findAll("ÄÄ", "ä", true)).toEqual([]);
  });
  test("an empty text is nowhere", () => {
    expect(findAll("abc", "", false)).toEqual([]);
  });
  test("an excerpt shows the occurrence", () => {
    const cut = excerpt(`${"x".repeat(500)}needle${"y".repeat(500)}`, "needle", false, 60);
    expect(cut).toContain("needle");
    expect(cut.startsWith("…")).toBe(true);
    expect(cut.endsWith("…")).toBe(true);
  });
});

describe("numbers as people read them", () => {
  test.each([
    [count(1_000_000), "1\u202f000\u202f000"],
    [plural(1, "line"), "1 line"],
    [plural(2, "line"), "2 lines"],
    [bytes(0), "0 B"],
    [bytes(1024), "1 KB"],
    [bytes(12_700_000), "12.1 MB"],
    [bytes(50_331_648), "48 MB"],
    [bytes(5 * 1024 ** 3), "5 GB"],
    [percent(0.34), "0.3 %"],
    [percent(99.6), "100 %"],
    [duration(4), "4 ms"],
    [duration(59_999), "59 s"],
    [duration(161_000), "2 m 41 s"],
    [duration(11_100_000), "3 h 05 m"],
    [duration(190_000_000), "2 d 4 h"],
    [elapsed(4120), "0:04.120"],
    [elapsed(3_725_770), "1:02:05.770"],
    [elapsed(-5), "0:00.000"],
  ])("%j", (shown, wanted) => {
    expect(shown).toBe(wanted);
  });
});
