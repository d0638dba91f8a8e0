import { useConnection, useLive } from "@antiphon/client/react";
import { type KeyboardEvent, type ReactNode, useRef } from "react";

import { useCommand } from "../app/keys";
import { useSession } from "../app/session";
import { isSending, useGrowth } from "../ui/Composing";
import { post, setDraft, useDraft } from "./posting";
import { useRoom } from "./room";

/** Where a person joins in. */
export function PostBox(): ReactNode {
  const live = useLive();
  const { name } = useRoom().view;
  const draft = useDraft(name);
  const field = useRef<HTMLTextAreaElement>(null);
  const user = useSession((session) => (session.phase === "ready" ? session.user : null));
  const { phase } = useConnection();
  const connected = phase === "live" || phase === "catching_up";
  const empty = draft.trim() === "";
  const label = user === null ? "Say something" : `Say something as ${user}`;
  const send = (): void => {
    if (empty) return;
    post(live, name, draft);
    field.current?.focus();
  };
  useGrowth(field, draft);
  useCommand("search", () => field.current?.focus());
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      field.current?.blur();
      event.preventDefault();
    }
    if (!isSending(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      aria-label="Join in"
      className="flex flex-none flex-col border-t border-edge bg-bg px-4 py-2 wide:px-6 wide:py-3"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer flex-row! items-end">
        <textarea
          ref={field}
          rows={1}
          className="min-w-0 grow self-center"
          aria-label={label}
          placeholder={connected ? label : "Sent when connected again"}
          value={draft}
          onChange={(event) => setDraft(name, event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" className="button main thumb" disabled={empty}>
          Send
        </button>
      </div>
    </form>
  );
}
