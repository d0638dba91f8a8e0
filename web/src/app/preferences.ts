/** What a person chose to see; kept in this browser. */

import { create } from "zustand";

export type Theme = "system" | "dark" | "light";
export type TimeMode = "off" | "clock" | "start";

interface Preferences {
  readonly theme: Theme;
  readonly time: TimeMode;
  readonly wrap: boolean;
}

const KEYS = { theme: "antiphon.theme", time: "antiphon.time", wrap: "antiphon.wrap" } as const;

function read<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
  try {
    return allowed.find((one) => one === localStorage.getItem(key)) ?? fallback;
  } catch {
    return fallback; // storage is switched off
  }
}

export const usePreferences = create<Preferences>(() => ({
  theme: read(KEYS.theme, ["system", "dark", "light"], "system"),
  time: read(KEYS.time, ["off", "clock", "start"], "clock"),
  wrap: read(KEYS.wrap, ["on", "off"], "off") === "on",
}));

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // storage is switched off: the choice lives as long as the page
  }
}

export function setTheme(theme: Theme): void {
  usePreferences.setState({ theme });
  write(KEYS.theme, theme);
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

export function setTime(time: TimeMode): void {
  usePreferences.setState({ time });
  write(KEYS.time, time);
}

export function setWrap(wrap: boolean): void {
  usePreferences.setState({ wrap });
  write(KEYS.wrap, wrap ? "on" : "off");
}
