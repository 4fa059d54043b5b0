"""CPED (Chen et al. 2022): Chinese television dialogues, speakers with Big Five labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.errors import RowError
from persona_lab.formats.base import BadRow, Columns, Format, Result
from persona_lab.formats.labels import Note, cell_labels
from persona_lab.formats.own_rows import unique_utterances
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table, TableRow
from persona_lab.traits import BIG_FIVE

_SHOW, _DIALOGUE, _ID = "TV_ID", "Dialogue_ID", "Utterance_ID"
_SPEAKER, _TEXT = "Speaker", "Utterance"
_LABELS = {key: key.capitalize() for key in BIG_FIVE.keys}


@dataclass(slots=True)
class _Scene:
    """A dialogue whose rows are still coming."""

    id: str
    place: str
    show: str | None
    utterances: list[Utterance] = field(default_factory=list)
    speakers: dict[str, Speaker] = field(default_factory=dict)

    def add(self, row: TableRow, note: Note) -> None:
        name = row.cells[_SPEAKER].strip()
        if not name:
            raise BadRow(f"no name in column {_SPEAKER!r}")
        labels = cell_labels(row.cells, _LABELS, note=note)
        own_id = row.cells.get(_ID, "").strip() or str(len(self.utterances))
        self.utterances.append(Utterance(own_id, name, row.cells[_TEXT]))
        known = self.speakers.get(name)
        if known is None or not known.labels:
            self.speakers[name] = Speaker(name, labels)

    def done(self) -> Dialogue:
        return Dialogue(
            id=self.id,
            utterances=unique_utterances(iter(self.utterances)),
            speakers=self.speakers,
            # Characters return in every dialogue of their show.
            group=self.show,
            place=self.place,
        )


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    table = Table(source, (_DIALOGUE, _SPEAKER, _TEXT), (_SHOW, _ID, *_LABELS.values()))
    scene: _Scene | None = None
    for row in table.rows():
        if isinstance(row, RowError):
            yield row
            continue
        key = row.cells[_DIALOGUE].strip() or row.id
        if scene is None or scene.id != key:
            if scene is not None:
                yield scene.done()
            scene = _Scene(key, row.place, row.cells.get(_SHOW, "").strip() or None)
        try:
            scene.add(row, source.note)
        except BadRow as bad:
            row_id = row.cells.get(_ID, "").strip() or row.id
            yield RowError(str(bad), row_id=row_id, place=row.place)
    if scene is not None:
        yield scene.done()


FORMAT = Format(
    name="cped",
    help="CPED csv: one utterance a row with Dialogue_ID, Speaker and the speaker's traits",
    labels="Big Five high/low of each speaker; 'unknown' is left out",
    read=_read,
    header=(_DIALOGUE, _SPEAKER, _TEXT),
)
