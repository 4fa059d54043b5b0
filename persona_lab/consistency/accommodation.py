"""Does a speaker answer the partner? Alignment of neighbouring turns, against shuffled pairs.

Three kinds of alignment between a turn and the partner's turns next to it: direction of the
encoder's vectors, words in common, and classes of function words. Each is compared with the
same turns paired at random, because two people who share a topic are alike anyway.

A turn that came from another conversation does not fit its neighbours: this is the part
that notices swapped turns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from persona_lab.consistency.parts import NotScored, Numbers, Score
from persona_lab.consistency.turns import Turns

Places = NDArray[np.int64]
Measure = Callable[[Places, Places], Numbers]
"""Alignment of turns with others, pair by pair."""


LEAST_PAIRS = 3
"""Turns next to a partner's turn that are needed."""

_SHUFFLES = 10
_RESAMPLES = 200

BELONGS = (0.2, 20.0)
"""Cosine with the better neighbour at which a turn is as likely as not to belong, and the
log-odds per unit of cosine.

Chosen by a grid on the first halves of Multi-Session Chat and Synthetic-Persona-Chat, intact
against mixed dialogues; ``benchmarks/consistency.py --fit`` prints the grid's best anew.
"""

FUNCTION_WORDS = {
    "article": "a an the",
    "pronoun": "i me my mine you your yours he him his she her hers it its we us our they them "
    "their myself yourself this that these those",
    "preposition": "about above after against at before behind between by down during for from "
    "in into of off on onto out over since through to toward under until up with without",
    "conjunction": "and but or nor so yet because although though while if unless whereas",
    "auxiliary": "am is are was were be been being do does did have has had will would can "
    "could shall should may might must",
    "negation": "no not never none nothing nobody nor neither cannot don't doesn't didn't isn't "
    "aren't wasn't weren't won't wouldn't can't couldn't shouldn't haven't hasn't hadn't",
    "quantifier": "all any both each enough every few less lot lots many more most much several "
    "some",
    "adverb": "again also already always even ever just maybe now often only quite rather "
    "really soon still then there too usually very well",
}
"""Classes of function words that people fall in with (Ireland & Pennebaker 2010)."""

_CLASSES = {name: frozenset(words.split()) for name, words in FUNCTION_WORDS.items()}
_GRAMMAR = frozenset().union(*_CLASSES.values())
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Alignment:
    """One kind of alignment.

    Attributes:
        value: mean over pairs of neighbouring turns.
        chance: mean over shuffled pairs.
    """

    value: float
    chance: float

    @property
    def gain(self) -> float:
        """Alignment beyond chance."""
        return self.value - self.chance


@dataclass(frozen=True, slots=True)
class Accommodation:
    """How a speaker answers.

    Attributes:
        score: geometric mean over turns of the probability that a turn belongs here.
        style: cosine of vectors, -1..1.
        words: share of a turn's content words and pairs of words that the neighbour has.
        function_words: similarity of their use, 0..1 (language style matching).
        weakest: index in the dialogue of the turn that fits its neighbours least.
        nearness: cosine of each turn with the neighbour it fits better.
    """

    score: Score
    style: Alignment
    words: Alignment
    function_words: Alignment
    weakest: int
    nearness: tuple[float, ...]


def accommodation(turns: Turns, speaker: str, *, seed: int = 0) -> Accommodation | NotScored:
    """Measure how one speaker's turns fit the partners' turns next to them.

    Returns:
        The alignments, or the reason where the speaker has no or too few such turns.
    """
    mine, theirs = _neighbours(turns, speaker)
    if len(set(turns.speakers)) < 2:
        return NotScored("there is no partner to answer", "one_speaker")
    own = np.unique(mine)
    if len(own) < LEAST_PAIRS:
        return NotScored(
            f"{len(own)} turns stand next to a partner's turn; this needs {LEAST_PAIRS}",
            "too_short",
        )
    rng = np.random.default_rng(seed)
    cosine = (turns.vectors[mine] * turns.vectors[theirs]).sum(axis=1)
    chance = float(turns.vectors[mine].mean(axis=0) @ turns.vectors[theirs].mean(axis=0))
    best = np.array([cosine[mine == place].max() for place in own])
    picks = rng.integers(len(own), size=(_RESAMPLES, len(own)))
    return Accommodation(
        score=Score.of(float(belonging(best)), belonging(best[picks])),
        style=Alignment(float(cosine.mean()), chance),
        words=_aligned(_overlap([_terms(t) for t in turns.texts]), mine, theirs, rng),
        function_words=_aligned(
            _matching(np.array([_usage(t) for t in turns.texts])), mine, theirs, rng
        ),
        weakest=int(own[best.argmin()]),
        nearness=tuple(best.tolist()),
    )


def belonging(nearness: Numbers, constants: tuple[float, float] = BELONGS) -> Numbers:
    """Geometric mean of the probability that a turn belongs, ``(..., n)`` to ``(...)``.

    Args:
        nearness: cosine of each turn with the neighbour it fits better.
        constants: as :data:`BELONGS`.
    """
    middle, slope = constants
    return np.asarray(np.exp(-np.logaddexp(0.0, -slope * (nearness - middle)).mean(axis=-1)))


def _neighbours(turns: Turns, speaker: str) -> tuple[Places, Places]:
    """Pairs of a turn of the speaker and the partner's turn before or after it."""
    pairs = [
        (place, other)
        for place in turns.of(speaker)
        for other in (place - 1, place + 1)
        if 0 <= other < len(turns.texts)
        and turns.speakers[other] != speaker
        and turns.words[other] > 0
    ]
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _terms(text: str) -> frozenset[str]:
    """Content words, and pairs of neighbouring words."""
    words = _WORD.findall(text.casefold())
    pairs = {f"{a} {b}" for a, b in pairwise(words)}
    return frozenset(pairs.union(word for word in words if word not in _GRAMMAR))


def _usage(text: str) -> Numbers:
    """Share of each class of function words: ``(n_classes,)``."""
    words = _WORD.findall(text.casefold().replace("\u2019", "'"))
    counts = [sum(word in known for word in words) for known in _CLASSES.values()]
    return np.array(counts, float) / max(len(words), 1)


def _overlap(terms: Sequence[frozenset[str]]) -> Measure:
    """Share of a turn's terms that the other has."""

    def measure(mine: Places, theirs: Places) -> Numbers:
        pairs = ((terms[a], terms[b]) for a, b in zip(mine, theirs, strict=True))
        return np.array([len(a & b) / len(a) if a else 0.0 for a, b in pairs])

    return measure


def _matching(usage: Numbers) -> Measure:
    """Language style matching: 1 - |a - b| / (a + b), mean over classes (Ireland et al. 2011)."""

    def measure(mine: Places, theirs: Places) -> Numbers:
        a, b = usage[mine], usage[theirs]
        return np.asarray(np.mean(1.0 - np.abs(a - b) / (a + b + 1e-4), axis=1))

    return measure


def _aligned(measure: Measure, mine: Places, theirs: Places, rng: np.random.Generator) -> Alignment:
    """Mean of a measure over pairs, and over the same turns paired at random."""
    chance = [measure(mine, rng.permutation(theirs)).mean() for _ in range(_SHUFFLES)]
    return Alignment(float(measure(mine, theirs).mean()), float(np.mean(chance)))
