/** Markdown that grows: only its end is read again, so a long answer costs no more per token than a short one. */

import { Lexer, type Token } from "marked";

export interface Block {
  readonly start: number; // where it begins in the text
  readonly token: Token;
}

/** A block may still change its meaning while so many follow it: a list that goes on after an empty line. */
const UNSETTLED = 4;

export class MarkdownBlocks {
  #text = "";
  #blocks: readonly Block[] = [];

  /** The blocks of the text, which usually is the last one with something added. */
  read(text: string): readonly Block[] {
    const source = text.replace(/\r\n?/g, "\n");
    if (source === this.#text) return this.#blocks;
    const kept = source.startsWith(this.#text) ? this.#blocks.slice(0, -UNSETTLED) : [];
    const from = kept.length === 0 ? 0 : (this.#blocks[kept.length]?.start ?? 0);
    this.#blocks = [...kept, ...blocksOf(source.slice(from), from)];
    this.#text = source;
    return this.#blocks;
  }
}

/** All blocks at once, for a text that is complete. */
export function blocksOf(text: string, from = 0): Block[] {
  let start = from;
  return Lexer.lex(text, { gfm: true }).map((token) => {
    const block = { start, token };
    start += token.raw.length;
    return block;
  });
}
