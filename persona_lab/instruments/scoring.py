"""Scores of domains and facets from ratings, with what missing answers could change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persona_lab.instruments.model import Item, Scale


@dataclass(frozen=True, slots=True)
class DomainScore:
    """One domain of one respondent, on the instrument's own scale.

    More always means more of the domain's high pole: reverse-keyed items are reflected.

    Attributes:
        mean: of the answered items; None where nothing was answered.
        n_items: items of the domain.
        n_answered: items with a rating.
        low_bound: the mean if every missing answer were at the low end.
        high_bound: the mean if every missing answer were at the high end.
        sd: standard deviation over the answered items (n - 1); None for fewer than two.
        se: standard error of ``mean``, ``sd / sqrt(n_answered)``: how well these items
            pin down the mean over items like them.
        facets: mean by facet, in the instrument's order; None where nothing was answered.
        reason: why ``mean`` is None.
    """

    mean: float | None
    n_items: int
    n_answered: int
    low_bound: float
    high_bound: float
    sd: float | None
    se: float | None
    facets: Mapping[str, float | None]
    reason: str | None = None


def score_domain(items: Sequence[Item], ratings: Mapping[str, float], scale: Scale) -> DomainScore:
    """Score the items of one domain.

    Args:
        items: of the domain, at least one.
        ratings: by item id, on the scale as printed; missing ids were not answered.
        scale: of the ratings.
    """
    keyed = {i.id: i.reflect(ratings[i.id], scale) for i in items if i.id in ratings}
    total, n_missing = sum(keyed.values()), len(items) - len(keyed)
    sd = stdev(keyed.values()) if len(keyed) > 1 else None
    by_facet: dict[str, list[float]] = {i.facet: [] for i in items if i.facet is not None}
    for item in items:
        if item.facet is not None and item.id in keyed:
            by_facet[item.facet].append(keyed[item.id])
    return DomainScore(
        mean=fmean(keyed.values()) if keyed else None,
        n_items=len(items),
        n_answered=len(keyed),
        low_bound=(total + n_missing * scale.low) / len(items),
        high_bound=(total + n_missing * scale.high) / len(items),
        sd=sd,
        se=None if sd is None else sd / sqrt(len(keyed)),
        facets={facet: fmean(values) if values else None for facet, values in by_facet.items()},
        reason=None if keyed else f"none of its {len(items)} items was answered",
    )
