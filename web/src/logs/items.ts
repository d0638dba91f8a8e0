/** What the list on the left holds: processes, followed files, and other logs. */

import type { ChannelRow } from "@antiphon/client";

export type ItemKind = "process" | "file" | "channel";

export interface LogItem {
  readonly name: string;
  readonly kind: ItemKind;
}

const PREFIX = "log:";

export function channelOf(name: string): string {
  return PREFIX + name;
}

/** The list in its order: processes, files, then whatever else writes into a log channel. Names are unique. */
export function listItems(
  processes: readonly string[],
  files: readonly string[],
  channels: readonly Pick<ChannelRow, "channel">[],
): LogItem[] {
  const items: LogItem[] = [];
  const seen = new Set<string>();
  const add = (name: string, kind: ItemKind): void => {
    if (name === "" || seen.has(name)) return;
    seen.add(name);
    items.push({ name, kind });
  };
  for (const name of processes) add(name, "process");
  for (const name of files) add(name, "file");
  for (const { channel } of channels) if (channel.startsWith(PREFIX)) add(channel.slice(PREFIX.length), "channel");
  return items;
}

/**
 * What to show while nobody has chosen: a program that runs, else a log that has lines, else the first.
 * Null while that cannot be said: `channels` null = not known yet.
 */
export function openingItem(
  items: readonly LogItem[],
  isRunning: (name: string) => boolean,
  channels: readonly Pick<ChannelRow, "channel" | "head">[] | null,
): LogItem | null {
  const running = items.find((item) => item.kind === "process" && isRunning(item.name));
  if (running !== undefined) return running;
  if (channels === null) return null;
  const written = new Set(channels.flatMap(({ channel, head }) => (head > 0 ? [channel] : [])));
  return items.find((item) => written.has(channelOf(item.name))) ?? items[0] ?? null;
}

/** Every word of the filter must occur in the name. */
export function filterItems(items: readonly LogItem[], filter: string): readonly LogItem[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length === 0
    ? items
    : items.filter((item) => words.every((word) => item.name.toLowerCase().includes(word)));
}

/** The item before or after the present one; the ends hold. */
export function neighbour(items: readonly LogItem[], name: string | null, step: 1 | -1): LogItem | undefined {
  const at = items.findIndex((item) => item.name === name);
  if (at < 0) return step === 1 ? items[0] : items.at(-1);
  return items[Math.min(items.length - 1, Math.max(0, at + step))];
}
