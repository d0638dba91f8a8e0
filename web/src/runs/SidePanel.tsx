import type { RunRow, RunView } from "@antiphon/client";
import type { ReactNode } from "react";

import { Children } from "./Children";
import { Details } from "./Details";
import { StateTree } from "./StateTree";

interface PanelProps {
  readonly id: string;
  readonly view: RunView;
  readonly row: RunRow | undefined;
}

/** What the run keeps, what it has started, and what it is. */
export function SidePanel({ id, view, row }: PanelProps): ReactNode {
  return (
    <div className="flex flex-col gap-5">
      <section aria-label="State">
        <h2 className="mb-2 text-s font-medium text-dim">State</h2>
        <StateTree value={view.state} />
      </section>
      <Children id={id} view={view} />
      <Details id={id} view={view} row={row} />
    </div>
  );
}
