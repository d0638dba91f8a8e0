"""A command in a pseudo terminal, as a person has it in front of them."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.cli.conftest import command, environment

SHOWN_WITHIN_S = 60
PRESS_AGAIN_S = 2


class Terminal:
    """`with Terminal(url, cwd, "chat") as terminal`: type into it and wait for what it shows."""

    def __init__(self, url: str, cwd: Path, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command(*arguments),
            cwd=cwd,
            env=environment(url),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        self.shown = ""
        self._read = 0  # characters of `shown` that a test has waited for

    def type(self, text: str) -> None:
        """As keys: `\\r` is Enter, `\\x03` Ctrl-C, `\\x04` Ctrl-D."""
        os.write(self._master, text.encode())

    def until(self, text: str) -> str:
        """Wait until it shows this, after what was waited for before; returns what came up to it."""
        deadline = time.monotonic() + SHOWN_WITHIN_S
        while (place := self.shown.find(text, self._read)) < 0:
            assert time.monotonic() < deadline, f"{text!r} is not in {self.shown!r}"
            assert self._more(), f"it ended without {text!r}: {self.shown!r}"
        before, self._read = self.shown[self._read : place], place + len(text)
        return before

    def interrupt_until(self, text: str) -> None:
        """Ctrl-C at a prompt, until it shows this.

        Python notices a signal at `input` only once it waits for keys, a moment after the prompt was seen; a person
        would press again, too.
        """
        while self.shown.find(text, self._read) < 0:
            self.type("\x03")
            while select.select([self._master], [], [], PRESS_AGAIN_S)[0]:
                if not self._more() or self.shown.find(text, self._read) >= 0:
                    break
        self.until(text)

    def end(self) -> int:
        """Read to its end; the exit status."""
        while self._more():
            pass
        return self._process.wait(SHOWN_WITHIN_S)

    def _more(self) -> bool:
        try:
            found = os.read(self._master, 65536)
        except OSError:  # how Linux says that nobody writes any more
            return False
        self.shown += found.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(found)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)


def _take_terminal() -> None:
    """Make it the controlling terminal, so that Ctrl-C reaches the command."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
