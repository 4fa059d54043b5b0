"""One speaker to score, and the values that a score gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from persona_lab.detectors.base import Result
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.profile import ModelInfo, Profile, Unscored, Warning_
from persona_lab.traits import ALL_TRAITS, FRAMEWORKS, MBTI

POSITION = "position"
"""Column that tells which of the scored dialogues a line is about."""

_CHECKED_ONE_IN = 20


@dataclass(slots=True)
class Line:
    """One speaker to score, or the reason why not.

    Attributes:
        position: of the dialogue among those that are scored.
        dialogue: where the speaker speaks.
        speaker: name; None for a dialogue without speakers.
        problem: the reason why there is nothing to ask a detector.
        results: by framework.
        model: that gave them.
        extra: values of costly fields.
    """

    position: int
    dialogue: Dialogue
    speaker: str | None
    problem: Unscored | None = None
    results: dict[str, Result] = field(default_factory=dict)
    model: ModelInfo | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def values(self, frameworks: Iterable[str]) -> dict[str, Any]:
        """All fields but those of the target and the costly ones."""
        dialogue, speaker = self.dialogue, self.speaker
        results = list(self.results.values())
        first: Result = self.problem or results[0]
        own = dialogue.by(speaker) if speaker is not None else ()
        known = dialogue.speakers.get(speaker or "")
        unscored = first if isinstance(first, Unscored) else None
        row: dict[str, Any] = {
            POSITION: self.position,
            "id": dialogue.id,
            "group": dialogue.group,
            "speaker": speaker,
            "words": first.word_count,
            "turns": len(own),
            "dialogue.turns": len(dialogue.utterances),
            "dialogue.speakers": len(dialogue.speaker_names),
            "language": _language(first, own),
            "too_short": None if unscored else _has(first.warnings, "too_short"),
            "status": "unscored" if unscored else "scored",
            "code": unscored.code if unscored else None,
            "unscored_reason": unscored.reason if unscored else None,
            "model": self.model.name if self.model else None,
            "model.version": self.model.version if self.model else None,
            "model.sha256": self.model.sha256 if self.model else None,
        }
        for framework in frameworks:
            row |= _trait_values(framework, self.results.get(framework))
        for trait in ALL_TRAITS:
            row[f"label.{trait}"] = known.labels.get(trait) if known else None
        return row


def _trait_values(framework: str, result: Result | None) -> dict[str, Any]:
    row: dict[str, Any] = {}
    profile = result if isinstance(result, Profile) else None
    for trait in FRAMEWORKS[framework].keys:
        score = profile.traits[trait] if profile else None
        # rounded as in the rows of 'score', so that a threshold means the same in both
        row[f"{trait}.p_high"] = round(score.p_high, 4) if score else None
        row[f"{trait}.low"] = round(score.low, 4) if score else None
        row[f"{trait}.high"] = round(score.high, 4) if score else None
        row[f"{trait}.label"] = score.label if score else None
        shown = score.shown if score else None
        row[f"{trait}.level"] = round(shown.level, 4) if shown else None
        row[f"{trait}.why"] = shown.why if shown else None
    if framework == MBTI.name:
        row["type"] = profile.type if profile else None
    return row


def _language(result: Result, own: Sequence[Utterance]) -> str | None:
    if isinstance(result, Profile):
        return "en"  # the detectors read nothing else
    if result.code != "language":
        return None
    from persona_lab.detectors.language import foreign_language

    return foreign_language("\n".join(utterance.text for utterance in own))


def _has(warnings: Sequence[Warning_], code: str) -> bool:
    return any(warning.code == code for warning in warnings)


def is_checked(line: Line) -> bool:
    """Is it in the sample? That depends on what is said and on nothing else."""
    if line.problem is not None:
        return False
    said = "\n".join(u.text for u in line.dialogue.by(line.speaker or ""))
    return crc32(said.encode("utf-8", "replace")) % _CHECKED_ONE_IN == 0
