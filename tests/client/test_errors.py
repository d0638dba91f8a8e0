"""Codes of the wire and classes belong together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from antiphon import errors
from antiphon.client.faults import error_of, error_of_http
from antiphon.client.wire import Facts
from antiphon.errors import AntiphonError, ConnectionFailed, RemoteError

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"


def documented_codes() -> list[str]:
    table = PROTOCOL.read_text().split("### Errors")[1].split("## State")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [code for row in rows for code in re.findall(r"`(\w+)`", row)]


@pytest.mark.parametrize("code", documented_codes())
def test_every_documented_code_has_its_class(code: str) -> None:
    error = error_of("no", Facts(code=code, pointer="/x"))
    assert not isinstance(error, RemoteError)
    assert (error.code, error.message, error.pointer) == (code, "no", "/x")
    assert isinstance(error, AntiphonError)


def test_a_code_of_a_newer_server_keeps_its_words() -> None:
    error = error_of("no", Facts(code="too_purple", retryable=True))
    assert isinstance(error, RemoteError)
    assert error.facts() == {"code": "too_purple", "retryable": True}


@pytest.mark.parametrize("code", ["connection_lost", "settings", "data_directory_in_use"])
def test_what_never_comes_over_a_wire_is_not_made_from_it(code: str) -> None:
    assert isinstance(error_of("no", Facts(code=code)), RemoteError)


def test_a_refused_handshake_is_told_in_the_servers_words_if_it_is_ours() -> None:
    ours = error_of_http(
        403, b'{"code": "origin_refused", "message": "allowed_origins", "retryable": false}', "http://x"
    )
    assert isinstance(ours, errors.OriginRefused)
    assert isinstance(error_of_http(502, b"<html>", "http://x"), ConnectionFailed)
    assert isinstance(error_of_http(404, b'{"detail": "Not Found"}', "http://x"), ConnectionFailed)
