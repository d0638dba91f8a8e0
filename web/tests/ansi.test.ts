import { describe, expect, test } from "vitest";

import { parseAnsi, plainText } from "../src/lib/ansi";

const texts = (line: string): string[] => parseAnsi(line).map((segment) => segment.text);
const style = (line: string, index = 0): unknown => parseAnsi(line)[index]?.style;

describe("colours", () => {
  test("a plain line is one plain segment", () => {
    expect(parseAnsi("a\tb")).toEqual([{ text: "a\tb", style: null }]);
    expect(parseAnsi("")).toEqual([]);
  });
  test.each([
    ["\x1b[31mx", { fg: 1 }],
    ["\x1b[97mx", { fg: 15 }],
    ["\x1b[42mx", { bg: 2 }],
    ["\x1b[103mx", { bg: 11 }],
    ["\x1b[38;5;9mx", { fg: 9 }],
    ["\x1b[38;5;196mx", { fg: "#ff0000" }],
    ["\x1b[48;5;244mx", { bg: "#808080" }],
    ["\x1b[38;2;1;2;255mx", { fg: "#0102ff" }],
    ["\x1b[38:2::1:2:255mx", { fg: "#0102ff" }],
    ["\x1b[38:2:1:2:255mx", { fg: "#0102ff" }],
    ["\x1b[38;2;999;0;0mx", { fg: "#ff0000" }],
    ["\x1b[1;4;31mx", { bold: true, under: true, fg: 1 }],
    ["\x1b[38;5;2;1mx", { fg: 2, bold: true }],
    ["\x1b[38;2;0;0;0;3mx", { fg: "#000000", italic: true }],
    ["\x9b35mx", { fg: 5 }],
  ])("%j", (line, wanted) => {
    expect(style(line)).toMatchObject(wanted);
  });
  test("resets return to plain", () => {
    expect(parseAnsi("\x1b[1;31ma\x1b[0mb\x1b[32mc\x1b[mde")).toMatchObject([
      { text: "a" },
      { text: "b", style: null },
      { text: "c" },
      { text: "de", style: null },
    ]);
    expect(style("\x1b[1m\x1b[22mx")).toBeNull();
    expect(style("\x1b[31;42m\x1b[39;49mx")).toBeNull();
  });
  test("what is unknown or out of range changes nothing", () => {
    expect(style("\x1b[38;5;256mx")).toBeNull();
    expect(style("\x1b[58mx")).toBeNull();
    expect(style("\x1b[38mx")).toBeNull();
  });
});

describe("everything else is removed", () => {
  test.each([
    ["cursor and erase", "a\x1b[2Kb\x1b[10;2Hc", "abc"],
    ["private modes", "a\x1b[?25lb", "ab"],
    ["window title", "\x1b]0;evil\x07a", "a"],
    ["title ended by ST", "\x1b]0;evil\x1b\\a", "a"],
    ["hyperlink", "\x1b]8;;https://example.org\x07link\x1b]8;;\x07", "link"],
    ["device control", "\x1bPq#0\x1b\\a", "a"],
    ["character sets", "\x1b(Ba", "a"],
    ["single controls", "a\x00\x07\x08\x7fb\x85", "ab"],
    ["an escape at the end", "a\x1b", "a"],
    ["a sequence that was cut", "a\x1b[38;5;", "a"],
    ["a title that was cut", "a\x1b]0;evil", "a"],
  ])("%s", (_, line, wanted) => {
    expect(plainText(line)).toBe(wanted);
    expect(texts(line).join("")).toBe(wanted);
  });
  test("segments of one style are joined across removed escapes", () => {
    expect(texts("\x1b[31ma\x1b[Kb")).toEqual(["ab"]);
  });
  test("markup is only text", () => {
    expect(texts("<img src=x onerror=alert(1)>")).toEqual(["<img src=x onerror=alert(1)>"]);
  });
});
