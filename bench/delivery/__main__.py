"""`python -m bench.delivery [--quick] [--only NAME]... [--servers A,B] [--runs 5]`"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import machine
from bench.delivery import page
from bench.delivery.peers import PEERS
from bench.delivery.peers.base import Unavailable
from bench.delivery.places import INSTALLED
from bench.delivery.programs import program
from bench.delivery.scenario import OURS, Plan
from bench.delivery.scenarios import SCENARIOS
from bench.delivery.usage import raise_file_limit

FILES = 12_000  # open in one process, for ten thousand connections


def main() -> None:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped, as after Ctrl-C
    if raise_file_limit() < FILES and not arguments.quick:
        raise SystemExit(f"a process may open too few files: `ulimit -n` must be at least {FILES}")
    for name in ("load", "poll", "publish"):
        program(name)
    chosen = arguments.only or list(SCENARIOS)
    with _home() as home:
        facts = [*machine.facts(), ("disk", f"an fsync of 4 KiB takes {machine.sync_ms(home):.2f} ms")]
        print("\n".join(f"{fact}: {value}" for fact, value in facts))
        servers = list(_available(arguments.servers))
        for name in chosen:
            print(f"\n{SCENARIOS[name].title}", flush=True)
            outcome = SCENARIOS[name].run(Plan(home / name, arguments.runs, arguments.quick, servers))
            shutil.rmtree(home / name)
            if not arguments.quick:
                page.keep(SCENARIOS[name], outcome, [*facts, ("runs", str(arguments.runs))])
    if not arguments.quick:
        print(f"\n{os.path.relpath(page.write(SCENARIOS))} is written")


@contextmanager
def _home() -> Iterator[Path]:
    """A folder on the disk of the checkout: temporary files are often kept in memory, where a commit costs nothing."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=INSTALLED) as folder:
        yield Path(folder)


def _available(names: Sequence[str]) -> Iterator[str]:
    """The servers that can be installed; says why the others cannot."""
    for name in names:
        try:
            PEERS[name].install()
        except Unavailable as exc:
            print(f"not measured: {name}: {exc}", flush=True)
        else:
            yield name


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.delivery",
        description="Measure delivery beside other servers, alternating, and write docs/benchmarks.md.",
    )
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="a scenario; may be given repeatedly")
    parser.add_argument("--servers", type=_servers, default=list(PEERS), help=f"comma separated: {','.join(PEERS)}")
    parser.add_argument("--runs", type=int, default=None, help="of each server; the median counts (default: 5)")
    parser.add_argument("--quick", action="store_true", help="small numbers, one run; nothing is written")
    arguments = parser.parse_args()
    arguments.runs = arguments.runs or (1 if arguments.quick else 5)
    return arguments


def _servers(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in PEERS]
    if unknown or OURS not in names:
        raise argparse.ArgumentTypeError(f"{OURS} and any of {', '.join(name for name in PEERS if name != OURS)}")
    return names


if __name__ == "__main__":
    main()
