"""JSON records: one a line, or the elements of one document that is read whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from persona_lab.errors import FormatError, RowError
from persona_lab.formats.base import BadRow
from persona_lab.formats.decoding import Line
from persona_lab.formats.source import Source

_SPACE = " \t\r\n"
_KINDS = {str: "text", bool: "true/false", dict: "an object", list: "a list", type(None): "null"}


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value.

    Attributes:
        fallback: ``line-N``, or ``item-N`` in a document.
        place: file and line where it begins.
        value: the parsed value; not yet known to be an object.
        id_key: the key that holds the record's own id.
    """

    fallback: str
    place: str
    value: Any
    id_key: str = "id"

    @property
    def id(self) -> str:
        """The record's own id (text or a whole number), else the fallback."""
        given = self.value.get(self.id_key) if isinstance(self.value, Mapping) else None
        if isinstance(given, str):
            return mend(given) or self.fallback
        if isinstance(given, int) and not isinstance(given, bool):
            return str(given)
        return self.fallback

    def object(self) -> Mapping[str, Any]:
        """The value as an object.

        Raises:
            BadRow: it is something else.
        """
        if not isinstance(self.value, Mapping):
            raise BadRow(f"a record must be a JSON object, not {kind(self.value)}")
        return self.value


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

    JSON lines stream in constant memory. Only a pretty-printed document or an array is
    read whole; its elements are the records.

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
    first = ahead[0].text.lstrip()
    if first.startswith("["):
        return True
    if not first.startswith("{") or ahead[0].problem or not _ends_in_mid_air(first):
        return False
    # The first line stops where a pretty-printer would break it; it is a broken JSON line
    # all the same if the next line is a record of its own.
    following = next((line.text for line in source.peek(20)[1:] if not line.blank), "")
    return not (following.lstrip().startswith("{") and not _ends_in_mid_air(following))


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
    text = source.whole()
    decoder = json.JSONDecoder()
    position = _skip(text, 0, "")
    in_array = text.startswith("[", position)
    position = _skip(text, position + in_array, "")
    count = 0
    counted, line = 0, start
    while position < len(text) and not (in_array and text[position] == "]"):
        line += text.count("\n", counted, position)
        counted = position
        place = source.place(line)
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            at, why = line, "a number is too long or it is nested too deeply"
            if isinstance(error, json.JSONDecodeError):
                at, why = start + error.lineno - 1, error.msg
            message = f"not valid JSON ({why}); the rest of the document cannot be read"
            if count == 0:
                raise FormatError(f"{source.place(at)}: {message}") from None
            yield RowError(message, row_id=f"item-{count + 1}", place=source.place(at))
            return
        count += 1
        yield Record(f"item-{count}", place, value, id_key)
        position = _skip(text, position, "," if in_array else "")
    if in_array and position >= len(text):
        message = "the array is not closed with ']'; the document may be cut off"
        yield RowError(message, row_id=f"item-{count + 1}", place=source.place(line))


def _skip(text: str, position: int, also: str) -> int:
    while position < len(text) and text[position] in _SPACE + also:
        position += 1
    return position
