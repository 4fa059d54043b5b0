"""One number from the parts, and a sentence that says why it is what it is.

The score is the mean of the parts that could be scored, weighted by :data:`WEIGHTS`. So it
never falls when a part rises, and the weights can be read off. They were chosen on the first
halves of three benchmarks (spliced stories, mixed speakers, swapped personas) and checked on
the second halves: ``benchmarks/consistency.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from persona_lab.consistency.parts import Z90, NotScored, Score

WEIGHTS: Mapping[str, float] = {
    "stability": 0.05,
    "drift": 0.40,
    "target": 0.35,
    "contradiction": 0.45,
    "accommodation": 0.35,
}
"""How much each part counts; those without a score hand their share to the others.

Steadiness counts little because in a short chat it hardly tells a mixture from a person.
The target's weight was not fitted: no benchmark asks for one.
"""

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
        The weighted mean with an interval that takes the parts as independent; or the
        reason where no part has a score.

    Raises:
        KeyError: a part has another name.
    """
    scored = {name: part for name, part in parts.items() if isinstance(part, Score)}
    shares = weights_of(scored)
    if not scored:
        first = next((part for part in parts.values() if isinstance(part, NotScored)), None)
        if first is None:
            return NotScored("there are no parts", "no_parts")
        return NotScored(first.reason, first.code)
    value = sum(shares[name] * part.value for name, part in scored.items())
    sd = sqrt(sum((shares[name] * part.sd) ** 2 for name, part in scored.items()))
    return Score(value, max(value - Z90 * sd, 0.0), min(value + Z90 * sd, 1.0))


def weights_of(parts: Parts) -> dict[str, float]:
    """The weights of the parts that have scores; they sum to 1."""
    chosen = {name: WEIGHTS[name] for name, part in parts.items() if isinstance(part, Score)}
    total = sum(chosen.values())
    return {name: weight / total for name, weight in chosen.items()}


def explain(parts: Parts, score: Score | NotScored, facts: Mapping[str, str]) -> str:
    """A sentence about the score.

    Args:
        parts: as for :func:`overall`.
        score: what it gave.
        facts: by part, what was found, in a few words.
    """
    if isinstance(score, NotScored):
        return f"Not scored: {score.reason}."
    shares = weights_of(parts)
    scored = {name: part for name, part in parts.items() if isinstance(part, Score)}
    order = sorted(scored, key=lambda name: -shares[name] * (1.0 - scored[name].value))
    said = []
    for name in order:
        found = f": {facts[name]}" if name in facts else ""
        weight = round(100 * shares[name])
        said.append(f"{_NAMES[name]} {scored[name].value:.2f} (counts {weight} %{found})")
    most, *others = said
    rest = f"; then {', '.join(others)}" if others else ""
    return f"{score.value:.2f} of 1. What costs most is {most}{rest}."
