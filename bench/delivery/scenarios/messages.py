"""A model's answer that grows token by token, watched by many, joined late."""

from __future__ import annotations

import json
import time
from typing import NamedTuple

from websockets.sync.client import ClientConnection, connect

from bench.delivery.peers import PEERS, antiphon
from bench.delivery.peers.base import Publication
from bench.delivery.places import HOST
from bench.delivery.programs import Load, Report, load, publish, publishing
from bench.delivery.scenario import OURS, Outcome, Plan, Scenario, median, ms, number

CHANNEL = "bench"
TOKEN = "word "
STAMPED = ("--time", "T=")
BY_OFFSET = ("--number", '"offset":', "--filter", '"method":"event"', "--text", '"delta":"')
JOINS_AT = 0.9  # of the tokens
SLOW, FAST = 50, 5000  # tokens a second
MOST_ABOVE_PER_S, MOST_RATIO, MOST_JOIN_RATIO, MOST_DELAY_US = 250 * 25, 1.3, 1.1, 5000
FIRST_TOKENS = 30


class Joined(NamedTuple):
    reply_bytes: int
    text_bytes: int
    seconds: float


class Growth(NamedTuple):
    """One message at one pace."""

    text_bytes: int
    wire_bytes: int  # that one viewer received
    seconds: float
    is_complete: bool
    joined: Joined


def run(plan: Plan) -> Outcome:
    outcome, tokens = Outcome(), plan.sized(10_000, 400)
    slow = _growth(plan, tokens, plan.sized(SLOW, 200))  # once: it takes minutes, and bytes do not vary
    fast = [_growth(plan, tokens, FAST) for _ in range(plan.runs)]
    above = (slow.wire_bytes - slow.text_bytes) / slow.seconds
    outcome.add(
        f"{SLOW} tokens/s: bytes a second above the text",
        number(above),
        f"<= {number(MOST_ABOVE_PER_S)}",
        above <= MOST_ABOVE_PER_S,
    )
    ratio = median([one.wire_bytes / one.text_bytes for one in fast])
    outcome.add(
        f"{number(FAST)} tokens/s: bytes on the wire by bytes of text",
        f"{ratio:.2f}x",
        f"<= {MOST_RATIO}x",
        ratio <= MOST_RATIO,
    )
    is_complete = all(one.is_complete for one in [slow, *fast])
    outcome.add(
        "every viewer, and who joined late, has the whole text", "yes" if is_complete else "no", "yes", is_complete
    )
    joined = [one.joined for one in [slow, *fast]]
    most = max(one.reply_bytes / one.text_bytes for one in joined)
    outcome.add(
        f"joining at token {number(tokens * JOINS_AT)}: bytes of the one reply by bytes of text",
        f"{most:.2f}x, {ms(median([one.seconds for one in joined]) * 1e6)}",
        f"<= {MOST_JOIN_RATIO}x",
        most <= MOST_JOIN_RATIO,
    )
    delay = median([_first_token(plan) for _ in range(plan.runs)])
    outcome.add("first token, publisher to viewer, p99", ms(delay), f"<= {ms(MOST_DELAY_US)}", delay <= MOST_DELAY_US)
    return outcome


def _growth(plan: Plan, tokens: int, per_s: int) -> Growth:
    ours = PEERS[OURS]
    viewers = ours.receiver([CHANNEL])
    append = _publication("append", f'{{"message_id":"m","delta":"{TOKEN}"}}')
    with (
        plan.running(ours) as server,
        load(server.port, viewers, _viewers(plan), options=("--time", "", *BY_OFFSET)) as clients,
    ):
        publish(server.port, _publication("open", '{"message_id":"m","role":"assistant"}'), 1)
        _expect_head(server.port, clients)
        clients.reset()
        with publishing(server.port, append, tokens, rate=per_s, window=2000, limit_s=300) as growing:
            time.sleep(tokens * JOINS_AT / per_s)
            with connect(f"ws://{HOST}:{server.port}/live", compression=None, max_size=None) as socket:
                joined = _join(socket)
                seconds = growing.finish()["elapsed_s"]
                publish(server.port, _publication("close", '{"message_id":"m","status":"completed"}'), 1)
                rest = _read_to_end(socket)
        report = _expect_head(server.port, clients)
    text = tokens * len(TOKEN)
    lengths = (report["text_lowest"], report["text_highest"], joined.text_bytes + rest)
    is_complete = lengths == (text, text, text) and report["text_same"] and not report["holes"] + report["duplicates"]
    return Growth(text, report["wire_highest"], seconds, is_complete, joined)


def _join(socket: ClientConnection) -> Joined:
    """Subscribe in the middle; the text so far must be in the reply."""
    socket.recv()  # welcome
    began = time.monotonic()
    socket.send(antiphon.call("subscribe", {"channel": CHANNEL}, 1))
    reply = socket.recv()
    seconds = time.monotonic() - began
    text = json.loads(reply)["result"]["messages"][0]["text"]
    return Joined(len(reply), len(text), seconds)


def _read_to_end(socket: ClientConnection) -> int:
    """How many bytes of text come until the message is closed."""
    length = 0
    while True:
        message = json.loads(socket.recv(timeout=30))["params"]
        if message.get("type") == "message.close":
            return length
        length += len(message.get("data", {}).get("delta", ""))


def _first_token(plan: Plan) -> float:
    """p99 in microseconds over all viewers of some messages, one after the other."""
    ours = PEERS[OURS]
    options = (*STAMPED, "--number", '"offset":', "--filter", '"method":"event"')
    with (
        plan.running(ours) as server,
        load(server.port, ours.receiver([CHANNEL]), _viewers(plan), options=options) as clients,
    ):
        for turn in range(plan.sized(FIRST_TOKENS, 5)):
            message = f'"message_id":"m{turn}"'
            publish(server.port, _publication("open", f'{{{message},"role":"assistant"}}'), 1)
            _expect_head(server.port, clients)
            publish(server.port, _publication("append", f'{{{message},"delta":"T=@T@ "}}'), 1)
            publish(server.port, _publication("close", f'{{{message},"status":"completed"}}'), 1)
        p99: float = _expect_head(server.port, clients)["latency_us"]["p99"]
        return p99


def _expect_head(port: int, clients: Load) -> Report:
    return clients.expect(antiphon.head(port, CHANNEL), within_s=30)


def _publication(kind: str, data: str) -> Publication:
    return antiphon.publication(CHANNEL, f"message.{kind}", data)


def _viewers(plan: Plan) -> int:
    return plan.sized(200, 20)


SCENARIO = Scenario(
    "messages",
    "Growing messages",
    f"One message of 10 000 tokens of {len(TOKEN)} bytes to 200 viewers, at {SLOW} and at {number(FAST)} tokens a "
    "second; each token is a publish of its own. One more viewer joins at token 9 000. Bytes: what a viewer's socket "
    "received.",
    run,
)
