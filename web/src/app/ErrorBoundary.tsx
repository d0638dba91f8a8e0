import { Component, type ReactNode } from "react";

import { Notice } from "../ui/Notice";

interface State {
  readonly error: Error | null;
}

/** A fault in one page does not take the shell away. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <Notice
        alert
        title="This page has failed"
        action={
          <button type="button" className="button" onClick={() => location.reload()}>
            Reload
          </button>
        }
      >
        <p>{error.message}</p>
        <p>If the server was updated a moment ago, reloading is all that is needed.</p>
      </Notice>
    );
  }
}
