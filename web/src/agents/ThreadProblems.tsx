import type { AntiphonError } from "@antiphon/client";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { Notice } from "../ui/Notice";

export function ThreadLoading(): ReactNode {
  return <Notice title="Loading the thread" />;
}

/** Deleted, or never begun. */
export function NoThread({ agent }: { readonly agent: string | null }): ReactNode {
  return (
    <Notice
      title="There is no such thread"
      action={
        <Link className="button" to={{ page: "agents", agent, thread: null }}>
          Begin a new one
        </Link>
      }
    >
      <p>It may have been deleted.</p>
    </Notice>
  );
}

export function ThreadRefused({ error }: { readonly error: AntiphonError }): ReactNode {
  return (
    <Notice
      alert
      title="This thread cannot be read"
      action={
        <Link className="button" to={{ page: "agents", agent: null, thread: null }}>
          All threads
        </Link>
      }
    >
      <p>{error.message}</p>
    </Notice>
  );
}
