/** Copying lines, also ones that are not loaded just now. */

import { plainText } from "../lib/ansi";
import { entryText, toEntry } from "./entry";
import type { LogSource } from "./source";

/** More lines than this are not put on a clipboard. */
export const MAX_COPY = 10_000;

/** The text of offsets `from` to `to`, one line each, escapes removed. */
export async function textOfRange(source: LogSource, from: number, to: number, signal: AbortSignal): Promise<string> {
  const end = Math.min(to, from + MAX_COPY - 1);
  const lines: string[] = [];
  let after = from - 1;
  while (after < end) {
    const { events } = await source.history({ after, limit: Math.min(1000, end - after) }, signal);
    const last = events.at(-1)?.offset;
    if (last === undefined) break;
    for (const event of events) if (event.offset <= end) lines.push(plainText(entryText(toEntry(event))));
    after = last;
  }
  return lines.join("\n");
}

/** The clipboard where the browser allows it (only on https and loopback), else the old command. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyThroughSelection(text);
  }
}

function copyThroughSelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("aria-hidden", "true");
  area.className = "fixed opacity-0";
  document.body.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way on plain http
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
