import { type AgentRow, isEnded, type RunRow, type TimelineItem } from "@antiphon/client";
import { useRun } from "@antiphon/client/react";
import { memo, type ReactNode } from "react";

import { Row } from "../runs/Row";
import { TimelineRow } from "../runs/TimelineRow";
import { AnswerEnd } from "./AnswerEnd";
import { useSent } from "./asking";
import { Queued } from "./Queued";
import { agentTitle, isQuiet, promptOf } from "./words";

interface AnswerProps {
  readonly row: RunRow;
  readonly thread: string;
  readonly forked: boolean; // the first one of this thread's own, after those it was forked with
  readonly agent: AgentRow | undefined;
  readonly keys: boolean; // a, e and r act on what it asks
  readonly latest: boolean;
  readonly onAgain: ((prompt: string, model: string | null) => void) | null; // null = it cannot be asked again
}

/** One question and all that was said to it: a run. */
export const Answer = memo(function Answer(props: AnswerProps): ReactNode {
  const { row, thread, agent, keys, forked } = props;
  const run = useRun(row.run_id);
  const { items } = run;
  const sent = useSent(thread).find(({ runId }) => runId === row.run_id);
  const isAsked = items.some((item) => item.kind === "message" && item.role === "user");
  const prompt = promptOf(run.input) ?? sent?.prompt ?? null;
  const firstOpen = run.openQuestions[0]?.question_id;
  const status = isEnded(run.status) ? run.status : row.status; // what a run says does not tell that it waits its turn
  return (
    <>
      {forked ? (
        <Row at={null} kind="fork">
          <p className="log-divider">Forked here</p>
        </Row>
      ) : null}
      {isAsked || prompt === null ? null : (
        <Row at={row.created_at} kind="message">
          <div className="mb-[2px] text-s text-dim">{row.by ?? "user"}</div>
          <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{prompt}</p>
        </Row>
      )}
      {items.map((item) => (
        <TimelineRow
          key={item.key}
          item={item}
          who={whoOf(item, row, agent)}
          keys={keys && item.kind === "question" && item.id === firstOpen}
          past={false}
        />
      ))}
      {status === "queued" ? <Queued id={row.run_id} /> : null}
      {isQuiet({ status, items }) ? (
        <Row at={null} kind="quiet">
          <span className="caret" aria-label="It is working" />
        </Row>
      ) : null}
      {run.endedAt === null ? null : <AnswerEnd {...props} view={run} prompt={prompt} />}
    </>
  );
});

/** Who speaks: the person, or the agent. */
function whoOf(item: TimelineItem, row: RunRow, agent: AgentRow | undefined): string {
  if (item.kind !== "message") return "";
  if (item.role === "user") return row.by ?? "user";
  if (item.role !== "assistant") return item.role;
  return agent?.name === row.name ? agentTitle(agent) : row.name;
}
