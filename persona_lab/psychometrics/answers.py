"""Answers of a battery as tables: by factor, by sitting, by respondent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from persona_lab.instruments import Instrument
from persona_lab.interviews.records import Record
from persona_lab.psychometrics.estimate import Floats

FACTORS: Final = ("wording", "order", "temperature", "repeat", "item", "persona")
"""What an answer depends on, in the order of reports."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One item that was asked.

    Attributes:
        persona: the respondent.
        wording: of the question.
        order: of the options.
        temperature: of the sampling.
        repeat: 0, 1, 2 ...
        item: id.
        domain: key.
        rating: as printed; None where it could not be used.
        score: the same so that more means more of the trait.
        code: why there is none.
    """

    persona: str
    wording: str
    order: str
    temperature: float
    repeat: int
    item: str
    domain: str
    rating: float | None
    score: float | None
    code: str | None

    @property
    def sitting(self) -> tuple[object, ...]:
        """What the answers of one sitting share."""
        return self.persona, self.wording, self.order, self.temperature, self.repeat


def read_answers(records: Iterable[Record], instrument: Instrument) -> list[Answer]:
    """The records about an instrument, with reverse-keyed items turned around."""
    items = {item.id: item for item in instrument.items}
    found = []
    for record in records:
        item = items.get(record.item)
        if record.instrument != instrument.name or item is None:
            continue
        rating = record.rating if record.status == "scored" else None
        found.append(
            Answer(
                record.persona or record.bot,
                record.wording,
                record.order,
                float(record.temperature),
                record.repeat,
                item.id,
                item.domain,
                rating,
                None if rating is None else item.reflect(rating, instrument.scale),
                record.code if rating is None else None,
            )
        )
    return found


def by_level(
    answers: Sequence[Answer], factor: str, *, value: str = "score"
) -> dict[str, list[float | None]]:
    """Answers at each level of a factor, those in the same place alike in all else.

    Args:
        answers: of any number of respondents.
        factor: one of :data:`FACTORS`.
        value: ``score`` or ``rating``.

    Returns:
        ``(n,)`` numbers a level, None where one is missing; levels in order of occurrence.
    """
    others = [name for name in FACTORS if name != factor]
    cells: dict[tuple[object, ...], dict[str, float | None]] = {}
    levels: dict[str, None] = {}
    for answer in answers:
        place = tuple(getattr(answer, name) for name in others)
        level = _name(getattr(answer, factor))
        levels[level] = None
        cells.setdefault(place, {})[level] = getattr(answer, value)
    return {level: [cell.get(level) for cell in cells.values()] for level in levels}


def sitting_scores(answers: Iterable[Answer]) -> dict[tuple[object, ...], float]:
    """Mean score by sitting; sittings without a usable answer are left out."""
    found: dict[tuple[object, ...], list[float]] = {}
    for answer in answers:
        if answer.score is not None:
            found.setdefault(answer.sitting, []).append(answer.score)
    return {sitting: float(np.mean(scores)) for sitting, scores in found.items()}


def means_by(answers: Iterable[Answer], *names: str) -> dict[tuple[object, ...], float]:
    """Mean score by any fields of an answer."""
    found: dict[tuple[object, ...], list[float]] = {}
    for answer in answers:
        if answer.score is not None:
            key = tuple(getattr(answer, name) for name in names)
            found.setdefault(key, []).append(answer.score)
    return {key: float(np.mean(scores)) for key, scores in found.items()}


def grid(values: Mapping[tuple[object, ...], float]) -> Floats:
    """Values keyed by ``(row, *column)`` as a table, NaN where a cell is missing."""
    rows = list(dict.fromkeys(key[0] for key in values))
    columns = list(dict.fromkeys(key[1:] for key in values))
    table = np.full((len(rows), len(columns)), np.nan)
    row_at, column_at = ({k: i for i, k in enumerate(keys)} for keys in (rows, columns))
    for key, value in values.items():
        table[row_at[key[0]], column_at[key[1:]]] = value
    return table


def _name(level: object) -> str:
    return f"{level:g}" if isinstance(level, float) else str(level)
