import { type AgentRow, isEnded, type RunRow } from "@antiphon/client";
import { useConnection } from "@antiphon/client/react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";

import { useCommand } from "../app/keys";
import { useCancel } from "../runs/useCancel";
import { isSending, isThumb, useGrowth } from "../ui/Composing";
import { Problem } from "../ui/Notice";
import { placeOf, setDraft, useDraft } from "./asking";
import { AgentPicker, ModelPicker } from "./Pickers";
import { agentTitle, busyWords } from "./words";

interface ComposerProps {
  readonly agent: AgentRow;
  readonly agents: readonly AgentRow[]; // that can be picked here
  readonly thread: string | null; // null = a new one
  readonly active: RunRow | undefined; // the answer that goes on
  readonly onSend: (prompt: string) => void;
}

/** Where one asks. While an answer goes on, Stop stands where Send was. */
export function Composer({ agent, agents, thread, active, onSend }: ComposerProps): ReactNode {
  const place = placeOf(thread, agent.name);
  const draft = useDraft(place);
  const field = useRef<HTMLTextAreaElement>(null);
  const { pending, problem, cancel, dismiss } = useCancel(active?.run_id ?? "");
  const answering = active !== undefined && !isEnded(active.status);
  const stopping = pending || active?.status === "cancelling";
  const busy = answering ? busyWords(agent.if_busy) : null;
  const empty = draft.trim() === "";
  const asked = active?.status === "waiting";
  const maySend = !empty && (!answering || busy !== null);
  const send = (): void => {
    if (!maySend) return;
    onSend(draft.trim());
    field.current?.focus();
  };
  const stop = (): void => {
    if (answering && !stopping) cancel();
  };
  useGrowth(field, draft);
  useEffect(() => {
    if (!isThumb()) field.current?.focus(); // with a keyboard at hand it has the focus from the beginning
  }, [field]);
  useEffect(() => {
    if (asked && field.current?.value === "") field.current.blur(); // so that the question's keys act on it
  }, [asked]);
  useCommand("search", () => field.current?.focus());
  useCommand("close", stop, answering);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      if (answering) stop();
      else field.current?.blur();
      event.preventDefault();
    }
    if (!isSending(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      aria-label="Ask"
      className="flex flex-none flex-col gap-2 border-t border-edge bg-bg px-4 py-3 wide:px-6"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {problem === null ? null : <Problem onDismiss={dismiss}>{problem}</Problem>}
      <div className="composer" onClick={(event) => event.target === event.currentTarget && field.current?.focus()}>
        <textarea
          ref={field}
          rows={1}
          aria-label={`Ask ${agentTitle(agent)}`}
          placeholder={answering && busy === null ? "One question at a time: it answers" : `Ask ${agentTitle(agent)}`}
          value={draft}
          onChange={(event) => setDraft(place, event.target.value)}
          onKeyDown={onKeyDown}
        />
        <div className="flex min-w-0 items-center gap-2">
          <AgentPicker agent={agent} agents={agents} />
          <ModelPicker agent={agent} />
          <Hint busy={answering && !empty ? busy?.hint : undefined} />
          <span className="grow" />
          {answering && busy !== null && !empty ? (
            <button type="submit" className="button thumb">
              {busy.send}
            </button>
          ) : null}
          {answering ? (
            <button type="button" className="button thumb text-bad" disabled={stopping} onClick={stop}>
              {stopping ? "Stopping" : "Stop"}
            </button>
          ) : (
            <button type="submit" className="button main thumb" disabled={!maySend}>
              Send
            </button>
          )}
        </div>
      </div>
    </form>
  );
}

/** What will happen to what is written, where that is not plain. */
function Hint({ busy }: { readonly busy: string | undefined }): ReactNode {
  const { phase } = useConnection();
  const connected = phase === "live" || phase === "catching_up";
  const words = connected ? (busy ?? "") : "sent when connected again";
  return words === "" ? null : <span className="min-w-0 truncate text-s text-dim">{words}</span>;
}
