/** Addresses of pages, below whatever prefix the dashboard is mounted at. */

export type Route =
  | { readonly page: "logs"; readonly name: string | null; readonly at: number | null } // null name = none chosen
  | { readonly page: "connections" }
  | { readonly page: "playground" }
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
  if ((page === "connections" || page === "playground") && rest.length === 0) return { page };
  return { page: "unknown", path: `/${below}` };
}

export function formatRoute(route: Route, prefix: string): string {
  if (route.page === "unknown") return prefix + route.path.slice(1);
  if (route.page !== "logs") return prefix + route.page;
  if (route.name === null) return `${prefix}logs`;
  const at = route.at === null ? "" : `?at=${route.at}`;
  return `${prefix}logs/${encodeURIComponent(route.name)}${at}`;
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
