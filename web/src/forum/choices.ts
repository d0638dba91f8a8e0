/** Whether speeches are drawn as Markdown, or exactly as they were said; kept in this browser. */

import { create } from "zustand";

export type Drawing = "markdown" | "exact";

const KEY = "antiphon.forum.drawing";

function read(): Drawing {
  try {
    return localStorage.getItem(KEY) === "exact" ? "exact" : "markdown";
  } catch {
    return "markdown"; // storage is switched off
  }
}

const useChoices = create<{ readonly drawing: Drawing }>(() => ({ drawing: read() }));

export const useDrawing = (): Drawing => useChoices(({ drawing }) => drawing);

export function setDrawing(drawing: Drawing): void {
  useChoices.setState({ drawing });
  try {
    localStorage.setItem(KEY, drawing);
  } catch {
    // the choice lives as long as the page
  }
}
