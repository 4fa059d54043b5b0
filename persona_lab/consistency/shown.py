"""Which turns show something, and what a stretch of turns shows in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from persona_lab.consistency.parts import NotScored, Numbers
from persona_lab.traits import SEEN_POLES

SIGN = 0.3
"""Evidence from which a turn is said to show a pole: a rating of about .6."""

HINT = 0.15
"""Evidence that counts for a pole beside other turns: one turn in twenty has it by chance."""

FEWEST_SIGNS = 3
"""Turns that must show something, whatever it is, before a course can be judged."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a speaker's turns, and what it shows.

    Attributes:
        first: index in the dialogue of its first turn.
        last: of its last.
        poles: by trait that changes, ``high`` or ``low``; only what some turn hints at.
        turns: indices of the turns that do, in order.
    """

    first: int
    last: int
    poles: Mapping[str, str] = field(default_factory=dict)
    turns: tuple[int, ...] = ()

    def to_row(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "first": self.first,
            "last": self.last,
            "poles": dict(self.poles),
            "turns": list(self.turns),
            "words": self.says,
        }

    @property
    def says(self) -> str:
        """For people: ``outgoing, calm``."""
        said = ", ".join(SEEN_POLES[trait, pole] for trait, pole in self.poles.items())
        return said or "nothing clear"

    @property
    def in_words(self) -> str:
        """With the turns that show it: ``outgoing, calm (2, 4, 5)``."""
        return f"{self.says} ({', '.join(map(str, self.turns))})" if self.turns else self.says


def little_shown(evidence: Numbers) -> NotScored | None:
    """The reason where too few turns show anything; None if there are enough.

    Args:
        evidence: ``(n, n_traits)`` of a speaker's turns.
    """
    n = int((np.abs(evidence) >= SIGN).any(axis=1).sum())
    if n >= FEWEST_SIGNS:
        return None
    return NotScored(
        f"{n or 'no'} turn{'s' * (n != 1)} of {len(evidence)} "
        f"show{'s' * (n == 1)} a trait; this needs {FEWEST_SIGNS}",
        "little_shown",
    )


def phases(
    own: Sequence[int],
    evidence: Numbers,
    at: int,
    rises: Mapping[str, bool],
    keys: Sequence[str],
) -> tuple[Phase, Phase]:
    """What the turns before a change show, and those from it on.

    Args:
        own: indices in the dialogue of the speaker's turns.
        evidence: ``(n, n_traits)`` of them.
        at: how many lie before the change.
        rises: by trait that changes, whether from low to high.
        keys: the traits of the columns.
    """

    def phase(part: slice, later: bool) -> Phase:
        poles: dict[str, str] = {}
        shows = np.zeros(len(own[part]), bool)
        for trait, up in rises.items():
            column = evidence[part, keys.index(trait)] * (1.0 if up == later else -1.0)
            if column.max() >= HINT:
                poles[trait] = "high" if up == later else "low"
                shows |= column >= HINT
        turns = tuple(place for place, seen in zip(own[part], shows, strict=True) if seen)
        return Phase(own[part][0], own[part][-1], poles, turns)

    return phase(slice(None, at), False), phase(slice(at, None), True)
