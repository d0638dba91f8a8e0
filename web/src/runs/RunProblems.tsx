import type { AntiphonError } from "@antiphon/client";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { ALL_RUNS } from "../lib/route";
import { Notice } from "../ui/Notice";

const TO_ALL = (
  <Link className="button" to={{ page: "runs", filter: ALL_RUNS }}>
    All runs
  </Link>
);

export function RunLoading(): ReactNode {
  return <Notice title="Loading the run" />;
}

export function NoRun({ id }: { readonly id: string }): ReactNode {
  return (
    <Notice title="There is no such run" action={TO_ALL}>
      <p>
        Nothing is known of <code className="[overflow-wrap:anywhere]">{id}</code>. It may be older than what is kept.
      </p>
    </Notice>
  );
}

export function RunRefused({ id, error }: { readonly id: string; readonly error: AntiphonError }): ReactNode {
  return (
    <Notice alert title="This run cannot be read" action={TO_ALL}>
      <p>
        <code className="[overflow-wrap:anywhere]">{id}</code>: {error.message}
      </p>
    </Notice>
  );
}
