import type { ConnectionRow } from "@antiphon/client";
import type { ServerInfo } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import { Fragment, type ReactNode, useState } from "react";

import { useNow } from "../lib/clock";
import { bytes, count, dateTime, duration } from "../lib/format";
import { useReadable } from "../lib/readable";
import { DownIcon } from "../ui/icons";
import { StateWord } from "../ui/Tone";
import { agentName, lagWords } from "./words";

const selectId = (server: ServerInfo | undefined): string | undefined => server?.connectionId;

export function LiveTable({ rows }: { readonly rows: readonly ConnectionRow[] }): ReactNode {
  const own = useReadable(useLive().server, selectId);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void =>
    setOpen((now) => {
      const next = new Set(now);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Who</th>
          <th scope="col">Reads</th>
          <th scope="col">Over</th>
          <th scope="col" className="end">
            Waiting
          </th>
          <th scope="col" className="end">
            Sent
          </th>
          <th scope="col" className="end">
            Received
          </th>
          <th scope="col" className="end">
            Since
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Fragment key={row.connection_id}>
            <LiveRow
              row={row}
              own={row.connection_id === own}
              open={open.has(row.connection_id)}
              onToggle={() => toggle(row.connection_id)}
            />
            {open.has(row.connection_id) ? <Subscriptions row={row} /> : null}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  readonly row: ConnectionRow;
  readonly own: boolean; // this very page
  readonly open: boolean;
  readonly onToggle: () => void;
}

function LiveRow({ row, own, open, onToggle }: RowProps): ReactNode {
  const now = useNow();
  const { tone, text } = lagWords(row);
  const agent = agentName(row.user_agent);
  const since = Date.parse(row.connected_at);
  return (
    <tr>
      <td data-label="Who">
        <div>
          <span className="font-medium">{row.user}</span>
          {own ? <span className="text-faint"> · this page</span> : null}
        </div>
        <div className="num truncate text-s text-dim" title={row.user_agent ?? undefined}>
          {agent === null ? row.address : `${agent} · ${row.address}`}
        </div>
      </td>
      <td data-label="Reads">
        <StateWord tone={tone}>{text}</StateWord>
        <div className={row.subscriptions.length === 0 ? "hidden" : ""}>
          <button
            type="button"
            className="num inline-flex items-center gap-1 text-s text-dim hover:text-text"
            aria-expanded={open}
            onClick={onToggle}
          >
            {count(row.subscriptions.length)} {row.subscriptions.length === 1 ? "channel" : "channels"}
            <span className={open ? "rotate-180" : ""}>
              <DownIcon />
            </span>
          </button>
        </div>
      </td>
      <td data-label="Over">
        <div>{row.transport === "sse" ? "SSE" : "WebSocket"}</div>
        <code className="text-s text-dim">{row.path}</code>
      </td>
      <td data-label="Waiting" className={`num end ${row.queued_bytes > 0 ? "text-wait" : "text-dim"}`}>
        {bytes(row.queued_bytes)}
      </td>
      <td data-label="Sent" className="num end">
        {bytes(row.sent_bytes)}
      </td>
      <td data-label="Received" className="num end">
        {bytes(row.received_bytes)}
      </td>
      <td data-label="Since" className="num end text-dim" title={dateTime(since, now)}>
        {duration(Math.max(0, Math.floor((now - since) / 1000) * 1000))}
      </td>
    </tr>
  );
}

function Subscriptions({ row }: { readonly row: ConnectionRow }): ReactNode {
  return (
    <tr className="detail">
      <td colSpan={7}>
        {row.subscriptions.length === 0 ? <span className="text-dim">It reads no channel.</span> : null}
        <ul className="grid grid-cols-[minmax(0,max-content)_auto_auto] justify-start gap-x-5 gap-y-1 font-mono text-s">
          {row.subscriptions.map(({ channel, phase, lag }) => (
            <li key={channel} className="contents">
              <span className="truncate">{channel}</span>
              <span className={phase === "live" ? "text-ok" : "text-wait"}>{phase}</span>
              <span className="num text-dim">{lag === 0 ? "up to date" : `${count(lag)} behind`}</span>
            </li>
          ))}
        </ul>
      </td>
    </tr>
  );
}
