import { useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { Row } from "../runs/Row";
import { Unsent } from "../ui/Composing";
import { askAgain, type Sent, takeBack } from "./asking";

/** A question that the thread does not have yet: on its way, or refused. */
export function SentLine({ thread, question }: { readonly thread: string; readonly question: Sent }): ReactNode {
  const live = useLive();
  return (
    <Row at={null} kind="message">
      <Unsent
        problem={question.phase === "refused" ? question.problem : null}
        onAgain={() => askAgain(live, thread, question)}
        onEdit={() => takeBack(thread, question)}
      >
        <p className="whitespace-pre-wrap text-dim [overflow-wrap:anywhere]">{question.prompt}</p>
      </Unsent>
    </Row>
  );
}
