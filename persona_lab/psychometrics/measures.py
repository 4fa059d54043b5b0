"""What a battery measured: per trait and for the bot as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from persona_lab.instruments import Instrument
from persona_lab.interviews.records import Record
from persona_lab.psychometrics.answers import (
    FACTORS,
    Answer,
    by_level,
    grid,
    means_by,
    read_answers,
    sitting_scores,
)
from persona_lab.psychometrics.conduct import Conduct, conduct_of
from persona_lab.psychometrics.effects import holm
from persona_lab.psychometrics.estimate import (
    CONFIDENCE,
    Estimate,
    mean_estimate,
    scored,
    unscored,
)
from persona_lab.psychometrics.reliability import cronbach_alpha, mcdonald_omega
from persona_lab.psychometrics.retest import icc, minimal_detectable_change
from persona_lab.psychometrics.sensitivity import Shift, wording_sensitivity
from persona_lab.psychometrics.variance import (
    VarianceComponents,
    generalizability,
    variance_components,
)

COMPARED: Final = ("wording", "order", "temperature")
"""Factors whose levels are compared two by two."""

_CROSSED: Final = ("item:wording", "item:order", "persona:item")


@dataclass(frozen=True, slots=True)
class TraitMeasures:
    """One trait of a battery; scores are on the instrument's scale.

    Attributes:
        key: of the domain.
        name: of the domain.
        n_items: items of the domain.
        mean: over respondents, or over sittings where there is one respondent.
        by_respondent: mean score of each.
        conduct: how the items of the trait were answered.
        shifts: how the score differs between two ways of asking, by factor; the pairs are
            single items in sittings that are alike in all else, so p tests whether the
            factor changes any answer of these respondents. Holm's correction is over all
            pairs of levels and all traits.
        error: standard deviation of one respondent's score over ways of asking.
        noise: the same over repeats of one way of asking, above temperature 0 where it was
            asked so.
        change: least difference of two scores that is not the way of asking.
        components: of variance of single answers.
        agreement: ICC(2,1) of sittings over respondents.
        dependability: how well one sitting tells respondents apart (Phi).
        alpha: Cronbach's, over respondents.
        omega: McDonald's, over respondents.
    """

    key: str
    name: str
    n_items: int
    mean: Estimate
    by_respondent: Mapping[str, float]
    conduct: Conduct
    shifts: Mapping[str, tuple[Shift, ...]]
    error: Estimate
    noise: Estimate
    change: Estimate
    components: VarianceComponents
    agreement: Estimate
    dependability: Estimate
    alpha: Estimate
    omega: Estimate


@dataclass(frozen=True, slots=True)
class Battery:
    """All that a battery measured.

    Attributes:
        instrument: what was asked.
        respondents: names, in order.
        sittings: ways of asking times respondents that have an answer, usable or not.
        conduct: over all traits.
        leaning: how the ratings as given shift with the order of the options. A bot that
            prefers what stands first shows here, even where keys in both directions keep
            its scores in place.
        traits: in the instrument's order.
    """

    instrument: Instrument
    respondents: tuple[str, ...]
    sittings: int
    conduct: Conduct
    leaning: tuple[Shift, ...]
    traits: tuple[TraitMeasures, ...]


def measure(
    records: Iterable[Record], instrument: Instrument, twins: Instrument | None = None
) -> Battery:
    """Work a transcript out.

    Args:
        records: of the battery.
        instrument: that was asked.
        twins: its negated items, where they were asked.
    """
    records = list(records)
    answers = read_answers(records, instrument)
    denied = [] if twins is None else read_answers(records, twins)
    traits = [
        _trait(
            instrument,
            domain.key,
            [a for a in answers if a.domain == domain.key],
            [a for a in denied if a.domain == domain.key],
        )
        for domain in instrument.domains
    ]
    return Battery(
        instrument,
        tuple(dict.fromkeys(a.persona for a in answers)),
        len({a.sitting for a in answers}),
        conduct_of(answers, instrument.items, instrument, denied),
        compare(answers, "order", value="rating"),
        tuple(_corrected(traits)),
    )


def _trait(
    instrument: Instrument, key: str, answers: Sequence[Answer], denied: Sequence[Answer]
) -> TraitMeasures:
    items = instrument.of(key)
    scores = sitting_scores(answers)
    by_respondent = {str(k[0]): v for k, v in means_by(answers, "persona").items()}
    spread = list(by_respondent.values()) if len(by_respondent) > 1 else list(scores.values())
    error = spread_within([sitting[0] for sitting in scores], list(scores.values()))
    # at temperature 0 a repeat is the same request
    drawn = {k: v for k, v in scores.items() if k[3]} or scores
    noise = spread_within([sitting[:-1] for sitting in drawn], list(drawn.values()))
    components = components_of(answers)
    by_item = grid(means_by(answers, "persona", "item"))
    return TraitMeasures(
        key,
        instrument.domain(key).name,
        len(items),
        mean_estimate(np.array(spread)),
        by_respondent,
        conduct_of(answers, items, instrument, denied),
        {factor: compare(answers, factor) for factor in COMPARED},
        error,
        noise,
        minimal_detectable_change(error),
        components,
        icc(grid(scores)),
        _dependability(components, len(items)),
        cronbach_alpha(by_item),
        mcdonald_omega(by_item, n_boot=200),
    )


def compare(answers: Sequence[Answer], factor: str, *, value: str = "score") -> tuple[Shift, ...]:
    """Compare every two levels of a factor, in answers that are alike in all else.

    At temperature 0 a repeat is the same request; it would count one answer twice, so only
    the first is taken (the temperatures themselves are compared repeat by repeat).

    Args:
        answers: of any number of respondents.
        factor: one of :data:`COMPARED`.
        value: ``score``, or ``rating`` as given.
    """
    if factor != "temperature":
        answers = [a for a in answers if a.temperature or not a.repeat]
    return wording_sensitivity(by_level(answers, factor, value=value))


def components_of(answers: Sequence[Answer]) -> VarianceComponents:
    """Variance components of single answers by factor.

    Interactions of items with wording, order and persona are told apart from noise where
    both factors have two levels or more.
    """
    factors = {name: [getattr(a, name) for a in answers] for name in FACTORS}
    varying = {name for name, levels in factors.items() if len(set(levels)) > 1}
    crossed = [name for name in _CROSSED if set(name.split(":")) <= varying]
    return variance_components([a.score for a in answers], factors, interactions=crossed)


def spread_within(groups: Sequence[object], scores: Sequence[float]) -> Estimate:
    """Standard deviation of scores within groups, with the interval of a variance.

    Args:
        groups: to which each score belongs; a group of one says nothing.
        scores: ``(n,)``.

    Returns:
        In the unit of the scores, 0 where none differs within its group; ``n`` counts scores.
    """
    from scipy.stats import chi2

    by_group: dict[object, list[float]] = {}
    for group, score in zip(groups, scores, strict=True):
        by_group.setdefault(group, []).append(score)
    several = [np.array(s) for s in by_group.values() if len(s) > 1]
    if not several:
        return unscored("too_few" if scores else "no_data", len(scores))
    n = sum(len(s) for s in several)
    df = n - len(several)
    squares = float(sum(((s - s.mean()) ** 2).sum() for s in several))
    tail = (1 - CONFIDENCE) / 2
    low, high = (float(np.sqrt(squares / chi2.ppf(q, df))) for q in (1 - tail, tail))
    return scored(float(np.sqrt(squares / df)), low, high, n)


def _dependability(components: VarianceComponents, n_items: int) -> Estimate:
    if components.code is not None:
        return unscored(components.code, components.n)
    return generalizability(components, "persona", {"item": n_items})


def _corrected(traits: Sequence[TraitMeasures]) -> list[TraitMeasures]:
    """Correct the p-values of each factor for the number of traits, too."""
    for factor in COMPARED:
        tested = [s.p for t in traits for s in t.shifts[factor] if s.p is not None]
        adjusted = iter(holm(tested))
        traits = [
            replace(
                trait,
                shifts=dict(trait.shifts)
                | {
                    factor: tuple(
                        s if s.p is None else replace(s, p_holm=next(adjusted))
                        for s in trait.shifts[factor]
                    )
                },
            )
            for trait in traits
        ]
    return list(traits)
