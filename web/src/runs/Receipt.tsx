import type { RunRow, RunView } from "@antiphon/client";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { plural } from "../lib/format";
import { ownerWords } from "./ownerWords";
import { receiptOf } from "./family";
import { useTree } from "./useFamily";

/** While a cancel is under way: who asked, what has stopped, what still drains. */
export function Receipt({ id, view }: { readonly id: string; readonly view: RunView }): ReactNode {
  const tree = useTree(id);
  const { stopped, draining } = receiptOf(tree);
  const cancelling = view.status === "cancelling" || (view.endedAt !== null && draining.length > 0);
  if (!cancelling) return null;
  return (
    <div
      role="status"
      className="mx-4 mb-3 rounded-box border border-edge bg-panel px-3 py-2 text-s text-dim wide:mx-6"
    >
      <p>
        {view.cancelledBy === null ? "Cancelled." : `Cancelled by ${view.cancelledBy}.`}
        {stopped.length === 0 ? "" : ` Stopped: ${plural(stopped.length, "run")}.`}
        {draining.length === 0 ? "" : " Still draining:"}
      </p>
      <ul>
        {draining.map((row) => (
          <Draining key={row.run_id} row={row} own={row.run_id === id} />
        ))}
      </ul>
    </div>
  );
}

function Draining({ row, own }: { readonly row: RunRow; readonly own: boolean }): ReactNode {
  const owner = ownerWords(row.owner);
  return (
    <li className="num">
      {own ? (
        "this run"
      ) : (
        <Link className="underline hover:text-text" to={{ page: "run", id: row.run_id, at: null }}>
          {row.title ?? row.name}
        </Link>
      )}
      {owner === "" ? "" : `, until ${owner} has put things away`}
    </li>
  );
}
