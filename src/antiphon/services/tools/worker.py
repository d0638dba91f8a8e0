"""The program of a process in which one function is called. Started as a file: it imports nothing of Antiphon.

A message is 8 bytes that say how long it is, then a pickle. What the function prints goes to stderr.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from multiprocessing import spawn
from typing import Any, BinaryIO

HEAD = 8


def main() -> None:
    requests, answers = _private(0, "rb"), _private(1, "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    size = int.from_bytes(requests.read(HEAD), "big")
    preparation, task = pickle.loads(requests.read(size))  # noqa: S301  # from the server that started us
    threading.Thread(target=_die_with_parent, args=(requests,), daemon=True).start()
    spawn.prepare(preparation)
    body = pickle.dumps(_outcome(task))
    answers.write(len(body).to_bytes(HEAD, "big") + body)
    answers.flush()


def _private(number: int, mode: str) -> Any:
    """A copy of a file descriptor that the function's own children do not get."""
    return os.fdopen(os.dup(number), mode)


def _die_with_parent(requests: BinaryIO) -> None:
    """Nobody waits any more when the pipe ends, even where the server was killed."""
    requests.read()
    os.killpg(0, signal.SIGKILL)


def _outcome(task: bytes) -> tuple[bool, Any]:
    try:
        function, arguments = pickle.loads(task)  # noqa: S301
        value = function(**arguments)
        pickle.dumps(value)
    except BaseException as exc:
        if _is_meant(exc):
            return False, {"message": str(exc), "traceback": None}
        message = f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
        return False, {"message": message, "traceback": traceback.format_exc()}
    return True, value


def _is_meant(exc: BaseException) -> bool:
    """Whether the function raised antiphon's ToolError, to say something and not by mistake."""
    return any((kind.__module__, kind.__qualname__) == ("antiphon.errors", "ToolError") for kind in type(exc).__mro__)


if __name__ == "__main__":
    main()
