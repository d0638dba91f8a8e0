import type { RunRow } from "@antiphon/client";
import { memo, type ReactNode } from "react";

import { Link } from "../app/Link";
import { useNow } from "../lib/clock";
import { dateTime, percent, plural } from "../lib/format";
import { StateWord } from "../ui/Tone";
import { endWords, lastedWords, statusWords, usageWords } from "./words";

interface LineProps {
  readonly row: RunRow;
  readonly wide: boolean;
}

/** One run in the list. A link, so that it can be opened beside. */
export const RunLine = memo(function RunLine({ row, wide }: LineProps): ReactNode {
  const { tone, busy, text } = statusWords(row.status);
  const status = (
    <StateWord tone={tone} busy={busy}>
      {text}
    </StateWord>
  );
  return (
    <Link
      to={{ page: "run", id: row.run_id, at: null }}
      data-run={row.run_id}
      className={`${wide ? "run-line" : "run-card"} num h-full border-t border-edge hover:bg-sunk`}
    >
      {wide ? status : null}
      <span className="flex min-w-0 items-baseline gap-2">
        <span className="truncate font-medium">{row.title ?? row.name}</span>
        {row.title === null ? null : (
          <span className="hidden max-w-[40%] flex-none truncate text-s text-dim wide:inline">{row.name}</span>
        )}
        <Now row={row} />
      </span>
      {wide ? (
        <Columns row={row} />
      ) : (
        <span className="flex min-w-0 items-baseline gap-3 text-s text-dim">
          {status}
          <span className="truncate">{row.by ?? ""}</span>
          <Took row={row} />
          <span className="truncate">{usageWords(row.usage)}</span>
        </span>
      )}
      {row.progress === null || row.ended_at !== null ? null : (
        <i className="bar" style={{ "--part": row.progress } as React.CSSProperties} />
      )}
    </Link>
  );
});

/** What it waits for, is at, or why it ended badly: the words that make one look. */
function Now({ row }: { readonly row: RunRow }): ReactNode {
  if (row.questions > 0 && row.ended_at === null)
    return (
      <span className="flex-none text-s font-medium text-wait">
        {row.questions === 1 ? "waiting for you" : `waiting for you · ${plural(row.questions, "question")}`}
      </span>
    );
  if (row.ended_at === null) {
    const progress = row.progress === null ? "" : percent(row.progress * 100);
    const words = [row.progress_message ?? row.tool ?? "", progress].filter((part) => part !== "").join(" · ");
    return words === "" ? null : <span className="min-w-0 truncate text-s text-dim">{words}</span>;
  }
  if (row.status === "succeeded") return null;
  const why = endWords({ status: row.status, reason: row.reason, error: row.error, cancelledBy: null })?.why ?? null;
  return why === null ? null : <span className="min-w-0 truncate text-s text-dim">{why}</span>;
}

function Columns({ row }: { readonly row: RunRow }): ReactNode {
  const now = useNow();
  return (
    <>
      <span className="truncate text-dim">{row.by ?? ""}</span>
      <span className="truncate text-right text-s text-dim">{usageWords(row.usage)}</span>
      <span className="text-right text-dim">
        <Took row={row} />
      </span>
      <span className="truncate text-right text-s text-dim">{dateTime(Date.parse(row.created_at), now)}</span>
    </>
  );
}

/** Ticks while the run goes on. */
function Took({ row }: { readonly row: RunRow }): ReactNode {
  useNow();
  return <span className="whitespace-nowrap">{lastedWords(row, Date.now())}</span>;
}
