/** What the Connections page says about each row. */

import type { ConnectionRow, EndedConnectionRow } from "@antiphon/client";

import { plural } from "../lib/format";
import type { Tone } from "../ui/Tone";

const BROWSERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/Edg\/(\d+)/, "Edge"],
  [/OPR\/(\d+)/, "Opera"],
  [/Firefox\/(\d+)/, "Firefox"],
  [/(?:Headless)?Chrom(?:e|ium)\/(\d+)/, "Chrome"],
  [/Version\/(\d+).*Safari/, "Safari"],
];

/** `Chrome 140`, or the first product of any other agent; null = it did not say. */
export function agentName(userAgent: string | null): string | null {
  if (userAgent === null || userAgent === "") return null;
  for (const [pattern, name] of BROWSERS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  return userAgent.split(" ")[0]?.replace("/", " ") ?? userAgent;
}

export interface LagWords {
  readonly tone: Tone;
  readonly text: string;
}

/** The worst of a connection's subscriptions, in a word. */
export function lagWords({ subscriptions }: Pick<ConnectionRow, "subscriptions">): LagWords {
  if (subscriptions.length === 0) return { tone: "stop", text: "idle" };
  const behind = subscriptions.reduce((sum, one) => sum + one.lag, 0);
  const pulling = subscriptions.some((one) => one.phase === "pulling");
  if (!pulling && behind === 0) return { tone: "ok", text: "live" };
  return { tone: pulling ? "wait" : "ok", text: behind === 0 ? "catching up" : `${plural(behind, "event")} behind` };
}

const REASONS: Readonly<Record<string, string>> = {
  slow_consumer: "Read nothing for 30 s",
  abusive: "Sent what no client should",
  client_closed: "Closed by the client",
  server_closed: "Closed by the server",
  server_stopping: "The server stopped",
  message_too_big: "Sent a message that was too big",
};

/** Sentences for the reasons we know; other words stay, but begin with a capital. */
export function reasonWords(reason: string): string {
  const words = REASONS[reason] ?? reason.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Whether the end was nobody's fault. */
export function endedWell({ code, reason }: Pick<EndedConnectionRow, "code" | "reason">): boolean {
  if (code !== null) return [1000, 1001, 1005, 1012].includes(code);
  return !["slow_consumer", "abusive"].includes(reason);
}
