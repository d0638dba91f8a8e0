import { useLive } from "@antiphon/client/react";
import { type ReactNode, useState } from "react";

import { Problem } from "../ui/Notice";

interface CancelProps {
  readonly id: string;
  readonly cancelling: boolean; // somebody has asked for it, here or elsewhere
}

/** Stands where one would send; what has been stopped and what still drains is told below. */
export function CancelButton({ id, cancelling }: CancelProps): ReactNode {
  const live = useLive();
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const cancel = async (): Promise<void> => {
    setPending(true);
    setProblem(null);
    try {
      await live.runs.cancel(id);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setPending(false);
  };
  return (
    <div className="flex flex-none flex-col items-end gap-1">
      <button
        type="button"
        className="button thumb text-bad"
        disabled={cancelling || pending}
        onClick={() => void cancel()}
      >
        {cancelling || pending ? "Cancelling" : "Cancel"}
      </button>
      {problem === null ? null : (
        <div className="max-w-[280px]">
          <Problem onDismiss={() => setProblem(null)}>{problem}</Problem>
        </div>
      )}
    </div>
  );
}
