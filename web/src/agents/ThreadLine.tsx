import type { ThreadRow } from "@antiphon/client";
import { memo, type ReactNode } from "react";

import { Link } from "../app/Link";
import { useNow } from "../lib/clock";
import { useRunRow } from "../runs/useRunRows";
import { Dot, toneClass } from "../ui/Tone";
import { answerWords, threadTime } from "./words";

interface LineProps {
  readonly thread: ThreadRow;
  readonly agent: string | null; // null = there is only one
  readonly selected: boolean;
}

/** One conversation in the list. A link, so that it can be opened beside. */
export const ThreadLine = memo(function ThreadLine({ thread, agent, selected }: LineProps): ReactNode {
  const now = useNow();
  return (
    <li>
      <Link
        to={{ page: "agents", agent: thread.agent, thread: thread.thread_id }}
        data-thread={thread.thread_id}
        aria-current={selected ? "true" : undefined}
        className={`thumb flex min-w-0 flex-col justify-center rounded-box px-2 py-1 ${selected ? "bg-accent-soft" : "hover:bg-sunk"}`}
      >
        <span className={`truncate ${selected ? "font-medium" : ""}`}>{thread.title}</span>
        <span className="facts num flex min-w-0 items-center gap-2 text-s text-dim">
          {thread.running === null ? null : <Answering run={thread.running} />}
          <span className="flex-none">{threadTime(thread, now)}</span>
          {agent === null ? null : <span className="min-w-0 truncate">{agent}</span>}
        </span>
      </Link>
    </li>
  );
});

function Answering({ run }: { readonly run: string }): ReactNode {
  const row = useRunRow(run);
  const { tone, busy, text } = answerWords(row ?? { status: "running", questions: 0 });
  return (
    <span className={`flex flex-none items-center gap-2 ${toneClass(tone)}`}>
      <Dot tone={tone} busy={busy} />
      {text}
    </span>
  );
}
