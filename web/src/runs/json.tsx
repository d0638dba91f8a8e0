/** JSON as people read it. */

import type { ReactNode } from "react";

const LINE = 400;

/** A text of JSON in one line; as it is while it is not complete. */
export function oneLine(text: string): string {
  return text.slice(0, LINE).replace(/\s+/g, " ").trim();
}

export function isEmptyJson(value: unknown): boolean {
  return value === null || value === undefined;
}

/** Indented, if it is JSON already; texts as they are. */
export function pretty(text: string): string {
  try {
    return show(JSON.parse(text));
  } catch {
    return text;
  }
}

function show(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** Give a text of JSON, or a value. */
export function JsonText(props: { readonly text: string } | { readonly value: unknown }): ReactNode {
  const words = "text" in props ? pretty(props.text) : show(props.value);
  return (
    <pre tabIndex={0} className="max-h-[360px] overflow-auto text-s whitespace-pre-wrap [overflow-wrap:anywhere]">
      {words}
    </pre>
  );
}
