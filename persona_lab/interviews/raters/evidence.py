"""Quotes that a judge gives: taken only if the speaker said so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from persona_lab.interviews.raters.rating import Quote
from persona_lab.interviews.records import Record

_FEWEST_LETTERS: Final = 8
_GAP = re.compile(r"\s*(?:\.\.\.|\u2026|\[\.\.\.\]|\[\u2026\])\s*")
_TYPOGRAPHY: Final = {
    0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2012: "-", 0x2013: "-", 0x2014: "-",
    0x2212: "-", 0x00A0: " ",
}  # fmt: skip


def verified(quotes: Iterable[str], records: Sequence[Record]) -> tuple[Quote, ...]:
    """The quotes that occur in an answer, as they are written there.

    Case, white space, the kind of quotation marks and dashes, and a full stop at the end do not
    matter. A quote with an ellipsis is taken if all its parts occur in one answer, in order.
    Fewer than eight letters prove nothing and are left out.
    """
    found = []
    for quote in quotes:
        place = _find(quote, records)
        if place is not None and place not in found:
            found.append(place)
    return tuple(found)


def _find(quote: str, records: Sequence[Record]) -> Quote | None:
    parts = [part for part in _GAP.split(quote.strip().strip("\"'\u201c\u201d ")) if part.strip()]
    if not parts or sum(map(str.isalpha, "".join(parts))) < _FEWEST_LETTERS:
        return None
    pattern = re.compile(".*?".join(map(_pattern, parts)), re.IGNORECASE | re.DOTALL)
    for record in records:
        answer = record.answer or ""
        # the table replaces one letter by one, so places are the same in both
        match = pattern.search(answer.translate(_TYPOGRAPHY))
        if match is not None:
            return Quote(record.id, answer[match.start() : match.end()])
    return None


def _pattern(part: str) -> str:
    words = part.translate(_TYPOGRAPHY).rstrip(" .,;:!").split()
    return r"\s+".join(re.escape(word) for word in words)
