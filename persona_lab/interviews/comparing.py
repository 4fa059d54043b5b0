"""Has a bot changed? Two profiles compared domain by domain; and personas with each other.

The scores of both are paired by unit (the same item, the same group of questions), so that hard
and easy items cancel out. A domain has drifted if

1. its paired t test is significant after Holm's correction over all domains, protocols and
   personas, or every unit has moved by exactly the same amount; and
2. the difference is larger than the minimal detectable change, where repeats tell it: 1.96 times
   the root of 2 times the standard error of measurement, that of a mean over the repeats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import fmean
from typing import Any, Final

from persona_lab.errors import InputError
from persona_lab.interviews.junit import Case
from persona_lab.interviews.result import Measurement
from persona_lab.psychometrics import (
    Estimate,
    cliffs_delta,
    cohens_d,
    minimal_detectable_change,
    paired_tests,
    retest_standard_error,
)

ALPHA: Final = 0.05
_MOST_PERSONAS: Final = 4
"""Up to so many, each pair is compared; of hundreds that would say nothing."""

Units = Mapping[str, Mapping[str, float]]
"""Scores by unit and repeat."""


@dataclass(frozen=True, slots=True)
class Change:
    """One domain in two profiles.

    Attributes:
        persona: id; None for none.
        protocol: of the answers.
        rater: who rated.
        domain: key.
        before: score in the first profile, 0..1.
        after: score in the second.
        difference: after minus before over the units that both have, with its interval.
        p: of the paired test; None where it could not be made.
        p_holm: adjusted for all tests of the comparison.
        mdc: minimal detectable change; unscored without repeats.
        drifted: by the rule of this module.
        reason: why it could not be compared; None where it was.
    """

    persona: str | None
    protocol: str
    rater: str
    domain: str
    before: float | None
    after: float | None
    difference: Estimate
    p: float | None
    p_holm: float | None
    mdc: Estimate
    drifted: bool
    reason: str | None

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "persona": self.persona,
            "protocol": self.protocol,
            "rater": self.rater,
            "domain": self.domain,
            "before": self.before,
            "after": self.after,
            "difference": self.difference.to_row(),
            "p": self.p,
            "p_holm": self.p_holm,
            "minimal_detectable_change": self.mdc.to_row(),
            "drifted": self.drifted,
            "reason": self.reason,
        }


def compare(
    before: Mapping[str, Any], after: Mapping[str, Any], *, alpha: float = ALPHA
) -> list[Change]:
    """Compare two profiles.

    Args:
        before: the profile to hold on to.
        after: the new one.
        alpha: error rate of the whole comparison.

    Returns:
        A change for each persona, protocol, rater and domain that both have.

    Raises:
        InputError: they are about different questionnaires, or have nothing in common.
    """
    names = [p["instrument"]["name"] for p in (before, after)]
    if names[0] != names[1]:
        raise InputError(
            f"the profiles are of {names[0]!r} and {names[1]!r}; compare like with like"
        )
    second = {_key(m): m for m in after["measurements"]}
    shared = [(m, second[_key(m)]) for m in before["measurements"] if _key(m) in second]
    if not shared:
        raise InputError(
            "the profiles have no persona, protocol and rater in common; interview both bots with "
            "the same options"
        )
    pairs: dict[str, tuple[list[float], list[float]]] = {}
    cells = []
    for first, other in shared:
        mdc = _detectable(first, other)
        for domain in first["domains"]:
            a, b = first["domains"][domain], other["domains"].get(domain, {"score": None})
            name = "/".join(map(str, (*_key(first), domain)))
            pairs[name] = _paired(b.get("units", {}), a.get("units", {}))
            cells.append((name, first, domain, a, b, mdc))
    tests = {test.name: test for test in paired_tests(pairs)}
    changes = []
    for name, first, domain, a, b, mdc in cells:
        test = tests[name]
        changes.append(
            Change(
                *_key(first),
                domain=domain,
                before=a["score"],
                after=b["score"],
                difference=test.difference,
                p=test.p,
                p_holm=test.p_holm,
                mdc=mdc,
                drifted=_drifted(test.difference, test.p_holm, mdc, alpha),
                reason=_reason(a, b, test.difference),
            )
        )
    return changes


def cases_of(changes: Sequence[Change]) -> list[Case]:
    """Test cases for CI: a drifted domain fails, one that could not be compared is skipped."""
    cases = []
    for change in changes:
        group = ".".join(filter(None, (change.persona, change.protocol, change.rater)))
        if change.reason is not None:
            cases.append(Case(group, change.domain, "skipped", change.reason))
            continue
        outcome = "failed" if change.drifted else "passed"
        cases.append(Case(group, change.domain, outcome, said_of(change)))  # type: ignore[arg-type]
    return cases


def said_of(change: Change) -> str:
    """One line about a change."""
    found = change.difference
    if found.estimate is None:
        return change.reason or "not compared"
    interval = "" if found.low is None else f" [{found.low:+.3f}, {found.high:+.3f}]"
    p = "" if change.p_holm is None else f", p = {change.p_holm:.4f} (Holm)"
    mdc = "" if change.mdc.estimate is None else f", detectable {change.mdc.estimate:.3f}"
    return f"{found.estimate:+.3f}{interval} over {found.n} units{p}{mdc}"


def effects(measured: Sequence[Measurement]) -> list[dict[str, Any]]:
    """How far personas of one bot are apart, for each protocol and rater.

    Returns:
        JSON types, one object for each pair of personas, protocol and rater (none where there
        are more than four personas): ``first``, ``second`` and for each domain ``difference``
        (first minus second over shared units, with its paired interval), ``cohens_d`` and
        ``cliffs_delta`` over the units of both as independent groups, ``p`` and ``p_holm``.
    """
    found = []
    for bot, protocol, rater in dict.fromkeys((m.bot, m.protocol, m.rater) for m in measured):
        mine = [m for m in measured if (m.bot, m.protocol, m.rater) == (bot, protocol, rater)]
        if len(mine) > _MOST_PERSONAS:
            continue
        for first, second in combinations(mine, 2):
            row = {"bot": bot, "protocol": protocol, "rater": rater}
            row |= {"first": first.persona or bot, "second": second.persona or bot}
            found.append(row | {"domains": _effects(first, second)})
    return found


def _effects(first: Measurement, second: Measurement) -> dict[str, Any]:
    units = {
        key: (first.domains[key].units, second.domains[key].units)
        for key in first.domains
        if key in second.domains
    }
    tests = paired_tests({key: _paired(a, b) for key, (a, b) in units.items()})
    found = {}
    for test in tests:
        a, b = units[test.name]
        found[test.name] = {
            "difference": test.difference.to_row(),
            "cohens_d": cohens_d(_values(a), _values(b)).to_row(),
            "cliffs_delta": cliffs_delta(_values(a), _values(b)).to_row(),
            "p": test.p,
            "p_holm": test.p_holm,
        }
    return found


def _key(measurement: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return measurement["persona"], measurement["protocol"], measurement["rater"]


def _values(units: Units) -> list[float]:
    """Means of units; the repeats where there is one unit only."""
    if len(units) == 1:
        return list(next(iter(units.values())).values())
    return [fmean(scores.values()) for scores in units.values()]


def _paired(first: Units, second: Units) -> tuple[list[float], list[float]]:
    """Values of both by unit; by repeat where one unit is all that they share."""
    shared = [unit for unit in first if unit in second]
    if len(shared) == 1:
        a, b = first[shared[0]], second[shared[0]]
        repeats = [repeat for repeat in a if repeat in b]
        return [a[r] for r in repeats], [b[r] for r in repeats]
    return (
        [fmean(first[unit].values()) for unit in shared],
        [fmean(second[unit].values()) for unit in shared],
    )


def _detectable(first: Mapping[str, Any], second: Mapping[str, Any]) -> Estimate:
    """Minimal detectable change of a domain's mean over repeats, pooled over domains."""
    rows = [_by_repeat(d.get("units", {})) for m in (first, second) for d in m["domains"].values()]
    k = min((len(row) for row in rows if row), default=0)
    sem = retest_standard_error([row[:k] for row in rows if row], absolute=False)
    change = minimal_detectable_change(sem)
    if change.estimate is None:
        return change
    low, high = (None if end is None else end / sqrt(k) for end in (change.low, change.high))
    return Estimate(change.estimate / sqrt(k), low, high, change.n)


def _by_repeat(units: Units) -> list[float]:
    repeats = sorted({repeat for scores in units.values() for repeat in scores}, key=int)
    return [fmean(s[repeat] for s in units.values() if repeat in s) for repeat in repeats]


def _drifted(difference: Estimate, p_holm: float | None, mdc: Estimate, alpha: float) -> bool:
    found = difference.estimate
    if found is None or (mdc.estimate is not None and abs(found) <= mdc.estimate):
        return False
    if p_holm is not None:
        return p_holm < alpha
    # all units moved alike: beyond a t test, and no accident
    return difference.n > 1 and found != 0


def _reason(a: Mapping[str, Any], b: Mapping[str, Any], difference: Estimate) -> str | None:
    for which, result in (("first", a), ("second", b)):
        if result["score"] is None:
            return f"unscored in the {which} profile: {result.get('reason', 'it is missing')}"
    if difference.estimate is None:
        return f"not comparable: {difference.reason}; use more items or --repeats"
    return None
