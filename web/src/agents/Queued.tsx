import type { ReactNode } from "react";

import { Row } from "../runs/Row";
import { useCancel } from "../runs/useCancel";
import { Problem } from "../ui/Notice";
import { StateWord } from "../ui/Tone";

/** A question that waits until the answer before it is over. */
export function Queued({ id }: { readonly id: string }): ReactNode {
  const { pending, problem, cancel, dismiss } = useCancel(id);
  return (
    <Row at={null} kind="queued">
      <div className="flex flex-wrap items-center gap-3 text-s">
        <StateWord tone="stop">Queued</StateWord>
        <button type="button" className="button small" disabled={pending} onClick={cancel}>
          Remove
        </button>
        {problem === null ? null : <Problem onDismiss={dismiss}>{problem}</Problem>}
      </div>
    </Row>
  );
}
