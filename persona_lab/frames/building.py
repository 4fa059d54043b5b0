"""From rows to a frame with the same columns and kinds whatever is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from persona_lab.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "number", "count", "flag"]
Columns = Mapping[str, Kind]

_DTYPES: Final[Mapping[Kind, str]] = {
    "text": "string",
    "number": "float64",
    "count": "Int64",
    "flag": "boolean",
}


def build(rows: Iterable[Mapping[str, Any]], columns: Columns) -> pd.DataFrame:
    """A frame of these columns; what a row does not have is missing.

    Args:
        rows: any number, also none.
        columns: names in order, and what they hold.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    pandas = import_pandas()
    held = list(rows)
    return pandas.DataFrame(
        {
            name: pandas.Series([row.get(name) for row in held], dtype=_DTYPES[kind])
            for name, kind in columns.items()
        }
    )


def import_pandas() -> Any:
    """The package pandas.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingExtraError("pandas", "notebooks", "making a frame") from error
    return pandas


def listed(things: Any, single: type | tuple[type, ...]) -> list[Any]:
    """One thing or several as a list; one object of JSON types counts as one.

    Args:
        things: one, or an iterable.
        single: classes of one thing.

    Raises:
        InputError: it is neither.
    """
    if isinstance(things, (Mapping, *(single if isinstance(single, tuple) else (single,)))):
        return [things]
    if isinstance(things, (str, bytes)) or not isinstance(things, Iterable):
        raise InputError(
            f"a frame is made of results, not of a {type(things).__name__}; "
            "for a file or folder give a pathlib.Path to to_frame"
        )
    return list(things)


def lacks(number: int, what: str, error: KeyError) -> InputError:
    """The error for a row without a field that it needs.

    Args:
        number: of the row, from 1.
        what: it should be.
        error: names the field.
    """
    return InputError(f"row {number} is no {what}: it lacks {error.args[0]!r}")
