"""What the reader is given of a text: type words hidden, white space made plain."""

from __future__ import annotations

import re
from collections.abc import Sequence

from persona_lab.detectors.masking import mask_all

_STARS = re.compile(r"(?<!\S)\*{2,}(?!\w)|\*{3,}")
"""Words that somebody hid before: they stand for nothing, like those hidden here."""

QUESTION, ANSWER = "Q: ", " / A: "
"""Around what another said, and before what is read with it."""

TURN = " / "
"""Between turns that are read together."""

ANSWER_WORDS = 0
"""A turn of at most so many words is read together with what it answers.

None is: the bundled reader does not gain by it (r with readers of 353 rated answers .53 with and
without the question), and takes what the partner shows for the speaker's ("I see." after an
orderly person's turn was read as orderly).
"""

_QUESTION_WORDS = 40


def plain(text: str, *, masked: bool = True) -> str:
    """One text as the reader is given it."""
    return plain_all([text], masked=masked)[0]


def plain_all(texts: Sequence[str], *, masked: bool = True) -> list[str]:
    """Texts as the reader is given them.

    Args:
        texts: any.
        masked: hide words that name a type or trait.
    """
    shown = mask_all(texts) if masked else texts
    return [" ".join(_STARS.sub(" ", text).split()) for text in shown]


def question(said: str, heard: str, words: int = ANSWER_WORDS) -> str:
    """What is put before a short turn: the one that it answers; a longer turn stands alone.

    Args:
        said: the turn.
        heard: what another said before it; empty where nobody did.
        words: the longest short turn.
    """
    if not heard or len(said.split()) > words:
        return ""
    return f"{QUESTION}{' '.join(heard.split()[-_QUESTION_WORDS:])}{ANSWER}"
