"""Which items a short form takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persona_lab.instruments.model import Item


def choose_items(items: Sequence[Item], n: int, seed: str) -> list[Item]:
    """Choose items of one domain: keys in balance first, then spread over facets.

    Args:
        items: of the domain.
        n: how many, at most ``len(items)``.
        seed: the same seed gives the same items.
    """
    random = Random(seed)
    plus, minus = (_spread([i for i in items if i.keyed == key], random) for key in (1, -1))
    n_plus = n // 2 + (n % 2) * random.randrange(2)
    n_plus = max(min(n_plus, len(plus)), n - len(minus))
    return plus[:n_plus] + minus[: n - n_plus]


def _spread(items: list[Item], random: Random) -> list[Item]:
    """Shuffle so that every facet comes once before any comes twice."""
    shuffled = random.sample(items, len(items))
    seen: Counter[str | None] = Counter()
    rank = {}
    for item in shuffled:
        rank[item.id] = seen[item.facet] if item.facet is not None else 0
        seen[item.facet] += 1
    return sorted(shuffled, key=lambda item: rank[item.id])
