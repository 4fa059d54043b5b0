"""Cells and tables in Markdown, and the lines that say what a result was measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]
"""What a benchmark wrote with ``--out``."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a Markdown table and an empty one; the first column is of words."""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def number(value: float | None, digits: int = 0) -> str:
    """For a cell, with thousands apart; a dash for None."""
    return "-" if value is None else f"{value:,.{digits}f}"


def ranged(found: Result, digits: int = 2) -> str:
    """Median, and lowest to highest: ``1.52 (1.49-1.60)``."""
    low, high = (number(found[end], digits) for end in ("low", "high"))
    return f"{number(found['median'], digits)} ({low}-{high})"


def percent(share: float | None, digits: int = 0) -> str:
    """For a cell: 0.5 is 50 %."""
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def tiny(value: float | None) -> str:
    """For differences that may be a rounding error."""
    return "-" if value is None else ("0" if value == 0 else f"{value:.1e}")


def machine_lines(found: Result) -> Iterator[str]:
    """What it ran on."""
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    yield (
        f"{found['processor']}, {found['cores']} cores ({', '.join(found['instructions'])}), "
        f"{number(found['memory_gb'])} GB, {found['system']}, Python {found['python']}, "
        f"{packages}; persona-lab {found['persona_lab']}, {found['date']}."
    )
    yield ""
    if found["busy"]:
        yield (
            f"**Other programs took {percent(found['others'])} of the processors meanwhile: these "
            "figures say that the benchmark runs, and nothing about speed.**"
        )
        yield ""
    for name, value in found["threads_set"].items():
        yield f"`{name}={value}` was set."
        yield ""
