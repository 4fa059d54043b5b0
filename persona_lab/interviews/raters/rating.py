"""What a rater says about one answer or one group of answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from persona_lab.instruments import Domain, Instrument, Item
from persona_lab.interviews.records import Record, record_id
from persona_lab.interviews.rowfile import RowFile

CLOSED: Final = "closed"
OPTION: Final = "option"
LLM: Final = "llm"
DETECTOR: Final = "detector"
RATERS: Final = (CLOSED, OPTION, LLM, DETECTOR)


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of the bot that speak for a rating.

    Attributes:
        record: id of the answer they are from.
        text: word for word.
    """

    record: str
    text: str


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating.

    Attributes:
        id: stable; other answers give another one.
        rater: one of :data:`RATERS`.
        judge: the language model's name; None where none was asked.
        bot: name of the bot.
        persona: id of its persona.
        protocol: the answers are from.
        domain: key of the domain that was rated.
        facet: narrower trait, if the answer is about one.
        unit: what was rated, without the repeat: an item's id or a group's number.
        repeat: 0, 1, 2 ...
        score: position between the poles: 0 the low one, 1 the high one; None where unscored.
            A detector's is its calibrated probability of the high pole.
        low: lower end of the rater's own interval, where it has one.
        high: upper end.
        reason: why this score, or why none.
        code: of an unscored one, for programs.
        quotes: evidence; every quote occurs in its answer.
        n_answers: answers that were read.
        n_unusable: answers of the group that could not be read.
        flags: ``no_verified_quote``, ``too_short``, ``abstain``, ...
    """

    id: str
    rater: str
    judge: str | None
    bot: str
    persona: str | None
    protocol: str
    domain: str
    facet: str | None
    unit: str
    repeat: int
    score: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    code: str | None = None
    quotes: tuple[Quote, ...] = ()
    n_answers: int = 1
    n_unusable: int = 0
    flags: tuple[str, ...] = ()

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        row = asdict(self)
        return row | {"quotes": [asdict(q) for q in self.quotes], "flags": list(self.flags)}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Rating:
        """Undo :meth:`to_row`.

        Raises:
            KeyError: a field is missing.
            TypeError: a field is of another kind.
        """
        known = {field.name: row[field.name] for field in fields(cls)}
        quotes = tuple(Quote(**quote) for quote in known["quotes"])
        return cls(**known | {"quotes": quotes, "flags": tuple(known["flags"])})


@dataclass(frozen=True, slots=True)
class Group:
    """Answers that are rated together on one domain.

    Attributes:
        domain: what they are rated on.
        number: of the group within its sitting, from 1.
        records: usable answers, in order; may be empty.
        unusable: those that are not.
    """

    domain: Domain
    number: int
    records: tuple[Record, ...]
    unusable: tuple[Record, ...]

    @property
    def first(self) -> Record:
        """Any record: for what all have in common."""
        return (self.records or self.unusable)[0]

    def rating(self, rater: str, judge: str | None = None, **said: Any) -> Rating:
        """A rating of this group.

        Args:
            rater: one of :data:`RATERS`.
            judge: the language model.
            said: the other fields of :class:`Rating`.
        """
        record = self.first
        return Rating(
            id=record_id(
                record.bot, record.persona, record.protocol, rater, judge,
                self.domain.key, f"r{record.repeat}", f"g{self.number}", _digest(self.records),
            ),
            rater=rater,
            judge=judge,
            bot=record.bot,
            persona=record.persona,
            protocol=record.protocol,
            domain=self.domain.key,
            facet=None,
            unit=f"{self.domain.key} {self.number}",
            repeat=record.repeat,
            n_answers=len(self.records),
            n_unusable=len(self.unusable),
            **said,
        )  # fmt: skip


def groups(records: Sequence[Record], instrument: Instrument, size: int | None) -> Iterator[Group]:
    """Open answers in groups of one domain and sitting.

    Args:
        records: open answers; one without a domain (a story) is a group for each domain.
        instrument: whose domains are rated.
        size: answers in a group (batch rating); None puts all of a domain into one
            (collective rating).
    """
    sittings: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        key = (record.bot, record.persona, record.protocol, record.repeat)
        sittings.setdefault(key, []).append(record)
    for sitting in sittings.values():
        for domain in instrument.domains:
            mine = [r for r in sitting if r.domain in ("", domain.key)]
            about_all = [r for r in mine if r.domain == ""]
            about_one = [r for r in mine if r.domain != ""]
            # a story is long enough to be read by itself
            parts = [[r] for r in about_all] + _chunks(about_one, size)
            for number, part in enumerate(parts, 1):
                yield Group(
                    domain,
                    number,
                    tuple(r for r in part if r.status == "scored"),
                    tuple(r for r in part if r.status != "scored"),
                )


def _chunks(records: Sequence[Record], size: int | None) -> list[list[Record]]:
    """Parts of nearly equal length, none longer than ``size``."""
    if not records:
        return []
    n_parts = 1 if size is None else -(-len(records) // size)
    ends = [round(len(records) * i / n_parts) for i in range(n_parts + 1)]
    return [list(records[a:b]) for a, b in pairwise(ends)]


def unusable(group: Group) -> str:
    """Why a group without a usable answer cannot be rated."""
    codes = sorted({record.code or "unknown" for record in group.unusable})
    n = len(group.unusable)
    return f"none of {n} answer{'s' * (n != 1)} can be used ({', '.join(codes)})"


def of_record(record: Record, rater: str, judge: str | None = None, **said: Any) -> Rating:
    """A rating of one answer to an item."""
    return Rating(
        id=record_id(record.id, rater, judge, _digest([record])),
        rater=rater,
        judge=judge,
        bot=record.bot,
        persona=record.persona,
        protocol=record.protocol,
        domain=record.domain,
        facet=record.facet,
        unit=record.item,
        repeat=record.repeat,
        **said,
    )


def _digest(records: Sequence[Record]) -> str:
    """Of the answers: a rating of others is another rating."""
    said = "\n".join(f"{record.id}\n{record.answer}" for record in records)
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:8]


def position(item: Item, rating: float, instrument: Instrument) -> float:
    """A rating by its key, 0 the low pole and 1 the high one."""
    scale = instrument.scale
    return (item.reflect(rating, scale) - scale.low) / (scale.high - scale.low)


def agreement_words(instrument: Instrument, rating: float) -> str:
    """A rating in words: ``4 (moderately accurate)``."""
    words = dict(instrument.scale.labelled).get(round(rating), "")
    said = f"{rating:g}"
    return f"{said} ({words})" if words and rating == round(rating) else said


class RatingFile(RowFile[Rating]):
    """Ratings by judges, one a line, so that a rerun does not pay for them again."""

    def __init__(self, path: Path) -> None:
        """Open a file, new or from an earlier run.

        Raises:
            InputError: it holds something else.
            PersonaLabError: it cannot be written.
        """
        super().__init__(path, Rating.from_row)

    def __enter__(self) -> RatingFile:
        """Return the file itself."""
        return self
