"""``persona-lab inspect``: how a file is read, before anything is scored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_lab.cli.data_options import ColumnsOption
from persona_lab.cli.output import note, plain, stdout, warn, write_json
from persona_lab.errors import InputError, RowError
from persona_lab.formats import FORMATS, parse_columns, read_dialogues

if TYPE_CHECKING:
    from rich.console import Console

    from persona_lab.dialogue import Dialogue
    from persona_lab.formats.keys import Keys

EXAMPLES = (
    "persona-lab inspect chats.jsonl",
    "persona-lab inspect posts.csv --columns text=body,speaker=author,dialogue=thread",
    "persona-lab inspect data/ --json",
)

_NAMES, _REASONS, _TURNS, _LETTERS = 8, 10, 8, 90


@dataclass(slots=True)
class Found:
    """What is in a file.

    Attributes:
        name: of the file.
        layout: it is read as.
        keys: and what they were read as.
        dialogues: how many.
        turns: of all dialogues.
        speakers: turns by name.
        personas: speakers with persona statements.
        labels: speakers with a label, by trait.
        first: the first dialogue with turns.
        skipped: rows that cannot be read.
        notes: remarks about the file.
    """

    name: str
    layout: str
    keys: Keys
    dialogues: int = 0
    turns: int = 0
    speakers: Counter[str] = field(default_factory=Counter)
    personas: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    first: Dialogue | None = None
    skipped: list[RowError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, row: Dialogue | RowError) -> None:
        """Count a dialogue, or a row that cannot be read."""
        if isinstance(row, RowError):
            self.skipped.append(row)
            return
        self.dialogues += 1
        self.turns += len(row.utterances)
        self.speakers.update(utterance.speaker for utterance in row.utterances)
        for speaker in row.speakers.values():
            self.personas += bool(speaker.persona)
            self.labels.update(speaker.labels.keys())
        if self.first is None and row.utterances:
            self.first = row

    def to_row(self) -> dict[str, Any]:
        """The same as JSON types."""
        first = self.first
        return {
            "file": self.name,
            "layout": self.layout,
            "keys": list(self.keys.names),
            "read_as": dict(self.keys.read_as),
            "dialogues": self.dialogues,
            "turns": self.turns,
            "speakers": dict(self.speakers.most_common()),
            "personas": self.personas,
            "labels": dict(self.labels),
            "skipped": [{"id": bad.row_id, "reason": str(bad)} for bad in self.skipped],
            "notes": self.notes,
            "first": first and {
                "id": first.id,
                "focus": first.focus,
                "personas": {n: list(s.persona) for n, s in first.speakers.items() if s.persona},
                "turns": [{"speaker": u.speaker, "text": u.text} for u in first.utterances],
            },
        }  # fmt: skip


def command(
    input: Annotated[
        str,
        typer.Argument(metavar="INPUT", help="A file, a folder or a glob.", show_default=False),
    ],
    format: Annotated[
        str, typer.Option(help=f"Layout: auto (tells it from the content), {', '.join(FORMATS)}.")
    ] = "auto",
    columns: ColumnsOption = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a file on stdout.")
    ] = False,
) -> None:
    """Show how a file is read: layout, keys, speakers, counts, and the first dialogue.

    Rows that cannot be read are listed with the reason. Nothing is scored and nothing is
    written. Exit code 2 where not one file could be read.
    """
    from persona_lab.formats.inputs import expand

    given = expand([input], columns)
    for path in given.skipped:
        note(f"{path} is left out: its extension is not one of a dialogue file")
    for remark in given.remarks():
        note(remark)
    console = stdout()
    read = 0
    for file in given.files:
        try:
            found = inspect(file.path, format, columns)
        except InputError as error:
            if len(given.files) == 1:
                raise
            warn(str(error))
            continue
        read += found.dialogues > 0
        if json_:
            write_json(found.to_row())
        else:
            _show(console, found)
    if not read:
        raise InputError("not one dialogue could be read, for the reasons above")


def inspect(path: Path, format: str = "auto", columns: str | None = None) -> Found:
    """Read a file to its end and count.

    Raises:
        InputError: it cannot be read, or is of no known layout.
    """
    from persona_lab.formats.keys import keys_of

    with read_dialogues(path, format, columns=columns) as reader:
        keys = keys_of(path, reader.format, parse_columns(columns))
        found = Found(path.name, reader.format, keys)
        for row in reader:
            found.add(row)
        found.notes = reader.notes
    return found


def _show(console: Console, found: Found) -> None:
    def line(text: str, style: str | None = None) -> None:
        console.print(plain(text), style=style, soft_wrap=True)

    def item(text: str) -> None:
        console.print(f"  {plain(text)}", soft_wrap=True)

    line(f"{found.name}: read as {found.layout} ({FORMATS[found.layout].help})", "bold")
    if found.keys.names:
        item(f"keys: {_some(found.keys.names)}")
    if found.keys.read_as:
        item("read as: " + ", ".join(f"{r} = {k}" for r, k in found.keys.read_as.items()))
    dialogues, turns = _count(found.dialogues, "dialogue"), _count(found.turns, "turn")
    item(f"{dialogues}, {turns}, {_count(len(found.skipped), 'row')} skipped")
    by_name = found.speakers.most_common()
    item("speakers: " + _some([f"{name} ({_count(n, 'turn')})" for name, n in by_name]))
    if found.personas:
        item(f"persona statements: of {_count(found.personas, 'speaker')}")
    if found.labels:
        item("labels: " + ", ".join(f"{trait} ({n:,})" for trait, n in found.labels.items()))
    for remark in found.notes:
        item(f"note: {remark}")
    for bad in found.skipped[:_REASONS]:
        item(f"skipped: {bad}")
    if len(found.skipped) > _REASONS:
        item(f"skipped: {len(found.skipped) - _REASONS:,} more")
    if found.first is not None:
        _show_first(found.first, line, item)
    console.print()


def _show_first(first: Dialogue, line: Any, item: Any) -> None:
    line(f"The first dialogue, {first.id}" + (f", about {first.focus}" if first.focus else ""))
    for speaker in first.speakers.values():
        for statement in speaker.persona[:_TURNS]:
            item(f"({speaker.name} is: {_short(statement)})")
    for utterance in first.utterances[:_TURNS]:
        item(f"{utterance.speaker}: {_short(utterance.text)}")
    if len(first.utterances) > _TURNS:
        item(f"... {len(first.utterances) - _TURNS:,} more turns")


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}" + ("" if n == 1 else "s")


def _short(text: str) -> str:
    text = plain(text)
    return text if len(text) <= _LETTERS else text[: _LETTERS - 3] + "..."


def _some(names: Any) -> str:
    names = list(names)
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    return (", ".join(names[:_NAMES]) or "none") + more
