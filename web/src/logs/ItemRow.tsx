import type { ProcessRow } from "@antiphon/client";
import { memo, type ReactNode } from "react";

import { Link } from "../app/Link";
import { bytes } from "../lib/format";
import { useNow } from "../lib/clock";
import { Problem } from "../ui/Notice";
import { Dot, toneClass } from "../ui/Tone";
import { dismissProblem, useAction } from "./actions";
import type { LogItem } from "./items";
import { ProcessButtons } from "./ProcessButtons";
import { factsOf, statusWords } from "./status";
import { useFile, useProcess } from "./tables";

interface ItemProps {
  readonly item: LogItem;
  readonly selected: boolean;
}

/** One entry of the list. A link, so that it can be opened beside; its buttons lie next to it, not inside. */
export const ItemRow = memo(function ItemRow({ item, selected }: ItemProps): ReactNode {
  const row = useProcess(item.name);
  const { problem } = useAction(item.name);
  return (
    <li className={`relative rounded-box ${selected ? "bg-accent-soft" : "hover:bg-sunk"}`}>
      <Link
        to={{ page: "logs", name: item.name, at: null }}
        aria-current={selected ? "true" : undefined}
        data-item={item.name}
        className="flex min-w-0 flex-col rounded-box px-2 py-1"
      >
        <span className={`truncate pr-[52px] ${selected ? "font-medium" : ""}`}>{item.name}</span>
        {item.kind === "process" && row !== undefined ? <ProcessFacts row={row} /> : <OtherFacts item={item} />}
      </Link>
      {item.kind === "process" && row !== undefined ? (
        <div className="absolute top-[3px] right-1">
          <ProcessButtons name={item.name} row={row} words={false} />
        </div>
      ) : null}
      {problem === null || selected ? null : (
        <div className="px-2 pb-2">
          <Problem onDismiss={() => dismissProblem(item.name)}>{problem}</Problem>
        </div>
      )}
    </li>
  );
});

function ProcessFacts({ row }: { readonly row: ProcessRow }): ReactNode {
  const now = useNow();
  const { tone, busy, text } = statusWords(row);
  return (
    <span className="facts num flex min-w-0 items-center gap-2 text-s text-dim">
      <Dot tone={tone} busy={busy} />
      <span className={`whitespace-nowrap ${toneClass(tone)}`}>{text}</span>
      <span className="truncate">{factsOf(row, now).join(" · ")}</span>
    </span>
  );
}

function OtherFacts({ item }: { readonly item: LogItem }): ReactNode {
  const file = useFile(item.name);
  if (file === undefined) return <span className="text-s text-faint">channel</span>;
  return (
    <span className="num flex min-w-0 items-center gap-2 text-s text-dim" title={file.path}>
      <Dot tone={file.status === "following" ? "run" : "stop"} />
      <span className={file.status === "following" ? "text-run" : "text-stop"}>{file.status}</span>
      <span className="truncate">{file.size_bytes === null ? file.path : bytes(file.size_bytes)}</span>
    </span>
  );
}
