import { memo, type CSSProperties, type MouseEvent, type ReactNode, useMemo } from "react";

import { type Colour, parseAnsi, type Style } from "../lib/ansi";
import { count, plural } from "../lib/format";
import { markSegments } from "../lib/marks";
import { type Entry, exitWords } from "./entry";

/** Longer lines show their beginning; a click shows the rest. */
export const SHOWN_CHARACTERS = 4000;

export interface RowProps {
  readonly entry: Entry;
  readonly label: string; // in the left margin: a time, or a dot
  readonly chosen: boolean;
  readonly target: boolean;
  readonly whole: boolean; // show a long line whole
  readonly needle: string; // searched text to mark; "" = none
  readonly ignoreCase: boolean;
  readonly onChoose: (offset: number, extend: boolean) => void;
  readonly onWhole: (offset: number) => void;
}

/** The content of one row. Its place is the view's business. */
export const LogRow = memo(function LogRow({ entry, label, onChoose, ...rest }: RowProps): ReactNode {
  return (
    <>
      <span
        className="log-mark num"
        title={`Line ${count(entry.offset)}. Click to choose, Shift+click for a range`}
        onClick={(event: MouseEvent) => onChoose(entry.offset, event.shiftKey)}
      >
        {label}
      </span>
      {entry.kind === "line" || entry.kind === "other" ? <Line entry={entry} {...rest} /> : <Divider entry={entry} />}
    </>
  );
});

type LineProps = Omit<RowProps, "label" | "onChoose"> & { readonly entry: Extract<Entry, { kind: "line" | "other" }> };

function Line({ entry, whole, needle, ignoreCase, onWhole }: LineProps): ReactNode {
  const cut = !whole && entry.text.length > SHOWN_CHARACTERS;
  const text = cut ? entry.text.slice(0, SHOWN_CHARACTERS) : entry.text;
  const segments = useMemo(() => {
    const parsed = parseAnsi(text);
    return needle === ""
      ? parsed.map((segment) => ({ ...segment, marked: false }))
      : markSegments(parsed, needle, ignoreCase);
  }, [text, needle, ignoreCase]);
  return (
    <span className="log-text">
      {entry.kind === "other" ? <span className="text-faint">{entry.type} </span> : null}
      {segments.map((segment, i) => {
        const Tag = segment.marked ? "mark" : "span";
        if (segment.style === null && !segment.marked) return segment.text;
        return (
          <Tag
            key={i}
            className={segment.style === null ? undefined : styleClass(segment.style)}
            style={segment.style === null ? undefined : styleColours(segment.style)}
          >
            {segment.text}
          </Tag>
        );
      })}
      {cut ? (
        <button type="button" className="ml-2 text-accent underline" onClick={() => onWhole(entry.offset)}>
          {plural(entry.text.length - SHOWN_CHARACTERS, "more character")}
        </button>
      ) : null}
    </span>
  );
}

function styleClass(style: Style): string {
  const { bold, dim, italic, under, strike, inverse } = style;
  const flags = { bold, dim, italic, under, strike, inverse };
  const names = Object.entries(flags).flatMap(([name, on]) => (on ? [`sgr-${name}`] : []));
  if (typeof style.fg === "number") names.push(`fg-${style.fg}`);
  if (typeof style.bg === "number") names.push(`bg-${style.bg}`);
  return names.join(" ");
}

/** Free colours are pulled a little towards the text's, so that they can be read in both themes. */
function styleColours({ fg, bg }: Style): CSSProperties {
  const free = (colour: Colour | null): colour is `#${string}` => typeof colour === "string";
  return {
    ...(free(fg) ? { color: `color-mix(in oklab, ${fg} 75%, var(--text))` } : {}),
    ...(free(bg) ? { background: `color-mix(in oklab, ${bg} 45%, transparent)` } : {}),
  };
}

function Divider({ entry }: { readonly entry: Extract<Entry, { kind: "started" | "exited" | "gap" }> }): ReactNode {
  return <span className="log-divider num">{dividerWords(entry)}</span>;
}

function dividerWords(entry: Extract<Entry, { kind: "started" | "exited" | "gap" }>): ReactNode {
  if (entry.kind === "started") return entry.pid === null ? "started" : `started · pid ${entry.pid}`;
  if (entry.kind === "gap") return `${plural(entry.offset - entry.from + 1, "line")} removed here: ${entry.reason}`;
  const failed = entry.signal === null && entry.exitCode !== 0 && entry.exitCode !== null;
  return <span className={failed ? "text-bad" : ""}>{exitWords(entry.exitCode, entry.signal)}</span>;
}
