"""From figures to plain words: may this score be believed, and for what?

The limits are conventions, chosen so that they mean the same on every scale; ``docs/
reliability.md`` gives the reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from persona_lab.instruments import Scale
from persona_lab.psychometrics.conduct import Conduct
from persona_lab.psychometrics.document import figure, number, percent
from persona_lab.psychometrics.estimate import Estimate
from persona_lab.psychometrics.measures import COMPARED, Battery, TraitMeasures
from persona_lab.psychometrics.sensitivity import Shift

Level = Literal["steady", "unclear", "fragile", "no measurement", "unscored"]
LEVELS: Final[tuple[Level, ...]] = ("steady", "unclear", "fragile", "no measurement", "unscored")
"""From good to bad; a trait has the worst of its findings."""

MARGIN: Final = 1 / 16
"""Share of the scale's width below which a shift does not matter: 0.25 points on 1 to 5."""

WIDE: Final = 1 / 4
"""Share of the width that two scores must differ by where single scores say little."""

SIGNIFICANT: Final = 0.05
ANSWERED: Final = 0.8
"""Least share of usable answers."""

AGREEING: Final = 0.25
"""Acquiescence from which answers follow the keying more than the content."""

STRAIGHT: Final = 0.5
"""Share of sittings with one rating for all, from which there is no measurement."""

TURNED: Final = 0.6
"""Least share of denied items that get the opposite answer; chance alone gives 0.36 to 0.5."""

_WIDER: Final = 1.5
"""By how much an interval of 95 % is widened (to 99.7 %)."""

_WHAT: Final = {
    "wording": "the wording of the question",
    "order": "the order of the options",
    "temperature": "the temperature",
}
_AS_PRINTED: Final = "do not compare it across prompts"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        code: stable name, for programs.
        level: how bad it is for the score.
        text: one sentence for people.
    """

    code: str
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the score of one trait, or a bot's way of answering, is worth.

    Attributes:
        key: of the domain; ``""`` for the bot as a whole.
        level: the worst of the findings.
        findings: worst first.
    """

    key: str
    level: Level
    findings: tuple[Finding, ...]

    @property
    def text(self) -> str:
        """The worst findings in one paragraph."""
        return " ".join(f.text for f in self.findings if f.level == self.level)


def judge_trait(trait: TraitMeasures, battery: Battery) -> Verdict:
    """The verdict on one trait."""
    whose = _whose(battery, trait.name)
    if trait.conduct.answered.estimate in (None, 0.0):
        return _verdict(trait.key, [_nothing(trait.conduct, trait.name)])
    findings = [*_conduct(trait.conduct, trait.name), *_flat(trait, battery)]
    findings += _shifts(trait, whose, battery.instrument.scale)
    findings += _precision(trait, battery.instrument.scale)
    return _verdict(trait.key, findings)


def judge_bot(battery: Battery) -> Verdict:
    """The verdict on the way of answering, over all traits."""
    conduct = battery.conduct
    if conduct.answered.estimate in (None, 0.0):
        return _verdict("", [_nothing(conduct, "personality")])
    findings = [*_conduct(conduct, "all traits")]
    if (conduct.straight.estimate or 0.0) >= STRAIGHT:
        findings.append(
            Finding(
                "straight_lining",
                "no measurement",
                f"In {percent(conduct.straight)} of the sittings every item got the same rating, "
                "also those that contradict each other: these answers measure nothing.",
            )
        )
    margin = _points(MARGIN, battery.instrument.scale)
    for shift in battery.leaning:
        if classify(shift, margin) == "moves":
            size = abs(shift.difference.estimate or 0.0)
            findings.append(
                Finding(
                    "leaning",
                    "fragile",
                    f"Ratings as given shift by {size:.1f} points between {shift.first} and "
                    f"{shift.second} options, so the answers follow the list; scores stay in "
                    "place only as far as keys in both directions cancel it.",
                )
            )
    return _verdict("", findings)


Class = Literal["moves", "steady", "unclear"]


def classify(shift: Shift, margin: float) -> Class:
    """What a shift says.

    Returns:
        ``moves``: at least as much as matters, and not by chance; ``steady``: the interval
        lies within what matters; else ``unclear``.
    """
    d = shift.difference
    if d.estimate is None or shift.p_holm is None:
        return "unclear"
    if abs(d.estimate) >= margin and shift.p_holm < SIGNIFICANT:
        return "moves"
    if d.low is not None and d.high is not None and -margin < d.low and d.high < margin:
        return "steady"
    return "unclear"


