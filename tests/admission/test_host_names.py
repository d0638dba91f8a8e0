"""No variation of an evil name passes for one of ours."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import HostRefused, OriginRefused
from antiphon.server.admission import Facts, Policy, admit
from antiphon.server.names import Host, is_loopback, parse_host, parse_origin

POLICY = Policy(ports=frozenset({8003}), allowed_hosts=(Host("control.example", None),))
OURS = ("localhost", "127.0.0.1", "[::1]", "control.example")

junk = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), min_size=1, max_size=12)
labels = st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True)
ports = st.sampled_from(["", ":80", ":8003", ":65535"])
ours = st.sampled_from(OURS)
evil = st.one_of(
    st.builds("{}.{}".format, ours.filter(lambda name: "[" not in name), labels),
    st.builds("{}.{}".format, labels, ours),
    st.builds("{}{}".format, labels, ours),
    st.builds("{}@{}".format, ours, labels),
    st.builds("{}@{}".format, labels, ours),
    st.builds("{}.".format, ours),
    st.builds("{}#{}".format, ours, labels),
    st.builds("{}/{}".format, labels, ours),
    st.builds("{}\\{}".format, labels, ours),
    st.builds("{}?{}".format, labels, ours),
    st.builds("{}%00{}".format, ours, labels),
    st.builds("{},{}".format, labels, ours),
    st.builds("{} {}".format, labels, ours),
    st.builds("{}\t{}".format, ours, labels),
    st.builds("{}{}".format, ours, st.from_regex(r"[^\x00-\x7f]{1,3}", fullmatch=True)),
)


def _ask(host: str, origin: str | None = None) -> None:
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    admit(Facts("POST", "/api/channels/x/events", headers, "127.0.0.1"), POLICY)


@given(name=evil, port=ports)
def test_an_evil_host_never_passes(name: str, port: str) -> None:
    with pytest.raises(HostRefused):
        _ask(name + port)


@given(name=evil, port=ports, scheme=st.sampled_from(["http", "https", "file", "blob:http"]))
def test_an_evil_origin_never_passes(name: str, port: str, scheme: str) -> None:
    with pytest.raises(OriginRefused):
        _ask("localhost:8003", f"{scheme}://{name}{port}")


@given(before=junk, after=junk, name=ours)
def test_junk_around_our_names_is_another_name_or_none(before: str, after: str, name: str) -> None:
    for text in (before + name, name + after, before + name + after):
        host = parse_host(text)
        assert host is None or str(host).split(":")[0] != name or text.lower() == str(host)


@given(st.ip_addresses())
def test_only_loopback_addresses_are_loopback(address: object) -> None:
    parsed = ip_address(str(address))
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    assert is_loopback(str(address)) == mapped.is_loopback


@given(name=labels, port=st.none() | st.integers(1, 65535))
def test_a_host_that_was_read_reads_the_same_again(name: str, port: int | None) -> None:
    host = parse_host(str(Host(name, port)))
    assert host == Host(name, port)


@pytest.mark.parametrize("text", ["null", "*", "", "http://", "http:///x", "//localhost", "http://a:b", "http://[::1"])
def test_what_is_no_origin(text: str) -> None:
    assert parse_origin(text) is None
