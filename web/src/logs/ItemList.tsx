import { Fragment, type ReactNode, useMemo, useState } from "react";

import { useCommand } from "../app/keys";
import { navigate } from "../app/navigation";
import { filterItems, type ItemKind, type LogItem, neighbour } from "./items";
import { ItemRow } from "./ItemRow";

/** From this many on a filter helps. */
const MANY = 10;
const HEADINGS: Readonly<Record<ItemKind, string>> = { process: "Processes", file: "Files", channel: "Other logs" };

interface ListProps {
  readonly items: readonly LogItem[];
  readonly selected: string | null;
}

export function ItemList({ items, selected }: ListProps): ReactNode {
  const [filter, setFilter] = useState("");
  const shown = useMemo(() => filterItems(items, filter), [items, filter]);
  const move = (step: 1 | -1): void => {
    const next = neighbour(shown, selected, step);
    if (next === undefined || next.name === selected) return;
    navigate({ page: "logs", name: next.name, at: null }, { replace: true });
    requestAnimationFrame(() =>
      document.querySelector(`[data-item="${CSS.escape(next.name)}"]`)?.scrollIntoView({ block: "nearest" }),
    );
  };
  useCommand("previous-item", () => move(-1));
  useCommand("next-item", () => move(1));
  return (
    <div className="flex h-full min-h-0 flex-col">
      {items.length < MANY ? null : (
        <div className="p-2 pb-0">
          <input
            className="field w-full text-s"
            type="search"
            placeholder="Filter by name"
            aria-label="Filter by name"
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        </div>
      )}
      <ul className="flex min-h-0 grow flex-col gap-[2px] overflow-y-auto p-2">
        {shown.map((item, i) => (
          <Fragment key={item.name}>
            {item.kind === shown[i - 1]?.kind ? null : (
              <li role="presentation" className={`px-2 pb-[2px] text-xs text-faint ${i === 0 ? "pt-1" : "pt-3"}`}>
                {HEADINGS[item.kind]}
              </li>
            )}
            <ItemRow item={item} selected={item.name === selected} />
          </Fragment>
        ))}
        {shown.length === 0 ? <li className="px-2 py-1 text-dim">No name contains “{filter}”.</li> : null}
      </ul>
    </div>
  );
}
