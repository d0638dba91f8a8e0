import type { ReactNode } from "react";

import type { AreaProps } from "./AnswerArea";
import { Deadline } from "./Deadline";

/** One of the options: a press answers. Options that explain themselves stand below each other. */
export function ChoiceArea({ question, pending, give }: AreaProps): ReactNode {
  const options = question.options ?? [];
  const explained = options.some((option) => (option.description ?? "") !== "");
  return (
    <div role="group" aria-label="Options" className={`ask-row ${explained ? "flex-col items-stretch!" : ""}`}>
      {options.map((option, i) => (
        <button
          key={i}
          type="button"
          className={`button thumb ${explained ? "flex-col items-start! gap-0! py-2 text-left whitespace-normal" : ""}`}
          disabled={pending !== null}
          onClick={() => give("answer", option.value)}
        >
          <span className="[overflow-wrap:anywhere]">{option.label ?? text(option.value)}</span>
          {(option.description ?? "") === "" ? null : <span className="text-s text-dim">{option.description}</span>}
        </button>
      ))}
      <Deadline question={question} />
    </div>
  );
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
