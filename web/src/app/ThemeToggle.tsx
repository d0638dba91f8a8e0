import type { ReactNode } from "react";

import { MoonIcon, SunIcon, SystemIcon } from "../ui/icons";
import { setTheme, type Theme, usePreferences } from "./preferences";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "dark", dark: "light", light: "system" };
const ICON = { system: SystemIcon, dark: MoonIcon, light: SunIcon } as const;
const WORDS = { system: "as the system", dark: "dark", light: "light" } as const;

export function ThemeToggle(): ReactNode {
  const theme = usePreferences((preferences) => preferences.theme);
  const Icon = ICON[theme];
  const label = `Theme: ${WORDS[theme]}. Change to ${WORDS[NEXT[theme]]}`;
  return (
    <button
      type="button"
      className="button quiet icon"
      title={label}
      aria-label={label}
      onClick={() => setTheme(NEXT[theme])}
    >
      <Icon />
    </button>
  );
}
