"""`python -m bench [NAME...] [--part 0.01]`"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from bench import answering, cancelling, converging, ingestion, long_channel, machine, publishing, report, starting
from bench.delivery import page
from bench.harness import Benchmark, Figure, Setting

MODULES = (long_channel, ingestion, publishing, starting, cancelling, converging, answering)
BENCHMARKS = {module.BENCHMARK.name: module.BENCHMARK for module in MODULES}


def main() -> None:
    arguments = _arguments()
    chosen = [BENCHMARKS[name] for name in arguments.names or BENCHMARKS]
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-", dir=arguments.disk) as home:
        facts = list(machine.facts())
        before = machine.sync_ms(Path(home))
        results = {one.name: (one, asyncio.run(measure(one, Path(home), arguments.part))) for one in chosen}
        after = machine.sync_ms(Path(home))
    facts.append(("disk", f"an fsync of 4 KiB took {before:.2f} ms before and {after:.2f} ms after all this"))
    print("", *(f"{name}: {value}" for name, value in facts), sep="\n")
    if len(results) == len(BENCHMARKS) and arguments.part == 1:
        report.PAGE.write_text(page.carried_over(report.render(facts, results)), encoding="utf-8")
        print(f"\n{report.PAGE} is written")


async def measure(benchmark: Benchmark, home: Path, part: float) -> list[Figure]:
    """Run one benchmark in a directory of its own, telling each figure as it comes."""
    directory = home / benchmark.name
    directory.mkdir()
    print(f"\n{benchmark.title}")
    figures = []
    async for figure in benchmark.run(Setting(directory, part)):
        figures.append(figure)
        print(f"  {figure.what:70} {figure.measured:40} {figure.goal}", flush=True)
    return figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure; a full run writes docs/benchmarks.md."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*BENCHMARKS, []], help=", ".join(BENCHMARKS))
    parser.add_argument("--part", type=float, default=1.0, help="of the full sizes, e.g. 0.01 for a try")
    parser.add_argument(
        "--disk", type=Path, help="a directory on the disk to measure; default: where temporary files are"
    )
    return parser.parse_args()


main()
