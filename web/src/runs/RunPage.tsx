import { RunStore } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import { type ReactNode, useMemo, useState, useSyncExternalStore } from "react";

import { useRoute } from "../app/navigation";
import { EventDrawer } from "./EventDrawer";
import { Receipt } from "./Receipt";
import { RunHead } from "./RunHead";
import { NoRun, RunLoading, RunRefused } from "./RunProblems";
import { ScrubBar } from "./ScrubBar";
import { SidePanel } from "./SidePanel";
import { type Shown, Switch } from "./Switch";
import { Timeline } from "./Timeline";
import { useEver } from "./useEver";
import { useRunRow } from "./useRunRows";
import { useScrub } from "./useScrub";

export default function RunPage(): ReactNode {
  const id = useRoute((route) => (route.page === "run" ? route.id : ""));
  return <Run key={id} id={id} />;
}

/** One run: what it says, as it says it; and as it was after any of its events. */
function Run({ id }: { readonly id: string }): ReactNode {
  const live = useLive();
  const store = useMemo(() => new RunStore(live, id, { record: true }), [live, id]);
  const { view: now, caughtUp, error } = useSyncExternalStore(store.subscribe, store.get);
  const row = useRunRow(id);
  const loaded = useEver(caughtUp);
  const scrub = useScrub(id);
  const past = scrub.at !== null && scrub.at < now.lastOffset ? scrub.at : null;
  const view = useMemo(() => (past === null ? now : (store.recording?.at(past) ?? now)), [store, now, past]);
  const [shown, setShown] = useState<Shown>("timeline");
  const [drawer, setDrawer] = useState(false);
  if (error !== null && now.lastOffset === 0) return <RunRefused id={id} error={error} />;
  if (!loaded) return <RunLoading />;
  if (now.lastOffset === 0 && row === undefined) return <NoRun id={id} />;
  return (
    <div className="grid h-full grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)] broad:grid-cols-[minmax(0,1fr)_320px]">
      <section aria-label="Run" className="flex min-h-0 min-w-0 flex-col">
        <RunHead id={id} view={view} row={row} live={now} moment={past === null ? null : timeOf(store, past)} />
        <Receipt id={id} view={now} />
        <Switch shown={shown} onShow={setShown} />
        <div className={`min-h-0 grow flex-col ${shown === "timeline" ? "flex" : "hidden broad:flex"}`}>
          <Timeline view={view} past={past !== null} />
          {drawer && store.recording !== null ? (
            <EventDrawer
              items={store.recording.items}
              head={now.lastOffset}
              at={view.lastOffset}
              past={past !== null}
              onGo={scrub.go}
              onClose={() => setDrawer(false)}
            />
          ) : null}
        </div>
        {shown === "timeline" ? null : (
          <div className="min-h-0 grow overflow-auto bg-panel p-4 broad:hidden">
            <SidePanel id={id} view={view} row={row} />
          </div>
        )}
        <ScrubBar
          at={view.lastOffset}
          head={now.lastOffset}
          past={past !== null}
          ended={now.endedAt !== null}
          onGo={scrub.go}
          drawer={drawer}
          onDrawer={setDrawer}
        />
      </section>
      <aside
        aria-label="State and details"
        className="hidden min-h-0 overflow-auto border-l border-edge bg-panel p-4 broad:block"
      >
        <SidePanel id={id} view={view} row={row} />
      </aside>
    </div>
  );
}

/** When the event with this offset, or the one before it, was said; null = it is not known. */
function timeOf(store: RunStore, offset: number): number | null {
  const item = store.recording?.items.findLast((one) => one.kind === "event" && one.offset <= offset);
  return item?.kind === "event" ? Date.parse(item.time) : null;
}
