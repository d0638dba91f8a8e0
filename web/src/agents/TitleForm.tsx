import { type ReactNode, useState } from "react";

interface TitleProps {
  readonly title: string;
  readonly onSave: (title: string) => Promise<boolean>;
  readonly onBack: () => void;
}

const LONGEST = 80;

/** The title where it stands, to be changed. */
export function TitleForm({ title, onSave, onBack }: TitleProps): ReactNode {
  const [text, setText] = useState(title);
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    if (!(await onSave(text.trim()))) setBusy(false);
  };
  return (
    <form
      className="flex flex-wrap gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <input
        className="field thumb min-w-[120px] grow text-l"
        aria-label="Title"
        maxLength={LONGEST}
        autoFocus
        value={text}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && onBack()}
      />
      <button type="submit" className="button main thumb" disabled={busy || text.trim() === ""}>
        Save
      </button>
      <button type="button" className="button thumb" onClick={onBack}>
        Back
      </button>
    </form>
  );
}
