import { useLive } from "@antiphon/client/react";
import { useState } from "react";

export interface Cancelling {
  readonly pending: boolean;
  readonly problem: string | null;
  readonly cancel: () => void;
  readonly dismiss: () => void;
}

/** Asking a run to end, and what the server said against it. */
export function useCancel(id: string): Cancelling {
  const live = useLive();
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const ask = async (): Promise<void> => {
    setPending(true);
    setProblem(null);
    try {
      await live.runs.cancel(id);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setPending(false);
  };
  return { pending, problem, cancel: () => void ask(), dismiss: () => setProblem(null) };
}
