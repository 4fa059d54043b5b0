"""Small changes to a persona that should not change its personality.

After SimulateBench (Xiao et al. 2023, arXiv 2312.17115): another name, another age, other
order of the lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from persona_lab.interviews.bots import Persona

JOIN: Final = "~"
"""Between a persona's id and the kind of change, in the id of the variant."""

YEARS: Final = 5
"""How much older a variant is (younger where that would make it over 90)."""

NAMES: Final = ("Alex", "Sam", "Robin", "Kim", "Chris", "Jordan", "Taylor", "Morgan")

_NAMED = re.compile(
    r"(?:\b(?:[Mm]y name is|[Nn]amed|[Nn]ame:|[Cc]alled|[Yy]ou are|I am|I'm)\s+)"
    r"(?P<name>(?!The\b|A\b|An\b|Not\b|Very\b)[A-Z][a-z]+)\b"
)
_AGED = re.compile(
    r"(?P<years>\d{1,3})(?=[- ]years?[- ](?:old|of age))|(?:\b[Aa]ge[d:]?:?\s+)(?P<age>\d{1,3})\b"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def rename(persona: Persona, seed: int) -> str | None:
    """The system prompt with another first name; None where none is found.

    The name is the fact ``name`` of the persona if there is one and it occurs, else the
    word after "my name is", "you are" and the like.
    """
    given = (persona.facts.get("name") or "").split()
    found = _NAMED.search(persona.system)
    name = given[0] if given and given[0] in persona.system else found and found["name"]
    if not name:
        return None
    new = Random(f"name {seed} {persona.id}").choice([n for n in NAMES if n != name])
    return re.sub(rf"\b{re.escape(name)}\b", new, persona.system)


def age(persona: Persona, seed: int) -> str | None:
    """The system prompt with all ages moved by :data:`YEARS`; None where none is told."""

    def older(match: re.Match[str]) -> str:
        group = "years" if match["years"] else "age"
        years = int(match[group])
        new = years + YEARS if years + YEARS <= 90 else years - YEARS
        start = match.start(group) - match.start()
        return match[0][:start] + str(new)

    changed, n = _AGED.subn(older, persona.system)
    return changed if n else None


def reorder(persona: Persona, seed: int) -> str | None:
    """The system prompt with its lines, or the sentences of its only line, in another order.

    The first line (of a single line: the first sentence) gives the role and stays. None
    where there is nothing to change places.
    """
    lines = [line for line in persona.system.splitlines() if line.strip()]
    if len(lines) > 2:
        return _shuffled(lines, 1, "\n", f"{seed} {persona.id}")
    sentences = _SENTENCE.split(lines[-1])
    changed = _shuffled(sentences, len(lines) == 1, " ", f"{seed} {persona.id}")
    return None if changed is None else "\n".join([*lines[:-1], changed])


def _shuffled(parts: Sequence[str], kept: int, joint: str, seed: str) -> str | None:
    """The parts in another order but for the first ``kept``; None where there is none."""
    movable = list(parts[kept:])
    if len(set(movable)) < 2:
        return None
    random = Random(f"lines {seed}")
    moved = movable
    while moved == movable:
        moved = random.sample(movable, len(movable))
    return joint.join([*parts[:kept], *moved])


KINDS: Final[Mapping[str, Callable[[Persona, int], str | None]]] = {
    "name": rename,
    "age": age,
    "lines": reorder,
}
"""Changes by name."""


def variant(persona: Persona, kind: str, seed: int = 0) -> Persona | None:
    """The persona with one change; None where it cannot be made.

    Args:
        persona: to change.
        kind: one of :data:`KINDS`.
        seed: of names and orders.
    """
    system = KINDS[kind](persona, seed)
    if system is None or system == persona.system:
        return None
    return replace(persona, id=f"{persona.id}{JOIN}{kind}", system=system)
