import { useConnection } from "@antiphon/client/react";
import { type LazyExoticComponent, type ComponentType, lazy, type ReactNode, Suspense, useState } from "react";

import type { Route } from "../lib/route";
import { Notice } from "../ui/Notice";
import { ErrorBoundary } from "./ErrorBoundary";
import { Header } from "./Header";
import { Help } from "./Help";
import { useCommand } from "./keys";
import { Link } from "./Link";
import { navigate, useRoute } from "./navigation";
import { PAGES } from "./pages";
import { Rail } from "./Rail";
import { Refusal } from "./Refusal";

const VIEWS: Readonly<Record<Exclude<Route["page"], "unknown">, LazyExoticComponent<ComponentType>>> = {
  inbox: lazy(() => import("../inbox/InboxPage")),
  runs: lazy(() => import("../runs/RunsPage")),
  run: lazy(() => import("../runs/RunPage")),
  agents: lazy(() => import("../agents/AgentsPage")),
  logs: lazy(() => import("../logs/LogsPage")),
  forum: lazy(() => import("../forum/ForumPage")),
  connections: lazy(() => import("../connections/ConnectionsPage")),
  playground: lazy(() => import("../playground/PlaygroundPage")),
};

export function Shell(): ReactNode {
  const [help, setHelp] = useState(false);
  useCommand("help", () => setHelp(true));
  const phase = useConnection().phase;
  return (
    <div
      data-stale={phase === "live" || phase === "catching_up" ? undefined : ""}
      className="grid h-full grid-cols-[minmax(0,1fr)] grid-rows-[44px_auto_minmax(0,1fr)_52px] wide:grid-cols-[196px_minmax(0,1fr)] wide:grid-rows-[44px_auto_minmax(0,1fr)]"
    >
      <Header onHelp={() => setHelp(true)} />
      <div className="col-span-full">
        <Refusal />
      </div>
      <div className="row-start-4 grid wide:row-start-3">
        <Rail />
      </div>
      <main className="row-start-3 min-h-0 min-w-0">
        <Page />
      </main>
      {PAGES.map((page) => (
        <GoTo key={page.page} command={page.command} to={page.to} />
      ))}
      {help ? <Help onClose={() => setHelp(false)} /> : null}
    </div>
  );
}

function GoTo({ command, to }: { readonly command: Parameters<typeof useCommand>[0]; readonly to: Route }): ReactNode {
  useCommand(command, () => navigate(to));
  return null;
}

function Page(): ReactNode {
  const page = useRoute((route) => route.page);
  if (page === "unknown") return <NotFound />;
  const View = VIEWS[page];
  return (
    <ErrorBoundary key={page}>
      <Suspense fallback={null}>
        <View />
      </Suspense>
    </ErrorBoundary>
  );
}

function NotFound(): ReactNode {
  return (
    <Notice
      title="There is no page at this address"
      action={
        <Link className="button" to={{ page: "logs", name: null, at: null }}>
          Go to the logs
        </Link>
      }
    />
  );
}
