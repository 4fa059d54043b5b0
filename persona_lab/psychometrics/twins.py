"""Negated twins of items, from a user's file: an item and its denial, for contradictions.

Shu et al. (2023, arXiv 2311.09718) ask language models items and their negations; whoever
means the answer turns it around.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from persona_lab.errors import FormatError
from persona_lab.formats.source import Source
from persona_lab.instruments import Instrument

SUFFIX = "-negated"
"""Behind the instrument's name, for the questionnaire of twins."""

_ITEM = ("item", "id", "Prompt", "Original Prompt")
_NEGATED = ("negated", "Negated Prompt (negation word)")


@dataclass(frozen=True, slots=True)
class Twins:
    """Twins that belong to an instrument.

    Attributes:
        instrument: the twins as a questionnaire: same ids and domains, keys turned around.
        unmatched: rows of the file that belong to no item.
    """

    instrument: Instrument
    unmatched: int


def read_twins(path: str | os.PathLike[str], instrument: Instrument) -> Twins:
    """Read twins from a csv file.

    One column holds the item (``item`` or ``id``: its id or its text; ``Prompt`` in the
    layout of Shu et al.), another the twin (``negated`` or ``Negated Prompt (negation
    word)``). Texts are compared by their words; a leading "I" or "I am" may be missing.

    Args:
        path: of the file.
        instrument: whose items are meant.

    Raises:
        InputError: the file cannot be read.
        FormatError: a column is missing, or no row belongs to the instrument.
    """
    import csv
    import io

    source = Source(path)
    try:
        rows = csv.DictReader(io.StringIO(source.whole()))
        names = rows.fieldnames or ()
        item_column = next((n for n in _ITEM if n in names), None)
        twin_column = next((n for n in _NEGATED if n in names), None)
        if item_column is None or twin_column is None:
            raise FormatError(
                f"{source.name} needs a column 'item' (id or text) and a column 'negated'; it "
                f"has: {', '.join(names) or 'nothing'}"
            )
        texts: dict[str, str] = {}
        unmatched = 0
        by_id = {item.id: item.id for item in instrument.items}
        by_text = {_words(item.text): item.id for item in instrument.items}
        for row in rows:
            given, twin = (row.get(name) or "" for name in (item_column, twin_column))
            id = by_id.get(given.strip()) or by_text.get(_words(given))
            if id is None or not twin.strip():
                unmatched += 1
            else:
                texts.setdefault(id, " ".join(twin.split()))
        if not texts:
            raise FormatError(
                f"no row of {source.name} names an item of {instrument.name!r}; its column "
                f"{item_column!r} must hold ids or texts of that instrument"
            )
    finally:
        source.close()
    return Twins(_questionnaire(instrument, texts), unmatched)


def _questionnaire(instrument: Instrument, texts: Mapping[str, str]) -> Instrument:
    items = tuple(
        replace(item, text=texts[item.id], keyed=-item.keyed, question=None)
        for item in instrument.items
        if item.id in texts
    )
    measured = {item.domain for item in items}
    return replace(
        instrument,
        name=instrument.name + SUFFIX,
        title=f"{instrument.title}, negated",
        domains=tuple(d for d in instrument.domains if d.key in measured),
        items=items,
    )


def _words(text: str) -> str:
    words = re.findall(r"\w+", text.casefold().replace("\u2019", "'"))
    return re.sub(r"^(i am|i m|i|am) ", "", " ".join(words))
