import pytest

from antiphon.client.address import find_address
from antiphon.errors import InputError


def test_the_default_is_the_local_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_URL", raising=False)
    monkeypatch.delenv("ANTIPHON_TOKEN", raising=False)
    address = find_address(None, None)
    assert (address.url, address.live_url) == ("http://127.0.0.1:8003", "ws://127.0.0.1:8003/live")
    assert address.is_loopback
    assert address.headers == {}


def test_the_environment_counts_unless_an_argument_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_URL", "https://example.org/antiphon/")
    monkeypatch.setenv("ANTIPHON_TOKEN", "secret")
    address = find_address(None, None)
    assert address.live_url == "wss://example.org/antiphon/live"
    assert address.headers == {"Authorization": "Bearer secret"}
    assert "secret" not in repr(address)
    assert find_address("ws://[::1]:9", "other").headers == {"Authorization": "Bearer other"}


@pytest.mark.parametrize(
    ("url", "is_loopback"),
    [("localhost:1", True), ("http://a.localhost", True), ("http://127.9.9.9", True), ("http://[::1]", True),
     ("http://example.org", False), ("http://10.0.0.1:8003", False)],
)  # fmt: skip
def test_which_hosts_are_this_machine(url: str, is_loopback: bool) -> None:
    assert find_address(url, None).is_loopback is is_loopback


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:port", "http://x/?q=1", "http://x:99999"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="no address of a server"):
        find_address(url, None)
