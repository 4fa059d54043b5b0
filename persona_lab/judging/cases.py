"""What is judged: answers with their question and persona, or questions still to be answered."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from persona_lab.errors import RowError
from persona_lab.formats.base import BadRow, each
from persona_lab.formats.records import Record, list_of, mend, read_records, text_of
from persona_lab.formats.source import Source


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to judge.

    Attributes:
        id: unique in its file.
        persona: who should be speaking.
        question: that was asked; ``""`` where there is a situation.
        response: the answer; None where a bot is to give it.
        situation: what a conversation is about; None for a single question.
        reference: what a good answer says.
        examples: of scores, for the rubric's blank ``{score_example}``.
        rubrics: names of the rubrics it is for; empty for all.
    """

    id: str
    persona: str
    question: str
    response: str | None = None
    situation: str | None = None
    reference: str | None = None
    examples: str | None = None
    rubrics: tuple[str, ...] = ()


def load_cases(path: str | os.PathLike[str]) -> list[Case | RowError]:
    """Read cases from JSON lines.

    A record has ``id``, ``persona``, ``question`` (or ``situation``, for a conversation), and
    ``response`` unless a bot is to answer; ``reference``, ``score_example`` and ``rubrics`` (a
    list of names) are optional. Records ``{"persona", "questions": {rubric: [...]}}``, the
    layout of PersonaGym, become a case a question.

    Returns:
        In order; a bad record is a note in its place.

    Raises:
        InputError: the file cannot be read.
    """
    source = Source(path)
    try:
        return list(_cases(source))
    finally:
        source.close()


def _cases(source: Source) -> Iterator[Case | RowError]:
    seen: set[str] = set()

    def build(record: Record) -> list[Case]:
        cases = list(_of(record))
        twice = [case.id for case in cases if case.id in seen]
        if twice:
            raise BadRow(f"the id {twice[0]!r} occurs twice; give each record its own")
        seen.update(case.id for case in cases)
        return cases

    for found in each(read_records(source), build):
        if isinstance(found, RowError):
            yield found
        else:
            yield from found


def _of(record: Record) -> Iterator[Case]:
    value = record.object()
    persona = _needed(value, "persona")
    questions = value.get("questions")
    if questions is None:
        yield _single(record.id, persona, value)
        return
    if not isinstance(questions, Mapping):
        raise BadRow("'questions' must be an object: lists of questions by rubric")
    for rubric, asked in questions.items():
        for number, question in enumerate(list_of(asked, "questions"), start=1):
            text = text_of(question, "questions").strip()
            if not text:
                raise BadRow(f"question {number} of {rubric!r} is empty")
            yield Case(f"{record.id}:{mend(rubric)}:{number}", persona, text, rubrics=(rubric,))


def _single(id: str, persona: str, value: Mapping[str, Any]) -> Case:
    situation = _optional(value, "situation")
    return Case(
        id,
        persona,
        "" if situation else _needed(value, "question"),
        _optional(value, "response"),
        situation,
        _optional(value, "reference"),
        _optional(value, "score_example"),
        tuple(text_of(name, "rubrics") for name in list_of(value.get("rubrics"), "rubrics")),
    )


def _optional(value: Mapping[str, Any], key: str) -> str | None:
    return text_of(value.get(key), key).strip() or None


def _needed(value: Mapping[str, Any], key: str) -> str:
    found = _optional(value, key)
    if found is None:
        raise BadRow(f"a case needs {key!r} with text in it")
    return found
