/** The words of agents, tools and threads, as on the wire (snake_case; docs/agents.md). */

import type { RunRow, RunUsage } from "../run/rows.js";

/** What an agent can call. */
export interface ToolRow {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its arguments, an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Somebody must approve each call. */
  readonly needs_approval: boolean;
  /** `built-in`, `python`, or `mcp:NAME`. */
  readonly source: string;
}

/** What happens to a question that comes while the thread is answering: it waits, replaces the answer, or is refused. */
export type IfBusy = "queue" | "interrupt" | "reject";

export interface AgentRow {
  readonly name: string;
  readonly title: string | null;
  readonly description: string | null;
  /** What answers unless a question names another of `models`. */
  readonly model: string;
  readonly models: readonly string[];
  /** No model at all: it answers with what its tools say. */
  readonly is_offline: boolean;
  readonly tools: readonly ToolRow[];
  readonly if_busy: IfBusy;
  readonly on_disconnect: "continue" | "cancel";
  /** Where it comes from: the settings, or a program. */
  readonly source: string;
}

/** A conversation in a list: the state of channel `threads` is a table of them by id. Times are RFC 3339. */
export interface ThreadRow {
  readonly thread_id: string;
  /** Until it is renamed, the first line of the first prompt. */
  readonly title: string;
  readonly agent: string;
  /** Who began it. */
  readonly by: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  /** How many questions were asked. */
  readonly runs: number;
  /** The run that answers now; null = none. */
  readonly running: string | null;
  /** Runs that wait for their turn, in their order. */
  readonly queued: readonly string[];
  readonly forked_from: { readonly thread_id: string; readonly run_id: string } | null;
  readonly usage: RunUsage;
}

/** The state of channel `threads`. */
export type ThreadTable = Readonly<Record<string, ThreadRow>>;

export interface ThreadDetails {
  readonly thread: ThreadRow;
  /** Oldest first; what they say is in their channels. */
  readonly runs: readonly RunRow[];
}

export interface ChatToolCall {
  readonly tool_call_id: string;
  readonly name: string;
  /** JSON. */
  readonly arguments: string;
}

/** One message of a history that the asker brings. */
export interface ChatMessage {
  readonly role: "user" | "assistant" | "system" | "tool";
  readonly text: string;
  /** Of an assistant. */
  readonly tool_calls?: readonly ChatToolCall[];
  /** Of a tool: the call that this answers. */
  readonly tool_call_id?: string;
}

/** A tool that the asker has: a call ends the run, with `client_tool_calls` in its result. */
export interface ClientTool {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** The input of an agent's run. */
export interface AgentInput {
  /** May be left out where `messages` ends with one of a user or a tool. */
  readonly prompt?: string;
  /** One of the agent's `models`. */
  readonly model?: string;
  readonly if_busy?: IfBusy;
  /** The history; default: what the thread remembers. */
  readonly messages?: readonly ChatMessage[];
  readonly client_tools?: readonly ClientTool[];
  /** Told to the model beside the agent's own. */
  readonly instructions?: string;
}

export interface ThreadFilter {
  readonly agent?: string;
  /** Who began it. */
  readonly by?: string;
  /** At most so many, the newest. */
  readonly limit?: number;
}

/** The threads that pass, the one that was used last first. */
export function filterThreads(table: ThreadTable, { agent, by, limit }: ThreadFilter = {}): ThreadRow[] {
  const found = Object.values(table).filter(
    (row) => (agent === undefined || row.agent === agent) && (by === undefined || row.by === by),
  );
  found.sort((left, right) => latest(right, left) || (right.thread_id < left.thread_id ? -1 : 1));
  return limit === undefined ? found : found.slice(0, limit);
}

/** RFC 3339 in UTC sorts as text. */
function latest(left: ThreadRow, right: ThreadRow): number {
  return left.updated_at === right.updated_at ? 0 : left.updated_at < right.updated_at ? -1 : 1;
}
