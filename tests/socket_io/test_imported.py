"""`[socketio] import`: namespaces of one's own, without an app of one's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from tests.live.real_server import RealServer
from tests.live.workspace import write_settings
from tests.socket_io.test_engine_io import heard

from antiphon import Antiphon
from antiphon.errors import ConflictError, SettingsError
from antiphon.server.imported import imported_namespaces
from antiphon.server.settings import load

ROOMS = """
from antiphon import ConnectRefused, Namespace

room, again, named, text = Namespace("/"), Namespace("/"), Namespace("/named"), "text"


@room.use
def check(peer):
    if peer.auth == {"cups": 0}:
        raise ConnectRefused("no tea", {"cups": 0})


@room.on("join")
async def join(peer, name):
    await peer.join(name)
    await room.emit("joined", peer.user.name, room=name)
    return name
"""
OFF = {"dialect.bettafish": {"enabled": False}}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "rooms_of_a_test.py").write_text(ROOMS)
    before = list(sys.path)
    yield tmp_path
    sys.path[:] = before
    sys.modules.pop("rooms_of_a_test", None)


def configured(home: Path, *places: str, **tables: Any) -> Path:
    imported = [f"rooms_of_a_test:{place}" for place in places]
    return write_settings(home / "antiphon.toml", {"socketio": {"import": imported}, **tables})


async def test_a_namespace_that_the_settings_name(home: Path) -> None:
    server = RealServer(home / "data", config=configured(home, "room", **OFF))
    await server.start()
    try:
        async with websockets.connect(f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket") as socket:
            assert str(await heard(socket)).startswith("0{")
            await socket.send('40{"cups":0}')
            assert await heard(socket) == '44{"message":"no tea","data":{"cups":0}}'
            await socket.send("40")
            assert str(await heard(socket)).startswith("40{")
            await socket.send('421["join","tea"]')
            assert {await heard(socket), await heard(socket)} == {'42["joined","local"]', '431["tea"]'}
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("places", "why"),
    [
        (["nothing"], "rooms_of_a_test has no 'nothing'"),
        (["text"], "rooms_of_a_test:text is no antiphon.Namespace but a str"),
        (["room", "named", "again"], "rooms_of_a_test:again: there is a namespace '/' already"),
    ],
)
def test_what_cannot_be_served_is_named_with_file_and_key(home: Path, places: list[str], why: str) -> None:
    configured(home, *places, **OFF)
    with pytest.raises(SettingsError) as caught:
        imported_namespaces(load(cwd=home))
    assert str(caught.value) == f"{home / 'antiphon.toml'}:2: socketio.import: {why}"


def test_the_namespace_of_dialects_is_taken(home: Path) -> None:
    configured(home, "room")
    with pytest.raises(SettingsError, match=r"toml:2: socketio\.import: .*'/' belongs to dialect\.bettafish"):
        imported_namespaces(load(cwd=home))
    with pytest.raises(ConflictError, match=r"belongs to dialect\.bettafish"):
        Antiphon(data=home / "data").socketio("/")
