"""As much English grammar as questionnaire items need: verb forms, adverbs, pronouns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from persona_lab.instruments.words import (
    ADVERBS,
    AFTER_OBJECT,
    BEFORE_OBJECT,
    CLAUSE,
    ED_NOT_PAST,
    LY_NOT_ADVERB,
    MODALS,
    NOUNS_TOO,
    PAST,
    VERBS,
)

_WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")


_IRREGULAR = {
    "am": "is",
    "are": "is",
    "be": "is",
    "have": "has",
    "do": "does",
    "don't": "doesn't",
    "haven't": "hasn't",
    "aren't": "isn't",
    "weren't": "wasn't",
    "were": "was",
}
_BASE = {"is": "am", "has": "have", "does": "do", "doesn't": "don't", "isn't": "am not"}


def is_adverb(word: str) -> bool:
    """Can the word stand between a subject and its verb?"""
    word = word.lower()
    return word in ADVERBS or (word.endswith("ly") and word not in LY_NOT_ADVERB)


def is_past(verb: str) -> bool:
    """A past form, which is the same for all persons: ``felt``, ``planned``."""
    return verb in PAST or (verb.endswith("ed") and verb not in ED_NOT_PAST)


def singular(verb: str) -> str:
    """The form for he, she, it: ``carries`` of ``carry``; modals and past forms stay."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if verb in MODALS or is_past(verb) or "n't" in verb or verb in ("is", "has", "does"):
        return verb
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def base(verb: str) -> str | None:
    """The form for I of a form for he, she, it; None if it is not one that is known."""
    if verb in _BASE:
        return _BASE[verb]
    if not verb.endswith("s") or verb.endswith("ss"):
        return None
    stems = [verb[:-1], verb[:-2] if verb.endswith("es") else ""]
    if verb.endswith("ies"):
        stems.insert(0, verb[:-3] + "y")
    fitting = [stem for stem in stems if stem and singular(stem) == verb]
    return min(fitting, key=lambda stem: stem not in VERBS, default=None)


@dataclass(slots=True)
class Word:
    """One word of a sentence, and what stands before it (spaces, punctuation).

    Attributes:
        before: what separates it from the word before.
        text: the word, to be changed in place.
    """

    before: str
    text: str

    @property
    def lower(self) -> str:
        """In small letters."""
        return self.text.lower()

    @property
    def opens(self) -> bool:
        """Does it come after punctuation?"""
        return bool(self.before.strip(" \"'"))


@dataclass(slots=True)
class Sentence:
    """A sentence as words; ``after`` is what follows the last one."""

    words: list[Word]
    after: str

    @classmethod
    def of(cls, text: str) -> Sentence:
        """Split a text."""
        words, end = [], 0
        for match in _WORD.finditer(text):
            words.append(Word(text[end : match.start()], match[0]))
            end = match.end()
        return cls(words, text[end:])

    def __str__(self) -> str:
        return "".join(word.before + word.text for word in self.words) + self.after

    def ends_at(self, index: int) -> bool:
        """Is this the last word, or followed by punctuation?"""
        return index + 1 >= len(self.words) or self.words[index + 1].opens

    def verb_after(self, index: int) -> int | None:
        """Position of the verb of a subject at ``index``: the next word but for adverbs."""
        for at in range(index + 1, len(self.words)):
            if not is_adverb(self.words[at].text):
                return at
        return None


def coordinated(sentence: Sentence, verb: int) -> list[int]:
    """Positions of verbs that share the subject and form of the verb at ``verb``.

    "Makes plans and sticks to them": after ``and``, ``or``, ``but`` in the same clause.
    Behind an infinitive ("like to read and write") they have no form of their own.
    """
    words, found, infinitive = sentence.words, [], False
    for at in range(verb + 1, len(words)):
        word, last = words[at].lower, words[at - 1].lower
        if word in CLAUSE:
            break
        infinitive = infinitive or (last == "to" and word in VERBS)
        if last not in ("and", "or", "but", "then"):
            continue
        start = sentence.verb_after(at - 1)
        # "tries to meet people and mostly talks": an adverb opens a new part
        if start is None or (infinitive and start == at):
            break
        if start not in found and _is_verb(sentence, start, beside=start == verb + 2):
            found.append(start)
    return found


def _is_verb(sentence: Sentence, at: int, *, beside: bool) -> bool:
    """Is the word a verb? It surely is in "load and unload", where nothing stands between."""
    word = sentence.words[at].lower
    if beside:
        return sentence.words[at - 2].lower not in ("am", "is")
    return word in VERBS and (word not in NOUNS_TOO or not sentence.ends_at(at))


def swapped(text: str, words: Mapping[str, str]) -> str:
    """Replace whole words in any case; a capital at the start of the text is kept."""

    def new(match: re.Match[str]) -> str:
        word = words.get(match[0].lower(), match[0])
        return capital(word) if match.start() == 0 and match[0][0].isupper() else word

    return _WORD.sub(new, text)


FIRST_TO_SECOND = {
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "i'm": "you're",
    "i've": "you've",
    "i'd": "you'd",
    "i'll": "you'll",
}
_YOUR_TO_MY = {
    "your": "my",
    "yours": "mine",
    "yourself": "myself",
    "you've": "I've",
    "you'd": "I'd",
    "you'll": "I'll",
    "you're": "I'm",
}


def second_to_first(text: str) -> str:
    """From ``you`` to ``I`` or ``me``, with the verb: "you are" becomes "I am"."""
    sentence = Sentence.of(text)
    for at, word in enumerate(sentence.words):
        if word.lower != "you":
            continue
        follows = "" if sentence.ends_at(at) else sentence.words[at + 1].lower
        before = sentence.words[at - 1].lower if at and not word.opens else ""
        if at and (not follows or follows in AFTER_OBJECT or before in BEFORE_OBJECT):
            word.text = "me"
            continue
        word.text = "I"
        verb = sentence.verb_after(at)
        if verb is not None:
            sentence.words[verb].text = {"are": "am", "were": "was", "aren't": "am not"}.get(
                sentence.words[verb].lower, sentence.words[verb].text
            )
    return swapped(str(sentence), _YOUR_TO_MY)


def first_to_second(text: str) -> str:
    """From ``I`` to ``you``, with the verb: "I am" becomes "you are"."""
    sentence = Sentence.of(text)
    for at, word in enumerate(sentence.words):
        verb = sentence.verb_after(at) if word.lower == "i" else None
        if verb is not None:
            sentence.words[verb].text = {"am": "are", "was": "were"}.get(
                sentence.words[verb].lower, sentence.words[verb].text
            )
    return swapped(str(sentence), FIRST_TO_SECOND)


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def small(text: str) -> str:
    """With a small first letter, unless the first word is I or all capitals."""
    first = text.split(" ", 1)[0]
    keep = first == "I" or first.startswith("I'") or (len(first) > 1 and first.isupper())
    return text if keep else text[:1].lower() + text[1:]