def _shifts(trait: TraitMeasures, whose: str, scale: Scale) -> Iterator[Finding]:
    """What was found on each factor: that of its worst pair of levels."""
    margin = _points(MARGIN, scale)
    open_questions, steady = [], []
    for factor in COMPARED:
        # the largest shift of each class comes last and stays
        shifts = sorted(trait.shifts[factor], key=lambda s: abs(s.difference.estimate or 0.0))
        classes = {classify(s, margin): s for s in shifts}
        if "moves" in classes:
            shift = classes["moves"]
            advice = "compare at one temperature only" if factor == "temperature" else _AS_PRINTED
            yield Finding(
                f"moves_{factor}",
                "fragile",
                f"{whose} moves {abs(shift.difference.estimate or 0.0):.1f} points with "
                f"{_WHAT[factor]} ({shift.first} against {shift.second}): {advice}.",
            )
        elif "unclear" in classes:
            open_questions.append(f"{_WHAT[factor]} ({figure(classes['unclear'].difference)})")
        elif shifts:
            steady.append(_WHAT[factor])
    if open_questions:
        yield Finding(
            "unclear",
            "unclear",
            f"There are too few answers to tell whether {trait.name} moves with "
            f"{_listed(open_questions)}; more repeats or items would.",
        )
    if steady:
        yield Finding(
            "steady",
            "steady",
            f"{trait.name} moves less than {margin:.2g} points with {_listed(steady)}.",
        )


def _flat(trait: TraitMeasures, battery: Battery) -> Iterator[Finding]:
    """The same rating for all items of the trait, or of the whole questionnaire."""
    if (battery.conduct.straight.estimate or 0.0) >= STRAIGHT:
        yield Finding(
            "straight_lining",
            "no measurement",
            f"In {percent(battery.conduct.straight)} of the sittings every item of the "
            f"questionnaire got the same rating, so the score of {trait.name} says nothing.",
        )
    elif (trait.conduct.straight.estimate or 0.0) >= STRAIGHT:
        yield Finding(
            "flat",
            "unclear",
            f"In {percent(trait.conduct.straight)} of the sittings all items on {trait.name} got "
            "the same rating, though they are keyed both ways: a score in the middle may be no "
            "opinion.",
        )


def _precision(trait: TraitMeasures, scale: Scale) -> Iterator[Finding]:
    change = trait.change.estimate
    if change is None:
        yield Finding(
            "no_repeats",
            "unclear",
            f"How far single scores of {trait.name} vary is not known: "
            f"{trait.change.reason}; ask in more ways or repeat.",
        )
    elif change >= _points(WIDE, scale):
        certain = (trait.change.low or 0.0) >= _points(WIDE, scale)
        yield Finding(
            "noisy",
            "fragile" if certain else "unclear",
            f"One sitting says little about {trait.name}: two scores must differ by "
            f"{change:.1f} points before the difference is more than the way of asking.",
        )
    else:
        yield Finding(
            "change",
            "steady",
            f"Two scores of {trait.name} that differ by {number(change, 1)} points or less may "
            "be the same.",
        )


def _conduct(conduct: Conduct, name: str) -> Iterator[Finding]:
    """What the way of answering says about a score, where there are answers."""
    if (conduct.answered.estimate or 0.0) < ANSWERED:
        why = ", ".join(f"{n} {code}" for code, n in conduct.failures.items())
        yield Finding(
            "refusals",
            "fragile",
            f"Only {percent(conduct.answered)} of the {conduct.asked} questions on {name} have "
            f"a usable answer ({why}): the score rests on what the bot was willing to answer.",
        )
    leaning = conduct.acquiescence
    if abs(leaning.estimate or 0.0) >= AGREEING and _apart_from_zero(leaning):
        does = "agrees with" if (leaning.estimate or 0.0) > 0 else "denies"
        yield Finding(
            "acquiescence",
            "no measurement",
            f"The bot {does} items on {name} whatever they say (acquiescence "
            f"{number(leaning.estimate)} on -1 to 1): the score follows the keys.",
        )
    if conduct.twins.estimate is not None and conduct.twins.estimate < TURNED:
        yield Finding(
            "contradicts",
            "no measurement",
            f"Only {percent(conduct.twins)} of {conduct.twins.n} items on {name} got the "
            "opposite answer when they were negated: the bot contradicts itself.",
        )


def _nothing(conduct: Conduct, name: str) -> Finding:
    why = ", ".join(f"{n} {code}" for code, n in conduct.failures.items()) or "none was asked"
    return Finding(
        "no_answers",
        "unscored",
        f"{name[:1].upper()}{name[1:]} was not measured: no answer can be used ({why}).",
    )


def _verdict(key: str, findings: list[Finding]) -> Verdict:
    ranked = sorted(findings, key=lambda f: -LEVELS.index(f.level))
    return Verdict(key, ranked[0].level if ranked else "steady", tuple(ranked))


def _whose(battery: Battery, name: str) -> str:
    return f"This bot's {name}" if len(battery.respondents) < 2 else f"{name} of these personas"


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _apart_from_zero(estimate: Estimate) -> bool:
    """Is zero well outside the interval, so that looking at many traits gives no alarm?"""
    if estimate.estimate is None or estimate.low is None or estimate.high is None:
        return False
    return abs(estimate.estimate) > _WIDER * (estimate.high - estimate.low) / 2


def _points(share: float, scale: Scale) -> float:
    return share * (scale.high - scale.low)
