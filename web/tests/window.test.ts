import { describe, expect, test } from "vitest";

import type { Entry } from "../src/logs/entry";
import { append, emptyAfter, fromPage, indexOf, type Page, prepend } from "../src/logs/window";

const line = (offset: number): Entry => ({
  kind: "line",
  offset,
  timeMs: 0,
  text: "",
  stream: offset % 2 === 0 ? "stdout" : "stderr",
});
const page = (first: number, last: number): Page => ({
  first,
  last,
  entries: Array.from({ length: last - first + 1 }, (_, i) => line(first + i)),
});
const shown = (window: Page): number[] => window.entries.map((entry) => entry.offset);

describe("a window", () => {
  test("grows at the new end and lets go of the old one", () => {
    const window = append(fromPage(page(1, 4), "all"), page(5, 6), "all", 4);
    expect(window).toMatchObject({ first: 3, last: 6 });
    expect(shown(window)).toEqual([3, 4, 5, 6]);
  });
  test("grows at the old end and lets go of the new one", () => {
    const window = prepend(fromPage(page(5, 8), "all"), page(3, 4), "all", 4);
    expect(window).toMatchObject({ first: 3, last: 6 });
    expect(shown(window)).toEqual([3, 4, 5, 6]);
  });
  test("drops what it has already", () => {
    expect(shown(append(fromPage(page(1, 4), "all"), page(3, 6), "all", 99))).toEqual([1, 2, 3, 4, 5, 6]);
    const window = fromPage(page(1, 4), "all");
    expect(append(window, page(2, 4), "all", 99)).toBe(window);
    expect(prepend(window, page(1, 3), "all", 99)).toBe(window);
  });
  test("never holds a hole: a page that does not connect replaces it", () => {
    expect(shown(append(fromPage(page(1, 4), "all"), page(6, 7), "all", 99))).toEqual([6, 7]);
    const window = fromPage(page(5, 8), "all");
    expect(prepend(window, page(1, 3), "all", 99)).toBe(window);
  });
  test("a filter leaves entries out but covers their offsets", () => {
    const window = prepend(append(fromPage(page(5, 8), "stdout"), page(9, 9), "stdout", 99), page(1, 4), "stdout", 99);
    expect(window).toMatchObject({ first: 1, last: 9 });
    expect(shown(window)).toEqual([2, 4, 6, 8]);
  });
  test("an empty one connects to what follows", () => {
    expect(append(emptyAfter(7), page(8, 9), "all", 99)).toMatchObject({ first: 8, last: 9 });
  });
  test("finds an offset, or the next one", () => {
    const { entries } = fromPage(page(1, 9), "stdout");
    expect(indexOf(entries, 4)).toBe(1);
    expect(indexOf(entries, 5)).toBe(2);
    expect(indexOf(entries, 99)).toBe(4);
  });
});
