"""Which words set a speaker, a window or a group apart?

Log-odds ratios with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, "Fightin'
Words", equations 16 and 22), as Marked Personas (Cheng et al. 2023) uses them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log, sqrt

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")

MARKED = 1.96
"""A word whose z-score is beyond this is marked."""

_PRIOR_WORDS = 500.0
"""Weight of the prior in words."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A word that one side uses more.

    Attributes:
        word: in lower case.
        z: z-score of the log-odds ratio, positive.
        count: how often the side has it.
    """

    word: str
    z: float
    count: int


def word_counts(texts: Iterable[str]) -> Counter[str]:
    """Words in lower case and how often they occur."""
    return Counter(
        word.replace("\u2019", "'") for text in texts for word in _WORD.findall(text.casefold())
    )


@dataclass(frozen=True, slots=True)
class Contrast:
    """How differently two sides use a word.

    Attributes:
        log_odds: ratio of the odds, natural logarithm, positive where the first uses it more.
        z: the same in standard errors.
    """

    log_odds: float
    z: float


def contrasts(
    one: Mapping[str, int],
    other: Mapping[str, int],
    background: Mapping[str, int] | None = None,
    *,
    prior_words: float = _PRIOR_WORDS,
) -> dict[str, Contrast]:
    """How differently two sides use each word.

    Args:
        one: counts of one side.
        other: counts of the other side.
        background: counts of a larger body of text for the prior; the two sides together
            if left out.
        prior_words: how many words the prior counts for.

    Returns:
        By word; empty where a side has no words.
    """
    known = background or Counter(one) + Counter(other)
    vocabulary = {word for word in (*one, *other)}
    total = sum(known.values()) + len(vocabulary)
    n_one, n_other = sum(one.values()), sum(other.values())
    if not n_one or not n_other:
        return {}
    scores = {}
    for word in vocabulary:
        # one more of each, so that a word the background lacks has a prior, too
        prior = prior_words * (known.get(word, 0) + 1) / total
        a, b = one.get(word, 0) + prior, other.get(word, 0) + prior
        ratio = log(a / (n_one + prior_words - a)) - log(b / (n_other + prior_words - b))
        scores[word] = Contrast(ratio, ratio / sqrt(1.0 / a + 1.0 / b))
    return scores


def markers(
    one: Iterable[str],
    other: Iterable[str],
    background: Iterable[str] | None = None,
    *,
    most: int = 10,
) -> tuple[Marker, ...]:
    """The words that mark one side against the other.

    Args:
        one: texts.
        other: texts to compare with.
        background: texts for the prior.
        most: how many words at most.

    Returns:
        Words beyond :data:`MARKED`, the strongest first.
    """
    counts = word_counts(one)
    prior = word_counts(background) if background is not None else None
    found = strongest_first(contrasts(counts, word_counts(other), prior))
    return tuple(Marker(word, c.z, counts[word]) for word, c in found[:most] if c.z > MARKED)


def strongest_first(found: Mapping[str, Contrast]) -> list[tuple[str, Contrast]]:
    """Words from the highest z-score to the lowest."""
    return sorted(found.items(), key=lambda item: (-item[1].z, item[0]))
