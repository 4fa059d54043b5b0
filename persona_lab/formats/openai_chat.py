"""OpenAI chat messages: ``{"messages": [{"role", "content"}]}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.errors import RowError
from persona_lab.formats.base import BadRow, Columns, Format, Result, each
from persona_lab.formats.jsonl import optional_text
from persona_lab.formats.records import (
    Record,
    is_document,
    kind,
    mend,
    objects_of,
    read_records,
    text_of,
)
from persona_lab.formats.source import Source

ASSISTANT = "assistant"
_SYSTEM_ROLES = frozenset({"system", "developer"})


def _content(value: object) -> str | None:
    """Text of a message; None for a message without any, such as a tool call."""
    if value is None or isinstance(value, str):
        return value if value is None else mend(value)
    if not isinstance(value, list):
        raise BadRow(f"'content' must be text, a list of parts or null, not {kind(value)}")
    parts: list[str] = []
    for part in value:
        if isinstance(part, str):
            parts.append(mend(part))
        elif isinstance(part, Mapping) and isinstance(part.get("text"), str):
            parts.append(mend(part["text"]))
        elif not isinstance(part, Mapping):
            raise BadRow(f"a part of 'content' must be an object, not {kind(part)}")
    return "\n".join(parts) if parts else None


def _messages(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "messages" not in record:
        raise BadRow('the record has no \'messages\'; give a list of {"role", "content"}')
    return objects_of(record["messages"], "messages")


def _dialogue(row: Record) -> Dialogue:
    record = row.object()
    utterances: list[Utterance] = []
    persona: list[str] = []
    assistants: dict[str, None] = {}
    for i, message in enumerate(_messages(record)):
        role = text_of(message.get("role"), "role")
        if not role:
            raise BadRow(f"message {i + 1} has no 'role'; use system, user or assistant")
        content = _content(message.get("content"))
        name = text_of(message.get("name"), "name") or role
        if role == ASSISTANT:
            assistants[name] = None
        if content is None:
            continue
        if role in _SYSTEM_ROLES:
            if content.strip():
                persona.append(content)
        else:
            utterances.append(Utterance(str(i), name, content))
    return Dialogue(
        id=row.id,
        utterances=tuple(utterances),
        speakers=with_persona(tuple(assistants) or (ASSISTANT,), persona),
        group=optional_text(record, "group"),
        place=row.place,
    )


def with_persona(names: tuple[str, ...], persona: list[str]) -> dict[str, Speaker]:
    """System messages describe the assistant: they are its persona, not something it says."""
    return {name: Speaker(name, {}, tuple(persona)) for name in names} if persona else {}


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    yield from each(_records(source), _dialogue)


def _records(source: Source) -> Iterator[Record | RowError]:
    """The records; a bare array of messages is one dialogue."""
    records = read_records(source)
    if not is_document(source):
        yield from records
        return
    first = next(records, None)
    if not isinstance(first, Record) or not _is_message(first.value):
        if first is not None:
            yield first
        yield from records
        return
    messages = [first.value]
    for record in records:
        if isinstance(record, RowError):
            yield record
        else:
            messages.append(record.value)
    yield Record(source.stem, first.place, {"messages": messages})


def _is_message(value: object) -> bool:
    return isinstance(value, Mapping) and "role" in value and "messages" not in value


FORMAT = Format(
    name="openai",
    help='chat messages {"messages": [{"role", "content"}]}: JSON lines, array or document',
    labels="",
    read=_read,
    keys=(("messages",), ("role", "content")),
)
