/** Keyboard: pages offer commands while they are shown; one listener maps keys to them. */

import { useEffect, useRef } from "react";

export type Command =
  | "search"
  | "follow"
  | "help"
  | "previous-item"
  | "next-item"
  | "next-question"
  | "previous-question"
  | "approve"
  | "edit"
  | "reject"
  | "new-thread"
  | `option-${string}`
  | "go-inbox"
  | "go-runs"
  | "go-agents"
  | "go-logs"
  | "go-forum"
  | "go-connections"
  | "go-playground"
  | "close";

const SINGLE: Readonly<Record<string, Command>> = {
  "/": "search",
  f: "follow",
  "?": "help",
  ArrowUp: "previous-item",
  ArrowDown: "next-item",
  j: "next-question",
  k: "previous-question",
  a: "approve",
  e: "edit",
  r: "reject",
  n: "new-thread",
  Escape: "close",
  ...Object.fromEntries(["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((key) => [key, `option-${key}` as const])),
};
const AFTER_G: Readonly<Record<string, Command>> = {
  i: "go-inbox",
  r: "go-runs",
  a: "go-agents",
  l: "go-logs",
  f: "go-forum",
  c: "go-connections",
  p: "go-playground",
};
const SEQUENCE_MS = 1200;

/** What the help overlay lists. */
export const HELP: readonly (readonly [keys: readonly string[], meaning: string])[] = [
  [["/"], "Search; write, where one asks"],
  [["Enter"], "Next hit (older); with Shift the newer one"],
  [["f"], "Follow the end, or pause"],
  [["Home", "End"], "Oldest and newest line, in the log"],
  [["↑", "↓"], "Move between processes, runs, threads"],
  [["n"], "New thread"],
  [["j", "k"], "Next and previous question"],
  [["a", "e", "r"], "Approve, edit, reject"],
  [["1", "…", "9"], "Choose an option"],
  [["g", "i"], "Inbox"],
  [["g", "r"], "Runs"],
  [["g", "a"], "Agents"],
  [["g", "l"], "Logs"],
  [["g", "f"], "Forum"],
  [["g", "c"], "Connections"],
  [["g", "p"], "Playground"],
  [["Esc"], "Close what is open; stop the answer, or the host"],
  [["?"], "This help"],
];

export interface KeyPress {
  readonly key: string;
  readonly timeMs: number;
}

/** The command of a key, given when `g` was last pressed (null = not). */
export function commandFor(press: KeyPress, gPressedMs: number | null): Command | null {
  if (gPressedMs !== null && press.timeMs - gPressedMs <= SEQUENCE_MS) {
    const going = AFTER_G[press.key];
    if (going !== undefined) return going;
  }
  return SINGLE[press.key] ?? null;
}

const offers = new Map<Command, (() => void)[]>();

/** Offer a command while the component is mounted; the newest offer wins. */
export function useCommand(command: Command, run: () => void, enabled = true): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    if (!enabled) return;
    const offer = (): void => latest.current();
    const list = offers.get(command) ?? [];
    offers.set(command, [...list, offer]);
    return () => {
      offers.set(
        command,
        (offers.get(command) ?? []).filter((one) => one !== offer),
      );
    };
  }, [command, enabled]);
}

/** Call once. Keys typed into fields, and with modifiers, are left alone. */
export function listenToKeys(): void {
  let gPressedMs: number | null = null;
  window.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || isField(event.target)) return;
    const command = commandFor({ key: event.key, timeMs: event.timeStamp }, gPressedMs);
    gPressedMs = event.key === "g" ? event.timeStamp : null;
    if (command === null || (command.endsWith("-item") && keepsArrows(event.target))) return;
    const offer = offers.get(command)?.at(-1);
    if (offer === undefined) return;
    event.preventDefault();
    offer();
  });
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof Element && target.closest("input, textarea, select, [contenteditable], dialog[open]") !== null
  );
}

/** Arrows scroll where something that scrolls has the focus. */
function keepsArrows(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("[data-keeps-arrows]") !== null;
}
