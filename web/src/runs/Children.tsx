import type { RunStatus, RunView } from "@antiphon/client";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { Dot, toneClass } from "../ui/Tone";
import { useChildren } from "./useFamily";
import { statusWords } from "./words";

interface Child {
  readonly id: string;
  readonly name: string;
  readonly status: RunStatus;
}

/** The runs it has started: from the table, which knows best how they stand; older ones as the run itself told. */
export function Children({ id, view }: { readonly id: string; readonly view: RunView }): ReactNode {
  const rows = useChildren(id);
  const known = new Set(rows.map((row) => row.run_id));
  const told: readonly Child[] = view.items.flatMap((item) =>
    item.kind === "child" && !known.has(item.runId) ? [{ id: item.runId, name: item.name, status: item.status }] : [],
  );
  const children = [
    ...told,
    ...rows.map((row) => ({ id: row.run_id, name: row.title ?? row.name, status: row.status })),
  ];
  if (children.length === 0) return null;
  return (
    <section aria-label="Children">
      <h2 className="mb-2 text-s font-medium text-dim">Children</h2>
      <ul className="flex flex-col gap-1 font-mono text-s">
        {children.map((child) => (
          <ChildRow key={child.id} child={child} />
        ))}
      </ul>
    </section>
  );
}

function ChildRow({ child }: { readonly child: Child }): ReactNode {
  const { tone, busy, text } = statusWords(child.status);
  return (
    <li>
      <Link
        to={{ page: "run", id: child.id, at: null }}
        className={`flex min-w-0 items-center gap-2 hover:underline ${toneClass(tone)}`}
      >
        <Dot tone={tone} busy={busy} />
        <span className="truncate">{child.name}</span>
        <span className={child.status === "succeeded" || child.status === "running" ? "sr-only" : "flex-none"}>
          · {text.toLowerCase()}
        </span>
      </Link>
    </li>
  );
}
