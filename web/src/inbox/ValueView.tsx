import type { ReactNode } from "react";

/** What is to be approved: words for simple values, names and values for simple objects, JSON for the rest. */
export function ValueView({ value }: { readonly value: unknown }): ReactNode {
  if (isSimple(value)) return <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{String(value)}</p>;
  if (isFlat(value))
    return (
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
        {Object.entries(value).map(([name, one]) => (
          <div key={name} className="contents">
            <dt className="text-dim">{name}</dt>
            <dd className="num whitespace-pre-wrap [overflow-wrap:anywhere]">{String(one)}</dd>
          </div>
        ))}
      </dl>
    );
  return (
    <pre tabIndex={0} className="max-h-[240px] overflow-auto rounded-box border border-edge bg-panel p-3 text-s">
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}

type Simple = string | number | boolean | null;

const isSimple = (value: unknown): value is Simple => value === null || typeof value !== "object";

function isFlat(value: unknown): value is Readonly<Record<string, Simple>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isSimple);
}
