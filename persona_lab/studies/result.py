"""What a recomputed study says: figures beside those of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        measure: what it is, with its unit.
        paper: as published, to ``digits`` decimals; None where the paper gives none, or its
            figure is about other data than these.
        here: as computed from the recorded data; None where it cannot be.
        digits: decimals of the published figure, or to show.
    """

    measure: str
    paper: float | None
    here: float | None
    digits: int = 3

    @property
    def difference(self) -> float | None:
        """Here minus paper, at the paper's precision; None where one is missing."""
        if self.paper is None or self.here is None:
            return None
        # adding 0 turns a negative zero into 0
        return round(rounded(self.here, self.digits) - self.paper, self.digits) + 0.0


def rounded(value: float, digits: int) -> float:
    """Round as papers do: a last 5 goes up (6.3045 to 6.305, where ``round`` says 6.304)."""
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class StudyResult:
    """All figures of one study.

    Attributes:
        study: its name.
        title: for people.
        source: where it was published.
        rows: in reporting order.
        details: everything else, JSON types only.
        notes: what the reader should know about the data, one sentence each.
    """

    study: str
    title: str
    source: str
    rows: tuple[Row, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """One object of JSON types; the keys of ``details`` are beside the others."""
        rows = [
            {
                "measure": row.measure,
                "paper": row.paper,
                "here": None if row.here is None else round(row.here, max(row.digits, 4)),
                "difference": row.difference,
            }
            for row in self.rows
        ]
        head = {"study": self.study, "title": self.title, "source": self.source, "rows": rows}
        return head | {"notes": list(self.notes)} | dict(self.details)
