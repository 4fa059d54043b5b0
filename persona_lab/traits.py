"""Frameworks, traits and targets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from persona_lab.errors import TargetError

FrameworkName = Literal["bigfive", "mbti"]


@dataclass(frozen=True, slots=True)
class Trait:
    """One dimension of a framework.

    Attributes:
        key: as in result rows, for example ``openness`` or ``EI``.
        high: short name of the high pole (``p_high`` is its probability).
        low: short name of the other pole.
        letter: one letter for targets: ``O C E A N``, or the axis' first letter.
        seen: how people call someone who shows the high pole, and the low pole.
    """

    key: str
    high: str
    low: str
    letter: str
    seen: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Framework:
    """A set of traits that are reported together."""

    name: FrameworkName
    title: str
    traits: tuple[Trait, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Trait keys in reporting order."""
        return tuple(trait.key for trait in self.traits)


BIG_FIVE = Framework(
    "bigfive",
    "Big Five",
    (
        Trait("openness", "open", "conventional", "O", ("curious", "conventional")),
        Trait("conscientiousness", "conscientious", "spontaneous", "C", ("orderly", "careless")),
        Trait("extraversion", "extraverted", "introverted", "E", ("outgoing", "withdrawn")),
        Trait("agreeableness", "agreeable", "critical", "A", ("kind", "harsh")),
        Trait("neuroticism", "neurotic", "stable", "N", ("anxious", "calm")),
    ),
)

MBTI = Framework(
    "mbti",
    "MBTI",
    (
        Trait("EI", "E", "I", "E", ("outgoing", "withdrawn")),
        Trait("SN", "S", "N", "S", ("concrete", "imaginative")),
        Trait("TF", "T", "F", "T", ("matter-of-fact", "guided by feeling")),
        Trait("JP", "J", "P", "J", ("planning", "spontaneous")),
    ),
)

FRAMEWORKS: Mapping[str, Framework] = {f.name: f for f in (BIG_FIVE, MBTI)}
ALL_TRAITS: tuple[str, ...] = BIG_FIVE.keys + MBTI.keys
"""Column order wherever traits of both frameworks share one array."""

SEEN_POLES: Mapping[tuple[str, str], str] = {
    (trait.key, pole): word
    for framework in FRAMEWORKS.values()
    for trait in framework.traits
    for pole, word in zip(("high", "low"), trait.seen, strict=True)
}
"""How people call someone who shows a pole, by trait and ``high`` or ``low``."""

_SIGNED = re.compile(r"([OCEAN])([+-])")


def mbti_labels(type_code: str) -> dict[str, float]:
    """Turn a type such as ``INFP`` into labels; ``X`` leaves a letter open.

    Returns:
        ``{"EI": 0.0, "SN": 0.0, "TF": 0.0, "JP": 0.0}`` for INFP: 1.0 is the first
        letter of the axis.

    Raises:
        TargetError: the code is not four letters of the four axes.
    """
    code = type_code.strip().upper()
    labels: dict[str, float] = {}
    if len(code) != len(MBTI.traits):
        raise TargetError(f"not an MBTI type: {type_code!r}; use four letters such as INFP or IXFP")
    for letter, trait in zip(code, MBTI.traits, strict=True):
        if letter == trait.high:
            labels[trait.key] = 1.0
        elif letter == trait.low:
            labels[trait.key] = 0.0
        elif letter != "X":
            raise TargetError(
                f"not an MBTI type: {type_code!r}; {letter!r} should be {trait.high}, {trait.low} "
                "or X (open)"
            )
    return labels


@dataclass(frozen=True, slots=True)
class Target:
    """A personality that was asked for.

    Attributes:
        framework: which one.
        values: wanted probability of the high pole per trait key, 0..1; traits that are
            not named do not matter.
    """

    framework: Framework
    values: Mapping[str, float]

    @classmethod
    def parse(cls, given: str | Mapping[str, float]) -> Target:
        """Read ``"E+ N-"``, ``"INFP"``, ``"IXFP"`` or ``{"openness": 0.8}``.

        Raises:
            TargetError: with the forms that are allowed.
        """
        if isinstance(given, str):
            return cls._parse_text(given)
        for framework in FRAMEWORKS.values():
            if given and set(given) <= set(framework.keys):
                bad = {k: v for k, v in given.items() if not 0.0 <= v <= 1.0}
                if bad:
                    raise TargetError(f"target values must lie in 0..1, not {bad}")
                return cls(framework, dict(given))
        raise TargetError(
            f"target traits {sorted(given)} belong to no framework; Big Five: "
            f"{', '.join(BIG_FIVE.keys)}; MBTI: {', '.join(MBTI.keys)}"
        )

    @classmethod
    def _parse_text(cls, given: str) -> Target:
        parts = given.replace(",", " ").upper().split()
        signed = [_SIGNED.fullmatch(part) for part in parts]
        if parts and all(signed):
            keys = {trait.letter: trait.key for trait in BIG_FIVE.traits}
            found = {(keys[m[1]], m[2]) for m in signed if m is not None}
            values = {key: float(sign == "+") for key, sign in found}
            if len(values) < len(found):
                raise TargetError(f"the target {given!r} asks for both poles of a trait")
            return cls(BIG_FIVE, {key: values[key] for key in BIG_FIVE.keys if key in values})
        if len(parts) == 1 and len(parts[0]) == len(MBTI.traits):
            return cls(MBTI, mbti_labels(parts[0]))
        raise TargetError(
            f"cannot read the target {given!r}; use Big Five signs such as 'E+ N-', a type such "
            'as INFP (X leaves a letter open), or a mapping such as {"openness": 0.8}'
        )
