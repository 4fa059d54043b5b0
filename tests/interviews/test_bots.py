"""Bots and personas from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from persona_lab.errors import InputError, RowError
from persona_lab.interviews.bots import (
    Bot,
    Persona,
    load_personas,
    personas_or_error,
    read_history,
    read_persona,
)
from persona_lab.llm.chat import Message
from persona_lab.llm.rehearsal import RehearsalModel
from tests.interviews.acted import ActedBot, load_instrument


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_personas(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "p.jsonl",
        {"id": "a", "system": "Be kind.", "targets": {"agreeableness": 1}, "group": "g", "age": 30},
        {"id": 7, "persona": ["I like tea.", "I ski."], "targets": "E+ N-"},
        {"id": "c"},
        {"id": "a", "system": "Be rude."},
        {"id": "e", "text": "Loud.", "targets": "very"},
        ["no"],
    )
    first, second, *bad = load_personas(path)
    assert first == Persona("a", "Be kind.", {"agreeableness": 1}, "g", {"age": "30"})
    assert isinstance(second, Persona) and second.id == "7"
    assert second.system.endswith("I like tea.\nI ski.") and "first person" in second.system
    assert second.targets == {"extraversion": 1.0, "neuroticism": 0.0}
    assert all(isinstance(row, RowError) for row in bad)
    assert [str(row).split(":")[1] for row in bad] == ["3", "4", "5", "6"]
    assert "twice" in str(bad[1])
    with pytest.raises(RowError, match=r"p\.jsonl:3"):
        personas_or_error(path)


def test_targets_that_are_no_numbers(tmp_path: Path) -> None:
    (bad,) = load_personas(
        lines(tmp_path / "p.jsonl", {"id": "a", "system": "x", "targets": {"openness": "high"}})
    )
    assert "numbers from 0 to 1" in str(bad)


def test_a_persona_file_and_history(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("  Be kind.\n")
    assert read_persona(tmp_path / "p.txt") == "Be kind."
    (tmp_path / "empty.txt").write_text(" ")
    for name in ("empty.txt", "missing.txt"):
        with pytest.raises(InputError, match=name):
            read_persona(tmp_path / name)
    turns = lines(
        tmp_path / "h.jsonl",
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "<think>A sailor.</think>Ahoy"},
    )
    assert read_history(turns) == (Message("user", "Hi"), Message("assistant", "Ahoy"))
    with pytest.raises(RowError, match=r"h2\.jsonl:1"):
        read_history(lines(tmp_path / "h2.jsonl", {"role": "boss", "content": "Hi"}))


def test_a_rehearsed_bot_is_not_asked() -> None:
    from persona_lab.interviews.self_report import number_on

    instrument = load_instrument("ipip-20")
    model = ActedBot(instrument)
    rehearsal = RehearsalModel(model)
    bot = Bot("b", rehearsal, "Be kind.")
    assert bot.conversation().ask("One?", number_on(instrument.scale)).value == 1.0
    assert rehearsal.forecast().calls == 1 and not model.requests
