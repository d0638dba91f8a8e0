"""The one tree of errors.

AntiphonError
├── InputError            fix the input
│   ├── InvalidJson, TooDeep, InvalidRequest, UnknownMethod, InvalidParams
│   ├── InvalidChannel, InvalidCursor, InvalidPatch, InvalidMessage, TooLarge, MethodNotAllowed
├── ConflictError         the thing is in another state: look again, then decide
│   ├── AlreadySubscribed, NotSubscribed, KeyConflict
│   ├── LeaseLost (RunLost), RunEnded, RunCancelled, AlreadyAnswered, QuestionWithdrawn, ThreadBusy
├── AccessError           log in, or ask for the grant that the message names
│   ├── Unauthenticated, Forbidden, ChannelOwned
│   ├── HostRefused, OriginRefused, CrossSiteRefused, ProxyRefused
├── NotFound              give up, or correct the name
├── ToolError             a tool could not do what it was asked; the sentence is for whoever called it, often a model
├── LimitError            use less, or come back later
│   ├── TooManySubscriptions, TooManyConnections, Busy, NotReady
├── StorageError          retry once the operator has helped
│   ├── StorageFull, StorageFailed
├── DataDirectoryInUse    another process owns the data directory
├── SettingsError         the configuration names the file and the key
├── TransportError        the way to the server failed; raised by clients only
│   ├── ConnectionFailed, ConnectionLost, RequestTimeout, ClientClosed
├── RemoteError           a server answered with a code that this version does not know
└── InternalError         a fault of ours, logged where it happened

`code` is the stable word of the wire, `http_status` its translation to HTTP, `retryable` says whether the same call may
succeed later. Programs decide on these, never on the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class AntiphonError(Exception):
    """Base of all errors that Antiphon raises on purpose.

    Args:
        message: One sentence for a person.
        pointer: JSON Pointer to the part of the input that was wrong; None where no part is to blame.
    """

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, pointer: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer

    def facts(self) -> dict[str, Any]:
        """What a client may decide on: `{code, pointer?, retryable}`."""
        where = {} if self.pointer is None else {"pointer": self.pointer}
        return {"code": self.code, **where, "retryable": self.retryable}


class InputError(AntiphonError):
    """The input is wrong; the same input will never succeed."""

    code = "invalid_params"
    http_status = 422


class InvalidJson(InputError):
    code = "invalid_json"
    http_status = 400


class TooDeep(InputError):
    code = "too_deep"
    http_status = 400


class InvalidRequest(InputError):
    code = "invalid_request"
    http_status = 400


class UnknownMethod(InputError):
    code = "unknown_method"
    http_status = 404


class InvalidParams(InputError):
    code = "invalid_params"


class InvalidChannel(InputError):
    code = "invalid_channel"


class InvalidCursor(InputError):
    code = "invalid_cursor"


class InvalidPatch(InputError):
    code = "invalid_patch"


class InvalidMessage(InputError):
    code = "invalid_message"


class TooLarge(InputError):
    code = "too_large"
    http_status = 413


class MethodNotAllowed(InputError):
    code = "method_not_allowed"
    http_status = 405


class ConflictError(AntiphonError):
    """The thing is in a state that does not allow this."""

    code = "conflict"
    http_status = 409


class AlreadySubscribed(ConflictError):
    code = "already_subscribed"


class NotSubscribed(ConflictError):
    code = "not_subscribed"


class KeyConflict(ConflictError):
    code = "key_conflict"


class LeaseLost(ConflictError):
    """Whoever says this does not own the run, or no longer: its lease is another, or has expired."""

    code = "lease_lost"


class RunLost(LeaseLost):
    """This program's run was declared lost, or taken from it. Raised by clients only, never sent."""


class RunEnded(ConflictError):
    """The run has its outcome; nothing can follow."""

    code = "run_ended"


