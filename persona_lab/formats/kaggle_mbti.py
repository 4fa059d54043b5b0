"""PersonalityCafe posts of the Kaggle MBTI set: ``mbti_1.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from persona_lab.dialogue import AUTHOR, Dialogue, Speaker, Utterance
from persona_lab.formats.base import Columns, Format, Result, each
from persona_lab.formats.labels import Note, type_labels
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table, TableRow

_TYPE, _POSTS = "type", "posts"
_BETWEEN = "|||"
_QUOTE = "'"


def split_posts(cell: str) -> list[str]:
    """The posts of one user, empty ones included so that positions stay those of the file.

    Args:
        cell: posts joined by ``|||``, as a rule inside one pair of single quotes.
    """
    if len(cell) > 1 and cell.startswith(_QUOTE) and cell.endswith(_QUOTE):
        cell = cell[1:-1]
    return cell.split(_BETWEEN)


def _dialogue(row: TableRow, note: Note) -> Dialogue:
    type_code = row.cells[_TYPE].strip()
    posts = split_posts(row.cells[_POSTS])
    return Dialogue(
        id=row.id,
        utterances=tuple(
            Utterance(str(i), AUTHOR, post) for i, post in enumerate(posts) if post.strip()
        ),
        speakers={AUTHOR: Speaker(AUTHOR, type_labels(type_code, column=_TYPE, note=note))},
        focus=AUTHOR,
        group=row.id,
        place=row.place,
        options={"type": type_code},
    )


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    yield from each(Table(source, (_TYPE, _POSTS)).rows(), partial(_dialogue, note=source.note))


FORMAT = Format(
    name="kaggle-mbti",
    help="mbti_1.csv of Kaggle: type, posts joined by '|||'",
    labels="MBTI, the type users give in their profile",
    read=_read,
    header=(_TYPE, _POSTS),
)
