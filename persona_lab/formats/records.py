"""JSON records: one a line, or the elements of one document that is read whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from persona_lab.errors import FormatError, RowError
from persona_lab.formats.base import BadRow
from persona_lab.formats.decoding import Line
from persona_lab.formats.documents import document_elements
from persona_lab.formats.source import Source

_LOOK_AHEAD = 20
_REPLACED = "\ufffd"
"""What stands in the place of bytes that cannot be decoded."""

_KINDS = {str: "text", bool: "true/false", dict: "an object", list: "a list", type(None): "null"}


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value.

    Attributes:
        fallback: ``line-N``, or ``item-N`` in a document.
        place: file and line where it begins.
        value: the parsed value; not yet known to be an object.
        id_key: the key that holds the record's own id; dots reach into nested objects.
        array: which array of the source it is an element of, counted from 1; 0 for none.
    """

    fallback: str
    place: str
    value: Any
    id_key: str = "id"
    array: int = 0

    @property
    def id(self) -> str:
        """The record's own id (text or a whole number), else the fallback."""
        given = lookup(self.value, self.id_key) if isinstance(self.value, Mapping) else None
        return whole(given) or self.fallback

    def object(self) -> Mapping[str, Any]:
        """The value as an object.

        Raises:
            BadRow: it is something else.
        """
        if not isinstance(self.value, Mapping):
            raise BadRow(f"a record must be a JSON object, not {kind(self.value)}")
        return self.value


def lookup(record: Mapping[str, Any], key: str) -> Any:
    """The value of a key; where there is no such key, dots reach into nested objects."""
    if key in record:
        return record[key]
    found: Any = record
    for part in key.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def whole(value: object) -> str | None:
    """A text, or a whole number as its digits (tables write 1 as 1.0); None for others."""
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def optional_text(record: Mapping[str, Any], key: str) -> str | None:
    """A text or whole number that may be missing; numbers are read as their digits.

    Raises:
        BadRow: it holds something else.
    """
    value = record.get(key)
    return None if value is None else whole(value) or text_of(value, key)


def mend(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can spell and no encoder can take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def kind(value: object) -> str:
    """The type of a JSON value in words; its content stays private."""
    return _KINDS.get(type(value), "a number")


def text_of(value: object, key: str) -> str:
    """A text field; null reads as empty.

    Raises:
        BadRow: it holds something else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(f"{key!r} must be text, not {kind(value)}")
    return mend(value)


def list_of(value: object, key: str) -> list[Any]:
    """A list field; null reads as empty.

    Raises:
        BadRow: it holds something else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRow(f"{key!r} must be a list, not {kind(value)}")
    return value


def objects_of(value: object, key: str) -> list[Mapping[str, Any]]:
    """A list of objects.

    Raises:
        BadRow: it is no list, or an element is no object.
    """
    items = list_of(value, key)
    for item in items:
        if not isinstance(item, Mapping):
            raise BadRow(f"every element of {key!r} must be an object, not {kind(item)}")
    return items


def read_records(source: Source, *, id_key: str = "id") -> Iterator[Record | RowError]:
    """All records of a source.

    JSON lines stream in constant memory, also where each is an array. Only pretty-printed
    documents and an array over the whole file are read whole; the elements of arrays are
    the records.

    Args:
        source: where from.
        id_key: the key that holds a record's own id.

    Raises:
        FormatError: a document breaks before its first record.
    """
    if is_document(source):
        yield from _document(source, id_key)
        return
    for line in source.lines():
        if line.blank and not line.problem:
            continue
        parsed = _parse_line(line, source)
        if isinstance(parsed, RowError):
            yield parsed
        else:
            yield Record(f"line-{line.number}", source.place(line.number), parsed[0], id_key)


def is_document(source: Source) -> bool:
    """Is it one JSON document over several lines, or an array, rather than JSON lines?"""
    ahead = source.peek(1)
    first = ahead[0].text.strip()
    if not first.startswith("[") and (ahead[0].problem or not first.startswith("{")):
        return False
    following = [line.text.strip() for line in source.peek(_LOOK_AHEAD)[1:] if not line.blank]
    if first.startswith("["):
        # Arrays line by line: some stand for themselves, and no comma holds them together.
        rows = (line for line in following if line.startswith(("[", "{")))
        return first.endswith(("[", ",", ":", "{")) or not any(map(_is_whole, rows))
    # The first line stops where a pretty-printer would break it; it is a broken JSON line
    # all the same if the next line is a record of its own.
    second = following[0] if following else ""
    return _ends_in_mid_air(first) and not (second.startswith("{") and not _ends_in_mid_air(second))


def _is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _ends_in_mid_air(text: str) -> bool:
    """Does the JSON stop after a complete token, as before a pretty-printed line break?"""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text.rstrip())
    except (ValueError, RecursionError):
        return False
    return False


def _parse_line(line: Line, source: Source) -> tuple[Any] | RowError:
    place = source.place(line.number)
    try:
        if line.problem:
            raise BadRow(line.problem)
        return (json.loads(line.text),)
    except BadRow as bad:
        message = str(bad)
    except json.JSONDecodeError as error:
        message = f"not valid JSON at column {error.colno} ({error.msg}); one object a line"
    except (ValueError, RecursionError):
        message = "not readable JSON: a number is too long or it is nested too deeply"
    return RowError(message, row_id=f"line-{line.number}", place=place)


def _document(source: Source, id_key: str) -> Iterator[Record | RowError]:
    start = source.peek(1)[0].number
    lines = list(source.lines())
    problems = {line.number: line.problem for line in lines if line.problem}
    text = "\n".join(line.text for line in lines)
    line, counted = start, 0
    for count, element in enumerate(document_elements(text), start=1):
        line += text.count("\n", counted, element.start)
        counted = element.start
        if element.problem:
            place = source.place(line + text.count("\n", element.start, element.at))
            if count == 1 and element.start < element.end == len(text):
                raise FormatError(f"{place}: {element.problem}")
            yield RowError(element.problem, row_id=f"item-{count}", place=place)
            continue
        place = source.place(line)
        inside = range(line, line + 1 + text.count("\n", element.start, element.end))
        bad = next((problems[number] for number in inside if number in problems), "")
        if bad and _REPLACED in text[element.start : element.end]:
            yield RowError(bad, row_id=f"item-{count}", place=place)
        else:
            yield Record(f"item-{count}", place, element.value, id_key, element.array)
