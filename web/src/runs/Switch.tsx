import type { ReactNode } from "react";

import { Choice } from "../ui/Choice";

export type Shown = "timeline" | "state";

const OPTIONS = [
  ["timeline", "Timeline"],
  ["state", "State and details"],
] as const;

/** Where there is no room for both. */
export function Switch({
  shown,
  onShow,
}: {
  readonly shown: Shown;
  readonly onShow: (shown: Shown) => void;
}): ReactNode {
  return (
    <div className="flex px-4 pb-3 wide:px-6 broad:hidden">
      <Choice label="What is shown" value={shown} options={OPTIONS} onChange={onShow} />
    </div>
  );
}
