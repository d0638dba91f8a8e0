import type { ReactNode } from "react";

import { Problem } from "../ui/Notice";
import { useCancel } from "./useCancel";

interface CancelProps {
  readonly id: string;
  readonly cancelling: boolean; // somebody has asked for it, here or elsewhere
}

/** Stands where one would send; what has been stopped and what still drains is told below. */
export function CancelButton({ id, cancelling }: CancelProps): ReactNode {
  const { pending, problem, cancel, dismiss } = useCancel(id);
  return (
    <div className="flex flex-none flex-col items-end gap-1">
      <button type="button" className="button thumb text-bad" disabled={cancelling || pending} onClick={cancel}>
        {cancelling || pending ? "Cancelling" : "Cancel"}
      </button>
      {problem === null ? null : (
        <div className="max-w-[280px]">
          <Problem onDismiss={dismiss}>{problem}</Problem>
        </div>
      )}
    </div>
  );
}
