import type { AgentRow, RunRow, RunView } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import { type ReactNode, useState } from "react";

import { Link } from "../app/Link";
import { navigate } from "../app/navigation";
import { duration } from "../lib/format";
import { copyText } from "../logs/copy";
import { ResultView } from "../runs/ResultView";
import { Row } from "../runs/Row";
import { endWords, lasted, totalTokens, usageWords } from "../runs/words";
import { Problem } from "../ui/Notice";
import { StateWord } from "../ui/Tone";
import { saidText } from "./words";

interface EndProps {
  readonly row: RunRow;
  readonly view: RunView;
  readonly thread: string;
  readonly agent: AgentRow | undefined;
  readonly prompt: string | null;
  readonly onAgain: ((prompt: string, model: string | null) => void) | null;
}

/** How the answer ended, what it cost, and what can be done with it. */
export function AnswerEnd(props: EndProps): ReactNode {
  const { row, view, prompt, onAgain } = props;
  const end = endWords(view);
  if (end === null) return null;
  const failed = view.status !== "succeeded";
  return (
    <Row at={null} kind="end">
      {failed ? (
        <div className="mb-1 flex flex-wrap items-baseline gap-x-3 gap-y-1" role="status">
          <StateWord tone={end.tone}>{end.title.replace(/^Cancelled/, "Stopped")}</StateWord>
          {end.why === null ? null : (
            <span className="min-w-0 whitespace-pre-wrap text-dim [overflow-wrap:anywhere]">{end.why}</span>
          )}
        </div>
      ) : (
        <ResultView view={view} />
      )}
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-s text-faint">
        <span className="num">{factsOf(view)}</span>
        {failed && onAgain !== null && prompt !== null ? (
          <button
            type="button"
            className="foot-action"
            onClick={() => onAgain(prompt, pickedModel(view.input, props.agent))}
          >
            Ask again
          </button>
        ) : null}
        <Copy text={saidText(view.items)} />
        <Fork {...props} />
        <Link className="foot-action" to={{ page: "run", id: row.run_id, at: null }}>
          Run
        </Link>
      </div>
    </Row>
  );
}

/** `4 s · 312 tokens · $0.002`. */
function factsOf(view: RunView): string {
  const ms = lasted(view, Date.now());
  const spent = totalTokens(view.usage) === 0 ? "" : usageWords(view.usage);
  return [ms === null ? "" : duration(ms), spent, view.usage.model ?? ""].filter((part) => part !== "").join(" · ");
}

/** The model that was picked for this question, if it can still be picked. */
function pickedModel(input: unknown, agent: AgentRow | undefined): string | null {
  if (typeof input !== "object" || input === null || !("model" in input) || typeof input.model !== "string")
    return null;
  return agent?.models.includes(input.model) === true ? input.model : null;
}

function Copy({ text }: { readonly text: string }): ReactNode {
  const [done, setDone] = useState<boolean | null>(null); // null = nobody has asked for it
  if (text === "") return null;
  return (
    <button type="button" className="foot-action" onClick={() => void copyText(text).then(setDone)}>
      {done === null ? "Copy" : done ? "Copied" : "Not copied"}
    </button>
  );
}

/** A thread of its own that remembers everything up to here. */
function Fork({ row, thread }: Pick<EndProps, "row" | "thread">): ReactNode {
  const live = useLive();
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const fork = async (): Promise<void> => {
    setPending(true);
    setProblem(null);
    try {
      const made = await live.threads.fork(thread, row.run_id);
      navigate({ page: "agents", agent: made.agent, thread: made.thread_id });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setPending(false);
  };
  return (
    <>
      <button
        type="button"
        className="foot-action"
        disabled={pending}
        title="A new thread that remembers everything up to here"
        onClick={() => void fork()}
      >
        Fork
      </button>
      {problem === null ? null : <Problem onDismiss={() => setProblem(null)}>{problem}</Problem>}
    </>
  );
}
