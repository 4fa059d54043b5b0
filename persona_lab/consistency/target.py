"""Does the personality match the one that was asked for: over all, by window, by sentence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from persona_lab.consistency.parts import NotScored, Numbers, Score
from persona_lab.consistency.stability import WINDOW, width
from persona_lab.consistency.turns import Turns
from persona_lab.detectors.trained import sigmoid
from persona_lab.errors import TargetError
from persona_lab.traits import Target

_RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class WindowMatch:
    """Some neighbouring turns against the target.

    Attributes:
        first: index in the dialogue of the first turn.
        last: of the last turn.
        match: mean over traits, 0..1.
    """

    first: int
    last: int
    match: float


@dataclass(frozen=True, slots=True)
class TargetMatch:
    """A speaker against a target.

    Attributes:
        score: mean over the wanted traits of the probability that the trait is as wanted.
        traits: that probability by trait, 0..1: one minus the distance of the probability of
            the high pole from the wanted one.
        together: probability that all traits are as wanted, taken as independent.
        distance: root mean square distance of the probabilities from the wanted ones, 0..1.
        success: is every trait on the wanted side? A trait that is not shown is not. (PsyPlay,
            Yang et al. 2025, reports the share of dialogues where it is.)
        windows: in order, each one turn further.
        aligned: by trait, of the words in sentences that show a side, the share in those that
            show the wanted one (sentence-level alignment, Yu et al. 2024, Beyond Dialogue);
            None where no sentence shows a side.
    """

    score: Score
    traits: dict[str, float]
    together: float
    distance: float
    success: bool
    windows: tuple[WindowMatch, ...]
    aligned: dict[str, float | None]


def match_target(
    turns: Turns,
    speaker: str,
    target: Target,
    *,
    sentences: Turns | None = None,
    window: int = WINDOW,
    seed: int = 0,
) -> TargetMatch | NotScored:
    """Compare one speaker with a target.

    Args:
        turns: the dialogue, read in the target's framework.
        speaker: who.
        target: what was asked for.
        sentences: the speaker's sentences as turns; the turns themselves if left out.
        window: turns in a window.
        seed: of the bootstrap.

    Returns:
        The match, or the reason where the speaker says nothing.

    Raises:
        ValueError: the turns were read in another framework.
    """
    if turns.framework.name != target.framework.name:
        raise ValueError(
            f"the turns were read as {turns.framework.name}, the target is {target.framework.name}"
        )
    own = turns.of(speaker)
    if not own:
        return NotScored("there are no words of this speaker", "no_words")
    columns = [turns.framework.keys.index(key) for key in target.values]
    wanted = np.array(list(target.values.values()))
    odds = turns.log_odds(own)[columns]
    match = _match(odds, wanted)
    size = width(len(own), window)
    spans = [own[i : i + size] for i in range(max(len(own) - size, 0) + 1)]
    keys = tuple(target.values)
    return TargetMatch(
        score=Score.of(float(match.mean()), _draws(turns, own, columns, odds, wanted, seed)),
        traits=dict(zip(keys, match.tolist(), strict=True)),
        together=float(match.prod()),
        distance=float(np.sqrt(np.mean(np.square(1.0 - match)))),
        success=bool(np.all(turns.sides(own)[columns] == _side(wanted))),
        windows=tuple(
            WindowMatch(
                span[0], span[-1], float(_match(turns.log_odds(span)[columns], wanted).mean())
            )
            for span in spans
        ),
        aligned=_aligned(sentences or turns, speaker, columns, wanted, keys),
    )


def read_target(given: str) -> Target:
    """Read a target as the command line takes it.

    Args:
        given: ``"E+ N-"``, ``INFP``, or a JSON file: a mapping of traits to 0..1, or a
            scored row of ``persona-lab score``, whose probabilities are the target.

    Raises:
        TargetError: it cannot be understood.
    """
    path = Path(given)
    if path.suffix.lower() != ".json":
        return Target.parse(given)
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise TargetError(
            f"cannot read the target {given} ({type(error).__name__}); give a JSON file such as "
            "{\"openness\": 0.8}, or signs such as 'E+ N-'"
        ) from None
    traits = found.get("traits", found) if isinstance(found, dict) else None
    try:
        values = {
            str(key): float(value["p_high"] if isinstance(value, dict) else value)
            for key, value in (traits or {}).items()
        }
    except (KeyError, TypeError, ValueError):
        values = {}
    if not values:
        raise TargetError(
            f"{given} holds no target; give a mapping of traits to 0..1, or a scored row of "
            "'persona-lab score'"
        )
    return Target.parse(values)


def success_rate(matches: Sequence[TargetMatch]) -> float:
    """Share of dialogues whose speaker is as wanted in every trait (PsyPlay's measure).

    Raises:
        ValueError: there are none.
    """
    if not matches:
        raise ValueError("no dialogue was matched against the target")
    return float(np.mean([match.success for match in matches]))


def _match(odds: Numbers, wanted: Numbers) -> Numbers:
    return np.asarray(1.0 - np.abs(np.asarray(sigmoid(odds)) - wanted))


def _draws(
    turns: Turns, own: list[int], columns: list[int], odds: Numbers, wanted: Numbers, seed: int
) -> Numbers:
    """Mean match of resampled turns: ``(n_resamples,)``."""
    words = turns.words[own]
    values = turns.per_turn(int(words.sum()))[own][:, columns]
    rest = odds - words @ values / words.sum()
    picks = np.random.default_rng(seed).integers(len(own), size=(_RESAMPLES, len(own)))
    share = words[picks] / words[picks].sum(axis=1, keepdims=True)
    drawn = np.einsum("mn,mnt->mt", share, values[picks]) + rest
    return np.asarray(_match(drawn, wanted).mean(axis=1))


def _aligned(
    turns: Turns, speaker: str, columns: list[int], wanted: Numbers, keys: tuple[str, ...]
) -> dict[str, float | None]:
    own = turns.of(speaker)
    sides = np.stack([turns.sides([place])[columns] for place in own])
    words = turns.words[own]
    shown, right = words @ (sides != 0), words @ (sides == _side(wanted))
    return {key: float(r / n) if n else None for key, r, n in zip(keys, right, shown, strict=True)}


def _side(wanted: Numbers) -> Numbers:
    return np.where(wanted >= 0.5, 1.0, -1.0)
