"""First-person statements a model wrote (Perez et al. 2022), one file a trait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from persona_lab.dialogue import Dialogue
from persona_lab.errors import FormatError
from persona_lab.formats.base import BadRow, Columns, Format, Result, each
from persona_lab.formats.records import Record, read_records, text_of
from persona_lab.formats.source import Source
from persona_lab.traits import BIG_FIVE

_STATEMENT, _ANSWER = "statement", "answer_matching_behavior"
_ANSWERS = {"yes": 1.0, "no": 0.0}


def trait_of(stem: str) -> str | None:
    """The trait a file is about: the only one that its name mentions."""
    found = [key for key in BIG_FIVE.keys if key in stem.casefold()]
    return found[0] if len(found) == 1 else None


def files_of(folder: Path) -> list[Path]:
    """The statement files of a folder, in the order of the traits."""
    files = [path for path in folder.glob("*.jsonl") if trait_of(path.stem) is not None]
    order = BIG_FIVE.keys
    return sorted(files, key=lambda path: (order.index(trait_of(path.stem) or order[0]), path.name))


def _dialogue(row: Record, trait: str) -> Dialogue:
    record = row.object()
    if _STATEMENT not in record or _ANSWER not in record:
        raise BadRow(f"the record needs {_STATEMENT!r} and {_ANSWER!r}")
    answer = text_of(record[_ANSWER], _ANSWER).strip().casefold()
    if answer not in _ANSWERS:
        raise BadRow(f"{_ANSWER!r} must be ' Yes' or ' No'")
    own_id = f"{trait}-{row.fallback.rpartition('-')[2]}"
    statement = text_of(record[_STATEMENT], _STATEMENT)
    dialogue = Dialogue.from_text(statement, id=own_id, labels={trait: _ANSWERS[answer]})
    return replace(dialogue, group=own_id, place=row.place)


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    if source.path is not None and source.is_folder:
        files = files_of(source.path)
        if not files:
            raise FormatError(
                f"the folder {source.name} holds no statement files; name them by trait, "
                f"for example {BIG_FIVE.keys[0]}.jsonl"
            )
        for file in files:
            part = Source(file)
            try:
                yield from _file(part)
            finally:
                part.close()
    else:
        yield from _file(source)


def _file(source: Source) -> Iterator[Result]:
    trait = trait_of(source.stem)
    if trait is None:
        raise FormatError(
            f"{source.name}: the trait is the name of the file; name it after one of "
            f"{', '.join(BIG_FIVE.keys)}, for example {BIG_FIVE.keys[0]}.jsonl"
        )
    yield from each(read_records(source), partial(_dialogue, trait=trait))


FORMAT = Format(
    name="persona-statements",
    help="statements with answer_matching_behavior; TRAIT.jsonl or the folder of them",
    labels="0/1 for the trait the file is named after",
    read=_read,
    keys=((_STATEMENT, _ANSWER),),
)
