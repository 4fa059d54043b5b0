"""Negated twins from users' files."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_lab.errors import FormatError, InputError
from persona_lab.instruments import load_instrument
from persona_lab.psychometrics.twins import read_twins

MINI = load_instrument("ipip-20")


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "twins.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_by_id_and_by_text(tmp_path: Path) -> None:
    first, second = MINI.items[:2]
    file = write(
        tmp_path, f'item,negated\n{first.id},Never so.\n"I {second.text}.",Not at all\n999,lost\n'
    )
    found = read_twins(file, MINI)
    assert found.unmatched == 1
    assert [i.text for i in found.instrument.items] == ["Never so.", "Not at all"]
    assert [i.keyed for i in found.instrument.items] == [-first.keyed, -second.keyed]
    assert [i.id for i in found.instrument.items] == [first.id, second.id]
    assert found.instrument.name == "ipip-20-negated"
    assert {d.key for d in found.instrument.domains} == {first.domain, second.domain}


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="'negated'; it has: item, text"):
        read_twins(write(tmp_path, "item,text\n1,x\n"), MINI)


def test_twins_of_other_items_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no row of .* names an item of 'ipip-20'"):
        read_twins(write(tmp_path, "item,negated\nI bake.,I do not bake.\n1,\n"), MINI)
    with pytest.raises(InputError):
        read_twins(tmp_path / "none.csv", MINI)


@pytest.mark.data
def test_the_published_layout(data_dir: Path) -> None:
    path = data_dir / "negated_items" / "original_prompts.csv"
    if not path.exists():
        pytest.skip("negated_items is not among the corpora here")
    found = read_twins(path, MINI)
    assert len(found.instrument.items) == 10
    assert found.instrument.items[0].text == "I am not the life of the party."
