import { useLive } from "@antiphon/client/react";
import { type ReactNode, useRef, useState } from "react";

import { Problem } from "../ui/Notice";

interface StdinProps {
  readonly name: string;
  readonly onClose: () => void;
}

/** Writes lines to a program's standard input. Arrow keys bring earlier lines back. */
export function StdinBox({ name, onClose }: StdinProps): ReactNode {
  const live = useLive();
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const sent = useRef<readonly string[]>([]);
  const back = useRef(0);

  const send = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await live.request("process.write", { name, text: `${text}\n` });
      sent.current = [...sent.current.slice(-49), text];
      back.current = 0;
      setText("");
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  const recall = (step: 1 | -1): void => {
    back.current = Math.min(sent.current.length, Math.max(0, back.current + step));
    setText(sent.current.at(-back.current) ?? "");
    if (back.current === 0) setText("");
  };
  return (
    <form
      className="flex flex-col gap-1"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) void send();
      }}
    >
      <div className="flex gap-2">
        <input
          className="field grow font-mono text-s"
          autoFocus
          aria-label={`A line for the standard input of ${name}`}
          placeholder={`A line for the standard input of ${name}`}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "ArrowUp") recall(1);
            else if (event.key === "ArrowDown") recall(-1);
            else if (event.key === "Escape") onClose();
          }}
        />
        <button type="submit" className="button" disabled={busy}>
          Send
        </button>
      </div>
      {problem === null ? null : <Problem>{problem}</Problem>}
    </form>
  );
}
