import { type AgentRow, isEnded } from "@antiphon/client";
import { useLive, useThread } from "@antiphon/client/react";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { plural } from "../lib/format";
import { Row } from "../runs/Row";
import { useStick } from "../runs/useStick";
import { Answer } from "./Answer";
import { ask, forget, underWay, usePickedModel, useSent } from "./asking";
import { Composer } from "./Composer";
import { NoThread, ThreadLoading, ThreadRefused } from "./ThreadProblems";
import { SentLine } from "./SentLine";
import { ThreadHead } from "./ThreadHead";
import { activeRun } from "./words";

/** So many of the newest answers are read; earlier ones when asked for. */
const NEWEST = 20;

interface ConversationProps {
  readonly id: string;
  readonly name: string; // of the agent, as the address says it
  readonly agent: AgentRow | undefined; // undefined = it is not offered (any more)
}

/** One thread: what was asked and answered, as it is said; and the place to ask on. */
export function Conversation({ id, name, agent }: ConversationProps): ReactNode {
  const live = useLive();
  const { thread, runs, known, problem } = useThread(id);
  const sent = underWay(useSent(id), runs);
  const picked = usePickedModel(name);
  const [more, setMore] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const onScroll = useStick(box, true);
  const newest = sent.at(-1)?.runId;
  useEffect(() => {
    if (newest !== undefined) box.current?.scrollTo({ top: box.current.scrollHeight }); // who asks wants to see it
  }, [newest]);
  const active = activeRun(runs);
  const nothing = runs.length === 0 && sent.length === 0;
  if (problem !== null && nothing) return <ThreadRefused error={problem} />;
  if (nothing && !known) return <ThreadLoading />;
  if (nothing && thread === undefined) return <NoThread agent={agent?.name ?? null} />;
  const hidden = Math.max(0, runs.length - NEWEST - more);
  const shown = runs.slice(hidden);
  const firstOwn = shown.findIndex((run) => run.thread_id === id);
  const send = (prompt: string, model?: string | null): void => {
    const own = picked !== null && agent?.models.includes(picked) === true ? picked : null;
    ask(live, { agent: agent?.name ?? name, thread: id, prompt, model: model === undefined ? own : model });
  };
  return (
    <section aria-label="Conversation" className="flex min-h-0 min-w-0 flex-col">
      <ThreadHead id={id} thread={thread} agent={agent} name={name} active={active} onGone={() => forget(id)} />
      <div ref={box} onScroll={onScroll} className="min-h-0 grow overflow-y-auto px-4 pb-4 wide:px-6">
        <div>
          {hidden === 0 ? null : (
            <p className="pb-4">
              <button type="button" className="button small" onClick={() => setMore(more + NEWEST)}>
                Show earlier ({plural(hidden, "question")})
              </button>
            </p>
          )}
          <ol aria-label="Timeline" className="tl">
            {shown.map((run, i) => (
              <Answer
                key={run.run_id}
                row={run}
                thread={id}
                forked={i > 0 && i === firstOwn}
                agent={agent}
                keys={run === active}
                latest={i === shown.length - 1}
                onAgain={agent === undefined || !isEnded(run.status) ? null : send}
              />
            ))}
            {sent.map((question) => (
              <SentLine key={question.runId} thread={id} question={question} />
            ))}
            {nothing ? (
              <Row at={null} kind="empty">
                <p className="text-dim">Nothing has been asked here yet.</p>
              </Row>
            ) : null}
          </ol>
        </div>
      </div>
      {agent === undefined ? (
        <p className="border-t border-edge px-4 py-3 text-s text-dim wide:px-6">
          The agent {name} is not offered any more: this thread can be read, not continued.
        </p>
      ) : (
        <Composer agent={agent} agents={[agent]} thread={id} active={active} onSend={send} />
      )}
    </section>
  );
}
