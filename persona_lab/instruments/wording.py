"""Statements and interview questions from items, by rule.

IPIP items leave out their subject ("Don't talk a lot"), other inventories say "I", "you",
"Is talkative", "Aggressive" or ask "Do you ...?". From any of them come

- :func:`first_person`: "I don't talk a lot";
- :func:`third_person`: "The author doesn't talk a lot";
- :func:`question`: "Would you say that you don't talk a lot? ...".

For English items only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from persona_lab.instruments.errors import InstrumentError
from persona_lab.instruments.grammar import (
    Sentence,
    base,
    capital,
    coordinated,
    first_to_second,
    is_adverb,
    is_past,
    second_to_first,
    singular,
    small,
)
from persona_lab.instruments.words import (
    ADJECTIVES,
    AFTER_ADJECTIVE,
    FINITE,
    MODALS,
    OPENINGS,
    STARTERS,
    VERBS,
)

FOLLOW_UP = "Tell me more, with an example."
"""What :func:`question` adds, so that the answer is more than yes or no."""

PronounSet = Literal["they", "he", "she"]


@dataclass(frozen=True, slots=True)
class _Pronouns:
    subject: str
    object: str
    possessive: str
    own: str
    reflexive: str


_PRONOUNS = {
    "they": _Pronouns("they", "them", "their", "theirs", "themselves"),
    "he": _Pronouns("he", "him", "his", "his", "himself"),
    "she": _Pronouns("she", "her", "her", "hers", "herself"),
}
_I_FORMS = {"i": "", "i'm": "am", "i've": "have", "i'd": "would", "i'll": "will"}

_SECOND = re.compile(r"\byou(r|rs|rself|'re|'ve|'d|'ll)?\b", re.IGNORECASE)
_FIRST = re.compile(r"\b(I|[Mm]e|[Mm]y|[Mm]ine|[Mm]yself)\b")
_CONTRACTED = re.compile(r"\bI'(m|ve|d|ll)\b")
_NOT = re.compile(r"\b(not|cannot)\b|n't\b")
_ADJECTIVE = re.compile(r".+(ive|ous|able|ible|less|ful|ic|al|ing|ant|ent|ish)$")
_TRAIT_NOUN = re.compile(r"[\w-]+ (personality|temper|temperament|character|will)")
_ASKED = re.compile(
    r"(?P<opening>.+?,? )?(?P<verb>do|did|are|were|have|had|can|could|would|will|should) "
    r"you (?P<rest>.+)",
    re.IGNORECASE,
)
_TOLD = {"do": "", "did": "did", "are": "am", "were": "was"}
_ANSWER = 'I answer "yes" to: '


def first_person(text: str) -> str:
    """The statement that somebody makes who agrees with the item.

    Args:
        text: an English item; "Am the life of the party", "Is talkative.", "You enjoy
            art" and "Do you worry a lot?" can all be read.

    Returns:
        For example ``I am the life of the party``, without a full stop. A text that
        already says "I", or that has another subject ("Money is good"), stays as it is.

    Raises:
        InstrumentError: the text has no word in Latin letters.
    """
    text = _tidy(text)
    if text.endswith("?") and not text.startswith(_ANSWER):
        return _from_question(text)
    if _SECOND.search(text) and not _FIRST.search(text) and not text.startswith(_ANSWER):
        text = second_to_first(text)
    sentence = Sentence.of(text)
    opening, comma, rest = text.partition(", ")
    if comma and sentence.words[0].lower in OPENINGS and _is_implied(rest):
        return f"{capital(opening)}, I {rest}"
    if _has_subject(sentence):
        return capital(text)
    lead = sentence.verb_after(-1)
    verb = sentence.words[lead].lower if lead is not None else ""
    if lead is not None and (plain := base(verb)) and (plain in VERBS or verb in ("is", "isn't")):
        return _from_third(sentence, lead, plain)
    if _TRAIT_NOUN.fullmatch(text):
        return f"I have a {small(text)}"
    if _is_adjective(sentence, verb):
        return f"I am {small(text)}"
    if lead is not None and verb == "are":
        sentence.words[lead].text = "am"
    return f"I {small(str(sentence))}"


def third_person(text: str, subject: str = "The author", *, pronouns: PronounSet = "they") -> str:
    """The same statement about somebody else.

    Args:
        text: an English item in any of the forms of :func:`first_person`.
        subject: who; used for the first mention, a pronoun after that.
        pronouns: ``they``, ``he`` or ``she``.

    Returns:
        For example ``The author doesn't talk a lot``, without a full stop. Of a general
        statement ("Money is good") the author thinks that it is so.

    Raises:
        InstrumentError: the text has no word in Latin letters.
    """
    if _tidy(text).lower().startswith(subject.lower() + " "):
        return _tidy(text)
    statement = first_person(text)
    if not _FIRST.search(statement):
        return f"{capital(subject)} thinks that {small(statement)}"
    if statement.startswith(_ANSWER):
        return f"{capital(subject)} answers{statement[len('I answer') :]}"
    return _retold(statement, subject, _PRONOUNS[pronouns])


def question(text: str) -> str:
    """An open interview question about the item.

    Args:
        text: an English item in any of the forms of :func:`first_person`.

    Returns:
        For example ``Are you the life of the party? Tell me more, with an example.``
        What is denied is asked as "Would you say that you don't ...?", because "Don't
        you ...?" suggests an answer.

    Raises:
        InstrumentError: the text has no word in Latin letters.
    """
    asked = _tidy(text)
    if not asked.endswith("?"):
        asked = _asked(first_person(text))
    return f"{asked} {FOLLOW_UP}"


def _tidy(text: str) -> str:
    """One line without a full stop; typewriter quotes; the lone quote of some lists taken off."""
    text = " ".join(text.replace("\u2019", "'").split()).rstrip(".")
    if text.count('"') % 2:
        text = text.rstrip('"')
    if not re.search("[A-Za-z]", text):
        raise InstrumentError(
            "the wording rules are for English, and an item has no word in Latin letters; use "
            "its text as it is, or the file's own questions"
        )
    return text


def _has_subject(sentence: Sentence) -> bool:
    """Does the sentence say who or what it is about?"""
    words = [word.lower for word in sentence.words]
    lead = sentence.verb_after(-1)
    if words[0] in STARTERS or words[0] in OPENINGS or (lead and words[lead] in _I_FORMS):
        return True
    if words[0] == "sometimes" and lead and words[lead] not in VERBS | MODALS:
        return "n't" not in words[lead]
    if words[0].endswith("ing") and FINITE.intersection(words[2:]):
        return True
    if words[0] in VERBS or words[0] in MODALS or is_adverb(words[0]) or "n't" in words[0]:
        return words[:2] == ["not", "much"]  # "can be done"
    if base(words[0]) in VERBS:
        return False
    plural_noun = words[0].endswith("s") and words[1:2] != [] and words[1] in VERBS
    return plural_noun or bool((FINITE - {"will"}).intersection(words[1:3]))


def _is_implied(text: str) -> bool:
    """Does a part of a sentence begin with the verb of an unnamed I?"""
    sentence = Sentence.of(text)
    lead = sentence.verb_after(-1)
    return lead is not None and sentence.words[lead].lower in VERBS | MODALS


def _is_adjective(sentence: Sentence, lead: str) -> bool:
    """Is it a description: "Aggressive", "Willing to take risks", "Not easily upset"?"""
    if sentence.words[0].lower == "not":
        return True
    if len(sentence.words) == 1:
        return lead not in VERBS
    if lead in ADJECTIVES:
        return True
    if lead in VERBS or lead in MODALS or is_past(lead):
        return False
    return bool(_ADJECTIVE.fullmatch(lead)) and sentence.words[1].lower in AFTER_ADJECTIVE


def _from_third(sentence: Sentence, lead: int, plain: str) -> str:
    """Tell "Is relaxed, handles stress well" as "I am relaxed and handle stress well"."""
    words = sentence.words
    words[lead].text = plain
    for at in range(lead + 1, len(words)):
        shared = base(words[at].lower)
        if shared is None or shared not in VERBS:
            continue
        if words[at].before.startswith(","):
            words[at].before, words[at].text = " and ", shared
        elif words[at - 1].lower in ("and", "or", "but"):
            words[at].text = shared
    # "Defends own beliefs" is list style
    return re.sub(f"^I {plain} own ", f"I {plain} my own ", f"I {small(str(sentence))}")


def _from_question(text: str) -> str:
    match = _ASKED.fullmatch(text[:-1])
    if match is None:
        return _ANSWER + text
    verb = match["verb"].lower()
    told = _TOLD.get(verb, verb)
    rest = second_to_first(match["rest"])
    if rest.startswith("ever "):
        rest = ("sometimes " if verb == "do" else "") + rest[len("ever ") :]
        rest = re.sub(r"\bany(thing|one|body)\b", r"some\1", rest)
    opening = second_to_first(match["opening"] or "")
    return capital(f"{opening}I {told + ' ' if told else ''}{rest}")


def _asked(statement: str) -> str:
    """A first-person statement as a question."""
    sentence = Sentence.of(_in_full(statement))
    said = f"Would you say that {small(first_to_second(statement))}?"
    lead = sentence.verb_after(0)
    if sentence.words[0].lower != "i" or lead is None or is_past(sentence.words[lead].lower):
        return said
    verb = sentence.words[lead].lower
    adverbs = " ".join(word.text for word in sentence.words[1:lead])
    if _NOT.search(adverbs) or _NOT.search(verb) or _follows_not(sentence, lead):
        return said
    rest = first_to_second(str(Sentence(sentence.words[lead + 1 :], sentence.after)).strip(" "))
    perfect = verb == "have" and _is_participle(sentence, lead)
    if (verb == "am" or perfect) and coordinated(sentence, lead):
        return said
    if verb == "am" or verb in MODALS or perfect:
        front, kept = {"am": "Are"}.get(verb, capital(verb)), ""
    else:
        front, kept = "Do", verb
    return " ".join(part for part in (front, "you", adverbs, kept, rest) if part) + "?"


def _follows_not(sentence: Sentence, verb: int) -> bool:
    """Is an auxiliary denied: "am not", "do not", "am really not"?"""
    if sentence.words[verb].lower not in MODALS | {"am", "do", "have"}:
        return False
    for word in sentence.words[verb + 1 :]:
        if word.lower == "not":
            return True
        if not is_adverb(word.text):
            return False
    return False


def _is_participle(sentence: Sentence, have: int) -> bool:
    at = sentence.verb_after(have)
    if at is None:
        return False
    return is_past(sentence.words[at].lower)


def _in_full(statement: str) -> str:
    """Write "I am" for "I'm", so that the verb is a word."""
    return _CONTRACTED.sub(lambda match: f"I {_I_FORMS[match[0].lower()]}", statement)


def _retold(statement: str, subject: str, pronouns: _Pronouns) -> str:
    """A first-person statement about somebody else: named once, a pronoun after that."""
    sentence = Sentence.of(_in_full(statement))
    named = False
    for at, word in enumerate(sentence.words):
        name = capital(subject) if at == 0 else re.sub("^The ", "the ", subject)
        new = {
            "i": pronouns.subject if named else name,
            "me": pronouns.object if named else name,
            "my": pronouns.possessive if named else f"{name}'s",
            "mine": pronouns.own,
            # "those who are worse off than themselves" would be about them
            "myself": name if sentence.words[at - 1].lower == "than" else pronouns.reflexive,
        }.get(word.lower)
        if new is None:
            continue
        if word.lower == "i":
            _agree(sentence, at, plural=named and pronouns.subject == "they")
        word.text, named = new, True
    return str(sentence)


def _agree(sentence: Sentence, subject: int, *, plural: bool) -> None:
    """Put the verbs of a subject that was I into the third person."""
    lead = sentence.verb_after(subject)
    if lead is None:
        return
    verb = sentence.words[lead]
    if plural:
        verb.text = {"am": "are", "was": "were"}.get(verb.lower, verb.text)
        return
    helped = verb.lower in MODALS or "n't" in verb.lower or _follows_not(sentence, lead)
    for at in (lead, *(() if helped else coordinated(sentence, lead))):
        sentence.words[at].text = singular(sentence.words[at].lower)
