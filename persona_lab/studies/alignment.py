"""How well personalities that were read off agree with what people say of the same characters.

Two kinds of labels: MBTI types, letter by letter, and scores per dimension, compared as
InCharacter does (Wang et al. 2024, arXiv 2310.17976 v2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from persona_lab.errors import TargetError
from persona_lab.psychometrics.agreement import wilson
from persona_lab.psychometrics.estimate import CONFIDENCE, Estimate, mean_estimate

LETTERS = ("EI", "SN", "TF", "PJ")
"""The axes in the order of a type's letters, first letter first."""

OPEN = "X"
"""A letter or type on which people disagree; it is not scored."""

Side = Literal["H", "L", "X"]

_HIGH, _LOW = 0.6, 0.4
# scores are means of few ratings, so they lie exactly on a limit or well away from it
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Proportion:
    """How many of how many, with Wilson's interval."""

    correct: int
    total: int
    estimate: Estimate

    @classmethod
    def of(cls, correct: int, total: int, confidence: float = CONFIDENCE) -> Proportion:
        """Count and estimate."""
        return cls(correct, total, wilson(correct, total, confidence=confidence))

    def to_row(self) -> dict[str, Any]:
        """As JSON types; ``accuracy`` is None where there was nothing to score."""
        row = self.estimate.to_row()
        row["accuracy"] = row.pop("estimate")
        del row["n"]
        return {"correct": self.correct, "total": self.total} | row


@dataclass(frozen=True, slots=True)
class PredictedType:
    """A type as it was read off.

    Attributes:
        letters: four letters; a tie has the axis' first letter, ``X`` abstains.
        tied: positions (0..3) at which both letters had the same score.
    """

    letters: str
    tied: tuple[int, ...] = ()

    @classmethod
    def parse(cls, letters: str) -> PredictedType:
        """Read a type such as ``ENFP`` or ``EXFP``.

        Raises:
            TargetError: it is none.
        """
        return cls(parse_type(letters))

    @classmethod
    def from_scores(cls, scores: Sequence[Mapping[str, float]]) -> PredictedType:
        """Take the letter with the larger score on each axis.

        Args:
            scores: for each of :data:`LETTERS`, a score of each letter; an empty one abstains.
        """
        letters, tied = "", []
        for position, (axis, score) in enumerate(zip(LETTERS, scores, strict=True)):
            if not score:
                letters += OPEN
                continue
            first, second = score[axis[0]], score[axis[1]]
            letters += axis[0] if first >= second else axis[1]
            if first == second:
                tied.append(position)
        return cls(letters, tuple(tied))

    def other_way(self) -> str:
        """The letters if every tie went to the second letter."""
        return "".join(
            LETTERS[i][1] if i in self.tied else letter for i, letter in enumerate(self.letters)
        )


def parse_type(code: str) -> str:
    """Four upper-case letters, each of its axis or ``X``.

    Raises:
        TargetError: the code is no type.
    """
    letters = code.strip().upper()
    if len(letters) != len(LETTERS) or any(
        letter not in (*axis, OPEN) for letter, axis in zip(letters, LETTERS, strict=True)
    ):
        raise TargetError(
            f"not an MBTI type: {code!r}; use letters such as INFP, X for an open one"
        )
    return letters


@dataclass(frozen=True, slots=True)
class TypeAlignment:
    """Predicted types against human ones.

    Attributes:
        letters: letters that agree; those that people left open are skipped.
        by_axis: the same for each of :data:`LETTERS`.
        whole: characters of whom every scored letter agrees.
        ties: scored letters whose prediction was a tie; they went to the first letter.
        letters_other_way: letters that agree if ties go to the second letter.
        whole_other_way: characters, likewise.
        abstained: scored letters on which the prediction abstains; they count as wrong.
        missing: characters with a human label and no prediction; they do not count.
        unlabelled: characters with a prediction and no label.
    """

    letters: Proportion
    by_axis: Mapping[str, Proportion]
    whole: Proportion
    ties: int
    letters_other_way: Proportion
    whole_other_way: Proportion
    abstained: int
    missing: tuple[str, ...]
    unlabelled: tuple[str, ...]

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        return self.letters.to_row() | {
            "by_axis": {axis: share.to_row() for axis, share in self.by_axis.items()},
            "whole_types": self.whole.to_row(),
            "ties": {
                "count": self.ties,
                "to_first_letter": {
                    "correct": self.letters.correct,
                    "whole_types_correct": self.whole.correct,
                },
                "to_second_letter": {
                    "correct": self.letters_other_way.correct,
                    "accuracy": self.letters_other_way.to_row()["accuracy"],
                    "whole_types_correct": self.whole_other_way.correct,
                },
            },
            "abstained": self.abstained,
            "missing": list(self.missing),
            "unlabelled": list(self.unlabelled),
        }


