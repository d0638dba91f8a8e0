import { type ReactNode, useState } from "react";
import { useStore } from "zustand";

import { Problem } from "../ui/Notice";
import { StateWord } from "../ui/Tone";
import { socketAddress } from "./address";
import type { PlaygroundSocket } from "./socket";

const WORDS = {
  closed: { tone: "stop", text: "closed", busy: false },
  connecting: { tone: "wait", text: "connecting", busy: true },
  open: { tone: "ok", text: "open", busy: false },
} as const;

export function ConnectBar({
  socket,
  preset,
}: {
  readonly socket: PlaygroundSocket;
  readonly preset: string; // the path to begin with
}): ReactNode {
  const phase = useStore(socket.state, (state) => state.phase);
  const [path, setPath] = useState(preset);
  const address = socketAddress(path, new URL(location.href), document.baseURI);
  const { tone, text, busy } = WORDS[phase];
  return (
    <form
      className="flex flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (phase !== "closed") socket.close();
        else if (address.url !== null) socket.open(address.url);
      }}
    >
      <input
        className="field min-w-[180px] grow font-mono text-s wide:max-w-[420px]"
        aria-label="Path or address of the socket"
        aria-invalid={address.problem !== null}
        spellCheck={false}
        value={path}
        readOnly={phase !== "closed"}
        onChange={(event) => setPath(event.target.value)}
      />
      <button type="submit" className={phase === "closed" ? "button main" : "button"} disabled={address.url === null}>
        {phase === "closed" ? "Connect" : "Disconnect"}
      </button>
      <span role="status" className="text-s">
        <StateWord tone={tone} busy={busy}>
          {text}
        </StateWord>
      </span>
      {address.problem === null ? null : <Problem>{address.problem}</Problem>}
    </form>
  );
}
