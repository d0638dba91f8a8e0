import { type ReactNode, useState } from "react";

import { href } from "../app/navigation";
import { count, plural } from "../lib/format";
import type { Chosen } from "./choosing";
import { copyText, MAX_COPY, textOfRange } from "./copy";
import { usePane, useReader } from "./pane";

interface StatusProps {
  readonly offset: number; // of the last line in sight; 0 = none
  readonly chosen: Chosen | null;
  readonly onClear: () => void;
}

/** Where one is in the log, and what can be done with chosen lines. */
export function StatusLine({ offset, chosen, onClear }: StatusProps): ReactNode {
  const { reader } = usePane();
  const head = useReader((state) => state.head);
  const oldest = useReader((state) => state.oldest);
  const following = useReader((state) => state.following);
  const cut = oldest > 1 ? ` · kept from ${count(oldest)}` : "";
  return (
    <div className="num flex min-h-[36px] flex-wrap items-center gap-x-3 border-t border-edge px-4 text-s text-dim">
      {chosen === null ? (
        <span className="truncate">
          {offset === 0 ? "no line" : `line ${count(offset)} of ${count(head)}`}
          {cut}
        </span>
      ) : (
        <ChosenLines chosen={chosen} onClear={onClear} />
      )}
      <span className="grow" />
      <button
        type="button"
        className="rounded-box px-2 hover:text-text"
        title={following ? "Pause (f)" : "Go to the end and follow (f)"}
        onClick={() => (following ? reader.pause() : reader.follow())}
      >
        {following ? "following" : "paused"}
      </button>
    </div>
  );
}

function ChosenLines({ chosen, onClear }: { readonly chosen: Chosen; readonly onClear: () => void }): ReactNode {
  const { name, source } = usePane();
  const [said, setSaid] = useState<string | null>(null);
  const lines = chosen.to - chosen.from + 1;
  const say = (done: boolean): void => setSaid(done ? "copied" : "this browser does not allow copying here");

  const copyLines = async (): Promise<void> => {
    try {
      const text = await textOfRange(source, chosen.from, chosen.to, AbortSignal.timeout(20_000));
      say(await copyText(text));
    } catch {
      setSaid("the lines did not come");
    }
  };
  const copyLink = async (): Promise<void> => {
    const link = new URL(href({ page: "logs", name, at: chosen.from }), location.href);
    say(await copyText(link.href));
  };
  return (
    <div className="flex flex-wrap items-center gap-2 py-1">
      <span>{lines === 1 ? `line ${count(chosen.from)}` : plural(lines, "line")}</span>
      <button type="button" className="button small" onClick={() => void copyLines()}>
        {lines > MAX_COPY ? `Copy the first ${count(MAX_COPY)}` : "Copy"}
      </button>
      <button type="button" className="button small" onClick={() => void copyLink()}>
        Copy link
      </button>
      <button type="button" className="button quiet small" onClick={onClear}>
        Clear
      </button>
      <span role="status">{said}</span>
    </div>
  );
}