class RunCancelled(ConflictError):
    """The run was cancelled: it may close what is open and finish, but begin nothing and let nothing grow.

    Where a client raises it, `run_id` says which run, and `reason` what whoever cancelled it said, if anything.
    """

    code = "run_cancelled"

    def __init__(
        self, message: str, *, pointer: str | None = None, run_id: str | None = None, reason: str | None = None
    ) -> None:
        super().__init__(message, pointer=pointer)
        self.run_id = run_id
        self.reason = reason


class QuestionWithdrawn(ConflictError):
    """The question ended without an answer: its deadline passed without a default, or it was taken back."""

    code = "question_withdrawn"


class AlreadyAnswered(ConflictError):
    """Somebody else was first; `question` is its row as it is now, None where it was not sent."""

    code = "already_answered"

    def __init__(self, message: str, *, pointer: str | None = None, question: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, pointer=pointer)
        self.question = question

    def facts(self) -> dict[str, Any]:
        return super().facts() | ({} if self.question is None else {"question": dict(self.question)})


class ThreadBusy(ConflictError):
    """The agent is answering in this thread, and was asked to reject what comes meanwhile."""

    code = "thread_busy"


class AccessError(AntiphonError):
    """The caller may not do this."""

    code = "forbidden"
    http_status = 403


class Unauthenticated(AccessError):
    code = "unauthenticated"
    http_status = 401


class Forbidden(AccessError):
    code = "forbidden"


class ChannelOwned(AccessError):
    code = "channel_owned"


class HostRefused(AccessError):
    code = "host_refused"


class OriginRefused(AccessError):
    code = "origin_refused"


class CrossSiteRefused(AccessError):
    code = "cross_site_refused"


class ProxyRefused(AccessError):
    code = "proxy_refused"


class NotFound(AntiphonError):
    """There is no such thing."""

    code = "not_found"
    http_status = 404


class ToolError(AntiphonError):
    """A tool could not do what it was asked. The message is read by whoever called it, often a model."""

    code = "tool_failed"
    http_status = 422


class LimitError(AntiphonError):
    """A limit was reached."""

    code = "busy"
    http_status = 503
    retryable = True


class TooManySubscriptions(LimitError):
    code = "too_many_subscriptions"
    http_status = 429
    retryable = False


class TooManyConnections(LimitError):
    code = "too_many_connections"


class Busy(LimitError):
    code = "busy"


class NotReady(LimitError):
    """What is published does not arrive."""

    code = "not_ready"


class StorageError(AntiphonError):
    """The log could not be written or read; nothing was acknowledged."""

    code = "storage_failed"
    http_status = 503
    retryable = True


class StorageFull(StorageError):
    code = "storage_full"
    http_status = 507


class StorageFailed(StorageError):
    code = "storage_failed"


class DataDirectoryInUse(AntiphonError):
    """Another process owns the data directory; `pid` is its process id, None where it could not be read."""

    code = "data_directory_in_use"

    def __init__(self, message: str, *, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class SettingsError(AntiphonError):
    """A setting is unknown or wrong; the message names where it was set."""

    code = "settings"


class TransportError(AntiphonError):
    """The way to the server failed. Raised by clients only, never sent."""

    code = "transport"
    http_status = 503


class ConnectionFailed(TransportError):
    """No connection could be made, or what answered is no Antiphon server."""

    code = "connection_failed"
    retryable = True


class ConnectionLost(TransportError):
    """The connection ended before the answer came; whether the request took effect is not known."""

    code = "connection_lost"
    retryable = True


class RequestTimeout(TransportError):
    """No answer in time; whether the request took effect is not known."""

    code = "request_timeout"
    http_status = 504
    retryable = True


class ClientClosed(TransportError):
    """This client has been closed."""

    code = "client_closed"


class RemoteError(AntiphonError):
    """A server answered with a code that this version does not know; `code` and `retryable` are the server's words."""

    def __init__(self, message: str, *, pointer: str | None = None, code: str, retryable: bool) -> None:
        super().__init__(message, pointer=pointer)
        self.code = code  # type: ignore[misc]  # of the class everywhere else; here each error has its own
        self.retryable = retryable  # type: ignore[misc]


class InternalError(AntiphonError):
    """A fault of the server."""

    code = "internal"
