"""The page's part on growth."""

from __future__ import annotations

from collections.abc import Iterator

from speed.markdown import Result, machine_lines, number, table

_LINEAR = 1.15
"""Highest slope that still counts as linear, for timing is never exact."""


def growth_lines(result: Result, plot: str | None) -> Iterator[str]:
    """Time and memory against size, as Markdown."""
    yield "## Growth"
    yield ""
    yield from machine_lines(result["machine"])
    yield (
        "Slopes of the logarithms: 1 is linear. The upper slope is that of the larger half of "
        "the sizes, where the fixed costs of a run no longer show. Each size ran in a process of "
        "its own; loading does not count as time, but does as memory."
    )
    yield ""
    if plot:
        yield f"![Time and memory against texts, words and turns]({plot})"
        yield ""
    rows = []
    for line in result["lines"]:
        first, last = line["points"][0], line["points"][-1]
        linear = line["upper_slope"] <= _LINEAR
        rows.append(
            [line["what"], f"{number(first['size'])}-{number(last['size'])}",
             f"{first['seconds']:.3g}-{last['seconds']:.3g}",
             number(line["slope"], 2),
             f"{number(line['upper_slope'], 2)}{'' if linear else ' **above linear**'}",
             f"{number(first['memory_mb'])}-{number(last['memory_mb'])}",
             number(last["size"] / last["seconds"], 1)]
        )  # fmt: skip
    yield from table(
        ("", "sizes", "seconds", "slope", "upper slope", "peak MB", "a second at the largest"), rows
    )
