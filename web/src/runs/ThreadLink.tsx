import type { ReactNode } from "react";

import { useThreadRow } from "../agents/useThreadRow";
import { Link } from "../app/Link";
import { ALL_RUNS, type Route } from "../lib/route";

/** The conversation it belongs to: with an agent where it is one, else the other runs of it. */
export function ThreadLink({ thread }: { readonly thread: string }): ReactNode {
  const row = useThreadRow(thread);
  const to: Route =
    row === undefined
      ? { page: "runs", filter: { ...ALL_RUNS, thread } }
      : { page: "agents", agent: row.agent, thread };
  return (
    <Link className="max-w-[200px] truncate underline hover:text-text" to={to}>
      thread {row?.title ?? thread}
    </Link>
  );
}
