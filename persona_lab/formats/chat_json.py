"""One importer for chats as JSON: a record is searched for its turns, whatever their keys.

Data sets and exports differ in the names of their keys and agree in the rest: a record
holds a list of turns, or what was asked beside what was answered, or a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from persona_lab.dialogue import AUTHOR, Dialogue, Speaker, Utterance
from persona_lab.formats.base import BadRow, Columns, shown
from persona_lab.formats.chat_text import split_chat
from persona_lab.formats.exports import branch_of
from persona_lab.formats.labels import Note
from persona_lab.formats.own_rows import (
    is_own_turns,
    left_out,
    text_row,
    turns_row,
    unique_utterances,
    with_facts,
)
from persona_lab.formats.records import Record, kind, lookup, mend, text_of, whole
from persona_lab.formats.roles import ASSISTANT, NOBODY, SYSTEM, USER
from persona_lab.formats.turn_keys import ASKED_KEYS, TurnKeys, pair_of
from persona_lab.formats.turn_lists import Turn, are_unnamed, looks_like_turns, turns_of
from persona_lab.formats.turn_order import chosen_only
from persona_lab.formats.turn_words import parsed, words_of

TURN_KEYS = (
    "messages", "conversations", "conversation", "dialogue", "dialog", "dialogs", "turns",
    "utterances", "chat_messages", "history", "thread", "items", "data", "visible", "internal",
    "msgs", "contents",
)  # fmt: skip
BOTH_KEYS = ("conversation_a", "conversation_b")
REPLY_KEYS = ("chosen", "rejected")
PERSONA_KEYS = (
    "system", "system_prompt", "chatbot_role", "systemInstruction", "system_instruction",
)  # fmt: skip
ID_KEYS = (
    "id", "conversation_id", "dialogue_id", "dialog_id", "conversation_hash", "uuid",
    "message_tree_id", "question_id",
)  # fmt: skip

REPLY = "reply"
"""Option that tells the dialogues of one row apart: ``chosen`` and ``rejected``, ``a`` and ``b``.
"""

ROLES = ("id", "text", "turns", "speaker", "labels", "group", "dialogue", "persona")
"""What ``--columns`` can rename in JSON."""

_UNNAMED = "turns without speakers are read as user and assistant in turn"


@dataclass(frozen=True, slots=True)
class How:
    """How the records of one file are read.

    Attributes:
        note: takes remarks about the file.
        columns: chosen keys by role.
        wanted: the key of the turns where the layout was named; else any will do.
    """

    note: Note
    columns: Columns = field(default_factory=dict)
    wanted: str | None = None

    @property
    def turn_keys(self) -> TurnKeys:
        """The keys that were chosen for the insides of turns."""
        return TurnKeys(self.columns.get("speaker"), self.columns.get("text"))


def has_turns(record: Mapping[str, Any]) -> bool:
    """Is there a list of turns in the record, or a tree of them?"""
    lists = (looks_like_turns(record.get(key)) for key in (*TURN_KEYS, *BOTH_KEYS))
    return branch_of(record) is not None or any(lists)


def is_chat(record: Mapping[str, Any]) -> bool:
    """Is there a chat in the record: turns, or what was asked beside what was answered?"""
    return (
        has_turns(record)
        or any(_is_said(record.get(key)) for key in REPLY_KEYS)
        or asked_and_answered(record) is not None
    )


def dialogues_of(row: Record, how: How) -> Iterator[Dialogue]:
    """The dialogues of a record; two where it holds two replies or two conversations.

    Raises:
        BadRow: there is none, or it cannot be read.
    """
    given, row = row, _renamed(row, how.columns)
    record = row.object()
    if (own := record.get(row.id_key)) is not None and whole(own) is None:
        raise BadRow(f"'id' must be text or a whole number, not {kind(own)}")
    if (turns := branch_of(record)) is not None:
        yield _chat(row, turns, how)
        return
    both = [key for key in BOTH_KEYS if looks_like_turns(record.get(key), how.turn_keys)]
    for side in both:
        yield _marked(row, turns_of(record[side], side, how.turn_keys), side[-1], how)
    if both:
        return
    key = _turn_key(record, how)
    replies = [reply for reply in REPLY_KEYS if _is_said(record.get(reply))]
    if replies and "text" not in how.columns:
        for reply in replies:
            yield _marked(row, _replied(record, key, reply), reply, how)
    elif key is not None:
        yield _from_turns(row, key, how)
    elif how.wanted is None and (pair := asked_and_answered(record)) and not how.columns:
        yield _chat(row, [*_history(record), *_sides(record, *pair)], how)
    elif how.wanted is None and "text" in record:
        yield _from_text(row, how)
    else:
        raise BadRow(_nothing(given, how))


def _from_turns(row: Record, key: str, how: How) -> Dialogue:
    record = row.object()
    value = record[key]
    own = key == "turns" and not how.columns and not any(k in record for k in PERSONA_KEYS)
    if own and (is_own_turns(value) or (_are_objects(value) and not looks_like_turns(value))):
        return turns_row(row, value, how.note)
    if are_unnamed(value):
        how.note(_UNNAMED)
    if isinstance(value, list):
        value = chosen_only(value, how.note)
    return _chat(row, turns_of(value, key, how.turn_keys), how, key)


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)


def _from_text(row: Record, how: How) -> Dialogue:
    record = row.object()
    foreign = [k for k in TURN_KEYS if record.get(k) is not None and k not in how.columns.values()]
    for key in foreign:
        how.note(left_out(key, f"it is no list of turns but {kind(record[key])}"))
    text = text_of(record["text"], how.columns.get("text", "text"))
    # a text with an author or labels is by that author, whatever it quotes
    by_one = record.get("speaker") not in (None, AUTHOR) or record.get("labels")
    if not by_one and (said := split_chat(text)) is not None:
        return _chat(row, [Turn.by(u.speaker, u.text) for u in said], how)
    as_json = parsed(text)  # texts in a list are no chat here: nothing says that they are turns
    if not isinstance(as_json, str) and looks_like_turns(as_json) and not are_unnamed(as_json):
        return _chat(row, turns_of(as_json, "text"), how)
    return text_row(row, text, how.note)


def _chat(row: Record, turns: Sequence[Turn], how: How, key: str = "") -> Dialogue:
    """A dialogue of turns; what the system says is the persona of who assists."""
    record = row.object()
    spoken = [
        Utterance(str(i) if turn.id is None else turn.id, turn.speaker, turn.text)
        for i, turn in enumerate(turns)
        if turn.role not in (SYSTEM, NOBODY) and turn.text is not None
    ]
    names = dict.fromkeys(turn.speaker for turn in turns if turn.role == ASSISTANT)
    stated = [*_personas(record, key, how), *(t.text for t in turns if t.role == SYSTEM)]
    persona = tuple(said for said in stated if said is not None and said.strip())
    if persona and not names and "persona" in how.columns and len({t.speaker for t in turns}) == 1:
        names = {turns[0].speaker: None}
    dialogue = Dialogue(
        id=row.id,
        utterances=unique_utterances(spoken),
        speakers={n: Speaker(n, {}, persona) for n in names or (ASSISTANT,)} if persona else {},
        place=row.place,
    )
    return with_facts(dialogue, record, how.note, exact=False)


def _marked(row: Record, turns: Sequence[Turn], mark: str, how: How) -> Dialogue:
    dialogue = _chat(row, turns, how)
    options = {**dialogue.options, REPLY: mark}
    # both replies answer the same turns: they must not stand on both sides of a split
    group = dialogue.group or row.id
    return replace(dialogue, id=f"{row.id}:{mark}", group=group, options=options)


def _turn_key(record: Mapping[str, Any], how: How) -> str | None:
    """The key of the turns: one that holds turns, else an empty list that nothing replaces."""
    keys: tuple[str, ...] = TURN_KEYS if how.wanted is None else (how.wanted, *TURN_KEYS)
    if "turns" in how.columns:
        keys = ("turns",)
    elif "text" in how.columns and "text" in record:
        return None  # whoever names the text means it
    for key in keys:
        if looks_like_turns(record.get(key), how.turn_keys):
            # a question beside its history is no chat that ends with the history
            return None if key == "history" and asked_and_answered(record) else key
    if "text" in record or asked_and_answered(record) is not None:
        return None
    keys = keys if how.wanted is None else (how.wanted,)
    return next((key for key in keys if record.get(key) is not None), None)


def _before(record: Mapping[str, Any], key: str | None) -> list[Turn]:
    """What stands before the replies of a row."""
    if key is not None:
        return turns_of(record[key], key)
    asked = next((k for k in ASKED_KEYS if _is_said(record.get(k))), None)
    return [*_history(record), *(_said(record, asked, USER) if asked else [])]


def _replied(record: Mapping[str, Any], key: str | None, reply: str) -> list[Turn]:
    """A reply after what stands before it, unless it holds that itself."""
    said = _said(record, reply, ASSISTANT)
    whole_chat = bool(said) and said[0].role in (USER, SYSTEM)
    return said if whole_chat else [*_before(record, key), *said]


def _history(record: Mapping[str, Any]) -> list[Turn]:
    return turns_of(record["history"], "history") if record.get("history") else []


def _sides(record: Mapping[str, Any], asked: str, answered: str) -> list[Turn]:
    turns = _said(record, asked, USER)
    extra = record.get("input") if asked != "input" else None
    if isinstance(extra, str) and extra.strip() and len(turns) == 1:
        turns = [replace(turns[0], text=f"{turns[0].text}\n{mend(extra)}")]
    return [*turns, *_said(record, answered, ASSISTANT)]


def _said(record: Mapping[str, Any], key: str, role: str) -> list[Turn]:
    """A text by one side, or turns."""
    value = parsed(record[key])
    if isinstance(value, str) and split_chat(value) is None:
        return [Turn(role, role, mend(value))]
    return turns_of(value, key)


def _is_said(value: object) -> bool:
    if value is None:
        return False
    return (isinstance(value, str) and bool(value.strip())) or looks_like_turns(value)


def asked_and_answered(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """The keys of a question and its answer.

    A text beside them is what the row is about, unless it repeats them, as data sets for
    training do.
    """
    pair = pair_of(lambda key: _is_said(record.get(key)))
    text = record.get("text")
    if pair is not None and isinstance(text, str) and text.strip():
        answer = record[pair[1]]
        return pair if isinstance(answer, str) and answer.strip() in text else None
    return pair


def _personas(record: Mapping[str, Any], key: str, how: How) -> Iterator[str | None]:
    """What the record says about who assists; an instruction beside turns is that too."""
    for name in (*PERSONA_KEYS, *(("instruction",) if key else ())):
        value = record.get(name)
        if isinstance(value, Mapping):
            yield words_of(value, name)
        elif isinstance(value, (str, list)):
            yield words_of([part for part in _parts(value) if isinstance(part, (str, dict))], name)
    for part in _parts(record.get("persona")) if "persona" in how.columns else ():
        yield whole(part)


def _parts(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _renamed(row: Record, columns: Columns) -> Record:
    """The record with chosen keys under the names of their roles, and its own id's key."""
    record = row.object()
    outer = {role: key for role, key in columns.items() if role not in ("id", "dialogue")}
    if outer:
        own = {key: value for key, value in record.items() if key not in outer}
        found = {role: lookup(record, key) for role, key in outer.items()}
        record = own | {role: value for role, value in found.items() if value is not None}
    own_id = record.get("id")
    others = (k for k in ID_KEYS if own_id is None and whole(record.get(k)) is not None)
    key = columns.get("id") or next(others, "id")
    if columns.get("id") and lookup(record, key) is None and lookup(row.value, key) is not None:
        record = {**record, key: lookup(row.value, key)}
    return replace(row, value=record, id_key=key)


def _nothing(row: Record, how: How) -> str:
    if how.wanted is not None:
        example = {"conversations": "from, value"}.get(how.wanted, "role, content")
        return f"the record has no {how.wanted!r}; give a list of turns with {example}"
    return (
        f"the record has neither 'text' nor 'turns'; its keys: {shown(map(str, row.object()))}; "
        "name the right one with --columns text=KEY"
    )
