/** The application's state as a tree. What did not change is the same object, so only what did is drawn again. */

import { memo, type ReactNode, useEffect, useRef, useState } from "react";

import { plural } from "../lib/format";
import { leafTone, leafWords, sizeOf } from "./leaf";
import { useRecent } from "./useRecent";

/** Bigger ones are closed at first; of those that are open so many members are drawn at once. */
const OPEN_UP_TO = 40;
const OPEN_DEPTH = 2;
const MEMBERS = 100;

type Container = readonly unknown[] | Readonly<Record<string, unknown>>;

export function StateTree({ value }: { readonly value: unknown }): ReactNode {
  if (!isContainer(value)) return <p className="font-mono text-s">{leafWords(value)}</p>;
  if (sizeOf(value) === 0) return <p className="text-s text-faint">It keeps nothing.</p>;
  return (
    <div className="state font-mono text-s">
      <Members value={value} depth={0} />
    </div>
  );
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

function Members({ value, depth }: { readonly value: Container; readonly depth: number }): ReactNode {
  const [room, setRoom] = useState(MEMBERS);
  const known = useRef<ReadonlySet<string> | null>(null); // null = drawn for the first time: nothing is new
  const names = Object.keys(value);
  useEffect(() => {
    known.current = new Set(names);
  });
  const members = value as Readonly<Record<string, unknown>>;
  return (
    <ul>
      {names.slice(0, room).map((name) => (
        <Member
          key={name}
          name={name}
          value={members[name]}
          depth={depth}
          isNew={known.current !== null && !known.current.has(name)}
        />
      ))}
      {names.length <= room ? null : (
        <li>
          <button
            type="button"
            className="text-dim underline hover:text-text"
            onClick={() => setRoom(room + 5 * MEMBERS)}
          >
            {plural(names.length - room, "more entry", "more entries")}
          </button>
        </li>
      )}
    </ul>
  );
}

interface MemberProps {
  readonly name: string;
  readonly value: unknown;
  readonly depth: number;
  readonly isNew: boolean;
}

/** Whether it is new counts when it is first drawn only. */
const Member = memo(
  function Member({ name, value, depth, isNew }: MemberProps): ReactNode {
    if (isContainer(value) && sizeOf(value) > 0)
      return <Branch name={name} value={value} depth={depth} isNew={isNew} />;
    return <Leaf name={name} value={value} isNew={isNew} />;
  },
  (before, now) => before.value === now.value && before.name === now.name,
);

function Branch({ name, value, depth, isNew }: MemberProps & { readonly value: Container }): ReactNode {
  const size = sizeOf(value);
  const [wanted, setWanted] = useState<boolean | null>(null); // null = nobody has chosen
  const open = wanted ?? (depth < OPEN_DEPTH && size <= OPEN_UP_TO);
  const recent = useRecent(value, isNew);
  return (
    <li>
      <button
        type="button"
        className="max-w-full truncate text-left hover:text-text"
        aria-expanded={open}
        onClick={() => setWanted(!open)}
      >
        <span className="text-dim">{name}</span>{" "}
        {open ? null : (
          <span className={recent ? "chg" : "text-faint"}>{Array.isArray(value) ? `[${size}]` : `{${size}}`}</span>
        )}
      </button>
      {open ? <Members value={value} depth={depth + 1} /> : null}
    </li>
  );
}

function Leaf({ name, value, isNew }: Omit<MemberProps, "depth">): ReactNode {
  const recent = useRecent(value, isNew);
  return (
    <li className="[overflow-wrap:anywhere]">
      <span className="text-dim">{name}</span>{" "}
      <span className={`${recent ? "chg" : ""} ${leafTone(value)}`}>{leafWords(value)}</span>
    </li>
  );
}
