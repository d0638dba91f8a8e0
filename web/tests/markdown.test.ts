import { describe, expect, test } from "vitest";

import { blocksOf, MarkdownBlocks } from "../src/runs/markdown/blocks";
import { plainWords, safeAddress } from "../src/runs/markdown/safety";

const ANSWER = [
  "# Tea\n\nFujian's exports **rose** 41 %.\n",
  "\n- white\n- green\n\n  with a second paragraph\n\n- black\n",
  "\n```python\nprint('a')\n\n\nprint('b')\n```\n",
  "\n| place | t |\n| --- | ---: |\n| Fujian | 41 |\n| Yunnan | 23 |\n",
  "\n> a quotation\n> of two lines\n\n1. one\n\n2. two\n\n\n3. three\n\nThe end, with `code` and <b>no</b> HTML.",
].join("");

describe("Markdown that grows", () => {
  test.each([1, 3, 17, 64])("in pieces of %d it means what the whole means", (size) => {
    const reader = new MarkdownBlocks();
    for (let end = size; end < ANSWER.length + size; end += size) reader.read(ANSWER.slice(0, end));
    const shape = (blocks: ReturnType<typeof blocksOf>) =>
      blocks.map(({ start, token }) => [start, token.type, token.raw]);
    expect(shape([...reader.read(ANSWER)])).toEqual(shape(blocksOf(ANSWER)));
  });
  test("what is settled is not read again", () => {
    const reader = new MarkdownBlocks();
    const first = reader.read("one\n\ntwo\n\nthree\n\nfour\n\nfive")[0];
    expect(reader.read("one\n\ntwo\n\nthree\n\nfour\n\nfive\n\nsix")[0]).toBe(first);
  });
  test("another text begins anew", () => {
    const reader = new MarkdownBlocks();
    reader.read("one\n\ntwo\n\nthree\n\nfour");
    expect(reader.read("other").map(({ token }) => token.raw)).toEqual(["other"]);
  });
  test("code that is not closed yet is code", () => {
    expect(new MarkdownBlocks().read("```\nlet x").map(({ token }) => token.type)).toEqual(["code"]);
  });
});

describe("what a text may become", () => {
  test.each([
    ["https://example.org/a", "https://example.org/a"],
    ["mailto:ada@example.org", "mailto:ada@example.org"],
    ["javascript:alert(1)", null],
    [" javascript:alert(1)", null],
    ["data:text/html,x", null],
    ["/logs", null],
    ["logs", null],
    ["//example.org", null],
  ])("a link to %s leads to %s", (address, safe) => {
    expect(safeAddress(address)).toBe(safe);
  });
  test("names of characters are the characters, and nothing more", () => {
    expect(plainWords("a &lt;b&gt; &amp;amp; &#65;&#x42; &unknown; &#0;")).toBe("a <b> &amp; AB &unknown; &#0;");
  });
});
