import { useLive } from "@antiphon/client/react";
import { type ReactNode, useEffect, useMemo, useState } from "react";

import { useCommand } from "../app/keys";
import { useRoute } from "../app/navigation";
import { Hits } from "./Hits";
import type { ItemKind } from "./items";
import { LogBody } from "./LogBody";
import { makePane, type Pane, PaneContext } from "./pane";
import { PaneHead } from "./PaneHead";
import { Toolbar } from "./Toolbar";

interface PaneProps {
  readonly name: string;
  readonly kind: ItemKind | null;
}

/** One log, live. Mounted anew for each name. */
export function LogPane({ name, kind }: PaneProps): ReactNode {
  const live = useLive();
  const [made, setMade] = useState<Pane | null>(null);
  useEffect(() => {
    const opened = makePane(live, name, null);
    const route = useRoute.getState();
    void opened.reader.open(route.page === "logs" ? route.at : null);
    setMade(opened);
    return () => {
      opened.reader.close();
      opened.searching.clear();
    };
  }, [live, name]);
  const pane = useMemo(() => (made === null ? null : { ...made, kind }), [made, kind]);
  return (
    <section aria-label={`Log of ${name}`} className="flex min-h-0 min-w-0 flex-col">
      {pane === null ? null : (
        <PaneContext value={pane}>
          <FollowPermalinks pane={pane} />
          <PaneHead />
          <Toolbar />
          <div className="flex min-h-0 grow flex-col broad:flex-row">
            <LogBody />
            <Hits />
          </div>
        </PaneContext>
      )}
    </section>
  );
}

/** Another `?at=` while the log is open, and the key that follows or pauses. */
function FollowPermalinks({ pane }: { readonly pane: Pane }): ReactNode {
  const at = useRoute((route) => (route.page === "logs" ? route.at : null));
  useEffect(() => {
    const { target, phase } = pane.reader.state.getState();
    if (at !== null && phase === "ready" && target !== at) void pane.reader.seek(at, true);
  }, [at, pane]);
  useCommand("follow", () => {
    if (pane.reader.state.getState().following) pane.reader.pause();
    else pane.reader.follow();
  });
  return null;
}
