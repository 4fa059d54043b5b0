"""Writing dialogues as our own JSON lines, which :mod:`persona_lab.formats.jsonl` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.errors import InputError
from persona_lab.formats.records import mend


def dialogue_record(dialogue: Dialogue) -> dict[str, Any]:
    """The JSON record of a dialogue; empty parts and positional ids are left out.

    Everything but the place comes back when the record is read again.
    """
    record: dict[str, Any] = {
        "id": dialogue.id,
        "turns": [_turn(i, utterance) for i, utterance in enumerate(dialogue.utterances)],
    }
    if dialogue.speakers:
        record["speakers"] = {name: _speaker(s) for name, s in dialogue.speakers.items()}
    if dialogue.focus is not None:
        record["focus"] = dialogue.focus
    if dialogue.group is not None:
        record["group"] = dialogue.group
    if dialogue.options:
        record["options"] = dict(dialogue.options)
    return record


def write_dialogues(dialogues: Iterable[Dialogue], path: str | os.PathLike[str]) -> int:
    """Write dialogues as JSON lines, one at a time.

    Args:
        dialogues: any number; nothing is kept in memory.
        path: the file to write; one that exists is replaced.

    Returns:
        How many were written.

    Raises:
        InputError: the file cannot be written.
    """
    count = 0
    try:
        with Path(path).open("w", encoding="utf-8", newline="\n") as file:
            for dialogue in dialogues:
                line = json.dumps(dialogue_record(dialogue), ensure_ascii=False)
                file.write(mend(line) + "\n")
                count += 1
    except OSError as error:
        raise InputError(f"cannot write {os.fspath(path)!r}: {error.strerror}") from None
    return count


def _turn(position: int, utterance: Utterance) -> dict[str, str]:
    turn = {"speaker": utterance.speaker, "text": utterance.text}
    return turn if utterance.id == str(position) else {"id": utterance.id, **turn}


def _speaker(speaker: Speaker) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if speaker.labels:
        facts["labels"] = dict(speaker.labels)
    if speaker.persona:
        facts["persona"] = list(speaker.persona)
    return facts
