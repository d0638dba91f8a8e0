"""From an error on the wire to the class that a program catches."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from antiphon import errors
from antiphon.client.wire import Facts, ProtocolFault, checked
from antiphon.errors import AntiphonError, ConnectionFailed, RemoteError

_never_sent = (
    errors.TransportError,
    errors.RemoteError,
    errors.DataDirectoryInUse,
    errors.SettingsError,
    errors.RunLost,
)


def _subclasses(parent: type[AntiphonError]) -> Iterator[type[AntiphonError]]:
    for child in parent.__subclasses__():
        if not issubclass(child, _never_sent):
            yield child
            yield from _subclasses(child)


# Parents come first, so where a branch and a leaf share a code (`busy`) the leaf wins.
_by_code = {kind.code: kind for kind in _subclasses(AntiphonError)}


def error_of(message: str, facts: Facts) -> AntiphonError:
    """The error of our tree that `facts.code` names; RemoteError for a code of a newer server."""
    kind = _by_code.get(facts.code)
    if kind is None:
        return RemoteError(message, pointer=facts.pointer, code=facts.code, retryable=facts.retryable)
    if kind is errors.AlreadyAnswered:
        return errors.AlreadyAnswered(message, pointer=facts.pointer, question=facts.question)
    return kind(message, pointer=facts.pointer)


def error_of_http(status: int, body: bytes, url: str) -> AntiphonError:
    """Why a server refused the WebSocket: its own words if it is ours, else what the status suggests."""
    try:
        answer = orjson.loads(body)
        facts = checked(Facts, answer)
        message = str(answer["message"])
    except (orjson.JSONDecodeError, ProtocolFault, KeyError, TypeError):
        return ConnectionFailed(f"{url} answered with HTTP status {status}: there is no Antiphon server, or not ready")
    return error_of(message, facts)
