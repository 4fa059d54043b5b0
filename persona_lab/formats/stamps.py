"""Dates and clock times as chat programs write them beside a turn."""

from __future__ import annotations

import re

_CLOCK = r"\d{1,3}:\d{2}(?::\d{2})?(?:[.,]\d{1,6})?"
_HALF = (
    r"(?:\s?(?:[AaPp]\.?\s?[Mm]\b\.?|Uhr\b|[\u0635\u0645](?=[\s\]])|\u00d6[\u00d6S]\b"
    r"|[\u03c0\u03bc]\.?\s?\u03bc\.?|[\u0642\u0628]\.\u0638\.?))?"
)
_ZONE = r"(?:\s?(?:Z|UTC|[+-]\d{2}:?\d{2})\b)?"
_BEFORE = r"(?:(?:上午|下午|午前|午後|오전|오후)\s?)?"
_TIME = rf"{_BEFORE}{_CLOCK}{_HALF}{_ZONE}"
# a date stands beside it, so 10.31 and 10h31 are times, too
_TIME_OF_DATE = rf"{_BEFORE}(?:{_CLOCK}|\d{{1,2}}[.h]\d{{2}}(?:[.]\d{{2}})?){_HALF}{_ZONE}"
_MONTH = r"[^\W\d_]{3,10}\.?"
_DATE = (
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,?\s)?"
    r"(?:\d{1,4}[./-]\d{1,2}(?:[./-]\d{1,4})?\.?"
    rf"|\d{{1,2}}\.?[\s-]{_MONTH},?[\s-]\d{{2,4}}"
    rf"|{_MONTH}\s\d{{1,2}},?\s\d{{4}})"
)
_DAY = r"(?:[Tt]oday|[Yy]esterday|[Hh]eute|[Gg]estern|[Hh]oy|[Aa]yer|[Hh]ier|[Ll]ast\s\w+)"
_DATED = (
    rf"(?:{_DATE}|{_DAY})(?:[,\u060c]?\s{{1,2}}(?:at\s|um\s|kl\.?\s|klo\s|à\s)?|T){_TIME_OF_DATE}"
)

STAMP = rf"(?:{_DATED}|{_TIME})"
"""A regular expression of a clock time, with its date or without."""

_RANGE = rf"(?:{STAMP}|{_DATE}|\d+(?:\.\d+)?s?)"
BRACKETED = rf"[\[(]\s*{_RANGE}(?:\s*(?:-->|->|-|\u2013|to)\s*{_RANGE})?\s*[\])]"
"""The same in brackets, where a date, a number of seconds or a range stands as well."""

_LEADING = re.compile(
    rf"\s*(?:(?P<bracket>{BRACKETED})|(?P<dated>{_DATED})|{_TIME})\s*(?P<dash>[-\u2013|])?(?=\s)\s*"
    rf"|\s*(?P<tight>{BRACKETED})"
)
_ONLY = re.compile(
    rf"\s*[-\u2013\u2014]*\s*(?:{BRACKETED}|{STAMP}|{_DATE}|{_DAY})\s*[-\u2013\u2014]*\s*"
)
_LONGEST = 60
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def without_marks(text: str) -> str:
    """The text without the invisible marks of direction that chat programs put in."""
    return _MARKS.sub("", text)


def leading_stamp(line: str) -> tuple[int, bool] | None:
    """The stamp that a line begins with.

    Returns:
        Where the rest begins, and whether no sentence looks like that: it stands in brackets
        or has a date and a dash. None where the line begins with none.
    """
    match = _LEADING.match(line)
    if match is None:
        return None
    sure = bool(match["bracket"] or match["tight"] or (match["dated"] and match["dash"]))
    return match.end(), sure


def is_stamp(line: str) -> bool:
    """Is there nothing on it but a date or a time?"""
    bare = without_marks(line).strip()
    return 0 < len(bare) <= _LONGEST and _ONLY.fullmatch(bare) is not None
