"""Any list of turns, as chat files hold it, read into turns with a speaker and a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from persona_lab.formats.base import BadRow, shown
from persona_lab.formats.chat_text import split_chat
from persona_lab.formats.records import kind, lookup, mend, whole
from persona_lab.formats.roles import ASSISTANT, NOBODY, SYSTEM, USER, role_of
from persona_lab.formats.turn_keys import (
    ANSWER_KEYS,
    ASKED_KEYS,
    LATE_SPEAKER_KEYS,
    SPEAKER_KEYS,
    TEXT_KEYS,
    USUAL,
    TurnKeys,
)
from persona_lab.formats.turn_shapes import from_meta, is_notice, unwrapped, with_side
from persona_lab.formats.turn_words import parsed, person, words_of

_ID_KEYS = ("id", "uuid", "message_id", "utterance_id", "turn_id")
_MAX_NAME, _MAX_NAME_WORDS = 40, 3


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as a file has it.

    Attributes:
        speaker: name, or ``user`` and ``assistant`` where a role stands for it.
        role: as :func:`persona_lab.formats.roles.role_of` tells it; None where only a name
            is known.
        text: what is said; None for a turn without words, such as a picture.
        id: its own id, if it has one.
    """

    speaker: str
    role: str | None
    text: str | None
    id: str | None = None

    @classmethod
    def by(cls, speaker: str, text: str | None, id: str | None = None) -> Turn:
        """A turn whose speaker may be a word for a role."""
        role = role_of(speaker)
        return cls(role if role in (USER, ASSISTANT) else speaker, role, text, id)


def looks_like_turns(value: object, keys: TurnKeys = USUAL) -> bool:
    """Is it a list of turns, in any of the shapes that :func:`turns_of` reads?"""
    if value is None:  # most keys that are looked for are not there
        return False
    value = parsed(value)
    if isinstance(value, str):
        return split_chat(value) is not None
    if isinstance(value, Mapping):
        return is_turn(value, keys) or _columns_of(value) is not None
    if not isinstance(value, list) or not value:
        return False
    turns = [item for item in value if isinstance(item, Mapping)]
    if turns:
        return any(is_turn(with_side(item), keys) or _sides(unwrapped(item)) for item in turns)
    return _are_texts(value) or all(_is_pair(item) for item in value)


def is_turn(value: object, keys: TurnKeys = USUAL) -> bool:
    """Is it an object that names who speaks, and what is said?"""
    if not isinstance(value, Mapping):
        return False
    value = unwrapped(value)
    named = [key for key in _speaker_keys(value, keys) if _names(lookup(value, key))]
    said = [key for key in _text_keys(keys) if _says(lookup(value, key))]
    # A name and a value alone are a setting, as files of settings hold them.
    return bool(named and said) and (named, said) != (["name"], ["value"])


def is_wordless(value: Mapping[str, Any]) -> bool:
    """Is it a turn but for its text, which is null, as that of a picture?"""
    return any(key in value and is_turn({**value, key: ""}) for key in TEXT_KEYS)


def has_role(value: Mapping[str, Any]) -> bool:
    """Does a turn say by its keys that it is one of a chat, not a text with its author?"""
    return any(key in value for key in ("role", "from", "mes"))


def are_unnamed(value: object) -> bool:
    """Are they texts or pairs that do not say who speaks?"""
    value = parsed(value)
    if not isinstance(value, list) or not value:
        return False
    return _are_texts(value) or (all(map(_is_pair, value)) and not _are_named(value))


