"""Signs that ratings say little about the respondent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from persona_lab.instruments.model import Item, Scale


def straight_lined(ratings: Sequence[float]) -> bool:
    """Did the respondent give the same rating to everything?

    Args:
        ratings: as given (not reflected), of items of both keys; with one key only, the
            same rating throughout can be an honest answer.

    Returns:
        True where there are at least two ratings and all are equal.
    """
    return len(ratings) > 1 and len(set(ratings)) == 1


def acquiescence(
    ratings: Mapping[str, float | None], items: Sequence[Item], scale: Scale
) -> float | None:
    """How much the respondent agrees with items whatever they say.

    In each domain the mean of the plus-keyed and the mean of the minus-keyed items are
    averaged, so that the trait cancels out; the index is the mean over domains (after
    the content-balanced index of Soto & John 2017, here with all items of a domain).

    Args:
        ratings: as given (not reflected), by item id; None is no answer.
        items: of the instrument, or of some of its domains.
        scale: of the ratings.

    Returns:
        -1 (denies whatever is said) to 1 (agrees with it), 0 for no tendency. None where
        no domain has answers of both keys.
    """
    sides: dict[str, tuple[list[float], list[float]]] = {}
    for item in items:
        rating = ratings.get(item.id)
        if rating is not None:
            sides.setdefault(item.domain, ([], []))[item.keyed < 0].append(rating)
    balanced = [
        (fmean(plus) + fmean(minus)) / 2 for plus, minus in sides.values() if plus and minus
    ]
    if not balanced:
        return None
    half = (scale.high - scale.low) / 2
    return (fmean(balanced) - scale.middle) / (-half if scale.descending else half)
