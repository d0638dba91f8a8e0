/** Which rows the list shows. */

import { isEnded, type RunRow } from "@antiphon/client";

import type { RunFilter } from "../lib/route";

/** What the status filter offers, beside single statuses that an address may name. */
export const STATUSES: readonly (readonly [value: string, label: string])[] = [
  ["", "Any status"],
  ["active", "Active"],
  ["waiting", "Waiting"],
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
  ["lost", "Lost"],
];

/** Those that pass, newest first. */
export function filterRows(rows: readonly RunRow[], filter: RunFilter): readonly RunRow[] {
  const words = filter.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return rows.filter(
    (row) =>
      hasStatus(row, filter.status) &&
      (filter.name === "" || row.name === filter.name) &&
      (filter.by === "" || row.by === filter.by) &&
      (filter.thread === "" || row.thread_id === filter.thread) &&
      (words.length === 0 || contains(row, words)),
  );
}

function hasStatus(row: RunRow, status: string): boolean {
  if (status === "") return true;
  if (status === "active") return !isEnded(row.status);
  if (status === "ended") return isEnded(row.status);
  return row.status === status;
}

/** Every word, in what a person would remember of it. */
function contains(row: RunRow, words: readonly string[]): boolean {
  const labels = Object.entries(row.labels).flat();
  const hay = [row.title ?? "", row.name, row.by ?? "", row.run_id, row.error?.message ?? "", ...labels]
    .join("\n")
    .toLowerCase();
  return words.every((word) => hay.includes(word));
}

/** The different values of one column, sorted. */
export function valuesOf(rows: readonly RunRow[], key: "name" | "by"): readonly string[] {
  return [...new Set(rows.map((row) => row[key] ?? ""))].filter((value) => value !== "").sort();
}

export function isFiltering(filter: RunFilter): boolean {
  return Object.values(filter).some((value) => value !== "");
}
