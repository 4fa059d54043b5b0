"""Candidates in order, by context."""

from __future__ import annotations

import io

import pytest

from persona_lab.consistency.ranking import Candidate, by_context, rank, read_candidates
from persona_lab.consistency.turns import TurnReader
from persona_lab.errors import FormatError, RowError
from persona_lab.formats.source import Source
from persona_lab.traits import Target

LOUD, QUIET, SILENT = (
    Candidate("loud", "party"),
    Candidate("quiet", "alone"),
    Candidate("silent", "🙂"),
)


def read(text: str) -> list[Candidate | RowError]:
    return list(read_candidates(Source(io.StringIO(text))))


def test_the_best_first_and_the_unscored_last(toy) -> None:
    found = rank([QUIET, SILENT, LOUD], Target.parse("E+"), TurnReader(toy))
    assert [(r.candidate.id, r.rank) for r in found] == [
        ("loud", 1),
        ("quiet", 2),
        ("silent", None),
    ]
    assert found[0].match > 0.9 > 0.1 > found[1].match
    turned = rank([QUIET, LOUD], Target.parse("E-"), TurnReader(toy))
    assert [r.candidate.id for r in turned] == ["quiet", "loud"]
    assert found[2].to_row()["code"] == "no_words"


def test_the_persona_counts(toy, nli) -> None:
    kind, denial = Candidate("kind", "kind party dogs"), Candidate("denial", "party, never dogs")
    reader, target = TurnReader(toy), Target.parse("E+")
    assert rank([denial, kind], target, reader)[0].candidate.id == "denial"
    found = rank([denial, kind], target, reader, persona=["I own dogs."], nli=nli)
    assert [r.candidate.id for r in found] == ["kind", "denial"]
    assert found[1].agreement == pytest.approx(0.05)


def test_equals_keep_their_order(toy) -> None:
    twins = [Candidate(str(i), "the same words") for i in range(5)]
    found = rank(twins, Target.parse("E+"), TurnReader(toy))
    assert [r.candidate.id for r in found] == ["0", "1", "2", "3", "4"]


def test_lines_and_records() -> None:
    assert read("one\n\ntwo \n") == [Candidate("line-1", "one"), Candidate("line-3", "two")]
    records = '{"id": "a", "text": "x", "context": 1}\n{"text": "y", "context": "q"}\n'
    assert read(records) == [Candidate("a", "x", "1"), Candidate("line-2", "y", "q")]


def test_bad_records() -> None:
    with pytest.raises(FormatError, match="has no 'text'"):
        read('{"reply": "x"}\n')
    found = read('{"text": "x"}\n{"text": 3}\nnot json\n{"text": "y"}\n')
    assert [type(row) for row in found] == [Candidate, RowError, RowError, Candidate]
    assert "stdin:2" in str(found[1])


def test_contexts() -> None:
    given = [Candidate(str(i), "x", context) for i, context in enumerate("aabba")]
    assert [len(group) for group in by_context(given)] == [2, 2, 1]
