/** A state: a dot and a word, in the state's colour. Never the colour alone. */

import type { ReactNode } from "react";

export type Tone = "run" | "ok" | "wait" | "bad" | "stop";

const TEXT: Readonly<Record<Tone, string>> = {
  run: "text-run",
  ok: "text-ok",
  wait: "text-wait",
  bad: "text-bad",
  stop: "text-stop",
};

export function toneClass(tone: Tone): string {
  return TEXT[tone];
}

interface DotProps {
  readonly tone: Tone;
  readonly busy?: boolean; // something is under way: it breathes
}

export function Dot({ tone, busy = false }: DotProps): ReactNode {
  return <i aria-hidden="true" className={`dot ${TEXT[tone]} ${busy ? "pulse" : ""}`} />;
}

export function StateWord({ tone, busy = false, children }: DotProps & { readonly children: ReactNode }): ReactNode {
  return (
    <span className={`inline-flex items-center gap-2 font-medium ${TEXT[tone]}`}>
      <Dot tone={tone} busy={busy} />
      {children}
    </span>
  );
}
