import { type ReactNode, useEffect, useRef, useState } from "react";

import { useCommand } from "./keys";
import { Link } from "./Link";
import type { PageLink } from "./pages";
import { railClass } from "./RailLink";

interface MoreProps {
  readonly pages: readonly PageLink[];
  readonly current: PageLink["page"];
}

/** The pages for which the bar has no room. */
export function MorePages({ pages, current }: MoreProps): ReactNode {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const here = pages.find((page) => page.page === current);
  useCommand("close", () => setOpen(false), open);
  useEffect(() => {
    if (!open) return;
    const away = (event: PointerEvent): void => {
      if (event.target instanceof Node && box.current?.contains(event.target) !== true) setOpen(false);
    };
    window.addEventListener("pointerdown", away);
    return () => window.removeEventListener("pointerdown", away);
  }, [open]);
  return (
    <div ref={box}>
      <button
        type="button"
        aria-expanded={open}
        className={railClass(here !== undefined)}
        onClick={() => setOpen(!open)}
      >
        {here?.label ?? "More"}
      </button>
      {open ? (
        <div className="absolute right-2 bottom-full z-20 mb-2 flex min-w-[160px] flex-col rounded-box border border-edge bg-panel p-1">
          {pages.map((page) => (
            <Link
              key={page.page}
              to={page.to}
              aria-current={page.page === current ? "page" : undefined}
              className={`thumb flex items-center rounded-box px-3 ${page.page === current ? "bg-accent-soft font-medium" : "text-dim"}`}
              onClick={() => setOpen(false)}
            >
              {page.label}
            </Link>
          ))}
        </div>
      ) : null}
    </div>
  );
}
