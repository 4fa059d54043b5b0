"""How much would be kept at other thresholds? Answered from the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from persona_lab.filtering.decide import Decider, Decision
from persona_lab.filtering.fields import FieldError, unknown_field
from persona_lab.filtering.ledger import read_ledger
from persona_lab.filtering.rules import Rule, compared_numbers
from persona_lab.filtering.scores import Scores

_MOST = 2_000
_DECILES = tuple(np.arange(0.1, 0.95, 0.1).round(1).tolist())


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One cell of the grid.

    Attributes:
        values: threshold by field.
        keep: the expression with these thresholds.
        kept: rows.
        dropped: rows.
        unscored: rows.
    """

    values: Mapping[str, float]
    keep: str
    kept: int
    dropped: int
    unscored: int

    @property
    def share(self) -> float:
        """Kept of all rows, 0..1; 0 where there are none."""
        return self.kept / max(1, self.kept + self.dropped + self.unscored)

    def to_row(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "values": dict(self.values),
            "keep": self.keep,
            "kept": self.kept,
            "dropped": self.dropped,
            "unscored": self.unscored,
            "share": round(self.share, 4),
        }


def sweep(
    scores: str | Path,
    keep: str,
    grid: Mapping[str, Sequence[float]] | None = None,
    *,
    any_speaker: bool = False,
    drop_duplicates: bool = False,
) -> list[SweepRow]:
    """Count what would be kept over a grid of thresholds.

    Args:
        scores: the ``out`` folder of a run.
        keep: expression; the number that a field of the grid is compared with is what
            varies.
        grid: thresholds by field; all their combinations are tried. None varies each
            compared field alone, over the deciles of its values.
        any_speaker: as for :func:`persona_lab.filtering.scores.filter_scores`.
        drop_duplicates: likewise.

    Returns:
        One row a combination, in the grid's order.

    Raises:
        FieldError: a field of the grid is not compared with a number in ``keep``, or the
            grid has more than 2,000 combinations.
        InputError: the scores cannot be read.
    """
    opened = Scores.open(scores)
    kinds = {name: field.kind for name, field in opened.fields.items()}
    rule = Rule(keep, kinds)
    compared = _compared(rule)
    if grid is None:
        settings = _one_by_one(opened, compared)
    else:
        _check(grid, compared, kinds)
        settings = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    if len(settings) > _MOST:
        raise FieldError(f"the grid has {len(settings):,} combinations; {_MOST:,} are allowed")
    expressions = [_with_thresholds(rule, values) for values in settings]
    deciders = [
        Decider(Decision(text, any_speaker, drop_duplicates), opened.fields) for text in expressions
    ]
    needed = dict.fromkeys(name for decider in deciders for name in decider.needed)
    for table in read_ledger(opened.ledger, list(needed)):
        for decider in deciders:
            decider.decide(table, reasons=False)
    return [
        SweepRow(values, text, *(decider.counts.rows[v] for v in ("kept", "dropped", "unscored")))
        for values, text, decider in zip(settings, expressions, deciders, strict=True)
    ]


def _compared(rule: Rule) -> dict[str, None]:
    return dict.fromkeys(
        name for clause in rule.clauses for name, _ in compared_numbers(clause.tree)
    )


def _with_thresholds(rule: Rule, values: Mapping[str, float]) -> str:
    parts = []
    for clause in rule.clauses:
        tree = clause.tree.copy()
        for name, literal in list(compared_numbers(tree)):
            if name in values:
                literal.set("this", f"{values[name]:g}")
        parts.append(tree.sql())
    return " AND ".join(f"({part})" if " OR " in part else part for part in parts)


def _check(
    grid: Mapping[str, Sequence[float]], compared: Mapping[str, None], kinds: Mapping[str, Any]
) -> None:
    for name in grid:
        if name not in kinds:
            raise unknown_field(name, kinds, where="--vary")
        if name not in compared:
            raise FieldError(
                f"--vary {name}: --keep does not compare it with a number; it compares: "
                f"{', '.join(compared) or 'nothing'}"
            )


def _one_by_one(opened: Scores, compared: Mapping[str, None]) -> list[dict[str, float]]:
    """Each field alone, at the deciles of its values; counts at whole numbers."""
    if not compared:
        raise FieldError("--keep compares no field with a number, so there is nothing to vary")
    values: dict[str, list[np.ndarray[Any, Any]]] = {name: [] for name in compared}
    for table in read_ledger(opened.ledger, list(compared)):
        for name in compared:
            values[name].append(table[name].drop_null().to_numpy().astype(np.float32))
    settings = []
    for name, parts in values.items():
        known = np.concatenate(parts) if parts else np.empty(0)
        if len(known):
            digits = 0 if opened.fields[name].kind == "count" else 3
            deciles = np.quantile(known, _DECILES).astype(float).round(digits).tolist()
            settings += [{name: value} for value in dict.fromkeys(deciles)]
    return settings


def parse_vary(given: Sequence[str]) -> dict[str, list[float]] | None:
    """Read ``FIELD=START:STOP:STEP`` or ``FIELD=A,B,C``, once a field.

    Returns:
        Thresholds by field, STOP included; None if nothing is given.

    Raises:
        FieldError: it is something else.
    """
    grid: dict[str, list[float]] = {}
    for one in given:
        name, _, text = one.partition("=")
        try:
            if ":" in text:
                start, stop, step = (float(part) for part in text.split(":"))
                count = int(np.floor((stop - start) / step + 1e-9)) + 1
                values = [round(start + i * step, 10) for i in range(count)]
            else:
                values = [float(part) for part in text.split(",")]
        except (ValueError, ZeroDivisionError):
            values = []
        if not values or not name.strip() or not np.isfinite(values).all():
            raise FieldError(
                f"cannot read --vary {one!r}; write FIELD=START:STOP:STEP or FIELD=A,B,C, for "
                "example extraversion.p_high=0.5:0.9:0.1"
            )
        grid[name.strip()] = values
    return grid or None
