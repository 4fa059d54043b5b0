"""One speaker of one dialogue, all parts together: the row, and what is behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from persona_lab.consistency.accommodation import Accommodation
from persona_lab.consistency.details import details, rounded
from persona_lab.consistency.drift import Drift
from persona_lab.consistency.entailment import Coherence
from persona_lab.consistency.markers import Marker
from persona_lab.consistency.overall import WEIGHTS, costs_of, explain, overall
from persona_lab.consistency.parts import NotScored, Score
from persona_lab.consistency.stability import Stability
from persona_lab.consistency.target import TargetMatch
from persona_lab.profile import ModelInfo, Warning_
from persona_lab.traits import Framework

PARTS = tuple(WEIGHTS)
"""Names of the parts, in the order of the rows."""


@dataclass(frozen=True, slots=True)
class Report:
    """How consistent one speaker is.

    Attributes:
        id: of the dialogue.
        speaker: who.
        framework: of the trait scores.
        stability: see the part's module; so for the next four.
        drift: course of the dialogue.
        target: match with what was asked for.
        contradiction: agreement with persona and earlier turns.
        accommodation: fit to the partner.
        markers: words that set the speaker apart from the others of the dialogue or, with
            nobody else there, the turns after the change point from those before.
        word_count: words of the speaker.
        model: the detector and, where it was used, the contradiction model.
        warnings: what the reader of the score should know.
    """

    id: str
    speaker: str
    framework: Framework
    stability: Stability | NotScored
    drift: Drift | NotScored
    target: TargetMatch | NotScored
    contradiction: Coherence | NotScored
    accommodation: Accommodation | NotScored
    markers: tuple[Marker, ...]
    word_count: int
    model: ModelInfo
    warnings: tuple[Warning_, ...] = field(default=())

    @property
    def parts(self) -> dict[str, Score | NotScored]:
        """The scores of the parts, or why they have none."""
        found = {name: getattr(self, name) for name in PARTS}
        return {
            name: part if isinstance(part, NotScored) else part.score
            for name, part in found.items()
        }

    @property
    def score(self) -> Score | NotScored:
        """The overall score."""
        return overall(self.parts)

    @property
    def explanation(self) -> str:
        """Why the score is what it is."""
        return explain(self.parts, self.score, self._facts())

    def to_row(self) -> dict[str, Any]:
        """The result row (JSON types only); a part without a score is null."""
        parts, score = self.parts, self.score
        row = head(self.id, self.speaker, self.framework)
        missing = {n: p.reason for n, p in parts.items() if isinstance(p, NotScored)}
        if isinstance(score, Score):
            row |= {
                "status": "scored",
                "score": rounded(score.value),
                "low": rounded(score.low),
                "high": rounded(score.high),
            }
        else:
            row |= {"reason": score.reason, "code": score.code}
        row["parts"] = {
            name: rounded(part.value) if isinstance(part, Score) else None
            for name, part in parts.items()
        }
        row["unscored"] = missing
        row["costs"] = {name: rounded(cost) for name, cost in costs_of(parts).items()}
        row["change_point"] = self._change_point()
        row["contradictions"] = self._contradictions()
        row["suspect"] = self._suspect()
        row["explanation"] = self.explanation
        row["details"] = self._details()
        return row | tail(self.word_count, self.warnings, self.model)

    def _repr_html_(self) -> str:
        from persona_lab.reports.notebook import report_html

        return report_html(self)

    def _change_point(self) -> dict[str, Any] | None:
        if isinstance(self.drift, NotScored):
            return None
        found = self.drift.change_point
        return {
            "turn": found.turn,
            "probability": rounded(found.probability),
            "before": None if found.before is None else found.before.to_row(),
            "after": None if found.after is None else found.after.to_row(),
            "words": found.in_words,
        }

    def _contradictions(self) -> list[dict[str, Any]]:
        if isinstance(self.contradiction, NotScored):
            return []
        return [conflict.to_row() for conflict in self.contradiction.conflicts]

    def _suspect(self) -> dict[str, Any] | None:
        if isinstance(self.contradiction, NotScored) or self.contradiction.suspect is None:
            return None
        return self.contradiction.suspect.to_row()

    def _facts(self) -> dict[str, str]:
        """By part, what was found, in a few words."""
        facts = {}
        if isinstance(self.stability, Stability):
            facts["stability"] = self._steadiness(self.stability)
        if isinstance(self.drift, Drift):
            point = self.drift.change_point
            said = f"change at turn {point.turn} with probability {point.probability:.2f}"
            facts["drift"] = said if point.in_words is None else f"{said}: {point.in_words}"
        if isinstance(self.target, TargetMatch):
            worst = min(self.target.traits, key=lambda key: (self.target_match(key), key))
            facts["target"] = f"{worst} matches least, {self.target_match(worst):.2f}"
        if isinstance(self.contradiction, Coherence):
            n = len(self.contradiction.conflicts)
            facts["contradiction"] = f"{n or 'no'} contradicting pair{'s' * (n != 1)}"
            if self.contradiction.match is not None:
                facts["contradiction"] += f", persona fits {self.contradiction.match:.2f}"
        if isinstance(self.accommodation, Accommodation):
            facts["accommodation"] = f"turn {self.accommodation.weakest} fits its neighbours least"
        return facts

    @staticmethod
    def _steadiness(found: Stability) -> str:
        if found.chance is None:
            return f"signs of one pole outweigh those of the other by {found.score.value:.0%}"
        shuffled = "all speakers' turns" if found.chance == "speakers" else "own turns"
        return f"{found.score.value:.0%} of shuffles of {shuffled} spread at least as much"

    def target_match(self, trait: str) -> float:
        """How well a wanted trait matches, 0..1.

        Raises:
            ValueError: there was no target, or it could not be compared.
        """
        if isinstance(self.target, NotScored):
            raise ValueError(self.target.reason)
        return self.target.traits[trait]

    def _details(self) -> dict[str, Any]:
        """The measures behind the parts."""
        found: dict[str, Any] = {
            "markers": [{"word": m.word, "z": rounded(m.z), "n": m.count} for m in self.markers]
        }
        for name in PARTS:
            part = getattr(self, name)
            if not isinstance(part, NotScored):
                found[name] = details(name, part)
        return found


@dataclass(frozen=True, slots=True)
class Unread:
    """A speaker, dialogue or input row of which nothing can be scored.

    Attributes:
        id: of the dialogue, or of the row that could not be read.
        speaker: who should have been scored; None where nobody speaks.
        score: why there is none.
        framework: of the trait scores; None where there is no speaker.
        word_count: words of the speaker.
        model: as in a report.
        warnings: as in a report.
    """

    id: str
    speaker: str | None
    score: NotScored
    framework: Framework | None = None
    word_count: int = 0
    model: ModelInfo | None = None
    warnings: tuple[Warning_, ...] = ()

    def to_row(self) -> dict[str, Any]:
        """The result row, with the keys of :meth:`Report.to_row` and a ``reason``."""
        empty: dict[str, Any] = {
            "reason": self.score.reason,
            "code": self.score.code,
            "parts": dict.fromkeys(PARTS),
            "unscored": dict.fromkeys(PARTS, self.score.reason),
            "costs": {},
            "change_point": None,
            "contradictions": [],
            "suspect": None,
            "explanation": f"Not scored: {self.score.reason}.",
            "details": {},
        }
        start = head(self.id, self.speaker, self.framework)
        return start | empty | tail(self.word_count, self.warnings, self.model)

    def _repr_html_(self) -> str:
        from persona_lab.reports.notebook import unscored_html

        return unscored_html(self)


def head(id: str, speaker: str | None, framework: Framework | None) -> dict[str, Any]:
    """The beginning of a row, unscored until told otherwise."""
    return {
        "id": id,
        "speaker": speaker,
        "framework": framework.name if framework else None,
        "status": "unscored",
        "score": None,
        "low": None,
        "high": None,
    }


def tail(
    word_count: int, warnings: tuple[Warning_, ...], model: ModelInfo | None
) -> dict[str, Any]:
    """The end of a row."""
    return {
        "word_count": word_count,
        "warnings": [{"code": w.code, "message": w.message} for w in warnings],
        "model": {"name": model.name, "version": model.version, "sha256": model.sha256}
        if model
        else None,
    }
