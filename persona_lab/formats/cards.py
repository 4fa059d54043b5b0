"""Character cards: who a chatbot plays, as SillyTavern and its kin share it.

A card is a JSON object: version 1 with the fields at the top, versions 2 and 3 with them under
``data`` (``spec`` is then ``chara_card_v2`` or ``chara_card_v3``). It is a file of its own, or
base64 in a ``tEXt`` chunk of a PNG picture, named ``chara`` (versions 1 and 2) or ``ccv3``.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from persona_lab.errors import InputError

PNG: Final = b"\x89PNG\r\n\x1a\n"
USER: Final = "the user"
"""What stands for ``{{user}}``: whoever talks with the character."""

_SPECS: Final = ("chara_card_v2", "chara_card_v3")
_VERSION_1: Final = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
_CHUNKS: Final = ("ccv3", "chara")
_CHAR = re.compile(r"\{\{\s*char\s*\}\}|<BOT>|<CHAR>", re.IGNORECASE)
_USER = re.compile(r"\{\{\s*user\s*\}\}|<USER>", re.IGNORECASE)
_LEFT_OUT = re.compile(r"\{\{\s*(?://.*?|original|trim|newline)\s*\}\}", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Card:
    """A character, with the names filled in.

    Attributes:
        name: of the character.
        told: what describes it, part by part: the card's own system prompt, description,
            personality, scenario, examples of dialogue. Parts that the card leaves empty are
            not there.
    """

    name: str
    told: Mapping[str, str]

    @property
    def system(self) -> str:
        """A system prompt that gives the character."""
        own = self.told.get("system_prompt", f"You are {self.name}. Stay in this role.")
        parts = [f"{_HEADS[part]}{text}" for part, text in self.told.items() if part in _HEADS]
        return "\n\n".join([own, *parts])

    @property
    def description(self) -> str:
        """What is said about the character, without instructions and examples."""
        return "\n".join(self.told[p] for p in ("description", "personality") if p in self.told)


_HEADS: Final = {
    "description": "",
    "personality": "Personality: ",
    "scenario": "Scenario: ",
    "mes_example": "Examples of how you talk:\n",
}
"""Parts of a system prompt after the instructions, with what goes before each."""


def is_card(value: object) -> bool:
    """Is a JSON value a character card?"""
    if not isinstance(value, Mapping):
        return False
    inner = value.get("data")
    if value.get("spec") in _SPECS or (isinstance(inner, Mapping) and _described(inner)):
        return True
    return _described(value)


def card_of(value: Mapping[str, Any], place: str) -> Card:
    """Read a card.

    Args:
        value: for which :func:`is_card` is true.
        place: for messages.

    Raises:
        InputError: it has no name, describes nobody, or a field is no text.
    """
    inner = value.get("data")
    fields = inner if isinstance(inner, Mapping) else value
    wrong = [k for k in (*_VERSION_1, "system_prompt") if not isinstance(fields.get(k, ""), str)]
    # some programs write null for an empty field
    wrong = [key for key in wrong if fields[key] is not None]
    if wrong:
        raise InputError(f"{place}: the field {wrong[0]!r} of the character card is no text")
    name = (fields.get("name") or "").strip()
    if not name:
        raise InputError(f"{place}: the character card has no 'name'")
    parts = {
        part: _filled(fields.get(part) or "", name).strip() for part in ("system_prompt", *_HEADS)
    }
    told = {part: text for part, text in parts.items() if text}
    if not any(part in told for part in _HEADS):
        raise InputError(f"{place}: the character card describes nobody; fill in 'description'")
    return Card(name, told)


def read_card(path: Path) -> Card | None:
    """The card in a file.

    Args:
        path: any file.

    Returns:
        None where the file is neither a picture nor a JSON object.

    Raises:
        InputError: it cannot be read, is a picture without a card, or JSON that is no card.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the persona {path}: {error.strerror}") from None
    if raw.startswith(PNG):
        return _from_png(raw, path.name)
    text = raw.decode("utf-8-sig", "replace").lstrip()
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None  # a template such as "{name} is a baker"
    if not is_card(value):
        keys = ", ".join(str(key) for key in list(value)[:8])
        raise InputError(
            f"{path.name} is JSON and no character card (its keys: {keys}); give a card "
            "(SillyTavern V1 to V3), a text file, or several personas with --personas"
        )
    return card_of(value, path.name)


def _described(value: Mapping[Any, Any]) -> bool:
    """Has it the fields of version 1?"""
    return "name" in value and sum(key in value for key in _VERSION_1) >= 3


def _filled(text: str, name: str) -> str:
    text = _LEFT_OUT.sub("", text)
    # functions: a backslash in a name stands for itself
    return _USER.sub(lambda _: USER, _CHAR.sub(lambda _: name, text))


def _from_png(raw: bytes, place: str) -> Card:
    found = dict(_texts(raw))
    for keyword in _CHUNKS:
        if keyword in found:
            try:
                value = json.loads(base64.b64decode(found[keyword]))
            except ValueError:
                raise InputError(f"{place}: the character card in its chunk {keyword!r} is "
                                 "damaged") from None  # fmt: skip
            if is_card(value):
                return card_of(value, place)
    raise InputError(f"{place} is a picture without a character card")


def _texts(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Keyword and text of the text chunks of a PNG file (W3C PNG, 11.3.3), to where it is cut."""
    start = len(PNG)
    while start + 8 <= len(raw):
        length, kind = int.from_bytes(raw[start : start + 4], "big"), raw[start + 4 : start + 8]
        keyword, _, text = raw[start + 8 : start + 8 + length].partition(b"\0")
        if kind == b"tEXt":
            yield keyword.decode("latin-1").lower(), text
        elif kind == b"zTXt":
            yield keyword.decode("latin-1").lower(), _inflated(text[1:])
        elif kind == b"iTXt":
            packed, rest = text[:1] == b"\1", text[2:].split(b"\0", 2)
            yield keyword.decode("latin-1").lower(), _inflated(rest[-1]) if packed else rest[-1]
        start += length + 12


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return b""
