"""Oddities of answers: told by rule, counted in the report.

======================  =========================================================  ===========
flag                    the answer ...                                             open answer
======================  =========================================================  ===========
``asked_again``         came at the second try, after a reply of another form      counts
``third_person``        speaks of its role as "he" or "she", hardly as "I"         counts
``prompt_leak``         holds eight words in a row of its system prompt            unscored
``wrong_item``          repeats another question than the one that was asked       unscored
``loop``                repeats itself, or an earlier answer, word for word        unscored
``same_answer``         is the answer to every other question, too                 see below
``both_sides``          went on with turns of the other side, which are cut off    counts
``error_text``          is the message of an error                                 unscored
``not_text``            is the name of a program's object, or a page               unscored
``echo``                repeats the question                                       unscored
======================  =========================================================  ===========

Closed answers with a readable number count, except those to the wrong item. An answer to every
question is unscored if it is short, or if there are six questions or more; see
:func:`with_sameness`. Where nothing stands before the turns of the other side, there is no answer,
and ``both_sides`` is the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from persona_lab.interviews.records import Record

VOID: Final = {
    "prompt_leak": "the answer repeats the bot's own instructions",
    "wrong_item": "the answer is to another question",
    "loop": "the answer repeats itself or an earlier one word for word",
    "same_answer": "every question got this very answer",
    "echo": "the answer repeats the question",
}
"""Flags of open answers that say nothing about the bot, with the reason."""

BROKEN: Final = {
    "both_sides": "the bot wrote turns of both sides and no answer before them",
    "error_text": "the answer is the message of an error, not what a bot says",
    "not_text": "the answer is the name of a program's object or a page, not what a bot says",
}
"""What is no answer at all, whatever was asked, with the reason."""

_OTHER_SIDE = re.compile(
    r"^[ \t>*_#]*(?:user|human|interviewer)[ \t*_]{0,3}:"
    r"|^[ \t]*#{2,}[ \t]*(?:instruction|input|user|human)\b"
    r"|<\|(?:im_start|im_end|user|end|eot_id|start_header_id|endoftext)\|>"
    r"|</s>\s*(?:<s>|\[INST\]|\Z)|\[/?INST\]|<(?:start|end)_of_turn>",
    re.IGNORECASE | re.MULTILINE,
)
_ERROR_TEXT = re.compile(
    r"""\A\W*(?:
    [Tt]raceback\ \(most\ recent
    | (?:[a-z_]\w*\.)*[A-Za-z]*(?:Error|Exception)\b\s*[:(]
    | (?i:error|exception|fatal)(?i:\s+code)?\s*[:#]?\s*\d{3}\b
    | (?i:error|exception|fatal\ error)\s*:
    | (?i:(?:sorry,?\s+)?(?:an?|some)\s+(?:\w+\s+){0,2}error\s
        +(?:has\s+|was\s+)?(?:occurred|raised)\b)
    | (?i:http(?:/\d\S*)?\s+[45]\d\d\b)
    | (?i:[45]\d\d\s+(?:bad|internal|not|too|service|gateway|unauthorized|forbidden)\b)
    | (?i:internal\s+server\s+error|service\s+unavailable|bad\s+gateway|too\s+many\s+requests
        |gateway\s+time-?out|rate\s+limit\s+(?:exceeded|reached)|connection\s+(?:refused|error|timed))
    | "?(?i:error|detail)"\s*:
    )""",
    re.VERBOSE,
)
_NOT_TEXT = re.compile(
    r"\A\s*(?:<[^<>]*\b(?:bound method|object|function|generator)\b[^<>]*(?:<.*>)?[^<>]*>"
    r"|<!doctype\s|<html\b|\[object \w+\]|(?:None|null|undefined|NaN|True|False)\W*\Z)",
    re.IGNORECASE | re.DOTALL,
)
_ECHO_WORDS: Final = 4
_ECHO_MORE: Final = 3
_SAME_QUESTIONS: Final = 3
_SAME_SURELY: Final = 6
_SAME_SHORT: Final = 12
"""Questions from which on one answer to all is told, and void; words below which it always is."""

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


def own_turn(answer: str, others: Iterable[str] = ()) -> str:
    """A reply as far as the first turn that it makes up for the other side.

    Args:
        answer: as it came.
        others: names of those who talk with the bot.
    """
    named = (rf"^[ \t>*_]*{re.escape(name)}[ \t*_]{{0,3}}:" for name in others)
    patterns = (_OTHER_SIDE, *(re.compile(name, re.MULTILINE) for name in named))
    found = [match.start() for match in (p.search(answer) for p in patterns) if match]
    return answer[: min(found)].rstrip() if found else answer


def broken(answer: str) -> str | None:
    """Is an answer what only a broken bot says?

    Args:
        answer: as it came, as far as it is the bot's own turn.

    Returns:
        A key of :data:`BROKEN`; None for an answer.
    """
    if not answer.strip():
        return "both_sides"
    if _NOT_TEXT.match(answer):
        return "not_text"
    return "error_text" if _ERROR_TEXT.match(answer) else None


def echoes(answer: str, asked: str) -> bool:
    """Is an answer the question and hardly a word more, or half of the question and no more?"""
    said, question = words_of(answer), words_of(asked)
    if min(len(said), len(question)) < _ECHO_WORDS:
        return False
    inner, outer = sorted((f" {' '.join(words)} " for words in (said, question)), key=len)
    more = len(said) - len(question)
    return inner in outer and (2 * len(said) >= len(question) if more < 0 else more <= _ECHO_MORE)


def with_sameness(records: Sequence[Record]) -> list[Record]:
    """Flag open answers of bots that say one and the same whatever they are asked.

    Told of three questions of a sitting or more. The answers are void if they are short (below
    twelve words) or if there are six questions or more; a long one to a few questions may still
    be read, and is.

    Args:
        records: of any bots and protocols.

    Returns:
        The same, in order.
    """
    sittings: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        if record.rating is None and record.status == "scored" and record.answer is not None:
            key = (record.bot, record.persona, record.protocol, record.repeat)
            sittings.setdefault(key, []).append(record)
    same: dict[str, bool] = {}
    for sitting in sittings.values():
        words = [words_of(record.answer or "") for record in sitting]
        if len(sitting) >= _SAME_QUESTIONS and all(said == words[0] for said in words):
            void = len(sitting) >= _SAME_SURELY or len(words[0]) < _SAME_SHORT
            same |= {record.id: void for record in sitting}
    return [_same(r, void=same[r.id]) if r.id in same else r for r in records]


def _same(record: Record, *, void: bool) -> Record:
    code = "same_answer"
    flagged = replace(record, flags=(*record.flags, code))
    return replace(flagged, status="unscored", code=code, reason=VOID[code]) if void else flagged


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
