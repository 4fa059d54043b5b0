"""Oddities of answers: told by rule, counted in the report.

======================  =========================================================  ===========
flag                    the answer ...                                             open answer
======================  =========================================================  ===========
``asked_again``         came at the second try, after a reply of another form      counts
``third_person``        speaks of its role as "he" or "she", hardly as "I"         counts
``prompt_leak``         holds eight words in a row of its system prompt            unscored
``wrong_item``          repeats another question than the one that was asked       unscored
``loop``                repeats itself, or an earlier answer, word for word        unscored
======================  =========================================================  ===========

Closed answers with a readable number count, except those to the wrong item.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

VOID: Final = {
    "prompt_leak": "the answer repeats the bot's own instructions",
    "wrong_item": "the answer is to another question",
    "loop": "the answer repeats itself or an earlier one word for word",
}
"""Flags of open answers that say nothing about the bot, with the reason."""

_LEAK_WORDS: Final = 8
_QUOTE_WORDS: Final = 4
_LOOP_WORDS: Final = 6
_LOOP_TIMES: Final = 4
_WORD = re.compile(r"\w+(?:'\w+)?")
_FIRST: Final = frozenset(
    ("i", "i'm", "i've", "i'd", "i'll", "me", "my", "mine", "myself", "we", "our", "us")
)
_THIRD: Final = frozenset(("he", "she", "his", "her", "him", "himself", "herself", "hers"))
_SAYS = re.compile(
    r"\b(?:he|she|the (?:character|person|persona|individual|assistant|user))"
    r"(?:'s|\s+(?:is|was|has|would|does|likes?|loves?|prefers?|enjoys?|feels?|tends?|might|"
    r"seems?|hates?|often|usually|always|never)\b)",
    re.IGNORECASE,
)


def words_of(text: str) -> list[str]:
    """Words in lower case, with one kind of apostrophe."""
    return _WORD.findall(text.replace("\u2019", "'").lower())


def is_third_person(answer: str) -> bool:
    """Does an English answer speak about its role instead of as it?

    True where "he", "she" or "the character" does something and such words outnumber "I",
    "me" and "my".
    """
    if not _SAYS.search(answer):
        return False
    words = words_of(answer)
    third = sum(word in _THIRD for word in words) + len(_SAYS.findall(answer))
    return third > 2 * sum(word in _FIRST for word in words)


def leaks(answer: str, system: str | None) -> bool:
    """Does an answer hold eight words in a row of the system prompt?"""
    if system is None:
        return False
    return bool(_runs(words_of(answer), _LEAK_WORDS) & _runs(words_of(system), _LEAK_WORDS))


def loops(answer: str, earlier: Collection[str] = ()) -> bool:
    """Is an answer stuck: the same words over and over, or an earlier answer again?

    Args:
        answer: as it came.
        earlier: open answers to other questions.
    """
    words = words_of(answer)
    # "Yes, very much." may well be the honest answer to two questions
    if len(words) >= _LOOP_WORDS and any(answer.strip() == other.strip() for other in earlier):
        return True
    counts = Counter(_grams(words, _LOOP_WORDS))
    return any(count >= _LOOP_TIMES for count in counts.values())


def is_wrong_item(answer: str, asked: str, others: Sequence[str]) -> bool:
    """Does an answer repeat another statement or question, and not the one that was asked?

    Args:
        answer: as it came.
        asked: the statement or question that was asked.
        others: the other ones; those of fewer than four words are too short to tell.
    """
    said = f" {' '.join(words_of(answer))} "
    own = words_of(asked)
    if f" {' '.join(own)} " in said:
        return False
    # a short statement can be inside another one
    whole = f" {' '.join(own)} "
    return any(
        len(words) >= _QUOTE_WORDS and f" {text} " in said and f" {text} " not in whole
        for words in map(words_of, others)
        for text in (" ".join(words),)
    )


def _grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _runs(words: Sequence[str], n: int) -> set[tuple[str, ...]]:
    return set(_grams(words, n))
