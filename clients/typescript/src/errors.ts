/** The one error of this package. Programs decide on `code` and `retryable`, never on the text. */

/** Codes that this client itself raises; all others come from the server (docs/protocol.md, "Errors"). */
export type ClientErrorCode =
  /** The connection ended after the request was sent; whether it was done is unknown. */
  | "connection_lost"
  /** No answer within the deadline. */
  | "timeout"
  /** `close()` was called. */
  | "closed"
  /** The caller's `AbortSignal` fired. */
  | "aborted"
  /** The server said something that is not the protocol. */
  | "protocol_error"
  /** Too many requests wait for a connection. */
  | "too_many_requests"
  /** A question of ours was withdrawn, or its deadline passed without a default. */
  | "withdrawn"
  /** A call that can never work: a wrong option, a second consumer. */
  | "usage";

export interface ErrorFacts {
  /** JSON Pointer to the part of the input that was wrong. */
  readonly pointer?: string | undefined;
  /** The same call may succeed later. Default false. */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

export class AntiphonError extends Error {
  override readonly name = "AntiphonError";
  /** The stable word: a code of the server, or a `ClientErrorCode`. */
  readonly code: string;
  /** JSON Pointer to the part of the input that was wrong; null where no part is to blame. */
  readonly pointer: string | null;
  /** The same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.pointer = facts.pointer ?? null;
    this.retryable = facts.retryable ?? false;
  }
}

/** An error of this client's own making. */
export function clientError(code: ClientErrorCode, message: string, facts: ErrorFacts = {}): AntiphonError {
  return new AntiphonError(code, message, facts);
}
