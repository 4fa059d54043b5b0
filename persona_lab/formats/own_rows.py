"""Rows of our own JSON lines: a text or the turns of a dialogue, with labels.

Names are read as they are: what was written comes back, whatever a speaker is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from persona_lab.dialogue import AUTHOR, Dialogue, Speaker, Utterance
from persona_lab.formats.base import BadRow, shown
from persona_lab.formats.labels import Note, json_labels
from persona_lab.formats.records import Record, kind, list_of, mend, optional_text, text_of, whole
from persona_lab.formats.turn_words import person


def left_out(key: str, why: str) -> str:
    """The remark that a key means something else in this file."""
    return f"the key {key!r} is left out of some rows: {why}"


def is_own_turns(value: object) -> bool:
    """Are these turns as :mod:`persona_lab.formats.writing` writes them?"""
    return isinstance(value, list) and all(
        isinstance(turn, Mapping)
        and {"speaker", "text"} <= turn.keys() <= {"id", "speaker", "text"}
        and whole(turn["speaker"]) is not None
        for turn in value
    )


def text_row(row: Record, text: str, note: Note) -> Dialogue:
    """A text by one author."""
    record = row.object()
    name = _speaker(record, note) or AUTHOR
    dialogue = Dialogue.from_text(text, id=row.id)
    return replace(
        dialogue,
        utterances=tuple(replace(u, speaker=name) for u in dialogue.utterances),
        speakers={name: Speaker(name, labels_of(record, note))},
        focus=name,
        group=group_of(record, note),
        place=row.place,
    )


def turns_row(row: Record, turns: list[Mapping[str, Any]], note: Note) -> Dialogue:
    """A dialogue.

    Raises:
        BadRow: a turn has no speaker or no text.
    """
    record = row.object()
    dialogue = Dialogue(
        id=row.id,
        utterances=unique_utterances(_utterance(i, turn) for i, turn in enumerate(turns)),
        place=row.place,
    )
    return with_facts(dialogue, record, note, exact=True)


def with_facts(
    dialogue: Dialogue, record: Mapping[str, Any], note: Note, *, exact: bool
) -> Dialogue:
    """The dialogue with the facts about it and its speakers that its record holds.

    Keys that mean something else in other people's files are left out with a remark.

    Args:
        dialogue: with its utterances, and what is known about its speakers.
        record: that holds it.
        note: takes the remarks.
        exact: is it a row of our own? In others a focus must be one of those who speak.
    """
    focus = whole(record.get("focus"))
    if not exact and focus not in dialogue.speaker_names:
        focus = None
    known = {**_speakers(record.get("speakers"), note)}
    for name, speaker in dialogue.speakers.items():
        at = known.get(name, Speaker(name))
        known[name] = replace(at, persona=at.persona + speaker.persona)
    labels = labels_of(record, note)
    if labels:
        names = dialogue.speaker_names
        whose = _speaker(record, note) or focus or (names[0] if len(names) == 1 else None)
        if whose is None:
            why = "several speak, and none is named as the one described ('speaker')"
            note(left_out("labels", why))
        else:
            one = known.get(whose, Speaker(whose))
            known[whose] = replace(one, labels={**one.labels, **labels})
    options = {**dialogue.options, **_options(record.get("options"), note)}
    group = group_of(record, note)
    return replace(dialogue, speakers=known, focus=focus, group=group, options=options)


def group_of(record: Mapping[str, Any], note: Note) -> str | None:
    """The record's group, where it is one."""
    value = record.get("group")
    if value is not None and whole(value) is None:
        note(left_out("group", f"it is {kind(value)}, not a text"))
    return whole(value)


def labels_of(record: Mapping[str, Any], note: Note) -> dict[str, float]:
    """The record's labels, as far as they are labels of traits."""
    return json_labels(record.get("labels"), note=lambda why: note(left_out("labels", why)))


def unique_utterances(utterances: Iterable[Utterance]) -> tuple[Utterance, ...]:
    """Keep the file's utterance ids where they are unique, else number by position.

    A column that repeats the dialogue's id on every turn is common, and evidence that
    points at an utterance must point at one.
    """
    kept = tuple(utterances)
    if len({u.id for u in kept}) == len(kept):
        return kept
    return tuple(replace(u, id=str(i)) for i, u in enumerate(kept))


def _utterance(position: int, turn: Mapping[str, Any]) -> Utterance:
    own_id, speaker = optional_text(turn, "id"), optional_text(turn, "speaker")
    if speaker is None or "text" not in turn:
        raise BadRow(
            f"turn {position + 1} must have a 'speaker' and a 'text'; its keys: {shown(turn)}; "
            "name others with --columns speaker=KEY,text=KEY"
        )
    text = text_of(turn["text"], "text")
    return Utterance(str(position) if own_id is None else own_id, speaker, text)


def _speaker(record: Mapping[str, Any], note: Note) -> str | None:
    try:
        return person(record.get("speaker"), "speaker")
    except BadRow as bad:
        note(left_out("speaker", str(bad)))
        return None


def _speakers(value: object, note: Note) -> dict[str, Speaker]:
    if value is None:
        return {}
    try:
        return _facts(value, note)
    except BadRow as bad:
        note(left_out("speakers", str(bad)))
        return {}


def _facts(value: object, note: Note) -> dict[str, Speaker]:
    if not isinstance(value, Mapping):
        raise BadRow(f"'speakers' must be an object by name, not {kind(value)}")
    speakers: dict[str, Speaker] = {}
    for name, facts in value.items():
        if not isinstance(facts, Mapping):
            raise BadRow('\'speakers\' must hold an object a name: {"labels": {}, "persona": []}')
        persona = tuple(text_of(s, "persona") for s in list_of(facts.get("persona"), "persona"))
        name = mend(name)
        speakers[name] = Speaker(name, labels_of(facts, note), persona)
    return speakers


def _options(value: object, note: Note) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        note(left_out("options", "it must be an object of texts"))
        return {}
    return {mend(key): mend(text) for key, text in value.items()}
