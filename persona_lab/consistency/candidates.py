"""Which pairs of texts are worth reading together: those that are about the same thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona_lab.consistency.parts import Numbers

STATEMENTS_PER_TURN = 3
EARLIER_PER_TURN = 2
"""Pairs that are read for each turn at most: the nearest statements, and earlier turns."""

_LEAST_COSINE = 0.25
"""Texts less alike than this are about different things and are not paired."""

_FEWEST_EARLIER = 10
"""Pairs of turns that are kept even where there are fewer than twenty turns."""

_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs to read, ``(n_pairs,)`` each.

    Attributes:
        later: places among the speaker's turns.
        earlier: of what they are held against: statements, or turns before.
    """

    later: NDArray[np.int64]
    earlier: NDArray[np.int64]


def nearest_statements(cosine: Numbers) -> Pairs:
    """Each turn with the statements nearest to it.

    Args:
        cosine: ``(n_turns, n_statements)``; -1 where a pair must not be made.
    """
    k = min(STATEMENTS_PER_TURN, cosine.shape[1])
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
    later = np.repeat(np.arange(len(cosine)), k)
    earlier = nearest.ravel()
    kept = cosine[later, earlier] >= _LEAST_COSINE
    return Pairs(later[kept], earlier[kept])


def nearest_earlier(vectors: Numbers) -> Pairs:
    """Each turn with the earlier ones nearest to it.

    The longer a dialogue, the more turns have several near ones before them. So that the
    cost stays linear, the pairs that are kept are half as many as the turns, or ten: the
    nearest of each turn first. Works blockwise: memory is linear, too.

    Args:
        vectors: ``(n_turns, dim)`` of length 1.
    """
    found: list[tuple[int, float, int, int]] = []
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        cosine = block @ vectors[: start + len(block)].T
        rows = np.arange(start, start + len(block))
        cosine[np.arange(cosine.shape[1])[None] >= rows[:, None]] = -1.0
        nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :EARLIER_PER_TURN]
        for row, places in enumerate(nearest):
            near = [int(p) for p in places if cosine[row, p] >= _LEAST_COSINE]
            found += [(k, -float(cosine[row, p]), start + row, p) for k, p in enumerate(near)]
    most = max(_FEWEST_EARLIER, len(vectors) // 2)
    kept = sorted((later, earlier) for *_, later, earlier in sorted(found)[:most])
    pairs = np.array(kept, dtype=np.int64).reshape(-1, 2)
    return Pairs(pairs[:, 0], pairs[:, 1])
