"""One number from the parts, and a sentence that says why it is what it is.

Each part takes off some of the score: the score is the product of ``1 - w (1 - part)`` over the
parts that could be scored, with the weights of :data:`WEIGHTS`. So one grave fault is enough, a
part that is missing takes nothing, and the score never falls when a part rises. The weights are a
judgement: a change of character or a sure contradiction is grave, a poor fit to the partner is
not. ``benchmarks/consistency.py --fit`` prints weights that are fitted to dialogues.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod, sqrt

from persona_lab.consistency.parts import Z90, NotScored, Score

WEIGHTS: Mapping[str, float] = {
    "stability": 0.30,
    "drift": 0.85,
    "target": 0.80,
    "contradiction": 0.90,
    "accommodation": 0.25,
}
"""How much of the score a part can take off at most."""

_WORTH_SAYING = 0.005
"""What a part must take off to be named."""

_NAMES = {
    "stability": "steadiness",
    "drift": "no change point",
    "target": "match with the target",
    "contradiction": "agreement with persona and earlier turns",
    "accommodation": "fit to the partner",
}

Parts = Mapping[str, Score | NotScored]


def overall(parts: Parts) -> Score | NotScored:
    """The overall score.

    Args:
        parts: by the names of :data:`WEIGHTS`.

    Returns:
        The score with an interval that takes the parts as independent; or the reason where no
        part has one.

    Raises:
        KeyError: a part has another name.
    """
    kept = {n: 1.0 - cost for n, cost in costs_of(parts).items()}
    if not kept:
        first = next((part for part in parts.values() if isinstance(part, NotScored)), None)
        if first is None:
            return NotScored("there are no parts", "no_parts")
        return NotScored(first.reason, first.code)
    value = prod(kept.values())
    spread = 0.0
    for name, factor in kept.items():
        part = parts[name]
        if isinstance(part, Score) and factor > 0.0:
            spread += (WEIGHTS[name] * part.sd / factor) ** 2
    sd = value * sqrt(spread)
    return Score(value, max(value - Z90 * sd, 0.0), min(value + Z90 * sd, 1.0))


def costs_of(parts: Parts) -> dict[str, float]:
    """What each part that has a score takes off, 0..1.

    Raises:
        KeyError: a part has another name.
    """
    return {
        name: WEIGHTS[name] * (1.0 - part.value)
        for name, part in parts.items()
        if isinstance(part, Score)
    }


def explain(parts: Parts, score: Score | NotScored, facts: Mapping[str, str]) -> str:
    """A sentence about the score.

    Args:
        parts: as for :func:`overall`.
        score: what it gave.
        facts: by part, what was found, in a few words.
    """
    if isinstance(score, NotScored):
        return f"Not scored: {score.reason}."
    costs = {name: cost for name, cost in costs_of(parts).items() if cost >= _WORTH_SAYING}
    if not costs:
        return f"{score.value:.2f} of 1. No part takes anything off."
    said = []
    for name in sorted(costs, key=lambda name: -costs[name]):
        part = parts[name]
        if isinstance(part, Score):
            found = f": {facts[name]}" if name in facts else ""
            said.append(f"{_NAMES[name]} {part.value:.2f} (takes {costs[name]:.0%}{found})")
    most, *others = said
    rest = f"; then {', '.join(others)}" if others else ""
    return f"{score.value:.2f} of 1. What costs most is {most}{rest}."
