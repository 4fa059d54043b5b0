"""Stream-of-consciousness essays of Pennebaker and King (1999): ``essays.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from persona_lab.dialogue import Dialogue
from persona_lab.formats.base import Columns, Format, Result, each
from persona_lab.formats.labels import Note, cell_labels
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table, TableRow

FIVE_COLUMNS = {
    "openness": "cOPN",
    "conscientiousness": "cCON",
    "extraversion": "cEXT",
    "agreeableness": "cAGR",
    "neuroticism": "cNEU",
}
"""Label column by trait key; FriendsPersona uses the same names."""

_ID, _TEXT = "#AUTHID", "TEXT"


def _dialogue(row: TableRow, note: Note) -> Dialogue:
    labels = cell_labels(row.cells, FIVE_COLUMNS, note=note)
    dialogue = Dialogue.from_text(row.cells[_TEXT], id=row.id, labels=labels)
    return replace(dialogue, group=row.id, place=row.place)


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    table = Table(source, (_ID, _TEXT), tuple(FIVE_COLUMNS.values()), id_column=_ID)
    yield from each(table.rows(), partial(_dialogue, note=source.note))


FORMAT = Format(
    name="essays",
    help="essays.csv of Pennebaker and King: #AUTHID, TEXT, cEXT ... cOPN",
    labels="Big Five, y/n by median split of self-reports",
    read=_read,
    header=(_ID, _TEXT, "cOPN"),
)
