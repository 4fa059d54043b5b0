"""Which pairs of texts are worth reading together: those that are about the same thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona_lab.consistency.parts import Numbers

STATEMENTS_PER_TURN = 3
"""Persona statements that are read with each turn: the nearest ones."""

PAIRS_PER_CLAIM = 3
"""Pairs of turns that are read in a long talk, for each turn that says something of itself."""

_LEAST_COSINE = 0.25
"""A turn and a statement less alike than this are about different things."""

_ALL_PAIRS = 66
"""So many pairs are read in any case: all of twelve turns that say something of themselves."""

_FIRST_PERSON = re.compile(r"\b(?:i|me|my|mine|myself|we|us|our|ours)\b", re.IGNORECASE)
_SECOND_PERSON = re.compile(r"\b(?:you|your|yours)\b", re.IGNORECASE)

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


def says_of_itself(text: str, heard: str) -> bool:
    """Whether a turn may say something of its speaker.

    It speaks in the first person, or answers what addresses it. In dialogues written with a
    contradiction each side of it does; about two turns in five do not.
    """
    return bool(_FIRST_PERSON.search(text) or _SECOND_PERSON.search(heard))


def earlier_claims(vectors: Numbers, claims: Sequence[bool]) -> Pairs:
    """Turns that say something of their speaker, with the earlier ones that do.

    So that the cost stays linear, a long talk keeps the pairs that are nearest. Works
    blockwise: memory is linear, too.

    Args:
        vectors: ``(n_turns, dim)`` of length 1.
        claims: whether each turn says something of its speaker.
    """
    places = np.flatnonzero(np.asarray(claims, bool))
    most = max(_ALL_PAIRS, PAIRS_PER_CLAIM * len(places))
    kept: list[NDArray[np.int64]] = []
    near: list[Numbers] = []
    for start in range(0, len(places), _BLOCK):
        rows = places[start : start + _BLOCK]
        cosine = vectors[rows] @ vectors[places[: start + len(rows)]].T
        later, earlier = np.nonzero(
            np.arange(cosine.shape[1])[None] < np.arange(start, start + len(rows))[:, None]
        )
        values = cosine[later, earlier]
        # a block's own best are enough: no more than all that are kept come from it
        best = np.argsort(-values, kind="stable")[:most]
        kept.append(np.stack([rows[later[best]], places[earlier[best]]], axis=1))
        near.append(values[best])
    if not kept:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64))
    pairs = np.concatenate(kept)
    pairs = pairs[np.argsort(-np.concatenate(near), kind="stable")[:most]]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return Pairs(pairs[:, 0], pairs[:, 1])
