import { isEnded, type RunRow, type RunView } from "@antiphon/client";
import type { ReactNode } from "react";

import { useNow } from "../lib/clock";
import { duration } from "../lib/format";
import { StateWord } from "../ui/Tone";
import { CancelButton } from "./CancelButton";
import { ThreadLink } from "./ThreadLink";
import { endWords, lasted, statusWords, usageWords } from "./words";

interface HeadProps {
  readonly id: string;
  readonly view: RunView; // what is shown: now, or a moment of the past
  readonly live: RunView; // now
  readonly row: RunRow | undefined;
  readonly moment: number | null; // Unix milliseconds of the moment that is shown; null = now
}

/** What it is, how it stands, what it cost; and Cancel. */
export function RunHead({ id, view, live, row, moment }: HeadProps): ReactNode {
  const name = view.name ?? row?.name ?? null;
  const title = view.title ?? row?.title ?? name ?? id;
  const status = live.status ?? row?.status ?? null;
  return (
    <div className="flex flex-col gap-2 px-4 pt-4 pb-3 wide:px-6 wide:pt-5">
      <div className="flex items-start gap-3">
        <div className="min-w-0 grow">
          <h1 className="line-clamp-2 text-xl leading-[1.25] font-strong tracking-[-0.02em] [overflow-wrap:anywhere]">
            {title}
          </h1>
          <Meta view={view} row={row} name={title === name ? null : name} moment={moment} />
        </div>
        {isEnded(status) ? null : <CancelButton id={id} cancelling={status === "cancelling"} />}
      </div>
      <Why view={view} />
      <Progress view={view} />
    </div>
  );
}

interface MetaProps {
  readonly view: RunView;
  readonly row: RunRow | undefined;
  readonly name: string | null; // null = it stands above
  readonly moment: number | null;
}

function Meta({ view, row, name, moment }: MetaProps): ReactNode {
  const waits = row?.status === "queued" && moment === null && view.endedAt === null; // its events do not tell
  const status = waits ? "queued" : (view.status ?? row?.status ?? "queued");
  const { tone, busy, text } = statusWords(status);
  const thread = view.threadId ?? row?.thread_id ?? null;
  const by = view.by ?? row?.by ?? null;
  const usage = usageWords(view.usage);
  return (
    <div className="facts num mt-1 flex flex-wrap gap-x-3 text-s text-dim">
      <span role="status">
        <StateWord tone={tone} busy={busy}>
          {view.openQuestions.length > 0 ? "Waiting for you" : text}
        </StateWord>
      </span>
      {name === null ? null : <span>{name}</span>}
      {by === null ? null : <span>{by}</span>}
      <Took view={view} moment={moment} />
      {usage === "" ? null : <span>{usage}</span>}
      {thread === null ? null : <ThreadLink thread={thread} />}
    </div>
  );
}

/** Ticks while it goes on. */
function Took({ view, moment }: Pick<MetaProps, "view" | "moment">): ReactNode {
  useNow();
  const ms = lasted(view, moment ?? Date.now());
  if (ms === null) return null;
  return <span>{view.endedAt === null && ms < 1000 ? "0 s" : duration(ms)}</span>;
}

/** Why it ended, where that needs words. */
function Why({ view }: { readonly view: RunView }): ReactNode {
  const end = endWords(view);
  if (end === null || view.status === "succeeded") return null;
  return (
    <p className={`line-clamp-3 text-s [overflow-wrap:anywhere] ${end.tone === "bad" ? "text-bad" : "text-dim"}`}>
      {end.title}
      {end.why === null ? "" : `: ${end.why}`}
    </p>
  );
}

function Progress({ view }: { readonly view: RunView }): ReactNode {
  if (view.endedAt !== null || (view.progress === null && view.progressMessage === null)) return null;
  return (
    <div className="num flex flex-col gap-1 text-s text-dim">
      {view.progressMessage === null ? null : <span>{view.progressMessage}</span>}
      {view.progress === null ? null : (
        <span
          role="progressbar"
          aria-label="Progress"
          aria-valuenow={Math.round(view.progress * 100)}
          className="bar-box"
        >
          <i className="bar" style={{ "--part": view.progress } as React.CSSProperties} />
        </span>
      )}
    </div>
  );
}
