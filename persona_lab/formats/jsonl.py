"""Our own JSON lines: a text or the turns of a dialogue a record, with labels.

``{"id", "text", "speaker"?, "labels"?, "group"?}`` or ``{"id", "turns": [{"speaker",
"text"}], "speakers"?, "focus"?, ...}``; :mod:`persona_lab.formats.writing` writes the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from persona_lab.dialogue import AUTHOR, Dialogue, Speaker, Utterance
from persona_lab.errors import FormatError
from persona_lab.formats.base import BadRow, Columns, Format, Result, each, shown
from persona_lab.formats.labels import json_labels
from persona_lab.formats.records import (
    Record,
    kind,
    list_of,
    mend,
    objects_of,
    read_records,
    text_of,
)
from persona_lab.formats.source import Source

ROLES = ("id", "text", "turns", "speaker", "labels", "group")
"""What ``--columns`` can rename."""


def optional_text(record: Mapping[str, Any], key: str) -> str | None:
    """A text or whole number that may be missing; numbers are read as their digits.

    Raises:
        BadRow: it holds something else.
    """
    value = record.get(key)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_of(value, key)


def renamed(record: Mapping[str, Any], columns: Columns) -> Mapping[str, Any]:
    """The record with chosen keys under the names of their roles."""
    if not columns:
        return record
    own = {key: value for key, value in record.items() if key not in columns}
    return own | {role: record[key] for role, key in columns.items() if key in record}


def _dialogue(row: Record, columns: Columns) -> Dialogue:
    record = row.object()
    record = renamed(record, columns)
    given = record.get("id")
    if given is not None and (isinstance(given, bool) or not isinstance(given, (str, int))):
        raise BadRow(f"'id' must be text or a whole number, not {kind(given)}")
    group = optional_text(record, "group")
    if record.get("turns") is not None:
        return _from_turns(row, record, group, columns)
    if "text" in record:
        text = text_of(record["text"], columns.get("text", "text"))
        return _from_text(row, record, text, group)
    raise BadRow(
        f"the record has neither 'text' nor 'turns'; its keys: {shown(row.object())}; "
        "name the right one with --columns text=KEY"
    )


def _from_text(row: Record, record: Mapping[str, Any], text: str, group: str | None) -> Dialogue:
    name = optional_text(record, "speaker") or AUTHOR
    dialogue = Dialogue.from_text(text, id=row.id)
    return replace(
        dialogue,
        utterances=tuple(replace(u, speaker=name) for u in dialogue.utterances),
        speakers={name: Speaker(name, json_labels(record.get("labels")))},
        focus=name,
        group=group,
        place=row.place,
    )


def _from_turns(
    row: Record, record: Mapping[str, Any], group: str | None, columns: Columns
) -> Dialogue:
    # Only these two: an 'id' that was chosen is the record's, not a turn's.
    inner = {role: key for role, key in columns.items() if role in ("speaker", "text")}
    turns = [renamed(turn, inner) for turn in objects_of(record["turns"], "turns")]
    utterances = unique_utterances(_utterance(i, turn) for i, turn in enumerate(turns))
    focus = optional_text(record, "focus")
    dialogue = Dialogue(
        id=row.id,
        utterances=utterances,
        speakers=_speakers(record.get("speakers")),
        focus=focus,
        group=group,
        place=row.place,
        options=_options(record.get("options")),
    )
    labels = json_labels(record.get("labels"))
    if not labels:
        return dialogue
    whose = optional_text(record, "speaker") or focus
    if whose is None and len(dialogue.speaker_names) == 1:
        whose = dialogue.speaker_names[0]
    if whose is None:
        raise BadRow("'labels' of several speakers: name the one they describe in 'speaker'")
    known = dialogue.speakers.get(whose, Speaker(whose))
    labelled = replace(known, labels={**known.labels, **labels})
    return replace(dialogue, speakers={**dialogue.speakers, whose: labelled})


def _utterance(position: int, turn: Mapping[str, Any]) -> Utterance:
    own_id, speaker = optional_text(turn, "id"), optional_text(turn, "speaker")
    if speaker is None or "text" not in turn:
        raise BadRow(
            f"turn {position + 1} must have a 'speaker' and a 'text'; its keys: {shown(turn)}; "
            "name others with --columns speaker=KEY,text=KEY"
        )
    text = text_of(turn["text"], "text")
    return Utterance(str(position) if own_id is None else own_id, speaker, text)


def unique_utterances(utterances: Iterator[Utterance]) -> tuple[Utterance, ...]:
    """Keep the file's utterance ids where they are unique, else number by position.

    A column that repeats the dialogue's id on every turn is common, and evidence that
    points at an utterance must point at one.
    """
    kept = tuple(utterances)
    if len({u.id for u in kept}) == len(kept):
        return kept
    return tuple(replace(u, id=str(i)) for i, u in enumerate(kept))


def _speakers(value: object) -> dict[str, Speaker]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadRow(f"'speakers' must be an object by name, not {kind(value)}")
    speakers: dict[str, Speaker] = {}
    for name, facts in value.items():
        if not isinstance(facts, Mapping):
            raise BadRow('\'speakers\' must hold an object a name: {"labels": {}, "persona": []}')
        persona = tuple(text_of(s, "persona") for s in list_of(facts.get("persona"), "persona"))
        name = mend(name)
        speakers[name] = Speaker(name, json_labels(facts.get("labels")), persona)
    return speakers


def _options(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise BadRow("'options' must be an object of texts")
    return {mend(key): mend(text) for key, text in value.items()}


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    unknown = [role for role in columns if role not in ROLES]
    if unknown:
        raise FormatError(
            f"--columns has no role {', '.join(map(repr, unknown))} for jsonl; "
            f"use {', '.join(ROLES)}"
        )
    records = read_records(source, id_key=columns.get("id", "id"))
    yield from each(records, partial(_dialogue, columns=columns))


FORMAT = Format(
    name="jsonl",
    help='JSON lines {"id", "text"} or {"id", "turns": [{"speaker", "text"}]}',
    labels="'labels': {trait: 0, 1 or a score}",
    read=_read,
    keys=(("turns",), ("text",)),
    takes_columns=True,
)
