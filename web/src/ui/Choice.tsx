/** A few exclusive values side by side. */

import type { ReactNode } from "react";

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, label: string])[];
  readonly onChange: (value: T) => void;
}

export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>): ReactNode {
  return (
    <div role="group" aria-label={label} className="flex flex-none rounded-box border border-edge bg-panel">
      {options.map(([one, words]) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === value}
          onClick={() => onChange(one)}
          className={`rounded-box px-2 text-s leading-[24px] whitespace-nowrap ${one === value ? "bg-accent-soft text-text" : "text-dim hover:text-text"}`}
        >
          {words}
        </button>
      ))}
    </div>
  );
}