def align_types(predicted: Mapping[str, PredictedType], human: Mapping[str, str]) -> TypeAlignment:
    """Compare types letter by letter.

    Args:
        predicted: types by character.
        human: types by character, ``X`` where people disagree.

    Raises:
        TargetError: a human type is none.
    """
    labels = {name: parse_type(code) for name, code in human.items() if name in predicted}
    first = {name: predicted[name].letters for name in labels}
    second = {name: predicted[name].other_way() for name in labels}
    cells = [
        (name, i)
        for name, code in labels.items()
        for i, letter in enumerate(code)
        if letter != OPEN
    ]

    def right(guess: Mapping[str, str], position: int | None = None) -> Proportion:
        chosen = [c for c in cells if position in (None, c[1])]
        return Proportion.of(sum(guess[n][i] == labels[n][i] for n, i in chosen), len(chosen))

    def whole(guess: Mapping[str, str]) -> Proportion:
        names = {name for name, _ in cells}
        wrong = {n for n, i in cells if guess[n][i] != labels[n][i]}
        return Proportion.of(len(names - wrong), len(names))

    return TypeAlignment(
        letters=right(first),
        by_axis={axis: right(first, i) for i, axis in enumerate(LETTERS)},
        whole=whole(first),
        ties=sum(i in predicted[name].tied for name, i in cells),
        letters_other_way=right(second),
        whole_other_way=whole(second),
        abstained=sum(first[name][i] == OPEN for name, i in cells),
        missing=tuple(name for name in human if name not in predicted),
        unlabelled=tuple(name for name in predicted if name not in human),
    )


def side_of(score: float, scale: tuple[float, float]) -> Side:
    """InCharacter's rule for labels: H above .6 of the scale, L below .4, X between."""
    place = (score - scale[0]) / (scale[1] - scale[0])
    return "H" if place > _HIGH + _ROUNDING else "L" if place < _LOW - _ROUNDING else "X"


@dataclass(frozen=True, slots=True)
class DimensionLabel:
    """What people say of a character on one dimension: a score on the scale, and its side."""

    score: float
    side: Side


@dataclass(frozen=True, slots=True)
class DimensionAlignment:
    """Predicted scores against human ones on one questionnaire.

    Attributes:
        accuracy: dimensions whose predicted score is on the same side of the scale's middle
            as the label; those labelled X are skipped. (InCharacter's Acc Dim.)
        by_dimension: the same for each dimension.
        full: characters of whom all scored dimensions are right (Acc Full); those with none
            are skipped.
        mae: mean absolute difference of scores on scored dimensions, over the scale's width,
            0..1, with its t interval.
        three_way: dimensions whose prediction is on the same side by the .6/.4 rule, too; one
            between counts as wrong.
        decided: the same among predictions that are not between.
        missing: dimensions with a label and no predicted score; they do not count.
    """

    accuracy: Proportion
    by_dimension: Mapping[str, Proportion]
    full: Proportion
    mae: Estimate
    three_way: Proportion
    decided: Proportion
    missing: int

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "dimension_accuracy": self.accuracy.to_row(),
            "by_dimension": {name: share.to_row() for name, share in self.by_dimension.items()},
            "full_accuracy": self.full.to_row(),
            "mae": self.mae.to_row(),
            "three_way_accuracy": self.three_way.to_row(),
            "decided_accuracy": self.decided.to_row(),
            "missing": self.missing,
        }


@dataclass(frozen=True, slots=True)
class _Case:
    """One scored dimension of one character."""

    name: str
    dimension: str
    right: bool
    predicted: Side
    label: Side
    error: float


def align_dimensions(
    predicted: Mapping[str, Mapping[str, float]],
    human: Mapping[str, Mapping[str, DimensionLabel]],
    scale: tuple[float, float],
) -> DimensionAlignment:
    """Compare scores dimension by dimension.

    Args:
        predicted: scores by character and dimension.
        human: labels by character and dimension.
        scale: lowest and highest score, of both.
    """
    middle, width = sum(scale) / 2, scale[1] - scale[0]
    cases = []
    missing = 0
    for name, labels in human.items():
        for dimension, label in labels.items():
            score = predicted.get(name, {}).get(dimension)
            if label.side == OPEN:
                continue
            if score is None:
                missing += 1
                continue
            right = ("H" if score > middle else "L") == label.side
            error = abs(score - label.score) / width
            cases.append(_Case(name, dimension, right, side_of(score, scale), label.side, error))
    decided = [c for c in cases if c.predicted != OPEN]
    names = {c.name for c in cases}
    dimensions = dict.fromkeys(d for labels in human.values() for d in labels)
    return DimensionAlignment(
        accuracy=_share([c.right for c in cases]),
        by_dimension={d: _share([c.right for c in cases if c.dimension == d]) for d in dimensions},
        full=Proportion.of(len(names - {c.name for c in cases if not c.right}), len(names)),
        mae=mean_estimate(np.array([c.error for c in cases])),
        three_way=_share([c.predicted == c.label for c in cases]),
        decided=_share([c.predicted == c.label for c in decided]),
        missing=missing,
    )


def _share(right: Sequence[bool]) -> Proportion:
    return Proportion.of(sum(right), len(right))
