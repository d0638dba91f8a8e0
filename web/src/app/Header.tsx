import { type ReactNode, useEffect } from "react";

import type { Route } from "../lib/route";
import { ConnectionIndicator } from "./ConnectionIndicator";
import { Link } from "./Link";
import { useRoute } from "./navigation";
import { ThemeToggle } from "./ThemeToggle";

const HOME: Route = { page: "logs", name: null, at: null };

export function Header({ onHelp }: { readonly onHelp: () => void }): ReactNode {
  const crumbs = useRoute(crumbText);
  useEffect(() => {
    document.title = `${crumbs.slice(2)} · Antiphon`;
  }, [crumbs]);
  return (
    <header className="col-span-full flex items-center gap-3 border-b border-edge bg-panel px-4">
      <Link to={HOME} className="font-strong tracking-[-0.01em]">
        Antiphon
      </Link>
      <span className="hidden min-w-0 truncate text-dim wide:block">{crumbs}</span>
      <span className="grow" />
      <button
        type="button"
        className="hidden wide:block"
        aria-label="Keyboard help"
        title="Keyboard help"
        onClick={onHelp}
      >
        <kbd>?</kbd>
      </button>
      <ThemeToggle />
      <ConnectionIndicator />
    </header>
  );
}

function crumbText(route: Route): string {
  switch (route.page) {
    case "inbox":
      return "/ Inbox";
    case "runs":
      return "/ Runs";
    case "run":
      return `/ Runs / ${route.id}`;
    case "agents":
      return ["/ Agents", route.agent].filter((one) => one !== null).join(" / ");
    case "logs":
      return route.name === null ? "/ Logs" : `/ Logs / ${route.name}`;
    case "forum":
      return route.name === "main" ? "/ Forum" : `/ Forum / ${route.name}`;
    case "connections":
      return "/ Connections";
    case "playground":
      return "/ Playground";
    case "unknown":
      return "/ Not found";
  }
}
