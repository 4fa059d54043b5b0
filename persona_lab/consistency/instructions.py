"""A persona text taken apart: statements about the character, and what only steers the bot.

System prompts and character cards mix both. "You keep bees" can be contradicted by what the
character says, "Keep replies short" cannot: instructions, formats and facts about the session
are set apart and not scored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from persona_lab.detectors.reading import count_words

_BULLET = re.compile(r"^\s*(?:[-*+\u2022]|\d+[.)])\s+")
_MARKUP = re.compile(r"^\s*(?:#|```|<[^>]*>\s*$|[|{}\[\]])")
_HEADING = re.compile(r"^[^.!?]{1,60}:\s*$")
_TITLES = ("Mr", "Ms", "Dr", "St", "Mrs", "Prof")
_END = re.compile(r"(?<=[.!?])" + "".join(rf"(?<!\b{title}\.)" for title in _TITLES) + r"\s+")

_IMPERATIVE = (
    "act|add|address|adopt|allow|answer|ask|assume|avoid|be|begin|call|check|consider|continue|"
    "decline|describe|disclose|do|don['\u2019]t|embody|end|ensure|explain|focus|follow|format|"
    "generate|give|greet|guide|help|ignore|imagine|impersonate|include|introduce|keep|let|limit|"
    "maintain|make|mention|note|obey|offer|output|play|please|portray|prefer|pretend|provide|"
    "put|refer|refrain|refuse|remain|remember|reply|respect|respond|return|reveal|role-?play|"
    "show|sign|speak|start|stay|stick|suggest|take|talk|tell|treat|try|use|wait|write"
)

_STEERS = re.compile(
    rf"""
    ^(?:(?:only|also|but|and|so|always|never|under\s+no\s+circumstances|at\s+all\s+times)[,\s]+)*
      (?:{_IMPERATIVE})\b
    | ^(?:if|when|whenever|unless|until|in\s+case)\b
        .*\b(?:user|asked|asks?|request|message|you)\b
    | ^you(?:['\u2019]ll)?\s+(?:must|should|shall|will|can|cannot|can['\u2019]t|may|ought|need\s+to
        |have\s+to|are\s+to|are\s+(?:not\s+)?(?:allowed|required|expected|permitted))\b
    | ^your\s+(?:task|job\s+is\s+to|goal|role\s+is\s+to|purpose|mission|instructions?|answers?
        |repl(?:y|ies)|responses?|outputs?|messages?|objective)\b
    | ^(?:today['\u2019]?s?|the\s+current|current)\s+(?:date|time|day|user|year|is)\b
    | ^knowledge\s+cut-?off\b | ^(?:the\s+)?(?:user|human|conversation|system)(?:['\u2019]s)?\b
    | ^(?:this|the\s+following)\s+(?:is|are)\s+(?:an?|the)?\s*
        (?:conversation|chat|role-?play|instruction)
    """,
    re.IGNORECASE | re.VERBOSE,
)

_SECOND_PERSON = (
    (re.compile(r"\byou['\u2019]re\b", re.IGNORECASE), "I'm"),
    (re.compile(r"\byou['\u2019]ve\b", re.IGNORECASE), "I've"),
    (re.compile(r"\byou\s+are\b", re.IGNORECASE), "I am"),
    (re.compile(r"\byou\s+were\b", re.IGNORECASE), "I was"),
    (re.compile(r"\byours\b", re.IGNORECASE), "mine"),
    (re.compile(r"\byour\b", re.IGNORECASE), "my"),
    (re.compile(r"\byourself\b", re.IGNORECASE), "myself"),
    (re.compile(r"\byou\b", re.IGNORECASE), "I"),
)
_TO_YOU = re.compile(r"^(?:you|your|you['\u2019](?:re|ve))\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PersonaParts:
    """A persona text taken apart.

    Attributes:
        statements: about the character, as they were written.
        set_apart: instructions, formats and facts about the session.
    """

    statements: tuple[str, ...]
    set_apart: tuple[str, ...]


def split_persona(texts: Iterable[str]) -> PersonaParts:
    """Take persona texts apart, by rule: English, sentence by sentence.

    Args:
        texts: statements, paragraphs or whole system prompts, with their line breaks.

    Returns:
        Both kinds in order, none twice.
    """
    statements: dict[str, None] = {}
    apart: dict[str, None] = {}
    for line in (line for text in texts for line in text.splitlines()):
        plain = " ".join(_BULLET.sub("", line).split())
        if not count_words(plain):
            continue
        if _MARKUP.match(line) or _HEADING.match(plain):
            apart.setdefault(plain)
            continue
        for sentence in _END.split(plain):
            if count_words(sentence):
                (apart if _STEERS.match(sentence) else statements).setdefault(sentence)
    return PersonaParts(tuple(statements), tuple(apart))


def as_said(statement: str) -> str:
    """What is said to the character ("You keep bees.") as the character would say it."""
    if not _TO_YOU.match(statement):
        return statement
    for pattern, own in _SECOND_PERSON:
        statement = pattern.sub(own, statement)
    return statement[:1].upper() + statement[1:]