def turns_of(value: object, key: str, keys: TurnKeys = USUAL) -> list[Turn]:
    """Read a list of turns.

    Args:
        value: a list of objects, of pairs or of texts; an object of lists; a text that holds
            one of them as JSON; one object alone.
        key: where it stands, for messages.
        keys: chosen keys inside the turns.

    Returns:
        All turns, those of the system and of tools included.

    Raises:
        BadRow: it is none of these, or a turn has no speaker or no text.
    """
    given = value
    value = parsed(value)
    if isinstance(value, str) and (said := split_chat(value)) is not None:
        return [Turn.by(u.speaker, u.text) for u in said]
    if isinstance(value, Mapping):
        value = _columns_of(value) or ([value] if is_turn(value, keys) else value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRow(f"{key!r} must be a list, not {kind(given)}")
    if _are_texts(value):
        sides = (USER, ASSISTANT)
        return [Turn.by(sides[i % 2], mend(text)) for i, text in enumerate(value)]
    if value and all(_is_pair(item) for item in value):
        return list(_pairs(value))
    items = from_meta(value)
    return _sided([turn for i, item in enumerate(items) for turn in _turns(item, i, key, keys)])


def _sided(turns: list[Turn]) -> list[Turn]:
    """Turns of a user and a system that talks with it, as data sets of services call it.

    A system that answers is the assistant; before the first turn of the user it says who the
    assistant is.
    """
    roles = [turn.role for turn in turns]
    if ASSISTANT in roles or USER not in roles:
        return turns
    first = roles.index(USER)
    return [
        replace(turn, speaker=ASSISTANT, role=ASSISTANT)
        if i > first and turn.role == SYSTEM
        else turn
        for i, turn in enumerate(turns)
    ]


def _turns(item: object, position: int, key: str, keys: TurnKeys) -> Iterator[Turn]:
    if not isinstance(item, Mapping):
        raise BadRow(f"every element of {key!r} must be an object, not {kind(item)}")
    item = with_side(unwrapped(item))
    if is_notice(item):
        yield Turn("", NOBODY, None)
        return
    if not any(lookup(item, name) is not None for name in _speaker_keys(item, keys)):
        sides = _sides(item)
        if not sides:
            raise BadRow(_nameless(item, position, key))
        for side in sides:
            by = USER if side in ASKED_KEYS else ASSISTANT
            yield Turn(by, by, words_of(item[side], side))
        return
    speaker, role = _who(item, keys)
    if not speaker:
        raise BadRow(_nameless(item, position, key))
    if role == NOBODY:
        yield Turn(speaker, NOBODY, None)
        return
    text: str | None = None
    for name in _text_keys(keys):  # the first key with words; an empty text where none has any
        if said := words_of(found := lookup(item, name), name):
            text = said
            break
        text = "" if found == "" else text
    own = next((own for k in _ID_KEYS if (own := whole(item.get(k))) is not None), None)
    yield Turn(speaker, role, text, own)


def _who(item: Mapping[str, Any], keys: TurnKeys) -> tuple[str, str | None]:
    """Name and role of who speaks a turn; a name beside the role wins as the name."""
    role: str | None = None
    name = ""
    for key in _speaker_keys(item, keys):
        found = person(lookup(item, key), key)
        if not found:
            continue
        known = role_of(found)
        if known is None and not (key == "name" and role in (NOBODY, SYSTEM)):
            name = name or found
        role = role or known
        if known is None and role is None:
            break
    return name or (role or ""), role


def _nameless(item: Mapping[str, Any], position: int, key: str) -> str:
    turn = "message" if key == "messages" else "turn"
    wanted, use = ("from", "human, gpt or system")
    if key != "conversations":
        wanted, use = ("role", "system, user or assistant")
    return (
        f"{turn} {position + 1} has no {wanted!r}; use {use}, or name the keys with "
        f"--columns speaker=KEY,text=KEY; its keys: {shown(map(str, item))}"
    )


def _speaker_keys(item: Mapping[str, Any], keys: TurnKeys) -> Sequence[str]:
    if keys.speaker is not None:
        return (keys.speaker,)
    # LangChain says "type" where others say "role"; Slack names the speaker as "user".
    more = [key for key in ("type",) if role_of(str(item.get(key)))]
    if "user" in item and any(k in item for k in TEXT_KEYS) and not _answers(item):
        more.append("user")
    if not any(item.get(key) for key in (*SPEAKER_KEYS, *more)):
        more += LATE_SPEAKER_KEYS
    return (*SPEAKER_KEYS, *more)


def _text_keys(keys: TurnKeys) -> Sequence[str]:
    return TEXT_KEYS if keys.text is None else (keys.text,)


def _names(value: object) -> bool:
    try:
        return bool(person(value, "name"))
    except BadRow:
        return False


def _says(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(key in value for key in ("content_type", "parts", "text", "value"))
    return isinstance(value, (str, list))


def _sides(item: Mapping[str, Any]) -> list[str]:
    """Keys that are at once who speaks and what is said, the one who asks first."""
    return [
        key
        for group in (ASKED_KEYS, ANSWER_KEYS)
        for key in group
        if isinstance(item.get(key), str)
    ]


def _answers(item: Mapping[str, Any]) -> bool:
    return any(isinstance(item.get(key), str) for key in ANSWER_KEYS)


def _columns_of(value: Mapping[str, Any]) -> list[Any] | None:
    """An object of lists, one a key of the turns, as a list of objects."""
    lists = {key: part for key, part in value.items() if isinstance(part, list)}
    keyed = any(k in lists for k in SPEAKER_KEYS) and any(k in lists for k in TEXT_KEYS)
    lengths = {len(part) for part in lists.values()}
    if not keyed or len(lengths) != 1:
        return None
    rows = zip(*lists.values(), strict=True)
    return [dict(zip(lists, row, strict=True)) for row in rows]


def _are_texts(value: Sequence[object]) -> bool:
    return len(value) > 1 and all(isinstance(item, str) for item in value)


def _is_pair(item: object) -> bool:
    return (
        isinstance(item, (list, tuple))
        and len(item) == 2
        and all(part is None or isinstance(part, str) for part in item)
    )


def _pairs(pairs: Iterable[Sequence[str | None]]) -> Iterator[Turn]:
    """Pairs of a speaker and a text where the first of each is a name, else two turns each."""
    pairs = list(pairs)
    named = _are_named(pairs)
    for first, second in pairs:
        if named:
            yield Turn.by(mend(first or ""), mend(second or ""))
        else:
            for role, said in ((USER, first), (ASSISTANT, second)):
                if said:
                    yield Turn(role, role, mend(said))


def _are_named(pairs: Sequence[Sequence[str | None]]) -> bool:
    names = [first or "" for first, _ in pairs]
    repeated = all(map(_is_name, names)) and len(set(names)) < len(names)
    return repeated or all(map(role_of, names))


def _is_name(text: str) -> bool:
    short = len(text) <= _MAX_NAME and len(text.split()) <= _MAX_NAME_WORDS
    return bool(text.strip()) and short and text[-1].isalnum()
