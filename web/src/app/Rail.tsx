import { useLive } from "@antiphon/client/react";
import type { ServerInfo } from "@antiphon/client";
import { Fragment, type ReactNode } from "react";

import { sameList, useReadable } from "../lib/readable";
import { useWide } from "../ui/media";
import { MorePages } from "./MorePages";
import { useRoute } from "./navigation";
import { enabledPages, railPage, splitPages } from "./pages";
import { RailLink } from "./RailLink";

const NONE: readonly string[] = [];
const selectFeatures = (server: ServerInfo | undefined): readonly string[] => server?.features ?? NONE;

/** On the left; a bar at the bottom of narrow screens. Shows only what this server has switched on. */
export function Rail(): ReactNode {
  const page = useRoute((route) => railPage(route.page));
  const pages = enabledPages(useReadable(useLive().server, selectFeatures, sameList));
  const { shown, more } = splitPages(pages, useWide());
  return (
    <nav
      aria-label="Pages"
      className="relative flex items-center justify-around gap-[2px] border-t border-edge bg-bg wide:flex-col wide:items-stretch wide:justify-start wide:border-t-0 wide:border-r wide:px-2 wide:py-3"
    >
      {shown.map((one, i) => (
        <Fragment key={one.page}>
          {one.group !== null && one.group !== shown[i - 1]?.group ? (
            <small className="hidden px-2 pt-3 pb-[2px] text-xs text-faint wide:block">{one.group}</small>
          ) : null}
          <RailLink page={one} current={one.page === page} />
        </Fragment>
      ))}
      {more.length === 0 ? null : <MorePages pages={more} current={page} />}
    </nav>
  );
}
