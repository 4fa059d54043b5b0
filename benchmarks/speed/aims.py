"""The figures that were aimed at, and how they are read from a result of throughput.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from speed.figures import paired
from speed.markdown import Result, percent, tiny


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure that was aimed at.

    Attributes:
        what: for people.
        aim: the figure, as text.
        measured: reads it from the result; None where it was not measured.
        met: whether that is good enough.
        show: as text.
    """

    what: str
    aim: str
    measured: Callable[[Result], float | None]
    met: Callable[[float], bool]
    show: Callable[[float], str]


def row_of(result: Result, name: str) -> Result:
    """A contender's row; empty where it was not measured."""
    return next((row for row in result["rows"] if row["name"] == name and "seconds" in row), {})


def ratio(row: Result, other: Result, kind: str) -> dict[str, float] | None:
    """How many times as fast as another contender, round by round.

    Args:
        row: of a contender.
        other: of another; either may be empty.
        kind: ``tokens`` or ``texts`` a second.
    """
    if not row or not other:
        return None
    share = row["tokens"] / other["tokens"] if kind == "tokens" else 1.0
    return {end: share * value for end, value in paired(other["seconds"], row["seconds"]).items()}


def against(other: str) -> Callable[[Result], float | None]:
    """How many times as many tokens a second the pooled model reads."""

    def find(result: Result) -> float | None:
        found = ratio(row_of(result, "pooled"), row_of(result, other), "tokens")
        return None if found is None else found["median"]

    return find


def of_pooled(key: str) -> Callable[[Result], float | None]:
    """A figure in the pooled model's row."""
    return lambda result: row_of(result, "pooled").get(key)


def first_result(result: Result) -> float | None:
    """Seconds until the command has written its first result, with its default model."""
    return next((c["first_s"]["median"] for c in result["commands"] if c["model"] == "blend"), None)


def accuracy_drop(result: Result) -> float | None:
    """Points that int8 loses on essays."""
    found = result["int8"].get("essays")
    return None if found is None else float(found["fp32"] - found["int8"])


def times(value: float) -> str:
    """A ratio for a cell."""
    return f"{value:.2f} x"


AIMS = (
    Aim("tokens/s against the pipeline one by one", ">= 4 x",
        against("pipeline"), lambda v: v >= 4, times),
    Aim("against plain PyTorch fp32, sorted", ">= 3 x",
        against("torch-fp32"), lambda v: v >= 3, times),
    Aim("against ONNX Runtime dynamic int8 as exported", ">= 1.5 x",
        against("ort-int8"), lambda v: v >= 1.5, times),
    Aim("share of the int8 matrix peak", ">= 45 %",
        of_pooled("peak_share"), lambda v: v >= 0.45, percent),
    Aim("change of a score with its batch-mates", "none (< 1e-5)",
        of_pooled("batch_mate_change"), lambda v: v < 1e-5, tiny),
    Aim("median time of a 30-word text", "<= 3.5 ms",
        of_pooled("p50_ms"), lambda v: v <= 3.5, lambda v: f"{v:.2f} ms"),
    Aim("cold `persona-lab score` (blend) to its first result", "< 1.5 s",
        first_result, lambda v: v < 1.5, lambda v: f"{v:.2f} s"),
    Aim("peak memory", "< 400 MB",
        of_pooled("memory_mb"), lambda v: v < 400, lambda v: f"{v:.0f} MB"),
    Aim("points of accuracy that int8 costs on essays", "<= 0.5",
        accuracy_drop, lambda v: v <= 0.5, lambda v: f"{v:.2f}"),
)  # fmt: skip


def aim_row(aim: Aim, result: Result) -> tuple[str, str, str, str]:
    """What was aimed at, and whether it was reached."""
    value = aim.measured(result)
    if value is None:
        return aim.what, aim.aim, "not measured", ""
    return aim.what, aim.aim, aim.show(value), "yes" if aim.met(value) else "**no**"
