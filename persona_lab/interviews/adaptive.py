"""Adaptive length: ask the next most useful item until every domain is known well enough.

The rule, in full:

1. A domain's standard error is ``s / sqrt(n)`` over its ``n`` answered items. The spread ``s``
   starts from a quarter of the scale's width and counts as if four items had said so:
   ``s^2 = (4 s0^2 + sum of squared deviations) / (4 + n - 1)``. So three equal answers are not
   yet certainty.
2. A domain is done when its standard error is at most what is asked for, it has an answered
   item of each key it can have, and three or more; or when all its items were tried.
3. The next item comes from the unfinished domain with the largest standard error; there from
   the key that has been tried less often; there from the facet that has been tried least; and
   then in the instrument's order.

Items are not ranked by how well they discriminate: that needs answers of many respondents like
the bot under test, which nobody has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import fmean
from typing import Any, Final

from persona_lab.errors import InputError
from persona_lab.instruments import Instrument, Item
from persona_lab.interviews.records import Record
from persona_lab.interviews.self_report import PROTOCOL as SELF_REPORT
from persona_lab.interviews.self_report import ratings_of

PRIOR_ITEMS: Final = 4
_PRIOR_SHARE: Final = 0.25
_FEWEST: Final = 3


def standard_error(instrument: Instrument, domain: str, ratings: Mapping[str, float]) -> float:
    """How well the answered items pin down a domain's mean, on the instrument's scale.

    Args:
        instrument: with the domain.
        domain: its key.
        ratings: by item id, as printed; items without an answer are missing.

    Returns:
        Rule 1 above; infinite where nothing was answered.
    """
    scale = instrument.scale
    keyed = [i.reflect(ratings[i.id], scale) for i in instrument.of(domain) if i.id in ratings]
    if not keyed:
        return inf
    n, mean = len(keyed), fmean(keyed)
    prior = (_PRIOR_SHARE * (scale.high - scale.low)) ** 2
    squares = sum((value - mean) ** 2 for value in keyed)
    return sqrt((PRIOR_ITEMS * prior + squares) / (PRIOR_ITEMS + n - 1) / n)


def next_item(
    instrument: Instrument,
    ratings: Mapping[str, float],
    tried: Collection[str],
    precision: float,
) -> Item | None:
    """The item to ask next; None where every domain is done.

    Args:
        instrument: the full form.
        ratings: answers so far, by item id, as printed.
        tried: ids of items that were asked, with or without an answer.
        precision: standard error to reach, on the instrument's scale.

    Raises:
        InputError: the precision is not above 0.
    """
    if not precision > 0:
        raise InputError(f"--precision is {precision:g}; give a standard error above 0")
    open_domains = {}
    for domain in instrument.domains:
        left = [item for item in instrument.of(domain.key) if item.id not in tried]
        error = standard_error(instrument, domain.key, ratings)
        if left and not _is_done(instrument.of(domain.key), ratings, error, precision):
            open_domains[domain.key] = (error, left)
    if not open_domains:
        return None
    # the first of equals is kept, so the order of domains decides ties
    key = max(open_domains, key=lambda k: open_domains[k][0])
    return _choose(instrument.of(key), open_domains[key][1], tried)


def _is_done(
    items: Sequence[Item], ratings: Mapping[str, float], error: float, precision: float
) -> bool:
    answered = [item for item in items if item.id in ratings]
    keys = {item.keyed for item in items}
    enough = len(answered) >= min(_FEWEST, len(items))
    return enough and {item.keyed for item in answered} == keys and error <= precision


def _choose(items: Sequence[Item], left: Sequence[Item], tried: Collection[str]) -> Item:
    keys = Counter(item.keyed for item in items if item.id in tried)
    facets = Counter(item.facet for item in items if item.id in tried)
    return min(left, key=lambda item: (keys[item.keyed], facets[item.facet]))


@dataclass(frozen=True, slots=True)
class Replayed:
    """What an adaptive administration would have asked of a respondent with a full form.

    Attributes:
        asked: item ids in order.
        full: items of the full form.
        short_scores: domain means of the items asked, on the instrument's scale.
        full_scores: domain means of the full form.
    """

    asked: tuple[str, ...]
    full: int
    short_scores: Mapping[str, float | None]
    full_scores: Mapping[str, float | None]


def replay(
    instrument: Instrument, ratings: Mapping[str, float | None], precision: float
) -> Replayed:
    """Ask a recorded full form adaptively.

    Args:
        instrument: the full form.
        ratings: recorded answers by item id, as printed.
        precision: standard error to reach.
    """
    known = instrument.checked(ratings)
    asked: list[str] = []
    given: dict[str, float] = {}
    while (item := next_item(instrument, given, asked, precision)) is not None:
        asked.append(item.id)
        if item.id in known:
            given[item.id] = known[item.id]
    return Replayed(
        tuple(asked),
        len(instrument.items),
        {key: score.mean for key, score in instrument.score(given).items()},
        {key: score.mean for key, score in instrument.score(known).items()},
    )


def savings(replays: Sequence[Replayed]) -> dict[str, Any]:
    """What adaptive length saves over many respondents, and what it costs in accuracy.

    Returns:
        JSON types: ``respondents``, ``items_full`` and ``items_asked`` (means), ``saved``
        (share of calls), ``mean_difference`` (mean absolute difference of domain means,
        scale units) and ``correlation`` of short with full scores over all domains and
        respondents (None where it is not defined).
    """
    from persona_lab.psychometrics import correlation

    pairs = [
        (short, full)
        for r in replays
        for key, full in r.full_scores.items()
        if full is not None and (short := r.short_scores[key]) is not None
    ]
    asked = sum(len(r.asked) for r in replays)
    full_calls = sum(r.full for r in replays)
    related = correlation([p[0] for p in pairs], [p[1] for p in pairs])
    return {
        "respondents": len(replays),
        "items_full": full_calls / len(replays) if replays else 0.0,
        "items_asked": round(asked / len(replays), 2) if replays else 0.0,
        "saved": round(1 - asked / full_calls, 4) if full_calls else 0.0,
        "mean_difference": round(fmean(abs(a - b) for a, b in pairs), 4) if pairs else None,
        "correlation": None if related.estimate is None else round(related.estimate, 4),
    }


def adaptive_summary(records: Sequence[Record], instrument: Instrument) -> dict[str, Any]:
    """What an adaptive run asked, against the full form.

    Args:
        records: of the run; open answers are left out.
        instrument: that was asked.
    """
    closed = [r for r in records if r.protocol == SELF_REPORT]
    sittings = {(r.bot, r.persona, r.repeat) for r in closed}
    full = len(instrument.items)
    mean = len(closed) / len(sittings) if sittings else 0.0
    return {
        "respondents": len(sittings),
        "items_full": full,
        "items_asked": round(mean, 2),
        "saved": round(1 - mean / full, 4),
    }


def replayed_summary(
    records: Sequence[Record], instrument: Instrument, precision: float
) -> dict[str, Any] | None:
    """What adaptive length would have saved on recorded full forms.

    Args:
        records: open answers are left out.
        instrument: that was asked.
        precision: standard error to reach.

    Returns:
        As :func:`savings`; None where there are no closed answers.
    """
    closed = [r for r in records if r.protocol == SELF_REPORT]
    sittings: dict[tuple[Any, ...], list[Record]] = {}
    for record in closed:
        sittings.setdefault((record.bot, record.persona, record.repeat), []).append(record)
    if not sittings:
        return None
    runs = [replay(instrument, ratings_of(mine), precision) for mine in sittings.values()]
    return savings(runs)
