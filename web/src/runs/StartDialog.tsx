import { useLive } from "@antiphon/client/react";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { navigate } from "../app/navigation";
import { Problem } from "../ui/Notice";
import { parseInput } from "./input";

interface StartProps {
  readonly names: readonly string[];
  readonly onClose: () => void;
}

/** Start something that the server has registered, with any JSON. */
export function StartDialog({ names, onClose }: StartProps): ReactNode {
  const live = useLive();
  const dialog = useRef<HTMLDialogElement>(null);
  const [name, setName] = useState(names[0] ?? "");
  const [title, setTitle] = useState("");
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const start = async (): Promise<void> => {
    const parsed = parseInput(text);
    if ("problem" in parsed) {
      setProblem(parsed.problem);
      return;
    }
    setBusy(true);
    try {
      const named = title.trim() === "" ? {} : { title: title.trim() };
      const run = await live.runs.start({ name, ...named, ...parsed });
      dialog.current?.close();
      navigate({ page: "run", id: run.run_id, at: null });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <dialog
      ref={dialog}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current.close()}
      aria-label="Start a run"
      className="w-[520px] max-w-[calc(100vw-32px)] rounded-box border border-edge bg-panel p-0"
    >
      <form
        className="flex flex-col gap-4 p-5"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <h2 className="text-l font-strong">Start a run</h2>
        <label className="flex flex-col gap-1">
          <span className="text-s text-dim">What</span>
          <select className="field thumb" value={name} onChange={(event) => setName(event.target.value)}>
            {names.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label className="flex flex-col gap-1">
          <span className="text-s text-dim">Title (optional)</span>
          <input className="field thumb" value={title} onChange={(event) => setTitle(event.target.value)} />
        </label>
        <label className="flex flex-col gap-1">
          <span className="text-s text-dim">Input, as JSON (optional)</span>
          <textarea
            className="field min-h-[120px] font-mono text-s"
            spellCheck={false}
            placeholder={'{"q": "tea"}'}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        {problem === null ? null : <Problem onDismiss={() => setProblem(null)}>{problem}</Problem>}
        <div className="flex justify-end gap-2">
          <button type="button" className="button thumb" onClick={() => dialog.current?.close()}>
            Close
          </button>
          <button type="submit" className="button main thumb" disabled={busy || name === ""}>
            {busy ? "Starting" : "Start"}
          </button>
        </div>
      </form>
    </dialog>
  );
}
