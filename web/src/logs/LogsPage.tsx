import { type ReactNode, useEffect } from "react";
import { create } from "zustand";

import { useRoute } from "../app/navigation";
import { Notice } from "../ui/Notice";
import { useWide } from "../ui/media";
import { FirstSteps } from "./FirstSteps";
import { ItemList } from "./ItemList";
import { LogPane } from "./LogPane";
import { useLogItems, useRefusal } from "./tables";

/** The log looked at last: the place to come back to. Does not change by itself once a log is shown. */
const useOpened = create<{ readonly name: string | null }>(() => ({ name: null }));

/** A list and a log side by side; on narrow screens one after the other. */
export default function LogsPage(): ReactNode {
  const name = useRoute((route) => (route.page === "logs" ? route.name : null));
  const { items, loaded, opening } = useLogItems();
  const opened = useOpened((state) => state.name);
  const wide = useWide();
  const unchosen = items.some((item) => item.name === opened) ? opened : opening;
  useEffect(() => {
    if (name !== null || wide) useOpened.setState({ name: name ?? unchosen });
  }, [name, wide, unchosen]);
  if (items.length === 0 && name === null) return <Nothing loaded={loaded} />;
  const shown = name ?? (wide ? unchosen : null);
  return (
    <div className="grid h-full grid-cols-[minmax(0,1fr)] wide:grid-cols-[248px_minmax(0,1fr)] broad:grid-cols-[304px_minmax(0,1fr)]">
      {wide || shown === null ? (
        <section aria-label="Processes and logs" className="min-h-0 border-edge wide:border-r">
          <ItemList items={items} selected={shown} />
        </section>
      ) : null}
      {shown === null ? null : (
        <LogPane key={shown} name={shown} kind={items.find((item) => item.name === shown)?.kind ?? null} />
      )}
    </div>
  );
}

function Nothing({ loaded }: { readonly loaded: boolean }): ReactNode {
  const refusal = useRefusal();
  if (refusal !== null)
    return (
      <Notice alert title="There is no log that you may see">
        <p>{refusal}</p>
      </Notice>
    );
  return loaded ? <FirstSteps /> : <Notice title="Loading the processes" />;
}
