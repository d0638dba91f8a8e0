/**
 * The loaded part of a log: one unbroken range of offsets and those of its entries that pass the filter.
 *
 * It grows at either end and is trimmed at the other, so memory stays bounded while one pages through a million lines.
 * All functions return a new window (or the same, if nothing changed).
 */

import type { Entry, StreamFilter } from "./entry";
import { passes } from "./entry";

export interface LogWindow {
  readonly entries: readonly Entry[]; // ascending
  readonly first: number; // lowest offset covered
  readonly last: number; // highest offset covered; first - 1 = nothing
}

/** A range of offsets as it came from the log, unfiltered. */
export interface Page {
  readonly entries: readonly Entry[];
  readonly first: number;
  readonly last: number;
}

export function emptyAfter(offset: number): LogWindow {
  return { entries: [], first: offset + 1, last: offset };
}

export function fromPage(page: Page, filter: StreamFilter): LogWindow {
  return { entries: kept(page.entries, filter), first: page.first, last: page.last };
}

/** Newer entries. Overlap is dropped; a page that does not connect replaces everything. Trims the old end. */
export function append(window: LogWindow, page: Page, filter: StreamFilter, maxEntries: number): LogWindow {
  if (page.last <= window.last) return window;
  if (page.first > window.last + 1) return trimOld(fromPage(page, filter), maxEntries);
  const fresh = kept(page.entries, filter).filter((entry) => entry.offset > window.last);
  const entries = fresh.length === 0 ? window.entries : [...window.entries, ...fresh];
  return trimOld({ entries, first: window.first, last: page.last }, maxEntries);
}

/** Older entries; the page must end right before the window. Trims the new end. */
export function prepend(window: LogWindow, page: Page, filter: StreamFilter, maxEntries: number): LogWindow {
  if (page.first >= window.first || page.last < window.first - 1) return window;
  const fresh = kept(page.entries, filter).filter((entry) => entry.offset < window.first);
  const entries = fresh.length === 0 ? window.entries : [...fresh, ...window.entries];
  return trimNew({ entries, first: page.first, last: window.last }, maxEntries);
}

/** Index of the entry with this offset, or of the next one after it; the length if there is none. */
export function indexOf(entries: readonly Entry[], offset: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.offset ?? Infinity) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function trimOld(window: LogWindow, maxEntries: number): LogWindow {
  if (window.entries.length <= maxEntries) return window;
  const entries = window.entries.slice(-maxEntries);
  return { entries, first: entries[0]?.offset ?? window.last + 1, last: window.last };
}

function trimNew(window: LogWindow, maxEntries: number): LogWindow {
  if (window.entries.length <= maxEntries) return window;
  const entries = window.entries.slice(0, maxEntries);
  return { entries, first: window.first, last: entries.at(-1)?.offset ?? window.first - 1 };
}

function kept(entries: readonly Entry[], filter: StreamFilter): readonly Entry[] {
  return filter === "all" ? entries : entries.filter((entry) => passes(entry, filter));
}
