"""docs/images/benchmarks.svg: bars, drawn without a library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from bench.delivery.places import ROOT
from bench.delivery.scenario import Bar

PICTURE = ROOT / "docs" / "images" / "benchmarks.svg"
WIDTH, LABEL, RIGHT = 760, 260, 90
STEP, THICKNESS, HEAD, FOOT = 24, 14, 40, 12
OURS, OTHERS, INK, FAINT = "#3b5bdb", "#b4b4ac", "#1b1b18", "#6a6a63"


def draw(bars: Sequence[Bar], unit: str) -> str:
    """An SVG picture: one block of bars per group, the shortest first; all on one scale."""
    scale = (WIDTH - LABEL - RIGHT) / max(bar.value for bar in bars)
    parts, y = [], 0
    for group, members in groupby(bars, key=lambda bar: bar.group):
        y += HEAD
        parts.append(_text(16, y - 14, f"{unit}, {group}", INK, weight=600))
        for bar in sorted(members, key=lambda bar: bar.value):
            parts += _bar(bar, y, scale)
            y += STEP
    height = y + FOOT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{escape(unit)}">\n'
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def write(bars: Sequence[Bar], unit: str) -> Path:
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(bars, unit), encoding="utf-8")
    return PICTURE


def _bar(bar: Bar, y: int, scale: float) -> list[str]:
    is_ours = bar.label == "Antiphon"
    colour, width, middle = OURS if is_ours else OTHERS, max(1.0, bar.value * scale), y + THICKNESS // 2 + 4
    return [
        _text(LABEL - 10, middle, bar.label, INK if is_ours else FAINT, anchor="end", weight=600 if is_ours else 400),
        f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{THICKNESS}" rx="3" fill="{colour}"/>',
        _text(LABEL + width + 8, middle, f"{bar.value:.3g}", INK if is_ours else FAINT),
    ]


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: int = 400) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
    )
