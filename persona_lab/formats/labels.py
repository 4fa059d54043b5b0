"""Reading trait labels from cells and JSON values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from persona_lab.errors import TargetError
from persona_lab.formats.base import BadRow
from persona_lab.traits import ALL_TRAITS, FRAMEWORKS, mbti_labels

Note = Callable[[str], None]
"""Takes a remark about the file; it never holds text of the input."""

_SUFFIX = re.compile(r"-[AaTt]$")
_HIGH = frozenset({"1", "1.0", "y", "yes", "high", "true"})
_LOW = frozenset({"0", "0.0", "n", "no", "low", "false"})
_UNKNOWN = frozenset({"", "unknown", "na", "n/a", "nan", "none", "null", "?", "x"})
_POLES: dict[str, dict[str, float]] = {
    trait.key: {trait.high.casefold(): 1.0, trait.low.casefold(): 0.0}
    for framework in FRAMEWORKS.values()
    for trait in framework.traits
}


def cell_label(trait: str, cell: str, *, column: str) -> float | None:
    """Read one label cell.

    Args:
        trait: trait key; its poles (``I``, ``introverted``) are understood as well.
        cell: ``y/n``, ``1/0``, ``high/low``, ``true/false`` or any number.
        column: named in the message; the cell's content is not.

    Returns:
        1.0 for the high pole, 0.0 for the other, the number itself for a score, None for
        an empty or unknown label.

    Raises:
        BadRow: it is none of these.
    """
    value = cell.strip().casefold()
    if value in _POLES[trait]:
        return _POLES[trait][value]
    if value in _HIGH:
        return 1.0
    if value in _LOW:
        return 0.0
    if value in _UNKNOWN:
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadRow(
            f"the label in column {column!r} is not understood; use y/n, 1/0, high/low, "
            "a number, or leave it empty"
        )
    return number


def cell_labels(
    cells: Mapping[str, str], columns: Mapping[str, str], *, note: Note | None = None
) -> dict[str, float]:
    """Read the label cells of a row.

    Args:
        cells: the row by column name.
        columns: column name by trait key; columns the row lacks are unknown.
        note: is told of labels that cannot be used, which are then unknown.

    Raises:
        BadRow: a label cannot be used, and nobody is to be told.
    """
    labels: dict[str, float] = {}
    for trait, column in columns.items():
        try:
            value = cell_label(trait, cells[column], column=column) if column in cells else None
        except BadRow as bad:
            _refuse(str(bad), note)
            continue
        if value is not None:
            labels[trait] = value
    return labels


def type_labels(type_code: str, *, column: str, note: Note | None = None) -> dict[str, float]:
    """Read a four-letter type, in upper or lower case, perhaps with -A or -T behind it.

    Args:
        type_code: the cell; empty means unknown.
        column: named in the message; the cell's content is not.
        note: as for :func:`cell_labels`.

    Raises:
        BadRow: it is something else, and nobody is to be told.
    """
    if not type_code.strip():
        return {}
    try:
        return mbti_labels(_SUFFIX.sub("", type_code.strip()))
    except TargetError:
        _refuse(
            f"column {column!r} does not hold an MBTI type; use four letters such as INFP", note
        )
        return {}


def json_labels(value: object, *, note: Note | None = None) -> dict[str, float]:
    """Check a JSON object of labels: trait key to 0, 1, a score, or null for unknown.

    Args:
        value: the object; None reads as none.
        note: as for :func:`cell_labels`.

    Raises:
        BadRow: a label cannot be used, and nobody is to be told.
    """
    if value is None:
        return {}
    labels: dict[str, float] = {}
    if not isinstance(value, Mapping):
        _refuse("'labels' must be an object of trait names and numbers", note)
        return labels
    for trait, label in value.items():
        if trait not in ALL_TRAITS:
            _refuse(f"'labels' names an unknown trait; use {', '.join(ALL_TRAITS)}", note)
        elif label is not None and not (isinstance(label, (int, float)) and _finite(label)):
            _refuse(f"the label of {trait!r} must be 0, 1 or another finite number", note)
        elif label is not None:
            labels[trait] = float(label)
    return labels


def _refuse(message: str, note: Note | None) -> None:
    if note is None:
        raise BadRow(message)
    note(message)


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer too large for a float
        return False
