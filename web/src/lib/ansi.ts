/** Terminal colours: text with SGR sequences -> styled segments. Every other escape and control character is removed. */

/** 0-15 name the theme's palette; other colours are `#rrggbb`. */
export type Colour = number | `#${string}`;

export interface Style {
  readonly fg: Colour | null; // null = the theme's
  readonly bg: Colour | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly under: boolean;
  readonly strike: boolean;
  readonly inverse: boolean;
}

export interface Segment {
  readonly text: string;
  readonly style: Style | null; // null = plain
}

export const PLAIN: Style = {
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  under: false,
  strike: false,
  inverse: false,
};

/* eslint-disable no-control-regex -- control characters are the subject of this file */
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/;
// In order: SGR; other CSI (also cut off at the end); OSC; DCS, SOS, PM, APC; other escapes; single controls except tab.
const ESCAPE =
  /(?:\x1b\[|\x9b)([0-9;:]*)m|(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c|$)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;
/* eslint-enable no-control-regex */

/** The text without escapes, for copying and for searching in it. */
export function plainText(text: string): string {
  return CONTROL.test(text) ? text.replace(ESCAPE, "") : text;
}

/** Styled pieces in order; their texts joined are `plainText(text)`. No state is carried from line to line. */
export function parseAnsi(text: string): Segment[] {
  if (!CONTROL.test(text)) return text === "" ? [] : [{ text, style: null }];
  const segments: Segment[] = [];
  let style = PLAIN;
  let from = 0;
  const emit = (to: number): void => {
    if (to > from) push(segments, text.slice(from, to), style === PLAIN ? null : style);
  };
  for (const match of text.matchAll(ESCAPE)) {
    emit(match.index);
    from = match.index + match[0].length;
    if (match[1] !== undefined) style = applySgr(style, match[1]);
  }
  emit(text.length);
  return segments;
}

function push(segments: Segment[], text: string, style: Style | null): void {
  const last = segments.at(-1);
  if (last?.style === style) segments[segments.length - 1] = { text: last.text + text, style };
  else segments.push({ text, style });
}

const FLAGS: Readonly<Record<number, Partial<Style>>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { under: true },
  7: { inverse: true },
  9: { strike: true },
  21: { under: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { under: false },
  27: { inverse: false },
  29: { strike: false },
  39: { fg: null },
  49: { bg: null },
};

function applySgr(style: Style, parameters: string): Style {
  const codes = parameters.split(";");
  for (let i = 0; i < codes.length; i++) {
    const [code, ...sub] = (codes[i] ?? "").split(":").map(Number);
    if (!code) style = PLAIN;
    else if (code === 38 || code === 48) {
      const rest = sub.length > 0 ? withoutColourSpace(sub) : codes.slice(i + 1, i + 5).map(Number);
      const colour = extendedColour(rest);
      if (sub.length === 0) i += rest[0] === 2 ? 4 : 2;
      if (colour !== null) style = { ...style, [code === 38 ? "fg" : "bg"]: colour };
    } else if (code === 4 && sub[0] === 0) style = { ...style, under: false };
    else style = { ...style, ...(FLAGS[code] ?? basicColour(code)) };
  }
  return same(style, PLAIN) ? PLAIN : style;
}

/** `2::r:g:b` has an (empty) colour space that `2:r:g:b` leaves out. */
function withoutColourSpace(sub: number[]): number[] {
  return sub[0] === 2 && sub.length > 4 ? [2, ...sub.slice(2)] : sub;
}

function basicColour(code: number): Partial<Style> {
  if (code >= 30 && code <= 37) return { fg: code - 30 };
  if (code >= 40 && code <= 47) return { bg: code - 40 };
  if (code >= 90 && code <= 97) return { fg: code - 82 };
  if (code >= 100 && code <= 107) return { bg: code - 92 };
  return {};
}

function extendedColour([kind, a = 0, b = 0, c = 0]: readonly number[]): Colour | null {
  if (kind === 2) return hex(a, b, c);
  if (kind !== 5 || !(a >= 0 && a <= 255)) return null;
  if (a < 16) return a;
  if (a >= 232) return hex(8 + (a - 232) * 10, 8 + (a - 232) * 10, 8 + (a - 232) * 10);
  const level = (n: number): number => (n === 0 ? 0 : 55 + n * 40);
  const cube = a - 16;
  return hex(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function hex(...rgb: number[]): Colour {
  const byte = (n: number): string =>
    Math.min(255, Math.max(0, Number.isFinite(n) ? n : 0))
      .toString(16)
      .padStart(2, "0");
  return `#${rgb.map(byte).join("")}`;
}

function same(a: Style, b: Style): boolean {
  return (Object.keys(PLAIN) as (keyof Style)[]).every((key) => a[key] === b[key]);
}
