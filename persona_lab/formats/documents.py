"""Documents of JSON: the values in them, one by one, as far as they can be parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Element:
    """One value of a document.

    Attributes:
        start: position of its first character.
        end: position after its last one; the end of the document where it is broken.
        array: which array it stands in, counted from 1; 0 for none.
        value: what was parsed.
        problem: why the document cannot be read from here on; empty for a good element.
        at: position of the problem.
    """

    start: int
    end: int
    array: int
    value: Any = None
    problem: str = ""
    at: int = 0


def document_elements(text: str) -> Iterator[Element]:
    """The elements of the arrays of a document, and the values that stand in none.

    Arrays may follow one another (``][``). What cannot be parsed is the last element.
    """
    decoder = json.JSONDecoder()
    arrays, inside = 0, False
    position = _skip(text, 0, "")
    while position < len(text):
        if inside and text[position] == "]":
            inside, position = False, _skip(text, position + 1, ",")
            continue
        if not inside and text[position] == "[":
            arrays, inside, position = arrays + 1, True, _skip(text, position + 1, "")
            continue
        array = arrays if inside else 0
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            at, why = position, "a number is too long or it is nested too deeply"
            if isinstance(error, json.JSONDecodeError):
                at, why = error.pos, error.msg
            following = _next_element(text, position, at) if inside else None
            if following is None:
                where = "text after the closing ']' is " if arrays and not inside else ""
                message = f"{where}not valid JSON ({why}); the rest of the document cannot be read"
                yield Element(position, len(text), array, problem=message, at=at)
                return
            end = len(text[:following].rstrip(_SPACE + ","))
            yield Element(position, end, array, problem=f"not valid JSON ({why})", at=at)
            position = following
            continue
        yield Element(position, end, array, value)
        position = _skip(text, end, "," if inside else "")
    if inside:
        message = "the array is not closed with ']'; the document may be cut off"
        yield Element(position, position, arrays, problem=message, at=position)


def _next_element(text: str, start: int, broken: int) -> int | None:
    """Where the element after a broken one begins: a line that is indented like it."""
    indent = text[text.rfind("\n", 0, start) + 1 : start]
    if indent.strip(_SPACE):  # it does not begin a line
        return None
    match = re.compile(rf"\n{indent}(?=[\[{{])").search(text, broken)
    return None if match is None else match.end()


def _skip(text: str, position: int, also: str) -> int:
    while position < len(text) and text[position] in _SPACE + also:
        position += 1
    return position
