"""Ledgers of filter runs: Parquet parts, of which only the columns asked for are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persona_lab.errors import InputError
from persona_lab.frames.building import import_pandas
from persona_lab.traits import FRAMEWORKS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_LEDGER = "ledger"
_WHO = ("ordinal", "source", "row", "id", "speaker")
_WHY = ("status", "unscored_reason", "code", "words", "model", "verdict")
_MEASURES = ("p_high", "low", "high", "label", "level", "why")


def ledger_frame(
    folder: Path | str, columns: Sequence[str] | None = None, *, long: bool = False
) -> pd.DataFrame:
    """The ledger of a filter run, one line a row and speaker of the data set.

    Args:
        folder: of the run (``--out``), or the ``ledger`` in it.
        columns: to read; None for all. A large ledger is read faster with few.
        long: one row a line and trait, with the columns of
            :func:`~persona_lab.frames.score_frame` (no ``threshold``), and ``source``,
            ``row`` and ``verdict``.

    Returns:
        The ledger's columns under their own names (``extraversion.p_high``, ``verdict``, ...).

    Raises:
        InputError: there is no ledger, it is damaged, or lacks a column.
        MissingExtraError: pandas is not installed.
    """
    pandas = import_pandas()
    if long and columns is not None:
        raise InputError("a long frame of a ledger has its own columns; leave out columns=")
    where = _parts(Path(folder))
    known = _schema(where).names
    if long:
        columns = _needed(known)
    _check(columns, known)
    frame = _read(where, columns)
    return _melted(frame, pandas) if long else frame


def is_ledger(folder: Path) -> bool:
    """Does a folder hold a finished or running filter run's ledger?"""
    return any(_parts(folder).glob("part-*.parquet"))


def _parts(folder: Path) -> Path:
    return folder / _LEDGER if (folder / _LEDGER).is_dir() else folder


def _schema(folder: Path) -> pa.Schema:
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = min(folder.glob("part-*.parquet"), default=None)
    if first is None:
        raise InputError(f"there is no ledger in {folder}; give the --out folder of a filter run")
    try:
        return pq.read_schema(first)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{first} cannot be read ({type(error).__name__})") from None


def _check(columns: Iterable[str] | None, known: Sequence[str]) -> None:
    from persona_lab.filtering.fields import unknown_field

    for name in columns or ():
        if name not in known:
            raise InputError(str(unknown_field(name, known, where="columns=")))


def _read(folder: Path, columns: Sequence[str] | None) -> pd.DataFrame:
    import pyarrow as pa

    from persona_lab.filtering.ledger import read_ledger

    tables = list(read_ledger(folder, columns))
    pandas = import_pandas()
    kinds = {
        pa.string(): pandas.StringDtype(),
        pa.int64(): pandas.Int64Dtype(),
        pa.bool_(): pandas.BooleanDtype(),
    }
    frame = pa.concat_tables(tables).to_pandas(types_mapper=kinds.get)
    return frame if columns is None else frame[list(columns)]


def _traits(known: Iterable[str]) -> list[tuple[str, str]]:
    """Framework and key of the traits that a ledger has."""
    names = set(known)
    return [
        (framework.name, key)
        for framework in FRAMEWORKS.values()
        for key in framework.keys
        if f"{key}.p_high" in names
    ]


def _needed(known: Sequence[str]) -> list[str]:
    scores = [f"{key}.{name}" for _, key in _traits(known) for name in _MEASURES]
    return [name for name in (*_WHO, *scores, *_WHY) if name in known]


def _melted(frame: pd.DataFrame, pandas: Any) -> pd.DataFrame:
    parts = []
    for order, (framework, key) in enumerate(_traits(frame.columns)):
        part = frame[[n for n in (*_WHO, *_WHY) if n in frame.columns]].copy()
        part["framework"] = pandas.array([framework] * len(frame), dtype="string")
        part["trait"] = pandas.array([key] * len(frame), dtype="string")
        for name in _MEASURES:
            part[name] = frame[f"{key}.{name}"]
        part["_order"] = order
        part["_line"] = range(len(frame))
        parts.append(part)
    long = pandas.concat(parts).sort_values(["_line", "_order"], ignore_index=True)
    long = long.rename(columns={"unscored_reason": "reason"})
    first = [n for n in _WHO if n in long.columns]
    why = ["status", "reason", "code", "words", "model", "verdict"]
    last = [n for n in why if n in long.columns]
    return long[[*first, "framework", "trait", *_MEASURES, *last]]
