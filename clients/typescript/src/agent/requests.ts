/** `live.agents`, `live.threads` and `live.tools`: the requests about agents as plain functions. */

import { AntiphonError } from "../errors.js";
import type { Live } from "../live.js";
import type { RequestOptions } from "../options.js";
import { given } from "../run/requests.js";
import type { NewRun } from "../run/requests.js";
import { sharedRun } from "../run/store.js";
import type { RunStore } from "../run/store.js";
import type { ThreadListParams } from "./methods.js";
import type { AgentInput, AgentRow, ThreadDetails, ThreadRow, ToolRow } from "./rows.js";

/** How a question is asked, beside what is asked. */
export interface AskOptions extends Omit<NewRun, "name" | "input">, RequestOptions {
  /** The conversation, `newThreadId()` for a new one; default: the question stands alone. */
  readonly threadId?: string;
}

export interface Agents {
  list(options?: RequestOptions): Promise<readonly AgentRow[]>;
  /**
   * Ask an agent: starts a run and resolves with its store, which begins to read when somebody subscribes to it. Done once
   * however often the connection breaks. Throws AntiphonError: `thread_busy` where the thread is answering and `if_busy` is `reject`.
   */
  ask(agent: string, question: string | AgentInput, options?: AskOptions): Promise<RunStore>;
}

export interface Threads {
  /** Newest first. */
  list(query?: ThreadListParams, options?: RequestOptions): Promise<readonly ThreadRow[]>;
  get(threadId: string, options?: RequestOptions): Promise<ThreadDetails>;
  /** A new thread that remembers everything up to and with that run; default: the last that has ended. */
  fork(threadId: string, runId?: string, options?: RequestOptions): Promise<ThreadRow>;
  rename(threadId: string, title: string, options?: RequestOptions): Promise<ThreadRow>;
  /** Forget the thread; its runs stay. Throws AntiphonError `thread_busy` while one is under way. */
  delete(threadId: string, options?: RequestOptions): Promise<void>;
}

export interface Tools {
  list(options?: RequestOptions): Promise<readonly ToolRow[]>;
  /** What it returns; the caller says the type. Throws AntiphonError `tool_failed` with what the tool has to say. */
  call(name: string, args?: Readonly<Record<string, unknown>>, options?: RequestOptions): Promise<unknown>;
}

export function makeAgents(live: Live): Agents {
  return {
    list: async (options) => (await live.request("agent.list", {}, options)).agents,
    ask: async (agent, question, { signal, timeoutMs, ...run } = {}) => {
      const input = typeof question === "string" ? { prompt: question } : question;
      const row = await live.runs.start({ ...run, name: agent, input }, given({ signal, timeoutMs }));
      return sharedRun(live, row.run_id);
    },
  };
}

export function makeThreads(live: Live): Threads {
  return {
    list: async (query = {}, options) => (await live.request("thread.list", given(query), options)).threads,
    get: (threadId, options) => live.request("thread.get", { thread_id: threadId }, options),
    fork: async (threadId, runId, options) =>
      (await live.request("thread.fork", { thread_id: threadId, ...given({ run_id: runId }) }, options)).thread,
    rename: async (threadId, title, options) =>
      (await live.request("thread.rename", { thread_id: threadId, title }, options)).thread,
    delete: (threadId, options) => deleteOnce(live, threadId, options),
  };
}

export function makeTools(live: Live): Tools {
  return {
    list: async (options) => (await live.request("tool.list", {}, options)).tools,
    call: async (name, args = {}, options) => (await live.request("tool.call", { name, arguments: args }, options)).result,
  };
}

/** Where the connection ends before the reply, a thread that is not there any more is what was wanted. */
async function deleteOnce(live: Live, threadId: string, options?: RequestOptions): Promise<void> {
  let asked = false;
  for (;;) {
    try {
      await live.request("thread.delete", { thread_id: threadId }, options);
      return;
    } catch (error) {
      const code = error instanceof AntiphonError ? error.code : null;
      if (asked && code === "not_found") return;
      if (code !== "connection_lost") throw error;
      asked = true;
    }
  }
}
