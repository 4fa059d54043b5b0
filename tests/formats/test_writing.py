"""Round trips through our own JSON lines, and ids that stay unique."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.errors import InputError
from persona_lab.formats import (
    FORMATS,
    detect_format,
    dialogue_record,
    read_dialogues,
    write_dialogues,
)
from persona_lab.formats.reading import unique_ids
from persona_lab.thoughts import split_thought
from persona_lab.traits import ALL_TRAITS

FULL = Dialogue(
    id="d 1",
    utterances=(
        Utterance("0", "Ann", "Hi\r\n\u2028there\x00 \U0001f600\n\n"),
        Utterance("u2", "", ""),
        Utterance("2", "Böb", "  spaced  "),
    ),
    speakers={
        "Böb": Speaker("Böb", {"openness": 1.0, "EI": 0.0, "neuroticism": 4.85}, ("I nap.", "")),
        "Ann": Speaker("Ann"),
    },
    focus="Böb",
    group="g",
    options={"run": "9"},
)


def test_round_trip_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    empty = Dialogue(id="empty", utterances=(), focus="nobody")
    assert write_dialogues(iter([FULL, empty]), path) == 2
    assert detect_format(path) == "jsonl"
    first, second = read_dialogues(path)
    assert first == replace(FULL, place="out.jsonl:1")
    assert second == replace(empty, place="out.jsonl:2")
    assert isinstance(first, Dialogue)
    assert list(first.speakers) == ["Böb", "Ann"]


def test_the_record_is_short() -> None:
    assert json.dumps(dialogue_record(FULL), ensure_ascii=False) == (
        '{"id": "d 1", "turns": [{"speaker": "Ann", "text": '
        '"Hi\\r\\n\u2028there\\u0000 \U0001f600\\n\\n"}, '
        '{"id": "u2", "speaker": "", "text": ""}, {"speaker": "Böb", "text": "  spaced  "}], '
        '"speakers": {"Böb": {"labels": {"openness": 1.0, "EI": 0.0, "neuroticism": 4.85}, '
        '"persona": ["I nap.", ""]}, "Ann": {}}, "focus": "Böb", "group": "g", '
        '"options": {"run": "9"}}'
    )
    assert dialogue_record(Dialogue("a", (Utterance("0", "A", "x"),))) == {
        "id": "a",
        "turns": [{"speaker": "A", "text": "x"}],
    }


def test_a_second_round_changes_nothing(tmp_path: Path) -> None:
    once, twice = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    write_dialogues([FULL], once)
    write_dialogues((d for d in read_dialogues(once) if isinstance(d, Dialogue)), twice)
    assert once.read_bytes() == twice.read_bytes()


def test_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    write_dialogues([Dialogue("a", (Utterance("0", "A", "\ud83d!"),))], tmp_path / "a.jsonl")
    (back,) = read_dialogues(tmp_path / "a.jsonl")
    assert isinstance(back, Dialogue) and back.utterances[0].text == "\ufffd!"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot write .*: Is a directory"):
        write_dialogues([], tmp_path)


names = st.text(max_size=8)
some_ids = st.text(min_size=1, max_size=8)
labels = st.dictionaries(
    st.sampled_from(ALL_TRAITS), st.floats(allow_nan=False, allow_infinity=False), max_size=3
)


@st.composite
def dialogues(draw: st.DrawFn) -> Dialogue:
    ids = draw(st.lists(some_ids, max_size=5, unique=True))
    return Dialogue(
        id=draw(some_ids),
        utterances=tuple(Utterance(i, draw(names), draw(st.text())) for i in ids),
        speakers={
            name: Speaker(name, draw(labels), tuple(draw(st.lists(st.text(), max_size=2))))
            for name in draw(st.lists(names, max_size=3, unique=True))
        },
        focus=draw(st.none() | names),
        group=draw(st.none() | names),
        options=draw(st.dictionaries(names, st.text(), max_size=2)),
    )


def said(dialogue: Dialogue) -> Dialogue:
    """As it is read: tags of thoughts are among the texts that are tried."""
    turns = (replace(u, text=split_thought(u.text).said) for u in dialogue.utterances)
    return replace(dialogue, utterances=tuple(turns))


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(dialogues(), min_size=1, max_size=4, unique_by=lambda d: d.id))
def test_round_trip_of_anything(tmp_path: Path, written: list[Dialogue]) -> None:
    path = tmp_path / "any.jsonl"
    write_dialogues(written, path)
    read = list(read_dialogues(path))
    expected = [replace(said(d), place=f"any.jsonl:{i}") for i, d in enumerate(written, 1)]
    assert read == expected


class TestUniqueIds:
    def ids(self, *given: str) -> list[tuple[str, str | None]]:
        rows: Iterator[Dialogue] = (Dialogue(id, ()) for id in given)
        results = [r for r in unique_ids(rows) if isinstance(r, Dialogue)]
        return [(r.id, r.options.get("duplicate_of")) for r in results]

    def test_repeats_get_a_number(self) -> None:
        assert self.ids("a", "b", "a", "a", "b") == [
            ("a", None),
            ("b", None),
            ("a#2", "a"),
            ("a#3", "a"),
            ("b#2", "b"),
        ]

    def test_a_number_that_the_file_uses_itself(self) -> None:
        assert self.ids("a#2", "a", "a", "a#2") == [
            ("a#2", None),
            ("a", None),
            ("a#3", "a"),
            ("a#2#2", "a#2"),
        ]

    def test_many_repeats_take_no_longer_each(self) -> None:
        assert self.ids(*["a"] * 20_000)[-1] == ("a#20000", "a")

    def test_in_a_file(self) -> None:
        lines = '{"id": "x", "text": "1"}\n{"id": "x", "text": "2"}\n'
        first, second = read_dialogues(io.StringIO(lines))
        assert isinstance(first, Dialogue) and isinstance(second, Dialogue)
        assert (first.id, second.id) == ("x", "x#2")
        assert (first.options, second.options) == ({}, {"duplicate_of": "x"})
        assert second.utterances[0].text == "2"


def test_every_layout_describes_itself() -> None:
    for name, layout in FORMATS.items():
        assert layout.name == name
        assert 20 < len(layout.help) < 90
    assert FORMATS["essays"].labels.startswith("Big Five")
    assert FORMATS["text"].labels == ""


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, persona_lab.formats\n"
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
