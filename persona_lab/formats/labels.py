"""Reading trait labels from cells and JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping

from persona_lab.errors import TargetError
from persona_lab.formats.base import BadRow
from persona_lab.traits import ALL_TRAITS, FRAMEWORKS, mbti_labels

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


def cell_labels(cells: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, float]:
    """Read the label cells of a row.

    Args:
        cells: the row by column name.
        columns: column name by trait key; columns the row lacks are unknown.
    """
    labels: dict[str, float] = {}
    for trait, column in columns.items():
        if column in cells:
            value = cell_label(trait, cells[column], column=column)
            if value is not None:
                labels[trait] = value
    return labels


def type_labels(type_code: str, *, column: str) -> dict[str, float]:
    """Read a four-letter type; empty means unknown.

    Raises:
        BadRow: the cell holds something else, which is not repeated in the message.
    """
    if not type_code.strip():
        return {}
    try:
        return mbti_labels(type_code)
    except TargetError:
        raise BadRow(
            f"column {column!r} does not hold an MBTI type; use four letters such as INFP"
        ) from None


def json_labels(value: object) -> dict[str, float]:
    """Check a JSON object of labels: trait key to 0, 1, a score, or null for unknown.

    Raises:
        BadRow: it is no object, names a trait nobody knows, or holds something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadRow("'labels' must be an object of trait names and numbers")
    labels: dict[str, float] = {}
    for trait, label in value.items():
        if trait not in ALL_TRAITS:
            raise BadRow(f"'labels' names an unknown trait; use {', '.join(ALL_TRAITS)}")
        if label is None:
            continue
        if not isinstance(label, (int, float)) or not _finite(label):
            raise BadRow(f"the label of {trait!r} must be 0, 1 or another finite number")
        labels[trait] = float(label)
    return labels


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer too large for a float
        return False
