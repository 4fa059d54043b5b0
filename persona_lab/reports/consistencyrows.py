"""Rows of ``persona-lab consistency``, without the words that they quote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from persona_lab.consistency.overall import WEIGHTS
from persona_lab.reports.results import count, probability, word


@dataclass(frozen=True, slots=True)
class Change:
    """The likeliest change point.

    Attributes:
        turn: that it comes before, from 0, as in the row.
        probability: that there is one, 0..1.
        shift: by trait, log-odds after minus before.
        words: what changed, for people; None where that is not known.
    """

    turn: int
    probability: float
    shift: Mapping[str, float]
    words: str | None = None


@dataclass(frozen=True, slots=True)
class ConsistencyRow:
    """One speaker of one dialogue.

    Attributes:
        source: name of the file.
        id: of the dialogue.
        speaker: name; None where nobody was scored.
        score: overall, 0..1; None where it is unscored.
        low: lower end of its 90 % interval.
        high: upper end.
        code: why it is unscored.
        reason: the same for people.
        parts: scores by part, 0..1; None for one that is unscored.
        missing: reasons of those.
        costs: what each scored part takes off the score, 0..1.
        change: None where the course could not be judged.
        contradictions: how many pairs; None where they could not be judged.
        strongest: probability of the surest of them; None where there is none.
        met: whether the target was met; None without one.
        words: of the speaker.
        windows: probabilities by trait, window by window.
        warnings: codes.
        model: that scored.
    """

    source: str
    id: str
    speaker: str | None
    score: float | None
    low: float | None
    high: float | None
    code: str | None
    reason: str | None
    parts: Mapping[str, float | None]
    missing: Mapping[str, str]
    costs: Mapping[str, float]
    change: Change | None
    contradictions: int | None
    strongest: float | None
    met: bool | None
    words: int
    windows: Mapping[str, tuple[float, ...]]
    warnings: tuple[str, ...]
    model: Mapping[str, Any] | None

    @property
    def costliest(self) -> str | None:
        """The part that takes most from the score; None where nothing is scored."""
        return max(self.costs, key=lambda name: self.costs[name]) if self.costs else None


def parse_consistency(row: Mapping[str, Any], source: str) -> ConsistencyRow:
    """Read a row.

    Args:
        row: JSON types.
        source: name of its file.

    Raises:
        KeyError: it lacks something.
        ValueError: a figure or name is none.
        TypeError: a field is of another type.
    """
    if row["status"] not in ("scored", "unscored"):
        raise ValueError("its status is neither scored nor unscored")
    scored = row["status"] == "scored"
    parts = {
        name: None if row["parts"][name] is None else probability(row["parts"][name])
        for name in WEIGHTS
    }
    judged = parts["contradiction"] is not None
    found = [probability(pair["p"]) for pair in row["contradictions"]]
    details = row["details"]
    return ConsistencyRow(
        source=source,
        id=word(row["id"]),
        speaker=None if row["speaker"] is None else word(row["speaker"]),
        score=probability(row["score"]) if scored else None,
        low=probability(row["low"]) if scored else None,
        high=probability(row["high"]) if scored else None,
        code=None if scored else word(row["code"]),
        reason=None if scored else word(row["reason"]),
        parts=parts,
        missing={name: word(reason) for name, reason in row["unscored"].items()},
        costs={name: probability(cost) for name, cost in row["costs"].items()},
        change=_change(row),
        contradictions=len(found) if judged else None,
        strongest=max(found, default=None),
        met=bool(details["target"]["success"]) if "target" in details else None,
        words=count(row["word_count"]),
        windows=_windows(details),
        warnings=tuple(word(warning["code"]) for warning in row["warnings"]),
        model=row["model"],
    )


def _change(row: Mapping[str, Any]) -> Change | None:
    point = row["change_point"]
    if point is None:
        return None
    shift = row["details"]["drift"]["shift"]
    return Change(
        count(point["turn"]),
        probability(point["probability"]),
        {word(key): float(value) for key, value in shift.items()},
        word(point["words"]) if point.get("words") else None,
    )


def _windows(details: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    windows = details.get("stability", {}).get("windows", ())
    keys = windows[0]["p_high"] if windows else ()
    return {key: tuple(probability(w["p_high"][key]) for w in windows) for key in keys}
