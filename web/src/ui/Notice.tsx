/** The calm page in the middle: nothing here yet, still loading, or what went wrong and what to do. */

import type { ReactNode } from "react";

interface NoticeProps {
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
  readonly alert?: boolean; // read out at once
}

export function Notice({ title, children, action, alert = false }: NoticeProps): ReactNode {
  return (
    <div role={alert ? "alert" : "status"} className="grid h-full place-items-center overflow-auto p-5">
      <div className="flex w-full max-w-[520px] flex-col gap-3">
        <h2 className="text-l font-strong">{title}</h2>
        {children === undefined ? null : <div className="flex flex-col gap-3 text-dim">{children}</div>}
        {action === undefined ? null : <div className="flex gap-2">{action}</div>}
      </div>
    </div>
  );
}

/** Something to put into a file or a terminal. */
export function Snippet({ children }: { readonly children: string }): ReactNode {
  return (
    <pre
      tabIndex={0}
      className="overflow-x-auto rounded-box border border-edge bg-panel p-3 font-mono text-s text-text"
    >
      {children}
    </pre>
  );
}

/** An error in place, small, next to what caused it. */
export function Problem({
  children,
  onDismiss,
}: {
  readonly children: ReactNode;
  readonly onDismiss?: () => void;
}): ReactNode {
  return (
    <p role="alert" className="flex items-baseline gap-2 text-s text-bad">
      <span className="min-w-0 break-words">{children}</span>
      {onDismiss === undefined ? null : (
        <button type="button" className="text-dim underline hover:text-text" onClick={onDismiss}>
          Dismiss
        </button>
      )}
    </p>
  );
}
