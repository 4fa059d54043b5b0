"""Any csv or tsv file: which column holds what is chosen with ``--columns``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from persona_lab.dialogue import AUTHOR, Dialogue, Speaker, Utterance
from persona_lab.errors import FormatError, RowError
from persona_lab.formats.base import BadRow, Columns, Format, Result, each
from persona_lab.formats.jsonl import unique_utterances
from persona_lab.formats.labels import cell_labels, type_labels
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table, TableRow
from persona_lab.traits import ALL_TRAITS, MBTI

_DEFAULTS = {"text": "text", "id": "id", "speaker": "speaker"}
ROLES = ("text", "id", "speaker", "dialogue", "group", "type", *ALL_TRAITS)
"""What ``--columns`` can name: ``type`` is a four-letter MBTI type."""

_REMEDY = "name the column that holds the text with --columns text=NAME"


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which column of this file plays which role."""

    columns: Mapping[str, str]

    def cell(self, row: TableRow, role: str) -> str:
        return row.cells.get(self.columns.get(role, ""), "")

    def labels(self, row: TableRow) -> dict[str, float]:
        labels = type_labels(self.cell(row, "type"), column=self.columns.get("type", ""))
        named = {trait: self.columns[trait] for trait in ALL_TRAITS if trait in self.columns}
        return labels | cell_labels(row.cells, named)

    def speaker(self, row: TableRow) -> str:
        return self.cell(row, "speaker").strip() or AUTHOR

    def group(self, row: TableRow) -> str | None:
        return self.cell(row, "group").strip() or None

    def single(self, row: TableRow) -> Dialogue:
        """A row that is a dialogue of its own."""
        name = self.speaker(row)
        dialogue = Dialogue.from_text(self.cell(row, "text"), id=row.id)
        return replace(
            dialogue,
            utterances=tuple(replace(u, speaker=name) for u in dialogue.utterances),
            speakers={name: Speaker(name, self.labels(row))},
            focus=name,
            group=self.group(row),
            place=row.place,
        )


@dataclass(slots=True)
class _Open:
    """A dialogue whose rows are still coming."""

    id: str
    place: str
    group: str | None
    utterances: list[Utterance] = field(default_factory=list)
    labels: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, row: TableRow, plan: _Plan) -> None:
        """Take a row in.

        Raises:
            BadRow: its labels cannot be read; nothing of it is kept.
        """
        name, labels = plan.speaker(row), plan.labels(row)
        own_id = plan.cell(row, "id").strip() or str(len(self.utterances))
        self.utterances.append(Utterance(own_id, name, plan.cell(row, "text")))
        known = self.labels.setdefault(name, {})
        for trait, value in labels.items():
            known.setdefault(trait, value)

    def done(self) -> Dialogue:
        """The dialogue as far as it was read."""
        return Dialogue(
            id=self.id,
            utterances=unique_utterances(iter(self.utterances)),
            speakers={name: Speaker(name, labels) for name, labels in self.labels.items()},
            group=self.group,
            place=self.place,
        )


def _conversations(table: Table, plan: _Plan) -> Iterator[Result]:
    """Consecutive rows with the same value in the dialogue column are one dialogue."""
    current: _Open | None = None
    for row in table.rows():
        if isinstance(row, RowError):
            yield row
            continue
        key = plan.cell(row, "dialogue").strip()
        if not key:
            message = f"no value in the dialogue column {plan.columns['dialogue']!r}"
            yield RowError(message, row_id=row.id, place=row.place)
            continue
        if current is None or current.id != key:
            if current is not None:
                yield current.done()
            current = _Open(key, row.place, plan.group(row))
        try:
            current.add(row, plan)
        except BadRow as bad:
            yield RowError(str(bad), row_id=row.id, place=row.place)
    if current is not None:
        yield current.done()


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    unknown = [role for role in columns if role not in ROLES]
    if unknown:
        raise FormatError(
            f"--columns has no role {', '.join(map(repr, unknown))}; use {', '.join(ROLES)}"
        )
    wanted = {**_DEFAULTS, **{trait: trait for trait in ALL_TRAITS}, **columns}
    # What was asked for by name must be there; the defaults other than the text need not.
    required = list(dict.fromkeys((wanted["text"], *columns.values())))
    optional = [name for name in wanted.values() if name not in required]
    table = Table(source, required, optional, id_column=wanted["id"], remedy=_REMEDY)
    # SN is as often a serial number and TF a term frequency: axes must be spelt exactly.
    axes = [axis for axis in MBTI.keys if axis not in columns and axis not in table.header]
    plan = _Plan({role: name for role, name in wanted.items() if role not in axes})
    if "dialogue" in columns:
        yield from _conversations(table, plan)
    else:
        yield from each(table.rows(), plan.single)


FORMAT = Format(
    name="csv",
    help="comma, tab or semicolon separated with a header; choose columns with --columns",
    labels="columns named like traits (or mapped with --columns), or type=COLUMN for MBTI",
    read=_read,
    takes_columns=True,
)
