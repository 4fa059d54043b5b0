"""Do scores follow what was assigned: targets (controllability) and groups?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from persona_lab.instruments import Instrument
from persona_lab.interviews.bots import Persona
from persona_lab.psychometrics.agreement import wilson
from persona_lab.psychometrics.answers import Answer, means_by
from persona_lab.psychometrics.effects import cliffs_delta, cohens_d
from persona_lab.psychometrics.estimate import Estimate, mean_estimate, unscored
from persona_lab.psychometrics.mtmm import correlation

Scores = Mapping[str, float]
"""Score by persona."""


@dataclass(frozen=True, slots=True)
class Control:
    """How a trait follows what was asked for.

    Attributes:
        high: personas that were to be high.
        low: to be low.
        shift: mean score of the high ones minus that of the low ones, in points; None
            without both.
        d: the same as Cohen's d.
        delta: the same as Cliff's delta.
        raised: score of the high ones above that of the bot without a persona.
        lowered: score of the low ones, likewise.
        reached: share of personas on the asked-for side of the scale's middle.
        follows: correlation of score and target over personas.
        elsewhere: mean score of the high minus that of the low ones on each other trait.
    """

    high: int
    low: int
    shift: float | None
    d: Estimate
    delta: Estimate
    raised: Estimate
    lowered: Estimate
    reached: Estimate
    follows: Estimate
    elsewhere: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two groups on one trait, first minus second."""

    trait: str
    first: str
    second: str
    difference: float
    d: Estimate
    delta: Estimate


def by_domain_of(answers: Iterable[Answer]) -> dict[str, dict[str, float]]:
    """Mean score by domain and persona."""
    found: dict[str, dict[str, float]] = {}
    for (persona, domain), mean in means_by(answers, "persona", "domain").items():
        found.setdefault(str(domain), {})[str(persona)] = mean
    return found


def control(
    instrument: Instrument,
    key: str,
    by_domain: Mapping[str, Scores],
    personas: Sequence[Persona],
    at_rest: float | None,
) -> Control | None:
    """How one trait follows the personas' targets.

    Args:
        instrument: that was asked.
        key: of the domain.
        by_domain: scores of personas by domain.
        personas: with targets for the domain's trait, 0 to 1; 0.5 is neither high nor low.
        at_rest: score of the bot without a persona.

    Returns:
        None where no persona has a target for it.
    """
    scores = by_domain.get(key, {})
    trait = instrument.domain(key).trait or key
    wanted = {p.id: p.targets[trait] for p in personas if trait in p.targets and p.id in scores}
    if not wanted:
        return None
    sides = {id: np.sign(target - 0.5) for id, target in wanted.items()}
    high, low = ([id for id, side in sides.items() if side == s] for s in (1, -1))
    a, b = ([scores[id] for id in ids] for ids in (high, low))
    middle = instrument.scale.middle
    hits = [np.sign(scores[id] - middle) == side for id, side in sides.items() if side]

    def difference(other: Scores) -> float | None:
        told = [[other[id] for id in ids if id in other] for ids in (high, low)]
        return float(np.mean(told[0]) - np.mean(told[1])) if all(told) else None

    elsewhere = {k: difference(other) for k, other in by_domain.items() if k != key}
    raised, lowered = (
        mean_estimate(np.array(x) - at_rest) if at_rest is not None else unscored("no_data")
        for x in (a, b)
    )
    return Control(
        high=len(high),
        low=len(low),
        shift=difference(scores),
        d=cohens_d(a, b),
        delta=cliffs_delta(a, b),
        raised=raised,
        lowered=lowered,
        reached=wilson(sum(map(bool, hits)), len(hits)),
        follows=correlation(list(wanted.values()), [scores[id] for id in wanted]),
        elsewhere={k: v for k, v in elsewhere.items() if v is not None},
    )


def contrasts(by_domain: Mapping[str, Scores], personas: Sequence[Persona]) -> Iterator[Contrast]:
    """Every two groups on every trait."""
    groups = {p.id: p.group for p in personas if p.group is not None}
    for key, scores in by_domain.items():
        for first, second in combinations(dict.fromkeys(groups.values()), 2):
            a, b = (
                [scores[id] for id, group in groups.items() if group == g and id in scores]
                for g in (first, second)
            )
            if a and b:
                difference = float(np.mean(a) - np.mean(b))
                yield Contrast(key, first, second, difference, cohens_d(a, b), cliffs_delta(a, b))
