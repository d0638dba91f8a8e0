import type { ChildItem } from "@antiphon/client";
import type { ReactNode } from "react";

import { Link } from "../app/Link";
import { StateWord } from "../ui/Tone";
import { statusWords } from "./words";

/** A run that this one has started. */
export function ChildLine({ item }: { readonly item: ChildItem }): ReactNode {
  const { tone, busy, text } = statusWords(item.status);
  return (
    <Link
      to={{ page: "run", id: item.runId, at: null }}
      className="flex items-center gap-2 rounded-box border border-edge bg-panel px-3 py-2 hover:bg-sunk"
    >
      <span className="min-w-0 truncate">{item.name === "" ? item.runId : item.name}</span>
      <span className="grow" />
      <span className="text-s">
        <StateWord tone={tone} busy={busy}>
          {text}
        </StateWord>
      </span>
    </Link>
  );
}
