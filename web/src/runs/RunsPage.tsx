import { type ReactNode, useMemo, useState } from "react";

import { useRoute } from "../app/navigation";
import { plural } from "../lib/format";
import { ALL_RUNS } from "../lib/route";
import { FilterBar } from "./FilterBar";
import { filterRows, isFiltering } from "./filter";
import { RunList } from "./RunList";
import { NoMatch, RunsEmpty, RunsMissing } from "./RunsEmpty";
import { StartDialog } from "./StartDialog";
import { useRunnables } from "./useRunnables";
import { useRunRows } from "./useRunRows";

/** All runs that are remembered, as they go on. */
export default function RunsPage(): ReactNode {
  const filter = useRoute((route) => (route.page === "runs" ? route.filter : ALL_RUNS));
  const rows = useRunRows();
  const names = useRunnables();
  const shown = useMemo(() => filterRows(rows ?? [], filter), [rows, filter]);
  const [starting, setStarting] = useState(false);
  const start =
    names.length === 0 ? null : (
      <button type="button" className="button main" onClick={() => setStarting(true)}>
        Start a run
      </button>
    );
  return (
    <div className="flex h-full min-h-0 flex-col">
      {rows === undefined ? (
        <RunsMissing />
      ) : rows.length === 0 ? (
        <RunsEmpty start={start} />
      ) : (
        <>
          <div className="flex items-start gap-3 px-4 pt-4 pb-3 wide:px-6 wide:pt-5">
            <div className="min-w-0 grow">
              <h1 className="text-xl leading-[1.25] font-strong tracking-[-0.02em]">Runs</h1>
              <p className="num mt-1 text-s text-dim" role="status">
                {isFiltering(filter) ? `${shown.length} of ${plural(rows.length, "run")}` : plural(rows.length, "run")}
              </p>
            </div>
            {start}
          </div>
          <FilterBar rows={rows} filter={filter} />
          {shown.length === 0 ? <NoMatch /> : <RunList rows={shown} />}
        </>
      )}
      {starting ? <StartDialog names={names} onClose={() => setStarting(false)} /> : null}
    </div>
  );
}
