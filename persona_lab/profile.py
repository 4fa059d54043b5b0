"""Profiles: what a detector says about one speaker, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from persona_lab.traits import FRAMEWORKS, MBTI, Framework

Label = Literal["high", "low", "abstain"]

Measure = Literal["shown", "self-report"]
"""The two questions: what does the text show, and what would its author say of themselves?"""

SHOWN: Final = "shown"
SELF_REPORT: Final = "self-report"

Why = Literal["nothing_shown", "mixed", "too_short"]
"""Why a reader abstains: no sign, signs of both poles, or hardly a word to go by."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a text shows of one trait, on the scale on which readers rate.

    Attributes:
        level: expected rating, -2 (clearly low) over 0 (nothing shown, or evenly mixed) to 2
            (clearly high).
        level_low: lower end of its 90 % interval.
        level_high: upper end.
        why: why there is no label; None where there is one.
        turns: ids of the utterances that show it most, the strongest first.
    """

    level: float
    level_low: float
    level_high: float
    why: Why | None = None
    turns: tuple[str, ...] = ()

    @property
    def on_track(self) -> tuple[float, float, float]:
        """Level and ends of its interval on a track from 0 (level -2) to 1 (level 2)."""
        return (self.level + 2) / 4, (self.level_low + 2) / 4, (self.level_high + 2) / 4

    @property
    def why_in_words(self) -> str | None:
        """:attr:`why` for people."""
        return None if self.why is None else self.why.replace("_", " ")

    def to_row(self) -> dict[str, Any]:
        """The keys that it adds to a trait in a result row."""
        return {
            "level": round(self.level, 4),
            "level_low": round(self.level_low, 4),
            "level_high": round(self.level_high, 4),
            "why": self.why,
            "turns": list(self.turns),
        }


@dataclass(frozen=True, slots=True)
class TraitScore:
    """One trait of one speaker.

    Attributes:
        p_high: calibrated probability of the high pole (MBTI: of the first letter), 0..1.
        low: lower end of the 90 % interval on ``p_high``.
        high: upper end of the interval.
        label: ``abstain`` where the interval straddles ``threshold`` or the text is too
            short to tell.
        threshold: the decision boundary on ``p_high``, 0..1.
        shown: what a reader sees; None for detectors of self-report.
    """

    p_high: float
    low: float
    high: float
    label: Label
    threshold: float = 0.5
    shown: Shown | None = None

    @property
    def forced_high(self) -> bool:
        """The best guess if one must be made: is the high pole the better bet?"""
        return self.p_high >= self.threshold

    def to_row(self) -> dict[str, Any]:
        """The entry of a trait in a result row."""
        row: dict[str, Any] = {
            "p_high": round(self.p_high, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "label": self.label,
            "threshold": round(self.threshold, 4),
        }
        return row if self.shown is None else row | self.shown.to_row()

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> TraitScore:
        """Read what :meth:`to_row` wrote."""
        plain = {key: row[key] for key in ("p_high", "low", "high", "label")}
        threshold = row.get("threshold", 0.5)
        if "level" not in row:
            return cls(**plain, threshold=threshold)
        shown = {key: row[key] for key in ("level", "level_low", "level_high", "why")}
        return cls(**plain, threshold=threshold, shown=Shown(**shown, turns=tuple(row["turns"])))


@dataclass(frozen=True, slots=True)
class Warning_:
    """Something the reader of a score should know.

    Attributes:
        code: stable, for programs: ``too_short``, ``language``, ``no_match``, ...
        message: for people.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much one utterance, or a sentence of it, moved one trait.

    Attributes:
        utterance_id: the utterance.
        trait: trait key.
        weight: contribution to the log-odds of the high pole (natural log units).
        start: where the sentence begins in the utterance's text, in characters; None where
            all of the utterance is meant.
        end: where it ends.
    """

    utterance_id: str
    trait: str
    weight: float
    start: int | None = None
    end: int | None = None

    def quote(self, text: str) -> str:
        """The words that are meant, out of the utterance's text."""
        return text[self.start : self.end]

    def to_row(self) -> dict[str, Any]:
        """The entry in a result row."""
        row: dict[str, Any] = {
            "utterance_id": self.utterance_id,
            "trait": self.trait,
            "weight": round(self.weight, 4),
        }
        return row if self.start is None else row | {"start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class ItemRating:
    """How a questionnaire's item was rated, by a detector that asks items.

    Attributes:
        item: its id.
        trait: trait key.
        statement: what was rated.
        rating: on the instrument's scale, as said (reverse keys not applied); a mean
            where the item was rated several times.
        sd: of the rater's own distribution over the scale; None where it is not known.
        position: the rating by its key: 0 speaks for the low pole, 1 for the high pole.
    """

    item: str
    trait: str
    statement: str
    rating: float
    sd: float | None
    position: float


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model made a score: enough to find it again."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Scores of one speaker in one framework.

    Attributes:
        id: id of the dialogue.
        speaker: who is described.
        framework: the traits' framework.
        traits: by trait key, in the framework's order; a trait that could not be scored
            is missing and named in a warning ``trait_unscored``.
        word_count: words of the speaker that were read.
        n_segments: pieces they were encoded in (0 for a detector without segments).
        model: what made it.
        warnings: in order of weight.
        evidence: filled when asked for, strongest first.
        items: ratings, by detectors that ask a questionnaire's items.
    """

    id: str
    speaker: str
    framework: Framework
    traits: Mapping[str, TraitScore]
    word_count: int
    n_segments: int
    model: ModelInfo
    warnings: tuple[Warning_, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    items: tuple[ItemRating, ...] = ()

    @property
    def measure(self) -> Measure:
        """Which of the two questions the scores answer."""
        shown = any(score.shown is not None for score in self.traits.values())
        return SHOWN if shown else SELF_REPORT

    @property
    def type(self) -> str | None:
        """The MBTI type, ``X`` for a letter that is abstained from; None for Big Five."""
        if self.framework is not MBTI:
            return None
        return "".join(
            {"high": t.high, "low": t.low, "abstain": "X"}[self.traits[t.key].label]
            if t.key in self.traits
            else "X"
            for t in self.framework.traits
        )

    def to_row(self, *, explain: bool = False) -> dict[str, Any]:
        """The result row of ``persona-lab score`` (JSON types only)."""
        row: dict[str, Any] = {
            "id": self.id,
            "speaker": self.speaker,
            "framework": self.framework.name,
            "measure": self.measure,
            "status": "scored",
            "traits": {key: score.to_row() for key, score in self.traits.items()},
        }
        if self.type is not None:
            row["type"] = self.type
        row |= _tail(self.word_count, self.warnings, self.model) | {"n_segments": self.n_segments}
        if explain:
            row["evidence"] = [e.to_row() for e in self.evidence]
            if self.items:
                row["items"] = [_item_row(rating) for rating in self.items]
        return row

    def _repr_html_(self) -> str:
        from persona_lab.reports.notebook import profile_html

        return profile_html(self)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Profile:
        """Read what :meth:`to_row` wrote.

        Raises:
            KeyError: the row is not a scored result row.
        """
        return cls(
            id=row["id"],
            speaker=row["speaker"],
            framework=FRAMEWORKS[row["framework"]],
            traits={key: TraitScore.from_row(value) for key, value in row["traits"].items()},
            word_count=row["word_count"],
            n_segments=row.get("n_segments", 0),
            model=ModelInfo(**row["model"]),
            warnings=tuple(Warning_(**w) for w in row["warnings"]),
            evidence=tuple(Evidence(**e) for e in row.get("evidence", ())),
            items=tuple(ItemRating(**i) for i in row.get("items", ())),
        )


@dataclass(frozen=True, slots=True)
class Unscored:
    """A speaker or row that could not be scored: never a silent 0.

    Attributes:
        id: id of the dialogue, or of the row that could not be read.
        speaker: who should have been scored; None where the row could not be read.
        framework: the framework that was asked for; None where the row could not be read.
        reason: for people, one sentence.
        code: stable, for programs: ``no_words``, ``unreadable``, ``language``, ...
        word_count: words that were there.
    """

    id: str
    speaker: str | None
    framework: Framework | None
    reason: str
    code: str
    word_count: int = 0
    model: ModelInfo | None = None
    warnings: tuple[Warning_, ...] = field(default=())

    def to_row(self, *, explain: bool = False) -> dict[str, Any]:
        """The result row: as :meth:`Profile.to_row`, with ``reason`` and empty traits."""
        del explain  # the same call as on a profile; there is nothing to explain
        return {
            "id": self.id,
            "speaker": self.speaker,
            "framework": self.framework.name if self.framework else None,
            "status": "unscored",
            "reason": self.reason,
            "code": self.code,
            "traits": {},
        } | _tail(self.word_count, self.warnings, self.model)

    def _repr_html_(self) -> str:
        from persona_lab.reports.notebook import unscored_html

        return unscored_html(self)


def _item_row(rating: ItemRating) -> dict[str, Any]:
    return {
        "item": rating.item,
        "trait": rating.trait,
        "statement": rating.statement,
        "rating": round(rating.rating, 4),
        "sd": None if rating.sd is None else round(rating.sd, 4),
        "position": round(rating.position, 4),
    }


def _tail(
    word_count: int, warnings: tuple[Warning_, ...], model: ModelInfo | None
) -> dict[str, Any]:
    return {
        "word_count": word_count,
        "warnings": [{"code": w.code, "message": w.message} for w in warnings],
        "model": {"name": model.name, "version": model.version, "sha256": model.sha256}
        if model
        else None,
    }
