/** The agents of this server. */

import { useMemo, useSyncExternalStore } from "react";
import { sharedAgents } from "../src/agent/agentStore.js";
import type { AgentRow, AntiphonError } from "../src/index.js";
import { useLive } from "./provider.js";

export interface UsedAgents {
  readonly agents: readonly AgentRow[];
  /** False until the server has told. */
  readonly known: boolean;
  /** Why it did not, e.g. `forbidden`; null = it did, or will. */
  readonly problem: AntiphonError | null;
}

/** What can be asked; asked anew over each connection. */
export function useAgents(): UsedAgents {
  const live = useLive();
  const store = useMemo(() => sharedAgents(live), [live]);
  const { agents, known, error: problem } = useSyncExternalStore(store.subscribe, store.get, store.get);
  return { agents, known, problem };
}
