/** Addresses of pages, below whatever prefix the dashboard is mounted at. */

/** Which runs the list shows; "" = any. */
export interface RunFilter {
  readonly status: string; // a status, or a group: `active`, `ended`
  readonly name: string;
  readonly by: string;
  readonly text: string;
  readonly thread: string;
}

export const ALL_RUNS: RunFilter = { status: "", name: "", by: "", text: "", thread: "" };

/** The filter's words in the address. */
const FILTER_KEYS = { status: "status", name: "name", by: "by", text: "q", thread: "thread" } as const;

/** Which part of a conversation is shown. */
export interface ForumView {
  readonly name: string; // of the room
  readonly speakers: readonly string[]; // whose speeches are shown, by source; none = all
  readonly at: number | null; // an offset that a link points to
}

export const MAIN_FORUM: ForumView = { name: "main", speakers: [], at: null };

/** What the playground speaks at first: ours, or another system's. */
export type Protocol = "native" | "agent-engine";

/** Other systems' test pages, at whose addresses the playground answers. */
const TEST_PAGES: Readonly<Record<string, Protocol>> = { "static/test_websocket.html": "agent-engine" };

export type Route =
  | { readonly page: "inbox"; readonly question: string | null } // null question = the most urgent
  | { readonly page: "runs"; readonly filter: RunFilter }
  | { readonly page: "run"; readonly id: string; readonly at: number | null } // at: an offset of its history; null = live
  | { readonly page: "agents"; readonly agent: string | null; readonly thread: string | null } // null = none chosen, a new one
  | { readonly page: "logs"; readonly name: string | null; readonly at: number | null } // null name = none chosen
  | ({ readonly page: "forum" } & ForumView)
  | { readonly page: "connections" }
  | { readonly page: "playground"; readonly protocol: Protocol }
  | { readonly page: "unknown"; readonly path: string };

/** The mount prefix, `/` at both ends, from `<base href>`. */
export function mountPrefix(baseUri: string): string {
  return new URL(".", baseUri).pathname;
}

export function parseRoute(url: URL, prefix: string): Route {
  const below = url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length) : url.pathname.slice(1);
  const [page = "", ...rest] = below.split("/").filter((part) => part !== "");
  if (page === "" && rest.length === 0) return { page: "logs", name: null, at: null };
  if (page === "logs" && rest.length <= 1) {
    return {
      page: "logs",
      name: rest[0] === undefined ? null : decode(rest[0]),
      at: parseAt(url.searchParams.get("at")),
    };
  }
  if (page === "runs" && rest.length === 0) return { page, filter: parseFilter(url.searchParams) };
  if (page === "runs" && rest[0] !== undefined && rest.length === 1)
    return { page: "run", id: decode(rest[0]), at: parseAt(url.searchParams.get("at")) };
  if (page === "agents" && rest.length <= 2) return { page, agent: part(rest[0]), thread: part(rest[1]) };
  if (page === "inbox" && rest.length === 0) return { page, question: url.searchParams.get("question") };
  if (page === "forum" && rest.length <= 1) return { page, ...parseForum(part(rest[0]), url.searchParams) };
  if (page === "connections" && rest.length === 0) return { page };
  if (page === "playground" && rest.length === 0) {
    return { page, protocol: url.searchParams.get("protocol") === "agent-engine" ? "agent-engine" : "native" };
  }
  const protocol = TEST_PAGES[below];
  if (protocol !== undefined) return { page: "playground", protocol };
  return { page: "unknown", path: `/${below}` };
}

export function formatRoute(route: Route, prefix: string): string {
  if (route.page === "unknown") return prefix + route.path.slice(1);
  if (route.page === "runs") return `${prefix}runs${query(filterWords(route.filter))}`;
  if (route.page === "run") return `${prefix}runs/${encodeURIComponent(route.id)}${query({ at: route.at })}`;
  if (route.page === "inbox") return `${prefix}inbox${query({ question: route.question })}`;
  if (route.page === "agents") return prefix + ["agents", ...agentPath(route)].map(encodeURIComponent).join("/");
  if (route.page === "forum") return prefix + forumPath(route);
  if (route.page === "playground") {
    return `${prefix}playground${query({ protocol: route.protocol === "native" ? null : route.protocol })}`;
  }
  if (route.page !== "logs") return prefix + route.page;
  if (route.name === null) return `${prefix}logs`;
  return `${prefix}logs/${encodeURIComponent(route.name)}${query({ at: route.at })}`;
}

function forumPath({ name, speakers, at }: ForumView): string {
  const room = name === MAIN_FORUM.name ? "" : `/${encodeURIComponent(name)}`;
  return `forum${room}${query({ speaker: speakers.join(",").toLowerCase(), at })}`;
}

function parseForum(name: string | null, words: URLSearchParams): ForumView {
  const speakers = (words.get("speaker") ?? "").toUpperCase().split(",");
  return {
    name: name ?? MAIN_FORUM.name,
    speakers: speakers.filter((one) => one !== ""),
    at: parseAt(words.get("at")),
  };
}

/** A thread is found below the agent it belongs to; without one there is none. */
function agentPath({ agent, thread }: { readonly agent: string | null; readonly thread: string | null }): string[] {
  if (agent === null) return [];
  return thread === null ? [agent] : [agent, thread];
}

const part = (text: string | undefined): string | null => (text === undefined ? null : decode(text));

function query(words: Readonly<Record<string, string | number | null>>): string {
  const given = Object.entries(words).flatMap(([key, value]) =>
    value === null || value === "" ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return given.length === 0 ? "" : `?${given.join("&")}`;
}

function parseFilter(words: URLSearchParams): RunFilter {
  const read = (key: keyof RunFilter): string => words.get(FILTER_KEYS[key]) ?? "";
  return { status: read("status"), name: read("name"), by: read("by"), text: read("text"), thread: read("thread") };
}

function filterWords(filter: RunFilter): Record<string, string> {
  const keys = Object.keys(FILTER_KEYS) as (keyof RunFilter)[];
  return Object.fromEntries(keys.map((key) => [FILTER_KEYS[key], filter[key]]));
}

/** An offset: a whole number from 1. Anything else counts as not given. */
function parseAt(text: string | null): number | null {
  if (text === null || !/^[1-9][0-9]{0,15}$/.test(text)) return null;
  const at = Number(text);
  return Number.isSafeInteger(at) ? at : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
