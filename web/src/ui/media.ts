/** Facts about the screen. */

import { useSyncExternalStore } from "react";

const wide = window.matchMedia("(min-width: 760px)");
const subscribe = (listener: () => void): (() => void) => {
  wide.addEventListener("change", listener);
  return () => wide.removeEventListener("change", listener);
};
const isWide = (): boolean => wide.matches;

/** Room for a list and a log side by side. */
export function useWide(): boolean {
  return useSyncExternalStore(subscribe, isWide);
}
