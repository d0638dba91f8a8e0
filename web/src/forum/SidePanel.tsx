import type { Speaker } from "@antiphon/client";
import { type CSSProperties, type ReactNode, useEffect, useState } from "react";

import { Link } from "../app/Link";
import { count } from "../lib/format";
import { Problem } from "../ui/Notice";
import { useRoom } from "./room";
import { useTask } from "./useTask";
import { voiceOf } from "./voices";
import { bufferWords } from "./words";

/** Who is in the room, and when the host speaks. */
export function SidePanel(): ReactNode {
  const { forum, isLive } = useRoom();
  if (forum === undefined) return <p className="text-dim">Nobody is in the room yet.</p>;
  return (
    <div className="flex flex-col gap-5">
      <section aria-label="Speakers">
        <h2 className="mb-2 text-s font-medium text-dim">Speakers</h2>
        <ul className="flex flex-col">
          {Object.entries(forum.speakers).map(([source, speaker]) => (
            <SpeakerLine key={source} source={source} speaker={speaker} />
          ))}
        </ul>
      </section>
      {isLive ? <HostPanel /> : null}
    </div>
  );
}

function SpeakerLine({ source, speaker }: { readonly source: string; readonly speaker: Speaker }): ReactNode {
  const { mute, isLive } = useRoom();
  const task = useTask();
  const { sender, kind, muted, speeches } = speaker;
  const name = kind === "person" ? "People" : sender;
  return (
    <li className={`border-b border-edge py-1 last:border-0 ${voiceOf(source, kind)}`}>
      <div className="thumb flex items-center gap-2">
        <i className="voice-mark" aria-hidden="true" />
        <span className={`min-w-0 grow truncate ${muted ? "text-faint line-through" : ""}`}>{name}</span>
        <span className="num text-s text-dim">{count(speeches)}</span>
        {isLive && kind !== "system" ? (
          <button
            type="button"
            className={`button small thumb w-[68px] ${muted ? "on" : ""}`}
            aria-pressed={muted}
            aria-label={`Mute ${name}`}
            title={mutedWords(kind === "host", muted)}
            disabled={task.pending}
            onClick={() => task.run(() => mute(source, !muted))}
          >
            {muted ? "Muted" : "Mute"}
          </button>
        ) : null}
      </div>
      {task.problem === null ? null : <Problem onDismiss={task.dismiss}>{task.problem}</Problem>}
    </li>
  );
}

function mutedWords(isHost: boolean, muted: boolean): string {
  if (isHost) return muted ? "It may speak again" : "It does not speak any more";
  return muted ? "The host hears it again" : "The host does not hear it, and forum.log does not have it";
}

function HostPanel(): ReactNode {
  const { forum } = useRoom();
  if (forum === undefined) return null;
  const { host } = forum;
  return (
    <section aria-label="Host" className="flex flex-col gap-2">
      <h2 className="text-s font-medium text-dim">Host</h2>
      <Threshold key={forum.threshold} value={forum.threshold} />
      <p className="num text-s text-dim">{bufferWords(forum)}</p>
      <div className="bar-box" aria-hidden="true">
        <span className="bar" style={{ "--part": Math.min(1, forum.buffered / forum.threshold) } as CSSProperties} />
      </div>
      {host.message === null ? null : <p className="text-s [overflow-wrap:anywhere] text-bad">{host.message}</p>}
      {host.agent === null ? (
        <p className="text-s text-dim">
          It has no model: it quotes what was said. An agent called <code>host</code> in <code>antiphon.toml</code>{" "}
          makes it think.
        </p>
      ) : (
        <p className="text-s text-dim">Agent {host.agent}</p>
      )}
      {host.run_id === null ? null : (
        <Link className="text-s text-dim underline hover:text-text" to={{ page: "run", id: host.run_id, at: null }}>
          Its run
        </Link>
      )}
    </section>
  );
}

/** After how many speeches it speaks: Enter or leaving the field sets it, Esc takes it back. */
function Threshold({ value }: { readonly value: number }): ReactNode {
  const { setThreshold } = useRoom();
  const [text, setText] = useState(String(value));
  const task = useTask();
  const wanted = Number(text);
  const fits = Number.isInteger(wanted) && wanted >= 1;
  const set = (): void => {
    if (!fits) setText(String(value));
    else if (wanted !== value) task.run(() => setThreshold(wanted));
  };
  useEffect(() => setText(String(value)), [value]);
  return (
    <form
      className="flex flex-col gap-1"
      onSubmit={(event) => {
        event.preventDefault();
        set();
      }}
    >
      <label className="flex items-center gap-2">
        Speaks after
        <input
          className="field num thumb w-[64px]"
          inputMode="numeric"
          aria-label="Speeches until the host speaks"
          aria-invalid={!fits}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onBlur={set}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            setText(String(value));
            event.preventDefault();
          }}
        />
        speeches
      </label>
      {task.problem === null ? null : <Problem onDismiss={task.dismiss}>{task.problem}</Problem>}
    </form>
  );
}
