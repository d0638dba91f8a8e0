import type { ReactNode } from "react";

import { count } from "../lib/format";
import { Notice } from "../ui/Notice";
import { LiveTable } from "./LiveTable";
import { RecentTable } from "./RecentTable";
import { useConnections } from "./useConnections";

/** Who is connected over what, how far behind, and why others have gone. */
export default function ConnectionsPage(): ReactNode {
  const { list, error } = useConnections();
  if (list === null && error !== null) {
    return (
      <Notice alert title="The connections cannot be listed">
        <p>{error.message}</p>
      </Notice>
    );
  }
  if (list === null) return <Notice title="Loading the connections" />;
  return (
    <div className="h-full overflow-auto p-4 wide:px-6 wide:py-5">
      <h1 className="text-xl leading-[1.25] font-strong tracking-[-0.02em]">Connections</h1>
      <p className="num mt-1 mb-5 text-s text-dim" role="status">
        {count(list.connections.length)} open{error === null ? "" : ` · not renewed: ${error.message}`}
      </p>
      <LiveTable rows={list.connections} />
      <h2 className="mt-6 mb-2 text-s font-medium text-dim">Recently ended</h2>
      {list.recent.length === 0 ? (
        <p className="text-dim">None since the server started.</p>
      ) : (
        <RecentTable rows={list.recent} />
      )}
    </div>
  );
}
