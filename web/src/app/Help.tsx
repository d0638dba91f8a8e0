import { useLive } from "@antiphon/client/react";
import { type ReactNode, useEffect, useRef } from "react";

import { useReadable } from "../lib/readable";
import { HELP } from "./keys";
import { signOut, useSession } from "./session";

const whole = <T,>(value: T): T => value;

/** Keys, and who and what one is talking to. */
export function Help({ onClose }: { readonly onClose: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    close.current?.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current.close()}
      aria-label="Keyboard help"
      className="w-[400px] max-w-[calc(100vw-32px)] rounded-box border border-edge bg-panel p-0"
    >
      <div className="flex flex-col gap-4 p-5">
        <h2 className="text-l font-strong">Keyboard</h2>
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2">
          {HELP.map(([keys, meaning]) => (
            <div key={meaning} className="contents">
              <dt className="flex gap-1">
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd className="text-dim">{meaning}</dd>
            </div>
          ))}
        </dl>
        <About />
        <button ref={close} type="button" className="button self-end" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}

function About(): ReactNode {
  const server = useReadable(useLive().server, whole);
  const auth = useSession((session) => session.phase === "ready" && session.auth);
  if (server === undefined) return null;
  return (
    <div className="flex items-center gap-3 border-t border-edge pt-4 text-s text-dim">
      <span className="num">{server.server}</span>
      <span>{server.user}</span>
      <a className="underline hover:text-text" href="docs">
        HTTP API
      </a>
      <span className="grow" />
      {auth ? (
        <button type="button" className="button small" onClick={() => void signOut()}>
          Sign out
        </button>
      ) : null}
    </div>
  );
}
