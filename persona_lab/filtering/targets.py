"""Targets of a run: one for all rows, or one that each row brings along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from persona_lab.detectors.base import Request
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.profile import Profile
from persona_lab.traits import Target

if TYPE_CHECKING:
    from persona_lab.detectors.registry import LoadedDetector

TargetField = Literal["persona", "profile"]


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """Where targets come from.

    Attributes:
        values: wanted probability of the high pole by trait; empty if rows bring theirs.
        field: ``profile``: the labels that the file gives the speaker (a prompted
            personality); ``persona``: what the detector reads in the speaker's persona
            statements; None for ``values``.
    """

    values: tuple[tuple[str, float], ...] = ()
    field: TargetField | None = None

    @classmethod
    def parse(cls, given: str | Mapping[str, float]) -> TargetChoice:
        """Read ``"E+ N-"``, ``"INFP"`` or a mapping.

        Raises:
            TargetError: it is none of these.
        """
        return cls(tuple(Target.parse(given).values.items()))


def target_columns(
    choice: TargetChoice,
    speakers: Sequence[tuple[Dialogue, str | None]],
    columns: Mapping[str, Sequence[Any]],
    model: LoadedDetector,
) -> dict[str, list[Any]]:
    """How well each speaker fits the target.

    For a trait with wanted value t and measured probability p, ``p t + (1 - p)(1 - t)`` is
    the probability that both are on the same side. ``target.hits`` counts the traits whose
    best guess is on the target's side, the success rate of PsyPlay (Yang et al. 2025).

    Args:
        choice: where targets come from.
        speakers: whom the lines of ``columns`` are about.
        columns: with the fields of the traits.
        model: reads persona statements.

    Returns:
        The fields ``target.*``; null where there is no target or no score.
    """
    targets = _targets(choice, speakers, model)
    thresholds = model.thresholds
    match: list[float | None] = []
    hits: list[float | None] = []
    count: list[int] = []
    for i, target in enumerate(targets):
        measured = {
            trait: columns[f"{trait}.p_high"][i] for trait in target if f"{trait}.p_high" in columns
        }
        pairs = [(measured[t], target[t], thresholds.get(t, 0.5)) for t in measured]
        pairs = [pair for pair in pairs if pair[0] is not None]
        count.append(len(target))
        same = [p * wanted + (1 - p) * (1 - wanted) for p, wanted, _ in pairs]
        on_side = [(p >= threshold) == (wanted >= 0.5) for p, wanted, threshold in pairs]
        match.append(round(sum(same) / len(same), 4) if same else None)
        hits.append(round(sum(on_side) / len(on_side), 4) if on_side else None)
    return {"target.match": match, "target.hits": hits, "target.traits": count}


def _targets(
    choice: TargetChoice, speakers: Sequence[tuple[Dialogue, str | None]], model: LoadedDetector
) -> list[Mapping[str, float]]:
    if choice.field is None:
        return [dict(choice.values)] * len(speakers)
    known = [dialogue.speakers.get(name or "") for dialogue, name in speakers]
    if choice.field == "profile":
        # labels on another scale than 0..1 are no probabilities to aim at
        return [
            {t: v for t, v in one.labels.items() if 0.0 <= v <= 1.0} if one else {} for one in known
        ]
    requests = [
        Request(dialogue.id, name or "", tuple(map(_statement, enumerate(one.persona))))
        for (dialogue, name), one in zip(speakers, known, strict=True)
        if one is not None and one.persona
    ]
    frameworks = tuple(f.name for f in model.frameworks)
    answers = model.profiles(requests, frameworks=frameworks)
    targets: list[Mapping[str, float]] = []
    for one in known:
        if one is None or not one.persona:
            targets.append({})
            continue
        found: dict[str, float] = {}
        for result in (next(answers) for _ in frameworks):
            if isinstance(result, Profile):
                found |= {trait: score.p_high for trait, score in result.traits.items()}
        targets.append(found)
    return targets


def _statement(numbered: tuple[int, str]) -> Utterance:
    index, text = numbered
    return Utterance(str(index), "persona", text)
