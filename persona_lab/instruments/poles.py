"""Domains for our traits, with words for both poles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from persona_lab.instruments.model import Domain, Item
from persona_lab.traits import BIG_FIVE, FRAMEWORKS, MBTI

_AXIS_WORDS = {
    "EI": ("extraverted", "introverted"),
    "SN": ("sensing", "intuitive"),
    "TF": ("thinking", "feeling"),
    "JP": ("judging", "perceiving"),
}
_BIG_FIVE_WORDS = {trait.key: (trait.high, trait.low) for trait in BIG_FIVE.traits}
_WORDS = _BIG_FIVE_WORDS | _AXIS_WORDS


def trait_of(name: str) -> str | None:
    """Our trait for a domain's name such as ``Extraversion`` or ``P/J``, else None."""
    folded = name.strip().casefold()
    letters = set(folded) - {"/", "-", " "}
    for key in BIG_FIVE.keys:
        if folded == key:
            return key
    return next((k for k in MBTI.keys if len(folded) <= 3 and letters == set(k.lower())), None)


def domain_named(name: str) -> Domain:
    """A domain as far as its name tells: our trait's, or one with ``high`` and ``low``."""
    trait = trait_of(name)
    if trait is None:
        return Domain(name, name, None, f"high {name}", f"low {name}")
    high, low = _WORDS[trait]
    return Domain(trait, name, trait, high, low)


def explain_one_sided(domains: Iterable[Domain], items: Sequence[Item]) -> tuple[Domain, ...]:
    """Say of domains whose items all have one key that a user's file has it so."""
    explained = []
    for domain in domains:
        keys = {item.keyed for item in items if item.domain == domain.key}
        reason = "all its items in the file have the same key" if len(keys) == 1 else None
        explained.append(replace(domain, one_sided=reason))
    return tuple(explained)


def framework_of(domains: Sequence[Domain]) -> str | None:
    """The framework whose traits are all measured, if there is one."""
    traits = {domain.trait for domain in domains}
    return next((f.name for f in FRAMEWORKS.values() if set(f.keys) <= traits), None)
