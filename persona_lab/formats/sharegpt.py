"""ShareGPT conversations: ``{"conversations": [{"from", "value"}]}``."""

from __future__ import annotations

from collections.abc import Iterator

from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.formats.base import BadRow, Columns, Format, Result, each
from persona_lab.formats.jsonl import optional_text
from persona_lab.formats.openai_chat import ASSISTANT, with_persona
from persona_lab.formats.records import Record, objects_of, read_records, text_of
from persona_lab.formats.source import Source

_SPEAKERS = {"human": "user", "gpt": ASSISTANT}
"""The layout's names for the two sides; any other name is kept."""

_SYSTEM = "system"


def _dialogue(row: Record) -> Dialogue:
    record = row.object()
    if "conversations" not in record:
        raise BadRow('the record has no \'conversations\'; give a list of {"from", "value"}')
    utterances: list[Utterance] = []
    persona: list[str] = []
    for i, turn in enumerate(objects_of(record["conversations"], "conversations")):
        sender = text_of(turn.get("from"), "from")
        if not sender:
            raise BadRow(f"turn {i + 1} has no 'from'; use human, gpt or system")
        if turn.get("value") is None:
            continue
        text = text_of(turn["value"], "value")
        if sender != _SYSTEM:
            utterances.append(Utterance(str(i), _SPEAKERS.get(sender, sender), text))
        elif text.strip():
            persona.append(text)
    return Dialogue(
        id=row.id,
        utterances=tuple(utterances),
        speakers=with_persona((ASSISTANT,), persona),
        group=optional_text(record, "group"),
        place=row.place,
    )


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    yield from each(read_records(source), _dialogue)


FORMAT = Format(
    name="sharegpt",
    help='{"conversations": [{"from": "human|gpt|system", "value"}]}: JSON array or lines',
    labels="",
    read=_read,
    keys=(("conversations",),),
)
