"""Synthetic-Persona-Chat (Jandaghi et al. 2023): generated dialogues with both personas."""

from __future__ import annotations

import re
from collections.abc import Iterator

from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.formats.base import Columns, Format, Result, each
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table, TableRow

_TALK = "Best Generated Conversation"
_PERSONAS = {"User 1": "user 1 personas", "User 2": "user 2 personas"}
# Some generations are marked up as a list or in italics: "* User 1: Hi! *", "*User 1:* Hi".
_TURN = re.compile(r"[\s*]*(?P<name>User [12])\**:\**\s?(?P<text>.*)")


def _utterances(talk: str) -> Iterator[Utterance]:
    turns: list[tuple[str, list[str]]] = []
    for line in talk.split("\n"):
        bare = line.strip()
        if not bare.strip("* "):
            continue
        turn = _TURN.fullmatch(bare)
        if turn is None:
            # Lists such as a recipe run over several lines. What stands before the first
            # name is a heading that nobody says.
            if turns:
                turns[-1][1].append(bare)
        else:
            text = turn["text"]
            if text.count("*") % 2 and text.endswith("*"):  # it closes what opened the line
                text = text[:-1]
            turns.append((turn["name"], [text.strip()]))
    for i, (name, parts) in enumerate(turns):
        yield Utterance(str(i), name, "\n".join(parts).strip())


def _dialogue(row: TableRow) -> Dialogue:
    speakers = {}
    for name, column in _PERSONAS.items():
        statements = (line.strip() for line in row.cells[column].split("\n"))
        speakers[name] = Speaker(name, {}, tuple(s for s in statements if s))
    return Dialogue(
        id=row.id,
        utterances=tuple(_utterances(row.cells[_TALK])),
        speakers=speakers,
        place=row.place,
    )


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    yield from each(Table(source, (*_PERSONAS.values(), _TALK)).rows(), _dialogue)


FORMAT = Format(
    name="synthetic-persona-chat",
    help="Synthetic-Persona-Chat csv: user 1/2 personas, Best Generated Conversation",
    labels="",
    read=_read,
    header=(*_PERSONAS.values(), _TALK),
)
