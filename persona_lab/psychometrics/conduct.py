"""How a bot answers, whatever it says: refusals, straight-lining, acquiescence, contradictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from persona_lab.instruments import Instrument, Item, acquiescence, straight_lined
from persona_lab.psychometrics.agreement import wilson
from persona_lab.psychometrics.answers import Answer
from persona_lab.psychometrics.estimate import Estimate, mean_estimate, unscored
from persona_lab.psychometrics.sensitivity import negation_consistency


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a bot answered, whatever it said.

    Attributes:
        asked: items asked.
        answered: share with a usable answer.
        refused: share that the bot declined to answer.
        failures: unusable answers by code.
        straight: share of sittings with one and the same rating for all items, though they
            are keyed both ways.
        acquiescence: -1 (denies everything) to 1 (agrees with everything), 0 balanced; each
            sitting is one observation.
        twins: share of items whose denial got the opposite answer.
    """

    asked: int
    answered: Estimate
    refused: Estimate
    failures: Mapping[str, int]
    straight: Estimate
    acquiescence: Estimate
    twins: Estimate


def conduct_of(
    answers: Sequence[Answer],
    items: Sequence[Item],
    instrument: Instrument,
    denied: Sequence[Answer] = (),
) -> Conduct:
    """How items were answered; see :class:`Conduct`."""
    failures = Counter(a.code for a in answers if a.code is not None)
    sittings: dict[tuple[object, ...], dict[str, float]] = {}
    for answer in answers:
        if answer.rating is not None:
            sittings.setdefault(answer.sitting, {})[answer.item] = answer.rating
    return Conduct(
        len(answers),
        wilson(sum(a.rating is not None for a in answers), len(answers)),
        wilson(failures["refusal"], len(answers)),
        dict(failures.most_common()),
        _straight(sittings.values(), items),
        _acquiescence(sittings.values(), items, instrument),
        _contradictions(answers, denied, instrument),
    )


def _straight(sittings: Iterable[Mapping[str, float]], items: Sequence[Item]) -> Estimate:
    keyed = {item.id: item.keyed for item in items}
    both = [s for s in sittings if len({keyed[id] for id in s}) == 2]
    if not both:
        return unscored("one_keying" if len(set(keyed.values())) < 2 else "no_data")
    return wilson(sum(straight_lined(list(s.values())) for s in both), len(both))


def _acquiescence(
    sittings: Iterable[Mapping[str, float]], items: Sequence[Item], instrument: Instrument
) -> Estimate:
    leanings = [acquiescence(sitting, items, instrument.scale) for sitting in sittings]
    known = [leaning for leaning in leanings if leaning is not None]
    if not known:
        return unscored("one_keying" if leanings else "no_data")
    return mean_estimate(np.array(known))


def _contradictions(
    answers: Sequence[Answer], denied: Sequence[Answer], instrument: Instrument
) -> Estimate:
    """Items and their twins, paired where all else is alike."""
    said = {(*a.sitting, a.item): a.rating for a in answers}
    pairs = [(said.get((*d.sitting, d.item)), d.rating) for d in denied]
    scale = (instrument.scale.low, instrument.scale.high)
    return negation_consistency([a for a, _ in pairs], [b for _, b in pairs], scale)
