"""``to_frame``: finds out what it was given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persona_lab.errors import InputError, RowError
from persona_lab.frames.courses import turn_frame
from persona_lab.frames.interviews import interview_frame, record_frame
from persona_lab.frames.ledgers import is_ledger, ledger_frame
from persona_lab.frames.scores import score_frame
from persona_lab.interviews.records import Record
from persona_lab.profile import Profile, Unscored

if TYPE_CHECKING:
    import pandas as pd

_KNOWN = (
    "profiles, rows of 'persona-lab score', records or results of interviews, consistency "
    "reports or rows, the folder of a filter run, or a file of one of these"
)


def to_frame(things: Any, *, wide: bool = False) -> pd.DataFrame:
    """Results as a pandas frame.

    Args:
        things: profiles or rows of ``persona-lab score --json`` (see
            :func:`~persona_lab.frames.score_frame`); records of an interview
            (:func:`~persona_lab.frames.record_frame`) or its result
            (:func:`~persona_lab.frames.interview_frame`); consistency reports or rows
            (:func:`~persona_lab.frames.turn_frame`); one or several. Or the path of a file
            or folder that holds one of these, or of a filter run's folder
            (:func:`~persona_lab.frames.ledger_frame`).
        wide: one row a subject instead of one row a subject and trait. A ledger is always
            wide: ``ledger_frame(folder, long=True)`` is not. Records have no other form.

    Returns:
        A tidy frame; its columns stand with the function that makes it.

    Raises:
        InputError: it is nothing of this, of several kinds, or nothing at all.
        MissingExtraError: pandas is not installed.
    """
    if isinstance(things, (str, Path)):
        path = Path(things)
        if path.is_dir() and is_ledger(path):
            return ledger_frame(path)
        things = _read(path)
    held = _listed(things)
    if not held:
        raise InputError("there is nothing to make a frame of; score_frame([]) makes an empty one")
    kinds = {_kind(thing) for thing in held}
    if len(kinds) > 1:
        raise InputError(
            f"a frame holds one kind of result, and these are {' and '.join(sorted(kinds))}; "
            "make a frame of each"
        )
    kind = kinds.pop()
    if kind == "records":
        return record_frame(held)
    if kind == "turns":
        return turn_frame(held, wide=wide)
    return (score_frame if kind == "scores" else interview_frame)(held, wide=wide)


def _listed(things: Any) -> list[Any]:
    if isinstance(things, Mapping) or not isinstance(things, Iterable):
        return [things]
    return list(things)


def _kind(thing: Any) -> str:
    if isinstance(thing, (Profile, Unscored, RowError)):
        return "scores"
    if isinstance(thing, Record):
        return "records"
    if isinstance(thing, Path):
        return "interview"
    name = _of_mapping(thing) if isinstance(thing, Mapping) else _of_class(thing)
    if name is None:
        raise InputError(f"no frame can be made of a {type(thing).__name__}; give {_KNOWN}")
    return name


def _of_class(thing: Any) -> str | None:
    # imported here, for the models behind them are not needed for the rest
    from persona_lab.consistency.report import Report, Unread
    from persona_lab.consistency.turns import Turns
    from persona_lab.interviews.result import Measurement

    if isinstance(thing, (Report, Unread, Turns)):
        return "turns"
    return "interview" if isinstance(thing, Measurement) else None


def _of_mapping(row: Mapping[str, Any]) -> str | None:
    for kind, names in (
        ("interview", ("measurements", "instrument")),
        ("interview", ("domains", "protocol")),
        ("turns", ("parts", "details")),
        ("records", ("protocol", "item")),
        ("scores", ("traits", "status")),
    ):
        if all(name in row for name in names):
            return kind
    return None


def _read(path: Path) -> Any:
    if path.is_dir():
        return [path]
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InputError(f"cannot read {path}: {why}; give {_KNOWN}") from None
    try:
        return json.loads(text)
    except ValueError:
        lines = (line for line in text.splitlines() if line.strip())
        return [_line(path, n, line) for n, line in enumerate(lines, 1)]


def _line(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise InputError(
            f"{path}:{number} is not JSON; give a file of results, one JSON object a line"
        ) from None
