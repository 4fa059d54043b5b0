"""Batches of rows, as Ray Data, datasets and pandas hand them to a function."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_lab.dialogue import Dialogue
from persona_lab.errors import InputError, RowError
from persona_lab.filtering.fields import trait_fields
from persona_lab.filtering.reading import UNREADABLE
from persona_lab.formats import read_dialogues
from persona_lab.formats.reading import AUTO

if TYPE_CHECKING:
    from persona_lab.filtering.scorer import Columns, PersonalityScorer

_ALWAYS = ("status", "code", "words", "language")


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How a batch is read and what is added to it; see :class:`PersonalityScorer`."""

    fields: tuple[str, ...] = ()
    format: str = AUTO
    columns: Mapping[str, str] | None = None
    record: str | None = None
    each_speaker: bool = False


def score_batch(scorer: PersonalityScorer, batch: Any, options: BatchOptions) -> Any:
    """Score a batch; :meth:`PersonalityScorer.__call__` says how.

    Raises:
        InputError: the rows are of no known layout.
        FieldError: a field that is to be added does not exist.
    """
    frame = _is_frame(batch)
    columns = {str(name): _listed(batch[name]) for name in batch}
    count = len(next(iter(columns.values()), []))
    results = _dialogues(columns, count, options)
    good = [i for i, result in enumerate(results) if isinstance(result, Dialogue)]
    scored = scorer.score([d for d in results if isinstance(d, Dialogue)])
    owners = [good[position] for position in scored.pop("position")] if good else []
    kept, added = _lines(scorer, results, scored, owners, options)
    names = options.fields or (*_ALWAYS, *_speaker(options), *_trait_names(scorer))
    _check(names, scorer)
    out = {name: [values[i] for i in kept] for name, values in columns.items()}
    out |= {name: [line.get(name) for line in added] for name in names}
    if frame:
        return type(batch)(out)
    if any(isinstance(batch[name], np.ndarray) for name in batch):
        return {name: _array(values) for name, values in out.items()}
    return out


def _speaker(options: BatchOptions) -> tuple[str, ...]:
    return ("speaker",) if options.each_speaker else ()


def _trait_names(scorer: PersonalityScorer) -> tuple[str, ...]:
    names = [field.name for field in trait_fields(scorer.frameworks)]
    return (*names, *(n for n in scorer.fields if n.startswith("target.")))


def _check(names: Sequence[str], scorer: PersonalityScorer) -> None:
    from persona_lab.filtering.fields import unknown_field

    for name in names:
        if name not in scorer.fields:
            raise unknown_field(name, scorer.fields, where="fields")


def _lines(
    scorer: PersonalityScorer,
    results: Sequence[Dialogue | RowError],
    scored: Columns,
    owners: Sequence[int],
    options: BatchOptions,
) -> tuple[list[int], list[dict[str, Any]]]:
    """Which row each output line repeats, and what is added to it."""
    by_row: dict[int, list[dict[str, Any]]] = {}
    for line, owner in enumerate(owners):
        by_row.setdefault(owner, []).append({name: scored[name][line] for name in scored})
    kept: list[int] = []
    added: list[dict[str, Any]] = []
    for row, result in enumerate(results):
        lines = by_row.get(row, [])
        if isinstance(result, RowError):
            lines = [_unscored(UNREADABLE, str(result))]
        elif len(lines) > 1 and not options.each_speaker:
            names = ", ".join(str(line["speaker"]) for line in lines[:10])
            reason = f"the row has several speakers; choose one with speaker=: {names}"
            lines = [_unscored("several_speakers", reason)]
        kept += [row] * len(lines)
        added += lines
    return kept, added


def _unscored(code: str, reason: str) -> dict[str, Any]:
    return {"status": "unscored", "code": code, "unscored_reason": reason}


def _dialogues(
    columns: Mapping[str, Sequence[Any]], count: int, options: BatchOptions
) -> list[Dialogue | RowError]:
    """The rows as the readers of files see them: one JSON record a line."""
    if count == 0:
        return []
    if options.record is not None:
        records = [str(text).replace("\n", " ") for text in columns[options.record]]
    else:
        plain = [{name: _plain(v[i]) for name, v in columns.items()} for i in range(count)]
        records = [json.dumps(row, ensure_ascii=False, default=str) for row in plain]
    stream = io.StringIO("\n".join(records) + "\n")
    with read_dialogues(
        stream, options.format, columns=options.columns, rename_repeats=False
    ) as reader:
        results = list(reader)
    if len(results) != count:
        raise InputError(
            f"a batch of {count} rows was read as {len(results)} dialogues; give rows that "
            "hold a whole dialogue each"
        )
    return results


def _plain(value: Any) -> Any:
    """A value as JSON has it: arrays are lists, numpy's numbers plain ones."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, np.ndarray):
        return [_plain(part) for part in value.tolist()]
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value


def _listed(values: Any) -> list[Any]:
    return list(values.tolist()) if hasattr(values, "tolist") else list(values)


def _array(values: list[Any]) -> Any:
    """A numpy column; unknown numbers are NaN, as numpy has nothing else for them."""
    if values and all(v is None or isinstance(v, float) for v in values):
        return np.array([np.nan if v is None else v for v in values], float)
    if all(isinstance(v, (bool, int)) for v in values):
        return np.array(values)
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _is_frame(batch: Any) -> bool:
    return hasattr(batch, "columns") and hasattr(batch, "iloc")
