import { useForum } from "@antiphon/client/react";
import { type ReactNode, useMemo, useState } from "react";

import { useRoute } from "../app/navigation";
import { type ForumView, MAIN_FORUM, type Route } from "../lib/route";
import { Choice } from "../ui/Choice";
import { Notice } from "../ui/Notice";
import { Conversation } from "./Conversation";
import { DrawingChoice } from "./DrawingChoice";
import { FilterBar } from "./FilterBar";
import { ForumHead } from "./ForumHead";
import { NoForum, useHasForum } from "./NoForum";
import { PostBox } from "./PostBox";
import { RoomContext } from "./room";
import { SidePanel } from "./SidePanel";

const viewOf = (route: Route): ForumView => (route.page === "forum" ? route : MAIN_FORUM);

export default function ForumPage(): ReactNode {
  const view = useRoute(viewOf);
  const offered = useHasForum();
  if (!offered) return <NoForum />;
  return <Forum key={view.name} view={view} />;
}

type Shown = "talk" | "panel";
const OPTIONS = [
  ["talk", "Speeches"],
  ["panel", "Speakers"],
] as const;

/** One conversation of several speakers, as it goes on. */
function Forum({ view }: { readonly view: ForumView }): ReactNode {
  const used = useForum(view.name);
  const room = useMemo(() => ({ ...used, view, isLive: view.name === MAIN_FORUM.name }), [used, view]);
  const [shown, setShown] = useState<Shown>("talk");
  if (used.phase === "failed") return <Failed message={used.error?.message} onRetry={used.retry} />;
  if (used.phase === "loading") return <Notice title="Loading the forum" />;
  return (
    <RoomContext value={room}>
      <div className="grid h-full grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)] broad:grid-cols-[minmax(0,1fr)_304px]">
        <section aria-label="Forum" className="flex min-h-0 min-w-0 flex-col">
          <ForumHead />
          <div className="forum-choices flex justify-between gap-2 px-4 pb-2 wide:px-6 broad:hidden">
            <Choice label="What is shown" value={shown} options={OPTIONS} onChange={setShown} />
            {shown === "talk" ? <DrawingChoice /> : null}
          </div>
          <div className={`min-h-0 grow flex-col ${shown === "talk" ? "flex" : "hidden broad:flex"}`}>
            <FilterBar />
            <Conversation />
            {room.isLive ? <PostBox /> : null}
          </div>
          {shown === "talk" ? null : (
            <div className="min-h-0 grow overflow-auto bg-panel p-4 broad:hidden">
              <SidePanel />
            </div>
          )}
        </section>
        <aside
          aria-label="Speakers and host"
          className="hidden min-h-0 overflow-auto border-l border-edge bg-panel p-4 broad:block"
        >
          <SidePanel />
        </aside>
      </div>
    </RoomContext>
  );
}

function Failed({
  message,
  onRetry,
}: {
  readonly message: string | undefined;
  readonly onRetry: () => void;
}): ReactNode {
  const retry = (
    <button type="button" className="button" onClick={onRetry}>
      Try again
    </button>
  );
  return (
    <Notice alert title="The forum cannot be read" action={retry}>
      <p>{message}</p>
    </Notice>
  );
}
