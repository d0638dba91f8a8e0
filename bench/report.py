"""docs/benchmarks.md, written from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.harness import Benchmark, Figure

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
HEAD = """\
# Benchmarks

This page is written by `.venv/bin/python -m bench`, which measures everything again: a few minutes, on a machine that
does nothing else. Server and clients are processes of one machine and share its cores. A goal is what we hold
ourselves to.
"""


def render(machine: Sequence[tuple[str, str]], results: Mapping[str, tuple[Benchmark, Sequence[Figure]]]) -> str:
    """The whole page."""
    parts = [HEAD, "| machine | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in machine)]
    for benchmark, figures in results.values():
        parts.append(f"## {benchmark.title}\n\n{benchmark.about}\n")
        parts.append(f"Measure again: `.venv/bin/python -m bench {benchmark.name}`\n")
        parts.append(_table(figures))
    return "\n".join(parts)


def _table(figures: Sequence[Figure]) -> str:
    if not any(figure.goal for figure in figures):
        return "| | measured |\n|---|---|\n" + "".join(f"| {f.what} | {f.measured} |\n" for f in figures)
    rows = "".join(f"| {f.what} | {f.measured} | {f.goal} |\n" for f in figures)
    return f"| | measured | goal |\n|---|---|---|\n{rows}"
