import type { ProcessRow } from "@antiphon/client";
import { useLive } from "@antiphon/client/react";
import type { ReactNode } from "react";

import { RestartIcon, StartIcon, StopIcon } from "../ui/icons";
import { act, type Action, useAction } from "./actions";
import { isAlive } from "./status";

interface ButtonsProps {
  readonly name: string;
  readonly row: ProcessRow;
  readonly words: boolean; // with words in the heading, as icons in the list
}

const WORDS: Readonly<Record<Action, readonly [idle: string, pending: string]>> = {
  start: ["Start", "Starting"],
  stop: ["Stop", "Stopping"],
  restart: ["Restart", "Restarting"],
};
const ICONS = { start: StartIcon, stop: StopIcon, restart: RestartIcon } as const;

/** What can be done with a process now. */
export function ProcessButtons({ name, row, words }: ButtonsProps): ReactNode {
  const live = useLive();
  const { pending } = useAction(name);
  const actions: readonly Action[] = isAlive(row) ? ["restart", "stop"] : ["start"];
  return (
    <div className={`flex flex-none ${words ? "gap-2" : ""}`}>
      {actions.map((action) => {
        const label = WORDS[action][pending === action ? 1 : 0];
        const Icon = ICONS[action];
        return (
          <button
            key={action}
            type="button"
            className={
              words
                ? `button ${action === "stop" ? "text-bad" : ""}`
                : `button quiet icon ${pending === action ? "pulse" : ""}`
            }
            disabled={pending !== null}
            title={words ? undefined : `${label} ${name}`}
            aria-label={words ? undefined : `${label} ${name}`}
            onClick={() => void act(live, name, action)}
          >
            {words ? label : <Icon />}
          </button>
        );
      })}
    </div>
  );
}
