/** The pages there are, and when the rail shows them. */

import type { Command } from "./keys";
import { ALL_RUNS, type Route } from "../lib/route";

export interface PageLink {
  readonly page: Route["page"];
  readonly label: string;
  readonly to: Route;
  readonly group: string | null; // heading in the rail; null = the top
  readonly feature: string | null; // shown only if the server names it; null = always
  readonly command: Command;
}

export const PAGES: readonly PageLink[] = [
  {
    page: "inbox",
    label: "Inbox",
    to: { page: "inbox", question: null },
    group: null,
    feature: "questions",
    command: "go-inbox",
  },
  {
    page: "runs",
    label: "Runs",
    to: { page: "runs", filter: ALL_RUNS },
    group: null,
    feature: "runs",
    command: "go-runs",
  },
  {
    page: "logs",
    label: "Logs",
    to: { page: "logs", name: null, at: null },
    group: null,
    feature: null,
    command: "go-logs",
  },
  {
    page: "connections",
    label: "Connections",
    to: { page: "connections" },
    group: "Tools",
    feature: null,
    command: "go-connections",
  },
  {
    page: "playground",
    label: "Playground",
    to: { page: "playground" },
    group: "Tools",
    feature: null,
    command: "go-playground",
  },
];

export function enabledPages(features: readonly string[]): readonly PageLink[] {
  return PAGES.filter((page) => page.feature === null || features.includes(page.feature));
}

/** The entry of the rail that a page belongs to. */
export function railPage(page: Route["page"]): Route["page"] {
  return page === "run" ? "runs" : page;
}
