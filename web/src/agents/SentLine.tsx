import { useConnection, useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { Row } from "../runs/Row";
import { Problem } from "../ui/Notice";
import { askAgain, type Sent, takeBack } from "./asking";

/** A question that the thread does not have yet: on its way, or refused. */
export function SentLine({ thread, question }: { readonly thread: string; readonly question: Sent }): ReactNode {
  const live = useLive();
  const { phase } = useConnection();
  const connected = phase === "live" || phase === "catching_up";
  return (
    <Row at={null} kind="message">
      <div className="mb-[2px] text-s text-dim" role="status">
        {question.phase === "refused" ? "Not sent" : connected ? "Sending" : "Waiting for the connection"}
      </div>
      <p className="whitespace-pre-wrap text-dim [overflow-wrap:anywhere]">{question.prompt}</p>
      {question.phase === "refused" ? (
        <div className="mt-2 flex flex-wrap items-center gap-2">
          <button type="button" className="button small thumb" onClick={() => askAgain(live, thread, question)}>
            Send again
          </button>
          <button type="button" className="button small thumb" onClick={() => takeBack(thread, question)}>
            Edit
          </button>
          <Problem>{question.problem}</Problem>
        </div>
      ) : null}
    </Row>
  );
}
