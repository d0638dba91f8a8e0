import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from "react";

import { useAnswering } from "../answering";
import { type Draft, draftOf, filled, type Problems } from "./draft";
import type { Field } from "./field";
import { FieldInput } from "./FieldInput";

interface FormProps {
  readonly question: string; // id: what the server says against the answer is shown at its place
  readonly field: Field;
  readonly value?: unknown; // what to begin with; undefined = the defaults
  readonly submit: string;
  readonly busy: boolean;
  readonly autoFocus?: boolean;
  readonly onSubmit: (value: unknown) => void;
  readonly onBack?: () => void;
  readonly beside?: ReactNode;
}

const NONE: Problems = new Map();

/** Fields, and the button that sends them. What is wrong is said at its place, and gets the focus. */
export function Form({
  question,
  field,
  value,
  submit,
  busy,
  onSubmit,
  onBack,
  beside,
  ...rest
}: FormProps): ReactNode {
  const [draft, setDraft] = useState<Draft>(() => draftOf(field, value === undefined ? field.preset : value));
  const [found, setFound] = useState<Problems>(NONE);
  const form = useRef<HTMLFormElement>(null);
  const refused = useAnswering(question).problem;
  const problems = useMemo(
    () => (refused === null || refused.at === null ? found : new Map([...found, [refused.at, refused.message]])),
    [found, refused],
  );
  const send = (): void => {
    const answer = filled(field, draft);
    setFound(answer.problems);
    if (answer.problems.size === 0) onSubmit(answer.value ?? null);
    else requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
    if (event.key === "Escape" && onBack !== undefined) onBack();
  };
  return (
    <form
      ref={form}
      noValidate
      className="flex flex-col gap-3"
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div ref={rest.autoFocus === true ? focusFirst : undefined}>
        <FieldInput field={field} draft={draft} at="" problems={problems} onChange={setDraft} />
      </div>
      <div className="ask-row">
        <button type="submit" className="button main thumb" disabled={busy}>
          {submit}
        </button>
        {onBack === undefined ? null : (
          <button type="button" className="button thumb" onClick={onBack}>
            Back
          </button>
        )}
        {beside}
      </div>
    </form>
  );
}

export function focusFirst(box: HTMLElement | null): void {
  box?.querySelector<HTMLElement>("input, textarea, select")?.focus();
}
