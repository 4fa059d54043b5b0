"""The page on Python: every example gives what it says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import persona_lab

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python.md"


def test_the_examples_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the examples write files
    text = PAGE.read_text(encoding="utf-8").replace("```python\n", "").replace("```\n", "")
    example = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(example.examples) > 30
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=told.append)
    assert result.failed == 0, "".join(told)


def test_every_public_name_is_there() -> None:
    for name in persona_lab.__all__:
        assert getattr(persona_lab, name) is not None
    assert dir(persona_lab) == sorted(persona_lab.__all__)
