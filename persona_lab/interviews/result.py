"""From ratings to a profile: a position on every domain, with interval, bounds and reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Final

import numpy as np

from persona_lab.instruments import Domain, Instrument
from persona_lab.interviews.raters.rating import DETECTOR, Rating
from persona_lab.psychometrics import icc, krippendorff_alpha
from persona_lab.psychometrics.estimate import mean_estimate

_DIGITS: Final = 4
_QUOTES_PER_DOMAIN: Final = 3
_NEVER: Final = "no answer about it was recorded"


@dataclass(frozen=True, slots=True)
class DomainResult:
    """One domain of one subject, as one rater sees it in one protocol.

    All figures are positions between the poles: 0 the low one, 1 the high one.

    Attributes:
        score: mean over units (items, or groups of answers), each the mean of its repeats
            and judges; None where nothing could be scored.
        low: lower end of the interval. Raters by item or judge: 95 % t interval over units
            (over repeats where there is one unit). Detector: the mean of its own 90 %
            intervals, for its error does not shrink with more answers.
        high: upper end.
        worst: the score if everything unscored were at the low pole.
        best: the score if everything unscored were at the high pole.
        n_scored: ratings with a score.
        n_unscored: ratings without.
        facets: score by facet, where answers are about facets.
        units: scores by unit and repeat; what two profiles are compared by.
        reasons: of the ratings, at most three, those nearest to the score first.
        quotes: record ids and words, at most three.
        code: why there is no score.
        reason: the same for people.
    """

    score: float | None
    low: float | None
    high: float | None
    worst: float | None
    best: float | None
    n_scored: int
    n_unscored: int
    facets: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    quotes: tuple[tuple[str, str], ...] = ()
    code: str | None = None
    reason: str | None = None

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        row: dict[str, Any] = {
            name: _round(getattr(self, name)) for name in ("score", "low", "high", "worst", "best")
        }
        row |= {
            "n_scored": self.n_scored,
            "n_unscored": self.n_unscored,
            "facets": {facet: _round(score) for facet, score in self.facets.items()},
            "units": {
                unit: {repeat: _round(score) for repeat, score in scores.items()}
                for unit, scores in self.units.items()
            },
            "reasons": list(self.reasons),
            "quotes": [{"record": record, "text": text} for record, text in self.quotes],
        }
        if self.score is None:
            row |= {"code": self.code, "reason": self.reason}
        return row


def domain_result(ratings: Sequence[Rating]) -> DomainResult:
    """Put the ratings of one domain together.

    Args:
        ratings: of one subject, protocol, rater and domain; all repeats and judges.
    """
    scored = [r for r in ratings if r.score is not None]
    n_missing = len(ratings) - len(scored)
    if not scored:
        first = next((r for r in ratings if r.code is not None), None)
        return DomainResult(
            None, None, None, None, None, 0, n_missing,
            code=(first.code or "unscored") if first else "no_answers",
            reason=first.reason if first else _NEVER,
        )  # fmt: skip
    units = _units(scored)
    means = {unit: fmean(scores.values()) for unit, scores in units.items()}
    score = fmean(means.values())
    total = sum(r.score for r in scored if r.score is not None)
    low, high = _interval(scored, units)
    return DomainResult(
        score=score,
        low=low,
        high=high,
        worst=total / len(ratings),
        best=(total + n_missing) / len(ratings),
        n_scored=len(scored),
        n_unscored=n_missing,
        facets=_facets(scored),
        units=units,
        reasons=_reasons(scored, score),
        quotes=_quotes(scored, score),
    )


def _units(scored: Sequence[Rating]) -> dict[str, dict[str, float]]:
    """Scores by unit and repeat; judges are averaged."""
    found: dict[str, dict[str, list[float]]] = {}
    for rating in scored:
        assert rating.score is not None
        by_repeat = found.setdefault(rating.unit, {})
        by_repeat.setdefault(str(rating.repeat), []).append(rating.score)
    return {
        unit: {repeat: fmean(scores) for repeat, scores in by_repeat.items()}
        for unit, by_repeat in found.items()
    }


def _interval(
    scored: Sequence[Rating], units: Mapping[str, Mapping[str, float]]
) -> tuple[float | None, float | None]:
    if scored[0].rater == DETECTOR:
        lows, highs = [r.low for r in scored], [r.high for r in scored]
        return (
            fmean(low for low in lows if low is not None),
            fmean(high for high in highs if high is not None),
        )
    values = [fmean(scores.values()) for scores in units.values()]
    if len(values) == 1:
        values = list(next(iter(units.values())).values())
    estimate = mean_estimate(np.array(values, dtype=np.float64))
    if estimate.low is None or estimate.high is None:
        return None, None
    return max(0.0, estimate.low), min(1.0, estimate.high)


def _facets(scored: Sequence[Rating]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for rating in scored:
        if rating.facet is not None and rating.score is not None:
            found.setdefault(rating.facet, []).append(rating.score)
    return {facet: fmean(scores) for facet, scores in found.items()}


def _telling(scored: Sequence[Rating], score: float) -> list[Rating]:
    """Ratings on the same side as the score, the clearest first."""
    side = 1 if score >= 0.5 else -1
    return sorted(scored, key=lambda r: -side * ((r.score or 0.0) - 0.5))


def _reasons(scored: Sequence[Rating], score: float) -> tuple[str, ...]:
    reasons = dict.fromkeys(r.reason for r in _telling(scored, score) if r.reason)
    return tuple(reasons)[:_QUOTES_PER_DOMAIN]


def _quotes(scored: Sequence[Rating], score: float) -> tuple[tuple[str, str], ...]:
    found = dict.fromkeys(
        (quote.record, quote.text) for r in _telling(scored, score) for quote in r.quotes
    )
    # repeats of a bot at temperature 0 say the same words
    by_text = {text: (record, text) for record, text in reversed(found)}
    kept = [pair for pair in found if by_text[pair[1]] == pair]
    return tuple(kept)[:_QUOTES_PER_DOMAIN]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One subject, one protocol, one rater.

    Attributes:
        bot: name of the bot.
        persona: id of its persona.
        protocol: the answers are from.
        rater: who rated.
        domains: results by domain key, in the instrument's order.
        reliability: ``retest`` (ICC(2,1) of units over repeats) and ``judges``
            (Krippendorff's alpha, interval level), each an estimate as JSON types.
    """

    bot: str
    persona: str | None
    protocol: str
    rater: str
    domains: Mapping[str, DomainResult]
    reliability: Mapping[str, Any]

    @property
    def key(self) -> tuple[str | None, str, str]:
        """What tells it from others of the same bot."""
        return self.persona, self.protocol, self.rater

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "bot": self.bot,
            "persona": self.persona,
            "protocol": self.protocol,
            "rater": self.rater,
            "domains": {key: result.to_row() for key, result in self.domains.items()},
            "reliability": dict(self.reliability),
        }


