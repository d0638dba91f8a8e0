import { useState } from "react";

export interface Task {
  readonly pending: boolean;
  readonly problem: string | null;
  readonly run: (work: () => Promise<unknown>) => void;
  readonly dismiss: () => void;
}

/** Something asked of the server, one at a time, and what it has to say against it. */
export function useTask(): Task {
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const perform = async (work: () => Promise<unknown>): Promise<void> => {
    setPending(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setPending(false);
  };
  return { pending, problem, run: (work) => void perform(work), dismiss: () => setProblem(null) };
}
