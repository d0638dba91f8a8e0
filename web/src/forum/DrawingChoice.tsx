import type { ReactNode } from "react";

import { Choice } from "../ui/Choice";
import { setDrawing, useDrawing } from "./choices";

const DRAWINGS = [
  ["markdown", "Markdown"],
  ["exact", "Exact"],
] as const;

/** Markdown, or every character as it was said. */
export function DrawingChoice(): ReactNode {
  return <Choice label="How speeches are drawn" value={useDrawing()} options={DRAWINGS} onChange={setDrawing} />;
}
