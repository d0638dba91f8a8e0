import type { RunRow, RunView } from "@antiphon/client";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { useNow } from "../lib/clock";
import { count, dateTime } from "../lib/format";
import { ownerWords } from "./ownerWords";

interface DetailsProps {
  readonly id: string;
  readonly view: RunView;
  readonly row: RunRow | undefined;
}

/** Everything else that is known of it. */
export function Details({ id, view, row }: DetailsProps): ReactNode {
  const now = useNow();
  const parent = view.parentRunId ?? row?.parent_run_id ?? null;
  const { input_tokens: read, output_tokens: written, model } = view.usage;
  const time = (text: string | null | undefined): ReactNode => (text == null ? null : dateTime(Date.parse(text), now));
  return (
    <section aria-label="Details">
      <h2 className="mb-2 text-s font-medium text-dim">Details</h2>
      <dl className="num grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-[2px] text-s">
        <Fact name="Channel">
          <code>run:{id}</code>
        </Fact>
        <Fact name="Owner">{row === undefined ? null : ownerWords(row.owner)}</Fact>
        <Fact name="Started">{time(view.startedAt ?? row?.started_at)}</Fact>
        <Fact name="Ended">{time(view.endedAt)}</Fact>
        <Fact name="Parent">
          {parent === null ? null : (
            <Link className="underline hover:text-dim" to={{ page: "run", id: parent, at: null }}>
              {parent}
            </Link>
          )}
        </Fact>
        <Fact name="Model">{model ?? null}</Fact>
        <Fact name="Tokens">
          {read === undefined && written === undefined ? null : `${count(read ?? 0)} in · ${count(written ?? 0)} out`}
        </Fact>
        {Object.entries(view.labels).map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
        <Fact name="If its starter goes">{row?.on_disconnect === "cancel" ? "it is cancelled" : null}</Fact>
        <Fact name="As a file">
          <a
            className="underline hover:text-dim"
            href={`api/runs/${encodeURIComponent(id)}/export`}
            download={`${id}.ndjson`}
          >
            Export
          </a>
        </Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  if (children === null) return null;
  return (
    <>
      <dt className="text-dim">{name}</dt>
      <dd className="text-right [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}
