/** Where a searched text occurs in a line, laid over its coloured segments. */

import type { Segment } from "./ansi";

export interface MarkedSegment extends Segment {
  readonly marked: boolean;
}

/** What the server calls "ignore case": ASCII letters only. Keeps the length, so positions stay true. */
export function foldAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Start positions of `needle`, not overlapping. An empty needle is nowhere. */
export function findAll(text: string, needle: string, ignoreCase: boolean): number[] {
  if (needle === "") return [];
  const [hay, what] = ignoreCase ? [foldAscii(text), foldAscii(needle)] : [text, needle];
  const found: number[] = [];
  for (let at = hay.indexOf(what); at >= 0; at = hay.indexOf(what, at + what.length)) found.push(at);
  return found;
}

/** Split the segments at the borders of each occurrence. An occurrence may lie across several segments. */
export function markSegments(segments: readonly Segment[], needle: string, ignoreCase: boolean): MarkedSegment[] {
  const starts = findAll(segments.map((s) => s.text).join(""), needle, ignoreCase);
  if (starts.length === 0) return segments.map((s) => ({ ...s, marked: false }));
  const cuts = starts.flatMap((start) => [start, start + needle.length]);
  const result: MarkedSegment[] = [];
  let position = 0;
  for (const { text, style } of segments) {
    const inside = cuts.filter((cut) => cut > position && cut < position + text.length);
    const borders = [position, ...inside, position + text.length];
    for (let i = 0; i + 1 < borders.length; i++) {
      const from = borders[i] ?? 0;
      const piece = text.slice(from - position, (borders[i + 1] ?? 0) - position);
      const marked = starts.some((start) => start <= from && from < start + needle.length);
      if (piece !== "") result.push({ text: piece, style, marked });
    }
    position += text.length;
  }
  return result;
}

/** A short piece of a long text around the first occurrence, for lists of hits. */
export function excerpt(text: string, needle: string, ignoreCase: boolean, room = 160, lead = 14): string {
  const at = findAll(text, needle, ignoreCase)[0] ?? 0;
  const from = Math.max(0, at - lead);
  const cut = text.slice(from, from + room);
  return `${from > 0 ? "…" : ""}${cut}${from + room < text.length ? "…" : ""}`;
}
