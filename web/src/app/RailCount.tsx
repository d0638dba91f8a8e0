import type { QuestionTable, RunTable } from "@antiphon/client";
import { useChannelState } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { count, plural } from "../lib/format";
import type { PageLink } from "./pages";

const openQuestions = (table: QuestionTable): number =>
  Object.values(table).reduce((sum, row) => sum + (row.status === "open" ? 1 : 0), 0);
const activeRuns = (table: RunTable): number =>
  Object.values(table).reduce((sum, row) => sum + (row.ended_at === null ? 1 : 0), 0);

/** How many wait, or run. Nothing where there are none. */
export function RailCount({ page }: { readonly page: PageLink["page"] }): ReactNode {
  return page === "inbox" ? <Open /> : <Active />;
}

function Open(): ReactNode {
  const open = useChannelState("questions", openQuestions) ?? 0;
  if (open === 0) return null;
  return (
    <em className="num font-strong not-italic text-wait" title={plural(open, "open question")}>
      {count(open)}
    </em>
  );
}

function Active(): ReactNode {
  const active = useChannelState("runs", activeRuns) ?? 0;
  if (active === 0) return null;
  return (
    <span className="num" title={`${plural(active, "run")} under way`}>
      {count(active)}
    </span>
  );
}
