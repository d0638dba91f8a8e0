/** One conversation: its runs in their order, and the way to ask on. */

import { useCallback, useMemo, useSyncExternalStore } from "react";
import { sharedThread } from "../src/agent/threadStore.js";
import { clientError } from "../src/errors.js";
import type { AgentInput, AntiphonError, AskOptions, RunRow, RunStore, ThreadRow } from "../src/index.js";
import { useLive } from "./provider.js";

export interface UsedThread {
  /** Undefined until the first question was asked in it, and when it was deleted. */
  readonly thread: ThreadRow | undefined;
  /** Oldest first, as they are now; `useRun(run_id)` gives what each says. */
  readonly runs: readonly RunRow[];
  /** False until the server has told. */
  readonly known: boolean;
  /** What ended the reading, e.g. `forbidden`; null = it goes on. */
  readonly problem: AntiphonError | null;
  /**
   * Ask in this thread, by default its own agent. Throws AntiphonError; `usage` where the thread is new and no agent is named.
   */
  readonly ask: (question: string | AgentInput, options?: AskInThread) => Promise<RunStore>;
}

export interface AskInThread extends Omit<AskOptions, "threadId"> {
  readonly agent?: string;
}

/** Follows the thread; renders at most once per animation frame. All who ask share one reading of it. */
export function useThread(threadId: string): UsedThread {
  const live = useLive();
  const store = useMemo(() => sharedThread(live, threadId), [live, threadId]);
  const { thread, runs, known, error: problem } = useSyncExternalStore(store.subscribe, store.get, store.get);
  const ask = useCallback(
    async (question: string | AgentInput, { agent = store.get().thread?.agent, ...options }: AskInThread = {}) => {
      if (agent === undefined) throw clientError("usage", "name the agent that is to begin this thread");
      return live.agents.ask(agent, question, { ...options, threadId });
    },
    [live, store, threadId],
  );
  return { thread, runs, known, problem, ask };
}
