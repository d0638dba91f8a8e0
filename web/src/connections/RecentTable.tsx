import type { EndedConnectionRow } from "@antiphon/client";
import type { ReactNode } from "react";

import { useNow } from "../lib/clock";
import { bytes, dateTime, duration } from "../lib/format";
import { agentName, endedWell, reasonWords } from "./words";

export function RecentTable({ rows }: { readonly rows: readonly EndedConnectionRow[] }): ReactNode {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Who</th>
          <th scope="col">Why it ended</th>
          <th scope="col">Over</th>
          <th scope="col" className="end">
            Sent
          </th>
          <th scope="col" className="end">
            Lasted
          </th>
          <th scope="col" className="end">
            Ended
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <RecentRow key={row.connection_id} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function RecentRow({ row }: { readonly row: EndedConnectionRow }): ReactNode {
  const now = useNow();
  const ended = Date.parse(row.disconnected_at);
  const agent = agentName(row.user_agent);
  return (
    <tr>
      <td data-label="Who">
        <div>{row.user}</div>
        <div className="num truncate text-s text-dim" title={row.user_agent ?? undefined}>
          {agent === null ? row.address : `${agent} · ${row.address}`}
        </div>
      </td>
      <td data-label="Why it ended">
        <div className={endedWell(row) ? "" : "text-bad"}>{reasonWords(row.reason)}</div>
        <div className="num text-s text-dim">{row.code === null ? "no close code" : `code ${row.code}`}</div>
      </td>
      <td data-label="Over">
        <div>{row.transport === "sse" ? "SSE" : "WebSocket"}</div>
        <code className="text-s text-dim">{row.path}</code>
      </td>
      <td data-label="Sent" className="num end">
        {bytes(row.sent_bytes)}
      </td>
      <td data-label="Lasted" className="num end text-dim">
        {duration(ended - Date.parse(row.connected_at))}
      </td>
      <td data-label="Ended" className="num end text-dim" title={dateTime(ended, now)}>
        {duration(Math.max(1000, now - ended))} ago
      </td>
    </tr>
  );
}
