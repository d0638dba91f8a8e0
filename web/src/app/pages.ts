/** The pages there are, and when the rail shows them. */

import type { Command } from "./keys";
import { ALL_RUNS, MAIN_FORUM, type Route } from "../lib/route";

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
    page: "agents",
    label: "Agents",
    to: { page: "agents", agent: null, thread: null },
    group: null,
    feature: "agents",
    command: "go-agents",
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
    page: "forum",
    label: "Forum",
    to: { page: "forum", ...MAIN_FORUM },
    group: "Services",
    feature: "forum",
    command: "go-forum",
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
    to: { page: "playground", protocol: "native" },
    group: "Tools",
    feature: null,
    command: "go-playground",
  },
];

export function enabledPages(features: readonly string[]): readonly PageLink[] {
  return PAGES.filter((page) => page.feature === null || features.includes(page.feature));
}

/** A thumb hits so many side by side. */
const ROOM = 5;

/** What the rail shows, and what stands behind "More" where there is no room for all. */
export function splitPages(
  pages: readonly PageLink[],
  wide: boolean,
): { readonly shown: readonly PageLink[]; readonly more: readonly PageLink[] } {
  if (wide || pages.length <= ROOM) return { shown: pages, more: [] };
  return { shown: pages.slice(0, ROOM - 1), more: pages.slice(ROOM - 1) };
}

/** The entry of the rail that a page belongs to. */
export function railPage(page: Route["page"]): Route["page"] {
  return page === "run" ? "runs" : page;
}
