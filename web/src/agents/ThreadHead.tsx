import type { AgentRow, RunRow, ThreadRow } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import { type ReactNode, useState } from "react";

import { Link } from "../app/Link";
import { navigate } from "../app/navigation";
import { Problem } from "../ui/Notice";
import { StateWord } from "../ui/Tone";
import { BackLink } from "./BackLink";
import { TitleForm } from "./TitleForm";
import { useThreadRow } from "./useThreadRow";
import { agentTitle, answerWords, threadFacts } from "./words";

interface HeadProps {
  readonly id: string;
  readonly thread: ThreadRow | undefined; // undefined = its first question is on its way
  readonly name: string; // of the agent
  readonly agent: AgentRow | undefined;
  readonly active: RunRow | undefined;
  readonly onGone: () => void;
}

type Mode = "reading" | "renaming" | "deleting";

/** What the thread is called, how it stands, and what it cost. */
export function ThreadHead(props: HeadProps): ReactNode {
  const { id, thread } = props;
  const live = useLive();
  const [mode, setMode] = useState<Mode>("reading");
  const [problem, setProblem] = useState<string | null>(null);
  const act = async (change: () => Promise<unknown>): Promise<boolean> => {
    setProblem(null);
    try {
      await change();
      setMode("reading");
      return true;
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      return false;
    }
  };
  const remove = async (): Promise<void> => {
    if (!(await act(() => live.threads.delete(id)))) return;
    props.onGone();
    navigate({ page: "agents", agent: props.name, thread: null }, { replace: true });
  };
  return (
    <div className="flex flex-col gap-2 px-4 pt-4 pb-3 wide:px-6 wide:pt-5">
      <div className="flex items-start gap-3">
        <BackLink />
        <div className="min-w-0 grow">
          {mode === "renaming" && thread !== undefined ? (
            <TitleForm
              title={thread.title}
              onSave={(title) => act(() => live.threads.rename(id, title))}
              onBack={() => setMode("reading")}
            />
          ) : (
            <h1 className="line-clamp-2 text-xl leading-[1.25] font-strong tracking-[-0.02em] [overflow-wrap:anywhere]">
              {thread?.title ?? "New thread"}
            </h1>
          )}
          <Meta {...props} onMode={mode === "reading" ? setMode : null} />
        </div>
      </div>
      {mode === "deleting" ? (
        <div role="alertdialog" aria-label="Delete this thread" className="flex flex-wrap items-center gap-2 text-s">
          <span className="text-dim">Delete this thread? What it remembers is gone for good; its runs stay.</span>
          <button type="button" className="button small thumb text-bad" onClick={() => void remove()}>
            Delete
          </button>
          <button type="button" className="button small thumb" autoFocus onClick={() => setMode("reading")}>
            Keep
          </button>
        </div>
      ) : null}
      {problem === null ? null : <Problem onDismiss={() => setProblem(null)}>{problem}</Problem>}
    </div>
  );
}

interface MetaProps extends HeadProps {
  readonly onMode: ((mode: Mode) => void) | null; // null = something else is being done
}

function Meta({ thread, name, agent, active, onMode }: MetaProps): ReactNode {
  const facts = thread === undefined ? "" : threadFacts(thread);
  const from = thread?.forked_from ?? null;
  return (
    <div className="num mt-1 flex flex-wrap items-center gap-x-3 text-s text-dim">
      {active === undefined ? null : <Standing row={active} />}
      <Link className="underline hover:text-text" to={{ page: "agents", agent: name, thread: null }}>
        {agent === undefined ? name : agentTitle(agent)}
      </Link>
      {agent?.is_offline === true ? <span>offline, no model</span> : null}
      {facts === "" ? null : <span className="facts">{facts}</span>}
      {from === null ? null : <ForkedFrom thread={from.thread_id} />}
      {thread === undefined || onMode === null ? null : (
        <>
          <button type="button" className="foot-action" onClick={() => onMode("renaming")}>
            Rename
          </button>
          <button type="button" className="foot-action" onClick={() => onMode("deleting")}>
            Delete
          </button>
        </>
      )}
    </div>
  );
}

function Standing({ row }: { readonly row: RunRow }): ReactNode {
  const { tone, busy, text } = answerWords(row);
  return (
    <span role="status" className="facts">
      <StateWord tone={tone} busy={busy}>
        {text}
      </StateWord>
    </span>
  );
}

/** Where it began; the other thread may be gone. */
function ForkedFrom({ thread }: { readonly thread: string }): ReactNode {
  const row = useThreadRow(thread);
  if (row === undefined) return <span>a fork</span>;
  return (
    <Link
      className="max-w-[200px] truncate underline hover:text-text"
      to={{ page: "agents", agent: row.agent, thread }}
      title={row.title}
    >
      fork of {row.title}
    </Link>
  );
}
