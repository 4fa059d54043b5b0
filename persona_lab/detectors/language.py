"""Which language a text is in: the bundled detectors read English only."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

OTHER_SCRIPT = "non-latin"
"""In place of a language code where only the script can be told."""

_SAMPLE = 2000
"""Characters looked at: more does not change the answer."""

_SURE = 0.95
"""Probability above which the identifier's answer is taken."""

_ENGLISH = frozenset(
    # not 'is', 'was', 'of', 'to', 'me', 'we': other languages have words written like these
    ("the", "and", "that", "it", "you", "with", "this", "but", "they", "what", "when", "would",
     "about", "just", "i'm", "it's", "don't", "because", "your", "their", "there", "know",
     "she", "been", "from", "have")
)  # fmt: skip
"""Common words that hardly occur in other languages: about a fifth of English."""

_ENOUGH_ENGLISH = 0.12
"""Share of such words from which a text is taken to be English without a closer look."""

_WORD = re.compile(r"[a-z']+")
_PLAIN_LETTERS = re.compile(r"[A-Za-z]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")

_MIN_LETTERS = 60
"""Below this many letters only the script is judged: short chat is misread too often."""


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def foreign_language(text: str) -> str | None:
    """Tell whether a text is clearly not English.

    Args:
        text: any length; only the first 2,000 characters are looked at.

    Returns:
        A two-letter language code, :data:`OTHER_SCRIPT` for short text in another script, or
        None where the text is English or too short to tell.
    """
    sample = text[:_SAMPLE]
    n_letters, n_latin = _letters(sample)
    if not n_letters:
        return None
    latin = n_latin / n_letters
    if latin >= 0.5 and _is_plainly_english(sample):
        return None
    if n_letters >= _MIN_LETTERS or latin < 0.5:
        code, sure = _identifier().classify(sample)
        if str(code) != "en" and float(sure) >= _SURE:
            return str(code)
    return OTHER_SCRIPT if latin < 0.5 else None


def _letters(sample: str) -> tuple[int, int]:
    """How many letters there are, and how many of them are Latin."""
    plain = sum(map(len, _PLAIN_LETTERS.findall(sample)))
    others = [] if sample.isascii() else [c for c in _NOT_ASCII.findall(sample) if c.isalpha()]
    latin = sum("LATIN" in unicodedata.name(c, "") for c in others)
    return plain + len(others), plain + latin


def _is_plainly_english(sample: str) -> bool:
    """A look at the most common words: it spares most texts the identifier."""
    words = _WORD.findall(sample.lower().replace("\u2019", "'"))
    return sum(map(_ENGLISH.__contains__, words)) >= _ENOUGH_ENGLISH * max(len(words), 1)
