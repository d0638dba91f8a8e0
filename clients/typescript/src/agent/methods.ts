/** The requests about agents, threads and tools, as on the wire. */

import { asObject, list } from "../decode.js";
import type { Fields } from "../decode.js";
import type { AgentRow, ThreadDetails, ThreadRow, ToolRow } from "./rows.js";

export interface ThreadListParams {
  readonly agent?: string;
  /** A thread id: only threads that come after it in the list. */
  readonly before?: string;
  /** 1 to 1000, default 100. */
  readonly limit?: number;
}

interface Thread {
  readonly thread_id: string;
}

export interface AgentMethods {
  readonly "agent.list": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: { readonly agents: readonly AgentRow[] };
  };
  readonly "thread.list": { readonly params: ThreadListParams; readonly result: { readonly threads: readonly ThreadRow[] } };
  readonly "thread.get": { readonly params: Thread; readonly result: ThreadDetails };
  readonly "thread.fork": {
    readonly params: Thread & { readonly run_id?: string };
    readonly result: { readonly thread: ThreadRow };
  };
  readonly "thread.rename": {
    readonly params: Thread & { readonly title: string };
    readonly result: { readonly thread: ThreadRow };
  };
  readonly "thread.delete": { readonly params: Thread; readonly result: Readonly<Record<string, unknown>> };
  readonly "tool.list": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: { readonly tools: readonly ToolRow[] };
  };
  readonly "tool.call": {
    readonly params: { readonly name: string; readonly arguments?: Readonly<Record<string, unknown>> };
    readonly result: { readonly result: unknown };
  };
}

/** These may be asked again where the connection ended before the answer; a second fork would be another thread. */
const REPEATABLE: ReadonlySet<string> = new Set(["agent.list", "thread.list", "thread.get", "thread.rename", "tool.list"]);

export function mayRepeatAgent(method: string): boolean {
  return REPEATABLE.has(method);
}

/** A tool has a deadline of its own. */
export function agentPatience(method: string, usualMs: number): number {
  return method === "tool.call" ? Math.max(usualMs, 120_000) : usualMs;
}

/** Checks the outer form; false = a method of others. */
export function checkAgentResult(method: string, fields: Fields): boolean {
  switch (method) {
    case "agent.list":
      list(fields, "agents");
      return true;
    case "thread.list":
      list(fields, "threads");
      return true;
    case "thread.get":
      list(fields, "runs");
      asObject(fields["thread"], "thread");
      return true;
    case "thread.fork":
    case "thread.rename":
      asObject(fields["thread"], "thread");
      return true;
    case "tool.list":
      list(fields, "tools");
      return true;
    default:
      return method === "tool.call" || method === "thread.delete";
  }
}
