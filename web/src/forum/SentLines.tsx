import { useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { Unsent } from "../ui/Composing";
import { postAgain, type Sent, takeBack, useSent } from "./posting";
import { useRoom } from "./room";

/** Speeches of ours that the forum does not have yet: on their way, or refused. */
export function SentLines(): ReactNode {
  const { view, entries } = useRoom();
  const sent = useSent(view.name);
  const there = (one: Sent): boolean => entries.some((entry) => entry.kind === "speech" && entry.id === one.speechId);
  const waiting = sent.filter((one) => !there(one));
  if (waiting.length === 0) return null;
  return (
    <ul aria-label="On their way" className="flex max-h-[40%] flex-col gap-2 overflow-y-auto px-4 pb-2 wide:px-6">
      {waiting.map((one) => (
        <SentLine key={one.speechId} forum={view.name} sent={one} />
      ))}
    </ul>
  );
}

function SentLine({ forum, sent }: { readonly forum: string; readonly sent: Sent }): ReactNode {
  const live = useLive();
  return (
    <li className="speech voice-person">
      <time />
      <div>
        <Unsent
          problem={sent.phase === "refused" ? sent.problem : null}
          onAgain={() => postAgain(live, forum, sent)}
          onEdit={() => takeBack(forum, sent)}
        >
          <p className="speech-text text-dim">{sent.text}</p>
        </Unsent>
      </div>
    </li>
  );
}
