import type { QuestionOption } from "@antiphon/client";
import type { ReactNode } from "react";

import { useCommand } from "../app/keys";
import type { AreaProps } from "./AnswerArea";
import { Deadline } from "./Deadline";

/** Options that have a key of their own. */
const KEYS = 9;

/** One of the options: a press answers. Options that explain themselves stand below each other. */
export function ChoiceArea({ question, pending, give, keys }: AreaProps & { readonly keys: boolean }): ReactNode {
  const options = question.options ?? [];
  const explained = options.some((option) => (option.description ?? "") !== "");
  return (
    <div role="group" aria-label="Options" className={`ask-row ${explained ? "flex-col items-stretch!" : ""}`}>
      {options.map((option, i) => (
        <Option
          key={i}
          option={option}
          number={keys && i < KEYS ? i + 1 : null}
          explained={explained}
          busy={pending !== null}
          onChoose={() => give("answer", option.value)}
        />
      ))}
      <Deadline question={question} />
    </div>
  );
}

interface OptionProps {
  readonly option: QuestionOption;
  readonly number: number | null; // the key that chooses it
  readonly explained: boolean;
  readonly busy: boolean;
  readonly onChoose: () => void;
}

function Option({ option, number, explained, busy, onChoose }: OptionProps): ReactNode {
  useCommand(`option-${number ?? ""}`, onChoose, number !== null && !busy);
  return (
    <button
      type="button"
      className={`button thumb ${explained ? "justify-start! py-2 text-left whitespace-normal" : ""}`}
      disabled={busy}
      onClick={onChoose}
    >
      <span className="flex min-w-0 flex-col">
        <span className="[overflow-wrap:anywhere]">{option.label ?? text(option.value)}</span>
        {(option.description ?? "") === "" ? null : <span className="text-s text-dim">{option.description}</span>}
      </span>
      {number === null ? null : (
        <kbd aria-hidden="true" className={`hidden wide:inline ${explained ? "ml-auto" : ""}`}>
          {number}
        </kbd>
      )}
    </button>
  );
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
