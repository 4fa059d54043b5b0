"""Character cards, as JSON and inside pictures."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from persona_lab.consistency.personas import read_persona as read_statements
from persona_lab.errors import InputError
from persona_lab.formats.cards import PNG, read_card
from persona_lab.interviews.bots import Persona, load_personas, read_persona

FIELDS: dict[str, Any] = {
    "name": "Ilse",
    "description": "{{char}} mends clocks. {{Char}} teases {{user}}.",
    "personality": "patient",
    "scenario": "<BOT>'s shop, where <USER> waits.",
    "first_mes": "Come in, {{user}}!",
    "mes_example": "<START>\n{{user}}: Hi\n{{char}}: Mind the cuckoo.",
}
V1, V2 = FIELDS, {"spec": "chara_card_v2", "spec_version": "2.0", "data": FIELDS}
V3 = {"spec": "chara_card_v3", "spec_version": "3.0", "data": FIELDS | {"assets": []}}
CARDS = {"v1": V1, "v2": V2, "v3": V3, "v2 without spec": {"data": FIELDS}}


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def picture(*chunks: bytes) -> bytes:
    head = chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return PNG + head + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def packed(card: Any) -> bytes:
    return base64.b64encode(json.dumps(card).encode())


def written(path: Path, content: bytes | Any) -> Path:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("version", CARDS)
def test_json(tmp_path: Path, version: str) -> None:
    system = read_persona(written(tmp_path / "card.json", CARDS[version]))
    assert "Ilse mends clocks. Ilse teases the user." in system and "{{" not in system
    assert "Personality: patient" in system and "Ilse: Mind the cuckoo." in system
    assert "Ilse's shop, where the user waits." in system and "<" not in system.replace("<S", "")
    assert system.startswith("You are Ilse.") and "chara_card" not in system


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"tEXt", b"chara\0" + packed(V2))],
        [chunk(b"tEXt", b"Comment\0x"), chunk(b"tEXt", b"ccv3\0" + packed(V3))],
        [chunk(b"tEXt", b"chara\0" + packed({"name": "Old"})),
         chunk(b"tEXt", b"ccv3\0" + packed(V3))],
        [chunk(b"zTXt", b"chara\0\0" + zlib.compress(packed(V1)))],
        [chunk(b"iTXt", b"chara\0\0\0\0\0" + packed(V1))],
    ],
)  # fmt: skip
def test_pictures(tmp_path: Path, chunks: list[bytes]) -> None:
    card = read_card(written(tmp_path / "card.png", picture(*chunks)))
    assert card is not None and card.name == "Ilse" and "mends clocks" in card.system


def test_its_own_system_prompt_comes_first(tmp_path: Path) -> None:
    card = {"spec": "chara_card_v2", "data": FIELDS | {"system_prompt": "Write as {{char}}."}}
    assert read_persona(written(tmp_path / "c.json", card)).startswith("Write as Ilse.\n\n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"temperature": 1, "persona": "x"}, "no character card .its keys: temperature, persona."),
        ({"spec": "chara_card_v2", "data": {"description": "x"}}, "has no 'name'"),
        ({"spec": "chara_card_v2", "data": {"name": "Ilse"}}, "describes nobody"),
        ({"spec": "chara_card_v2", "data": {"name": "I", "description": 5}}, "'description'.*text"),
        (picture(), "a picture without a character card"),
        (picture(chunk(b"tEXt", b"chara\0bm9wZQ==")), "chunk 'chara' is damaged"),
        (picture(chunk(b"tEXt", b"chara\0" + packed(V2)))[:60], "'chara' is damaged"),
    ],
)
def test_what_is_no_card(tmp_path: Path, content: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read_persona(written(tmp_path / "persona.png", content))
    assert "persona.png" in str(caught.value)


def test_a_text_in_braces_is_a_text(tmp_path: Path) -> None:
    assert read_persona(written(tmp_path / "p.txt", b"{Ilse} mends clocks.")).startswith("{Ilse}")


def test_several_cards(tmp_path: Path) -> None:
    rows = [{"id": "a", **V2, "targets": "E+"}, {"id": "b", "spec": "chara_card_v2", "data": {}}]
    path = tmp_path / "roles.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    good, bad = load_personas(path)
    assert isinstance(good, Persona) and "Ilse mends clocks." in good.system
    assert good.targets == {"extraversion": 1.0} and "has no 'name'" in str(bad)


@pytest.mark.parametrize("name", ["card.json", "card.png"])
def test_statements_for_consistency(tmp_path: Path, name: str) -> None:
    content = V2 if name == "card.json" else picture(chunk(b"tEXt", b"chara\0" + packed(V2)))
    found = read_statements(written(tmp_path / name, content))
    assert found.everybody == ("Ilse mends clocks.", "Ilse teases the user.", "patient")
