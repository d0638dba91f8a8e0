import type { ReactNode } from "react";

import { Link } from "./Link";
import type { PageLink } from "./pages";
import { RailCount } from "./RailCount";

const COUNTED: ReadonlySet<PageLink["page"]> = new Set(["inbox", "runs"]);

interface RailLinkProps {
  readonly page: PageLink;
  readonly current: boolean;
}

/** One page in the rail, with how many wait there. */
export function RailLink({ page, current }: RailLinkProps): ReactNode {
  return (
    <Link to={page.to} aria-current={current ? "page" : undefined} className={railClass(current)}>
      {page.label}
      {COUNTED.has(page.page) ? <RailCount page={page.page} /> : null}
    </Link>
  );
}

export function railClass(current: boolean): string {
  return `flex justify-between gap-[6px] rounded-box px-[6px] py-[5px] text-s wide:px-2 wide:text-m ${current ? "bg-accent-soft font-medium text-text" : "text-dim hover:text-text"}`;
}
