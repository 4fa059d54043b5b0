"""Any csv or tsv file: which column holds what is chosen with ``--columns``.

Each row becomes a record as JSON would hold it, and is read by the same importer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona_lab.dialogue import AUTHOR
from persona_lab.errors import FormatError, RowError
from persona_lab.formats.base import Columns, Format, Result
from persona_lab.formats.chat_json import BOTH_KEYS, REPLY_KEYS, TURN_KEYS, How
from persona_lab.formats.chat_reading import dialogues
from persona_lab.formats.labels import Note, cell_labels, type_labels
from persona_lab.formats.records import Record
from persona_lab.formats.source import Source
from persona_lab.formats.suggestions import columns_line
from persona_lab.formats.tables import Table, TableRow, find_column, header_of
from persona_lab.formats.turn_keys import SPEAKER_KEYS, TEXT_KEYS, pair_of
from persona_lab.formats.turn_order import order_columns
from persona_lab.formats.utterance_rows import dialogue_key
from persona_lab.traits import ALL_TRAITS, MBTI

_DEFAULTS = {"text": "text", "id": "id", "speaker": "speaker"}
ROLES = ("text", "id", "speaker", "dialogue", "group", "type", "persona", "turns", *ALL_TRAITS)
"""What ``--columns`` can name: ``type`` is a four-letter MBTI type."""

_WHOLE = re.compile(r"(-?\d+)\.0+")


def has_chats(header: Sequence[str]) -> bool:
    """Do the columns hold whole chats, or turns with the dialogue that they belong to?"""
    names = {name.casefold() for name in header}
    paired = pair_of(lambda key: key in names) is not None
    whole = any(key in names for key in (*TURN_KEYS, *BOTH_KEYS, *REPLY_KEYS))
    return paired or whole or bool(turn_columns(header))


def turn_columns(header: Sequence[str]) -> dict[str, str]:
    """The columns of a table whose rows are turns; none where they are not."""
    names = {name.casefold(): name for name in header}
    key = dialogue_key(dict.fromkeys(names, "x"))
    speaker = next((name for name in SPEAKER_KEYS if name in names), None)
    text = next((name for name in TEXT_KEYS if name in names and name != speaker), None)
    if key is None or speaker is None or text is None or len(names) < len(header):
        return {}
    return {"dialogue": names[key], "speaker": names[speaker], "text": names[text]}


def columns_of(header: Sequence[str], columns: Columns) -> dict[str, str]:
    """Which column plays which role.

    Args:
        header: the names in the file.
        columns: the chosen ones.

    Returns:
        Names by role, as far as the file has them.
    """
    turns = {} if columns else turn_columns(header)
    wanted = {**_DEFAULTS, **{trait: trait for trait in ALL_TRAITS}, **columns, **turns}
    # SN is as often a serial number and TF a term frequency: axes must be spelt exactly.
    axes = [axis for axis in MBTI.keys if axis not in columns and axis not in header]
    found = {role: name for role, name in wanted.items() if find_column(header, name) is not None}
    return {role: name for role, name in found.items() if role not in axes}


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which column of this file plays which role.

    Attributes:
        columns: names by role.
        whole: do the rows hold chats under columns of their own names?
        note: takes remarks about the file.
        order: columns that tell the place of a row in its dialogue.
    """

    columns: Mapping[str, str]
    whole: bool
    note: Note
    order: Sequence[str] = ()

    def cell(self, row: TableRow, role: str) -> str:
        return row.cells.get(self.columns.get(role, ""), "")

    def labels(self, row: TableRow) -> dict[str, float]:
        column = self.columns.get("type", "")
        labels = type_labels(self.cell(row, "type"), column=column, note=self.note)
        named = {trait: self.columns[trait] for trait in ALL_TRAITS if trait in self.columns}
        return labels | cell_labels(row.cells, named, note=self.note)

    def record(self, row: TableRow) -> Record:
        """The row as a record of JSON."""
        roles = ("id", "dialogue", "group", "persona")
        found = {role: self.cell(row, role).strip() for role in roles if role in self.columns}
        value: dict[str, Any] = {role: text for role, text in found.items() if text}
        for role in ("id", "dialogue"):
            if role in value:  # programs write 1 as 1.0 where another row has no number
                value[role] = _WHOLE.sub(r"\1", value[role])
        if self.whole:
            value = {name: cell for name, cell in row.cells.items() if cell} | value
            if "turns" in self.columns:
                value["turns"] = self.cell(row, "turns")
        else:
            value = {name: row.cells[name] for name in self.order} | value
            value["speaker"] = self.cell(row, "speaker").strip() or AUTHOR
            value["text"] = self.cell(row, "text")
        if labels := self.labels(row):
            value["labels"] = labels
        return Record(f"row-{row.number}", row.place, value)


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    unknown = [role for role in columns if role not in ROLES]
    if unknown:
        raise FormatError(
            f"--columns has no role {', '.join(map(repr, unknown))}; use {', '.join(ROLES)}"
        )
    header = header_of(source)
    roles = columns_of(header, columns)
    whole = "turns" in columns or (not (columns or "text" in roles) and has_chats(header))
    # What was asked for by name must be there; the defaults other than the text need not.
    inner = ("speaker", "text") if "turns" in columns else ()
    chosen = [name for role, name in columns.items() if role not in inner]
    required = chosen if whole else [roles.get("text", columns.get("text", "text")), *chosen]
    order = order_columns(header) if "dialogue" in roles else []
    optional = [*roles.values(), *(header if whole else order)]
    names = list(dict.fromkeys(required))
    table = Table(
        source, names, [name for name in optional if name not in names], remedy=_remedy(source)
    )
    plan = _Plan(roles, whole, source.note, [name for name in order if not whole])
    rows = (row if isinstance(row, RowError) else plan.record(row) for row in table.rows())
    # The record has its roles for keys, but the insides of turns are as in the file.
    outside = [role for role in ("dialogue", "persona", "turns") if role in roles]
    inside = [role for role in ("speaker", "text") if whole and role in columns]
    chosen_keys = {role: role for role in outside} | {role: columns[role] for role in inside}
    yield from dialogues(rows, How(source.note, chosen_keys), source)


def _remedy(source: Source) -> str:
    """What to do about a missing column, with the one that holds the longest text."""
    cells = Table.first_cells(source)
    line = columns_line(cells) if cells else "--columns text=NAME"
    return f"name the column that holds the text with {line}"


FORMAT = Format(
    name="csv",
    help="comma, tab, semicolon or bar separated with a header; choose columns with --columns",
    labels="columns named like traits (or mapped with --columns), or type=COLUMN for MBTI",
    read=_read,
    takes_columns=True,
)