def measurements(ratings: Iterable[Rating], instrument: Instrument) -> list[Measurement]:
    """Put all ratings together.

    Args:
        ratings: of any subjects, protocols and raters.
        instrument: whose domains are reported.

    Returns:
        A subject's together, in order of first occurrence.
    """
    found: dict[tuple[str, str | None, str, str], list[Rating]] = {}
    subjects: dict[tuple[str, str | None], int] = {}
    for rating in ratings:
        key = (rating.bot, rating.persona, rating.protocol, rating.rater)
        found.setdefault(key, []).append(rating)
        subjects.setdefault(key[:2], len(subjects))
    return [
        Measurement(*key, domains=_by_domain(mine, instrument.domains), reliability=_rel(mine))
        for key, mine in sorted(found.items(), key=lambda pair: subjects[pair[0][:2]])
    ]


def _by_domain(ratings: Sequence[Rating], domains: Sequence[Domain]) -> dict[str, DomainResult]:
    return {
        domain.key: domain_result([r for r in ratings if r.domain == domain.key])
        for domain in domains
    }


def _rel(ratings: Sequence[Rating]) -> dict[str, Any]:
    """How well repeats and judges agree, over all units of all domains."""
    found: dict[str, Any] = {}
    repeats = sorted({r.repeat for r in ratings})
    if len(repeats) > 1:
        table = _table(ratings, [str(r) for r in repeats], lambda r: str(r.repeat))
        found["retest"] = icc(table).to_row() | {"repeats": len(repeats)}
    judges = list(dict.fromkeys(r.judge for r in ratings if r.judge is not None))
    if len(judges) > 1:
        by_judge = _table(ratings, judges, lambda r: r.judge or "", apart_by_repeat=True)
        alpha = krippendorff_alpha(by_judge, level="interval")
        found["judges"] = alpha.to_row() | {"judges": judges}
    return found


def _table(
    ratings: Sequence[Rating],
    columns: Sequence[str],
    column_of: Any,
    *,
    apart_by_repeat: bool = False,
) -> list[list[float | None]]:
    """Scores ``(units, columns)``, means where a cell has several."""
    cells: dict[tuple[str, str], dict[str, list[float]]] = {}
    for rating in ratings:
        if rating.score is not None:
            unit = (rating.domain, rating.unit + (f" {rating.repeat}" if apart_by_repeat else ""))
            cells.setdefault(unit, {}).setdefault(column_of(rating), []).append(rating.score)
    return [[fmean(row[c]) if c in row else None for c in columns] for row in cells.values()]


def _round(value: float | None) -> float | None:
    return None if value is None else round(float(value), _DIGITS)
