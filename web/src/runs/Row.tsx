import type { ReactNode } from "react";

import { clockTime } from "../lib/format";

interface RowProps {
  readonly at: string | null; // RFC 3339
  readonly kind: string;
  readonly children: ReactNode;
}

/** An entry of the timeline: its time, and what it is. */
export function Row({ at, kind, children }: RowProps): ReactNode {
  return (
    <li className="tl-row" data-kind={kind}>
      <time dateTime={at ?? undefined} title={at ?? undefined}>
        {at === null ? "" : clockTime(Date.parse(at))}
      </time>
      <div className="min-w-0">{children}</div>
    </li>
  );
}
