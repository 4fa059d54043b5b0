"""What a speaker's name looks like, and which words before a colon are none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

MAX_NAME = 40
MAX_NAME_WORDS = 4

_LONGEST_TITLE = 5
_LONGEST_CONTACT, _CONTACT_WORDS = 60, 8
_PHONE = re.compile(r"\+?[\d\s().\u2010-\u2013-]{6,}")
_NUMBERED = re.compile(r"[\W\d]*(.*?)[\W\d]*")
_LABELS_BY_PLACE = {
    "letters and front matter": "from to cc bcc sent subject date re fw fwd reply-to time title "
    "author authors by place location topic duration language source url link file tags category "
    "layout version description summary abstract keywords status id name type",
    "minutes and plans": "present attendees participants apologies absent agenda item minutes "
    "decision decisions action actions resolved motion next deadline owner due goal goals "
    "outcome result",
    "essays, recipes, songs and manuals": "note notes tip tips hint warning caution important "
    "example examples step chapter part section figure table scene act p.s ps pps edit update "
    "tl;dr tldr conclusion introduction ingredients method serves pro con pros cons verse chorus "
    "refrain bridge intro outro term meaning definition",
    "packages": "files copyright license comment format package version maintainer homepage "
    "depends upstream-name upstream-contact files-excluded image attribution",
    "diaries": "monday tuesday wednesday thursday friday saturday sunday today yesterday",
    "logs and programs": "info warn error debug trace fatal critical notice severe kernel systemd "
    "sshd cron in out args arguments returns raises attributes yields if else elif try except "
    "finally def class for while with return case default switch public private protected todo "
    "fixme",
}
_LABELS = frozenset(word for words in _LABELS_BY_PLACE.values() for word in words.split()) | {
    *("next steps", "action item", "action items"),
    *("your persona", "partner's persona"),  # of Persona-Chat, which numbers its lines
    *("cut to", "fade in", "fade out", "dissolve to"),
}


def is_label(name: str) -> bool:
    """Is it a word that heads a field, a section or a line of a log rather than a speaker?"""
    bare = _NUMBERED.fullmatch(name.casefold())
    return bare is not None and bare[1] in _LABELS


def is_prose(name: str) -> bool:
    """Is it the start of a sentence? ``Dr. Rosen`` and ``Monica, Rachel`` are names."""
    words = name.split()
    if len(words) > 2 and name[0].isupper() and words[-1][0].islower():  # "Things I love"
        return True
    return any(
        (word.endswith(".") and (len(word) > _LONGEST_TITLE or word[0].islower()))
        or (word.endswith(",") and after[0].islower())
        for word, after in pairwise(words)
    )


def is_name(name: str) -> bool:
    """Is it short enough for a name, and no sentence?"""
    return (
        0 < len(name) <= MAX_NAME
        and len(name.split()) <= MAX_NAME_WORDS
        and any(letter.isalpha() for letter in name)
        and not set(name) & set("/`")
        and not name.startswith(("##", "# "))
        and not is_prose(name)
    )


def is_contact(name: str) -> bool:
    """Is it a name as address books hold them: longer, with emoji, or a telephone number?"""
    return (
        0 < len(name) <= _LONGEST_CONTACT
        and len(name.split()) <= _CONTACT_WORDS
        and not name.count('"') % 2
        and (bool(_PHONE.fullmatch(name)) or any(c.isalpha() or ord(c) > 0x2000 for c in name))
        and not is_prose(name)
    )


def repeat(names: Iterable[str]) -> bool:
    """Does one of the names occur again, as in a conversation, and do two people speak?"""
    given = list(names)
    return 1 < len(set(given)) < len(given)
