/** What the connection indicator says. Plain code, so that each sentence is tested. */

import type { ConnectionState } from "@antiphon/client";

import { count, duration, plural } from "../lib/format";
import type { Tone } from "../ui/Tone";

export interface ConnectionWords {
  readonly tone: Tone;
  readonly busy: boolean;
  readonly text: string;
  readonly detail: string | null; // the reason, for those who look closer
  readonly retry: boolean; // "Retry now" makes sense
}

const words = (tone: Tone, text: string, more: Partial<ConnectionWords> = {}): ConnectionWords => ({
  tone,
  text,
  busy: false,
  detail: null,
  retry: false,
  ...more,
});

export function connectionWords(state: ConnectionState, now: number): ConnectionWords {
  switch (state.phase) {
    case "connecting":
      return words("wait", "Connecting", { busy: true });
    case "live":
      return words("ok", state.latencyMs === null ? "Live" : `Live · ${duration(state.latencyMs)}`);
    case "catching_up":
      return words("run", `Catching up · ${plural(state.behind, "event")}`, { busy: true });
    case "reconnecting": {
      const seconds = Math.max(0, Math.ceil((state.retryAt - now) / 1000));
      const text = seconds === 0 ? "Reconnecting" : `Reconnecting in ${count(seconds)} s`;
      return words("wait", text, { detail: state.reason, retry: true, busy: seconds === 0 });
    }
    case "offline":
      return words("stop", "Offline", { detail: "This device has no network.", retry: true });
    case "refused":
      return words("bad", "Refused", { detail: state.error.message, retry: true });
    case "closed":
      return words("stop", "Closed", { retry: true });
  }
}
