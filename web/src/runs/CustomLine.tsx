import type { CustomItem } from "@antiphon/client";
import { type ReactNode, useState } from "react";

import { JsonText, oneLine } from "./json";

/** An event of the application's own. */
export function CustomLine({ item }: { readonly item: CustomItem }): ReactNode {
  const [open, setOpen] = useState(false);
  const text = JSON.stringify(item.data);
  return (
    <div className="tool">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <code className="flex-none text-s">{item.type}</code>
        <code className="min-w-0 grow truncate text-left text-s text-dim">{oneLine(text)}</code>
      </button>
      {open ? (
        <div className="border-t border-edge p-3">
          <JsonText value={item.data} />
        </div>
      ) : null}
    </div>
  );
}
