"""The part of docs/benchmarks.md about delivery. Results are kept, so that one scenario can be measured again alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.delivery import picture
from bench.delivery.places import RESULTS, ROOT
from bench.delivery.scenario import Bar, Outcome, Row, Scenario

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- delivery: written by python -m bench.delivery -->", "<!-- end of delivery -->"
VERDICTS = {None: "", True: "yes", False: "**no**"}
UNIT = "server CPU per delivery, µs"


def keep(scenario: Scenario, outcome: Outcome, facts: Sequence[tuple[str, str]]) -> None:
    """Remember what came out, and on what machine."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{scenario.name}.json").write_text(json.dumps({**asdict(outcome), "facts": list(facts)}))


def write(scenarios: Mapping[str, Scenario]) -> Path:
    """Write the picture, and this part of the page from all results that are kept; the rest of the page stays."""
    results = {name: _kept(name) for name in scenarios if (RESULTS / f"{name}.json").exists()}
    bars = [bar for outcome, _ in results.values() for bar in outcome.bars]
    parts = [BEGIN, "## Delivery\n"]
    if bars:
        drawn = picture.write(bars, UNIT).relative_to(PAGE.parent)
        parts.append(f"![Processor time of the server per delivered event, beside other servers]({drawn})\n")
    for name, (outcome, facts) in results.items():
        parts.append(_section(scenarios[name], outcome, facts))
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    PAGE.write_text(replaced(page, "\n".join([*parts, END])), encoding="utf-8")
    return PAGE


def replaced(page: str, section: str) -> str:
    """The page with this part in the place of the earlier one, or at its end."""
    rest = re.sub(rf"\n*{re.escape(BEGIN)}.*?{re.escape(END)}\n*", "\n", page, flags=re.DOTALL)
    return f"{rest.rstrip()}\n\n{section}\n"


def carried_over(page: str) -> str:
    """A page that was written anew, with the part that the one on disk has."""
    old = re.search(rf"{re.escape(BEGIN)}.*?{re.escape(END)}", PAGE.read_text() if PAGE.exists() else "", re.DOTALL)
    return replaced(page, old[0]) if old else page


def _kept(name: str) -> tuple[Outcome, list[tuple[str, str]]]:
    found = json.loads((RESULTS / f"{name}.json").read_text())
    outcome = Outcome([Row(**row) for row in found["rows"]], [Bar(**bar) for bar in found["bars"]])
    return outcome, [(fact, value) for fact, value in found["facts"]]


def _section(scenario: Scenario, outcome: Outcome, facts: Sequence[tuple[str, str]]) -> str:
    lines = [f"### {scenario.title}\n", f"{scenario.about}\n"]
    lines.append(f"Measure again: `.venv/bin/python -m bench.delivery --only {scenario.name}`\n")
    lines += ["| | reached | goal | met |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.reached} | {row.goal} | {VERDICTS[row.met]} |" for row in outcome.rows]
    machine = "; ".join(f"{fact}: {value}" for fact, value in facts)
    return "\n".join([*lines, "", f"_{machine}_", ""])
