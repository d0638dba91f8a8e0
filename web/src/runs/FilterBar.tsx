import type { RunRow } from "@antiphon/client";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";

import { useCommand } from "../app/keys";
import { navigate } from "../app/navigation";
import { ALL_RUNS, type RunFilter } from "../lib/route";
import { CloseIcon } from "../ui/icons";
import { isFiltering, STATUSES, valuesOf } from "./filter";

interface BarProps {
  readonly rows: readonly RunRow[];
  readonly filter: RunFilter;
}

/** The filter lives in the address: it survives a reload and can be sent to somebody. */
export function FilterBar({ rows, filter }: BarProps): ReactNode {
  const names = useMemo(() => valuesOf(rows, "name"), [rows]);
  const people = useMemo(() => valuesOf(rows, "by"), [rows]);
  const change = (part: Partial<RunFilter>): void =>
    navigate({ page: "runs", filter: { ...filter, ...part } }, { replace: true });
  return (
    <div
      role="toolbar"
      aria-label="Which runs"
      className="flex flex-wrap items-center gap-2 border-b border-edge px-4 pb-3 wide:px-6"
    >
      <TextFilter value={filter.text} onChange={(text) => change({ text })} />
      <Pick label="Status" value={filter.status} options={STATUSES} onChange={(status) => change({ status })} />
      <Pick label="Name" value={filter.name} options={any("Any name", names)} onChange={(name) => change({ name })} />
      <Pick label="Who" value={filter.by} options={any("Anybody", people)} onChange={(by) => change({ by })} />
      {filter.thread === "" ? null : (
        <button type="button" className="button small on leading-[22px]" onClick={() => change({ thread: "" })}>
          <span className="max-w-[160px] truncate">thread {filter.thread}</span>
          <CloseIcon />
        </button>
      )}
      {isFiltering(filter) ? (
        <button type="button" className="text-s text-dim underline hover:text-text" onClick={() => change(ALL_RUNS)}>
          Show all
        </button>
      ) : null}
    </div>
  );
}

type Options = readonly (readonly [value: string, label: string])[];

const any = (words: string, values: readonly string[]): Options => [
  ["", words],
  ...values.map((one) => [one, one] as const),
];

interface PickProps {
  readonly label: string;
  readonly value: string;
  readonly options: Options;
  readonly onChange: (value: string) => void;
}

/** The browser's own list; a value that no row has (any more) stays in it. */
function Pick({ label, value, options, onChange }: PickProps): ReactNode {
  const known = options.some(([one]) => one === value);
  return (
    <select
      aria-label={label}
      className={`field max-w-[160px] text-s ${value === "" ? "text-dim" : "bg-accent-soft"}`}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {options.map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
      {known ? null : <option value={value}>{value}</option>}
    </select>
  );
}

/** The address follows what is typed; what comes from the address is taken over while nobody types. */
function TextFilter({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== input.current) setText(value);
  }, [value]);
  useCommand("search", () => input.current?.focus());
  return (
    <input
      ref={input}
      className="field w-full text-s wide:w-[220px]"
      type="search"
      placeholder="Search titles, ids, labels"
      aria-label="Search runs"
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        onChange(event.target.value);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        setText("");
        onChange("");
        input.current?.blur();
      }}
    />
  );
}
