/** Where in the conversation one is, kept with this entry of the browser's history: a reload, or the way back, leads there. */

const KEY = "forumPlace";

/** The offset that was the first in sight; null = one followed the end. */
export function readPlace(): number | null {
  const state: unknown = history.state;
  const place: unknown = typeof state === "object" && state !== null ? (state as Record<string, unknown>)[KEY] : null;
  return typeof place === "number" ? place : null;
}

export function keepPlace(offset: number | null): void {
  if (readPlace() !== offset) history.replaceState(offset === null ? null : { [KEY]: offset }, "");
}
