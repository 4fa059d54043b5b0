"""One questionnaire over many personas: trend, spread, control, groups, robustness.

- Trend and inertia: what the bot says whoever it plays (Lee, Lee & Cho 2024, arXiv 2408.09049).
- Spread: do the personas differ as people do, or collapse to one personality?
- Control: how far a trait moves when it is asked for (as in PHAnToM, arXiv 2403.02246).
- Groups: effect sizes between assigned groups (PersonaLLM, arXiv 2305.02547).
- Robustness: what a changed name, age or order of lines moves (arXiv 2312.17115).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from persona_lab.instruments import Instrument
from persona_lab.interviews.bots import Persona
from persona_lab.interviews.records import Record
from persona_lab.psychometrics.agreement import percent_agreement, wilson
from persona_lab.psychometrics.answers import Answer, grid, means_by, read_answers
from persona_lab.psychometrics.conduct import Conduct, conduct_of
from persona_lab.psychometrics.control import (
    Contrast,
    Control,
    Scores,
    by_domain_of,
    contrasts,
    control,
)
from persona_lab.psychometrics.effects import holm
from persona_lab.psychometrics.estimate import Estimate, Floats, mean_estimate, unscored
from persona_lab.psychometrics.measures import spread_within
from persona_lab.psychometrics.perturb import JOIN, KINDS
from persona_lab.psychometrics.reference import Reference, spread_ratio
from persona_lab.psychometrics.retest import icc
from persona_lab.psychometrics.sensitivity import Shift, option_order_symmetry
from persona_lab.psychometrics.variance import variance_components


@dataclass(frozen=True, slots=True)
class TraitPopulation:
    """One trait over all personas; scores are on the instrument's scale.

    Attributes:
        key: of the domain.
        name: of the domain.
        scores: mean over repeats, by persona.
        trend: mean over personas.
        baseline: score of the bot without a persona; None where it was not asked.
        same_side: share of personas on the trend's side of the middle of the scale.
        spread: standard deviation over personas.
        ratio: of the spread to the reference's.
        retest: ICC(2,1) of repeats over personas.
        noise: standard deviation of one persona's score over repeats.
        control: None where no persona has a target for it.
    """

    key: str
    name: str
    scores: Scores
    trend: Estimate
    baseline: float | None
    same_side: Estimate
    spread: Estimate
    ratio: Estimate
    retest: Estimate
    noise: Estimate
    control: Control | None


@dataclass(frozen=True, slots=True)
class Robustness:
    """What one kind of change moves.

    Attributes:
        kind: of the change.
        personas: that were changed and asked.
        same: share of items that get the same answer.
        moved: mean over personas and traits of how far a score moves, in points, either way.
        shifts: of each trait, persona by persona: original minus changed; Holm's correction
            is over traits.
    """

    kind: str
    personas: int
    same: Estimate
    moved: Estimate
    shifts: Mapping[str, Shift]


@dataclass(frozen=True, slots=True)
class Population:
    """All that was measured.

    Attributes:
        instrument: what was asked.
        personas: ids, in order.
        conduct: how they answered.
        inertia: share of the variance of ratings as given that the item alone decides,
            whoever is played: near 0 for personas that differ, 1 for one personality.
        alike: share of pairs of personas that give an item the same rating.
        distinct: different sets of answers.
        traits: in the instrument's order.
        contrasts: between groups.
        robustness: of each kind of change that was asked.
    """

    instrument: Instrument
    personas: tuple[str, ...]
    conduct: Conduct
    inertia: Estimate
    alike: Estimate
    distinct: int
    traits: tuple[TraitPopulation, ...]
    contrasts: tuple[Contrast, ...]
    robustness: tuple[Robustness, ...]


def measure_population(
    records: Iterable[Record],
    instrument: Instrument,
    personas: Sequence[Persona],
    *,
    baseline: str | None = None,
    reference: Mapping[str, Reference] | None = None,
) -> Population:
    """Work a transcript out.

    Args:
        records: of the personas, their variants, and the bot without one.
        instrument: that was asked.
        personas: without variants.
        baseline: name of the bot, if it was asked without a persona.
        reference: by domain.
    """
    ids = {p.id for p in personas}
    answers = read_answers(records, instrument)
    own = [a for a in answers if a.persona in ids]
    bare = [a for a in answers if a.persona == baseline and a.persona not in ids]
    scores = by_domain_of(own)
    at_rest = {key: values[baseline or ""] for key, values in by_domain_of(bare).items()}
    return Population(
        instrument,
        tuple(p.id for p in personas),
        conduct_of(own, instrument.items, instrument),
        _inertia(own),
        _alike(own),
        len({tuple(row) for row in np.nan_to_num(_first(own), nan=-1.0)}),
        tuple(
            _trait(instrument, d.key, own, scores, personas, at_rest, reference or {})
            for d in instrument.domains
        ),
        tuple(contrasts(scores, personas)),
        tuple(r for kind in KINDS if (r := _robustness(kind, answers, personas, instrument))),
    )


def _trait(
    instrument: Instrument,
    key: str,
    answers: Sequence[Answer],
    by_domain: Mapping[str, Scores],
    personas: Sequence[Persona],
    at_rest: Mapping[str, float],
    reference: Mapping[str, Reference],
) -> TraitPopulation:
    scores = by_domain.get(key, {})
    values = np.array(list(scores.values()))
    trend = mean_estimate(values)
    sides = np.sign(values - instrument.scale.middle)
    side = 0.0 if trend.estimate is None else np.sign(trend.estimate - instrument.scale.middle)
    spread = spread_within([0] * len(values), list(values))
    repeats = means_by([a for a in answers if a.domain == key], "persona", "repeat")
    return TraitPopulation(
        key,
        instrument.domain(key).name,
        scores,
        trend,
        at_rest.get(key),
        wilson(int((sides == side).sum()), len(values)),
        spread,
        spread_ratio(spread, reference.get(key)),
        icc(grid(repeats)),
        spread_within([k[0] for k in repeats], list(repeats.values())),
        control(instrument, key, by_domain, personas, at_rest.get(key)),
    )


def _first(answers: Sequence[Answer]) -> Floats:
    """Ratings of the first repeat, ``(personas, items)``."""
    ratings: dict[tuple[object, ...], float] = {
        (a.persona, a.item): a.rating for a in answers if a.rating is not None and not a.repeat
    }
    return grid(ratings)


def _alike(answers: Sequence[Answer]) -> Estimate:
    table = _first(answers)
    return percent_agreement(table.T) if len(table) > 1 else unscored("too_few", len(table))


def _inertia(answers: Sequence[Answer]) -> Estimate:
    factors = {name: [getattr(a, name) for a in answers] for name in ("persona", "item")}
    if len(set(factors["persona"])) < 2:
        return unscored("too_few", len(set(factors["persona"])))
    repeated = len({a.repeat for a in answers}) > 1
    found = variance_components(
        [a.rating for a in answers], factors, interactions=["persona:item"] if repeated else ()
    )
    if found.code is not None:
        return unscored(found.code, found.n)
    return found["item"].share


def _robustness(
    kind: str, answers: Sequence[Answer], personas: Sequence[Persona], instrument: Instrument
) -> Robustness | None:
    """Originals against variants, in answers that are alike in all else."""
    changed = {f"{p.id}{JOIN}{kind}": p.id for p in personas}
    said = {(*a.sitting, a.item): a.rating for a in answers}
    pairs = [
        (said.get((changed[a.persona], *a.sitting[1:], a.item)), a.rating)
        for a in answers
        if a.persona in changed
    ]
    if not pairs:
        return None
    both = [(x, y) for x, y in pairs if x is not None and y is not None]
    scores = by_domain_of(answers)
    shifts, moves = {}, []
    for domain in instrument.domains:
        known = scores.get(domain.key, {})
        ids = [(old, new) for new, old in changed.items() if old in known and new in known]
        a, b = ([known[pair[i]] for pair in ids] for i in (0, 1))
        shifts[domain.key] = option_order_symmetry(a, b)
        moves += [abs(x - y) for x, y in zip(a, b, strict=True)]
    return Robustness(
        kind,
        len({a.persona for a in answers if a.persona in changed}),
        wilson(sum(x == y for x, y in both), len(both)),
        mean_estimate(np.array(moves)),
        _corrected(shifts),
    )


def _corrected(shifts: Mapping[str, Shift]) -> dict[str, Shift]:
    """Shifts with p-values corrected for the number of traits."""
    adjusted = iter(holm([s.p for s in shifts.values() if s.p is not None]))
    return {
        key: shift if shift.p is None else replace(shift, p_holm=next(adjusted))
        for key, shift in shifts.items()
    }
