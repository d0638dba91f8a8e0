/** Where we are. The History API, a store and a link: no router is needed for four pages. */

import { create } from "zustand";

import { formatRoute, mountPrefix, parseRoute, type Route } from "../lib/route";

const prefix = mountPrefix(document.baseURI);
const current = (): Route => parseRoute(new URL(location.href), prefix);

export const useRoute = create<Route>(() => current());

export function href(route: Route): string {
  return formatRoute(route, prefix);
}

export function navigate(route: Route, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", href(route));
  else history.pushState(null, "", href(route));
  useRoute.setState(current(), true);
}

/** Call once. Browsers' back and forward buttons move us too. */
export function listenToHistory(): void {
  window.addEventListener("popstate", () => useRoute.setState(current(), true));
}

/** Whether a click on a link should stay in the page (no new tab, no download). */
export function isPlainClick(event: {
  button: number;
  metaKey: boolean;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}
