import { useLive } from "@antiphon/client/react";
import type { ServerInfo } from "@antiphon/client";
import { Fragment, type ReactNode } from "react";

import { sameList, useReadable } from "../lib/readable";
import { Link } from "./Link";
import { useRoute } from "./navigation";
import { enabledPages, type PageLink, railPage } from "./pages";
import { RailCount } from "./RailCount";

const NONE: readonly string[] = [];
const selectFeatures = (server: ServerInfo | undefined): readonly string[] => server?.features ?? NONE;

const COUNTED: ReadonlySet<PageLink["page"]> = new Set(["inbox", "runs"]);

/** On the left; a bar at the bottom of narrow screens. Shows only what this server has switched on. */
export function Rail(): ReactNode {
  const page = useRoute((route) => railPage(route.page));
  const pages = enabledPages(useReadable(useLive().server, selectFeatures, sameList));
  return (
    <nav
      aria-label="Pages"
      className="flex items-center justify-around gap-[2px] border-t border-edge bg-bg wide:flex-col wide:items-stretch wide:justify-start wide:border-t-0 wide:border-r wide:px-2 wide:py-3"
    >
      {pages.map((one, i) => (
        <Fragment key={one.page}>
          {one.group !== null && one.group !== pages[i - 1]?.group ? (
            <small className="hidden px-2 pt-3 pb-[2px] text-xs text-faint wide:block">{one.group}</small>
          ) : null}
          <Link
            to={one.to}
            aria-current={one.page === page ? "page" : undefined}
            className={`flex justify-between gap-[6px] rounded-box px-[6px] py-[5px] text-s wide:px-2 wide:text-m ${one.page === page ? "bg-accent-soft font-medium text-text" : "text-dim hover:text-text"}`}
          >
            {one.label}
            {COUNTED.has(one.page) ? <RailCount page={one.page} /> : null}
          </Link>
        </Fragment>
      ))}
    </nav>
  );
}
