import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { BackIcon } from "../ui/icons";

/** On narrow screens, where the list stands before what it lists. */
export function BackLink(): ReactNode {
  return (
    <Link
      to={{ page: "agents", agent: null, thread: null }}
      aria-label="All threads"
      className="button quiet icon wide:hidden"
    >
      <BackIcon />
    </Link>
  );
}
