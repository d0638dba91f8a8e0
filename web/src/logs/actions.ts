/** Commands to processes: what is under way, and what went wrong, per process. */

import type { Live } from "@antiphon/client";
import { create } from "zustand";

export type Action = "start" | "stop" | "restart";

interface ActionState {
  readonly pending: Action | null;
  readonly problem: string | null;
}

const QUIET: ActionState = { pending: null, problem: null };

const useActions = create<Readonly<Record<string, ActionState>>>(() => ({}));

const set = (name: string, state: ActionState): void => useActions.setState({ [name]: state });

export function useAction(name: string): ActionState {
  return useActions((all) => all[name] ?? QUIET);
}

export async function act(live: Live, name: string, action: Action): Promise<void> {
  set(name, { pending: action, problem: null });
  try {
    await live.request(`process.${action}`, { name });
    set(name, QUIET);
  } catch (error) {
    set(name, { pending: null, problem: error instanceof Error ? error.message : String(error) });
  }
}

export function dismissProblem(name: string): void {
  set(name, QUIET);
}
