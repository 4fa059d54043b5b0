"""PersonaLLM (Jiang et al. 2024): stories by chatbots with five assigned traits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from persona_lab.dialogue import Dialogue
from persona_lab.errors import FormatError
from persona_lab.formats.base import BadRow, Columns, Format, Result, each
from persona_lab.formats.records import Record, optional_text, read_records, text_of
from persona_lab.formats.source import Source

_CODES: dict[str, tuple[str, float]] = {
    "extr": ("extraversion", 1.0),
    "intr": ("extraversion", 0.0),
    "agre": ("agreeableness", 1.0),
    "anta": ("agreeableness", 0.0),
    "cons": ("conscientiousness", 1.0),
    "unco": ("conscientiousness", 0.0),
    "neur": ("neuroticism", 1.0),
    "emot": ("neuroticism", 0.0),  # emotionally stable
    "open": ("openness", 1.0),
    "clos": ("openness", 0.0),
}
_ENCODING, _STORY, _RUN, _ID = "persona_encoding", "annotation", "iteration", "file"
_ANSWER = re.compile(r"^\s*\(?[a-z]{1,2}\)[\s:.]*\d\s*$", re.MULTILINE)
_FEW_ANSWERS = 5


class _Answers(BadRow):
    """The record holds questionnaire answers."""


def labels_of(encoding: str) -> dict[str, float]:
    """Labels of a persona such as ``extr_agre_cons_emot_clos``.

    Raises:
        BadRow: a part is unknown, or a trait is named twice.
    """
    labels: dict[str, float] = {}
    for part in encoding.split("_"):
        if part not in _CODES or _CODES[part][0] in labels:
            raise BadRow(
                f"{_ENCODING!r} is not understood; join one of each pair with '_': "
                "extr/intr, agre/anta, cons/unco, neur/emot, open/clos"
            )
        trait, value = _CODES[part]
        labels[trait] = value
    return labels


def _dialogue(row: Record) -> Dialogue:
    record = row.object()
    if _STORY not in record or _ENCODING not in record:
        raise BadRow(f"the record needs {_STORY!r} and {_ENCODING!r}")
    encoding = text_of(record[_ENCODING], _ENCODING)
    story = text_of(record[_STORY], _STORY)
    if len(_ANSWER.findall(story)) >= _FEW_ANSWERS:
        raise _Answers(
            "the record holds questionnaire answers such as '(a) 5', not a story; "
            "give the *_stories.jsonl file"
        )
    run = optional_text(record, _RUN)
    own_id = row.id if record.get(_ID) or run is None else f"{encoding}_p{run}"
    facts = {"run": run, "model": optional_text(record, "model")}
    return replace(
        Dialogue.from_text(story, id=own_id, labels=labels_of(encoding)),
        group=encoding,
        place=row.place,
        options={key: value for key, value in facts.items() if value is not None},
    )


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    records = read_records(source, id_key=_ID)
    for first in records:
        # A whole file of answers is one mistake, not hundreds of bad rows.
        if isinstance(first, Record):
            try:
                yield _dialogue(first)
            except _Answers as wrong:
                raise FormatError(f"{first.place}: {wrong}") from None
            except BadRow:
                yield from each([first], _dialogue)
            break
        yield first
    yield from each(records, _dialogue)


FORMAT = Format(
    name="personallm",
    help="PersonaLLM stories (*_stories.jsonl): annotation, persona_encoding, iteration",
    labels="Big Five 0/1, the traits assigned to the chatbot",
    read=_read,
    keys=((_STORY, _ENCODING),),
)
