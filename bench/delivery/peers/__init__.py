"""The servers under test, ours first."""

from __future__ import annotations

from bench.delivery.peers.antiphon import Antiphon, AntiphonSocketIo
from bench.delivery.peers.asgi import FastApiLoop, PythonSocketIo
from bench.delivery.peers.base import Peer
from bench.delivery.peers.centrifugo import Centrifugo
from bench.delivery.peers.nchan import Nchan, NchanWithHistory
from bench.delivery.peers.node import NodeSocketIo, NodeSocketIoRecovery, NodeWs

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Antiphon(),
        Nchan(),
        NchanWithHistory(),
        Centrifugo(),
        NodeWs(),
        NodeSocketIo(),
        NodeSocketIoRecovery(),
        PythonSocketIo(),
        FastApiLoop(),
        AntiphonSocketIo(),
    )
}
