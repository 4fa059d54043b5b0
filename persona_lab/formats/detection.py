"""Telling the layout from the content: columns, keys, folders, shares of ``Name:`` lines.

The extension of a file only breaks ties, because people name files as they like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from persona_lab.errors import FormatError, InputError
from persona_lab.formats import persona_statements, youtube_personality
from persona_lab.formats.base import Columns, Format, shown
from persona_lab.formats.chat_reading import is_readable
from persona_lab.formats.chat_text import LOOK_AHEAD, layout_of
from persona_lab.formats.delimited import has_chats, turn_columns
from persona_lab.formats.documents import document_elements
from persona_lab.formats.records import is_document
from persona_lab.formats.source import Source
from persona_lab.formats.suggestions import columns_line
from persona_lab.formats.tables import find_column, header_of

_LOOK_AHEAD = 50
_JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
_TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
_JSON_START = re.compile(r"\{\s*(\"|\}|$)|\[\s*([\{\[\"\]]|$)")
_TEXT_COLUMN = "text"
_JSONL, _CHAT, _CSV = "jsonl", "chat", "csv"


def detect(source: Source, formats: Mapping[str, Format], columns: Columns) -> str:
    """Name the layout of a source without consuming it.

    Args:
        source: opened, nothing read from it yet.
        formats: the layouts to choose from.
        columns: chosen columns or keys; they speak for csv or jsonl.

    Raises:
        FormatError: it is a folder or JSON of no known layout.
        InputError: none of the first lines can be decoded.
    """
    if source.is_folder:
        return _folder(source)
    if columns:
        # Whoever names columns means them, even if the file looks like a known corpus.
        formats = {name: known for name, known in formats.items() if known.takes_columns}
    ahead = source.peek(_LOOK_AHEAD)
    first = next((line for line in ahead if not line.problem and not line.blank), ahead[0])
    if youtube_personality.is_score_table(first.text):
        return youtube_personality.FORMAT.name
    starts_as_json = _JSON_START.match(first.text.lstrip()) is not None
    if starts_as_json or source.suffix in _JSON_SUFFIXES:
        values = _first_values(source)
        if values:
            return _json(source, values, formats, columns)
    table = None if first.problem else _table(source, formats, columns)
    return table or _prose(source) or _by_suffix(source, starts_as_json)


def _folder(source: Source) -> str:
    path = source.path
    if path is not None and (path / youtube_personality.SCORES).is_file():
        return youtube_personality.FORMAT.name
    if path is not None and persona_statements.files_of(path):
        return persona_statements.FORMAT.name
    raise FormatError(
        f"{source.name} is a folder of no known layout; give one of its files, or the folder "
        f"of {youtube_personality.FORMAT.name} or {persona_statements.FORMAT.name}"
    )


def _json(
    source: Source, values: Sequence[Any], formats: Mapping[str, Format], columns: Columns
) -> str:
    """A JSON layout by the keys of the first record that has one; a header may stand before."""
    for value in values:
        record = record_in(value)
        for known in formats.values():
            if any(all(key in record for key in keys) for keys in known.keys):
                return known.name
        if columns:
            return _JSONL
        if is_readable(value) or is_readable(record):
            return _CHAT
    record = record_in(next(filter(None, values), None))
    raise FormatError(
        f"{source.name} holds JSON of no known layout; keys found: {shown(map(str, record))}; "
        f"name the key of the text with {columns_line(record)}, or convert it to "
        '{"id", "text"} or {"id", "turns": [{"speaker", "text"}]}'
    )


def record_in(value: Any) -> Mapping[str, Any]:
    """The record whose keys tell the layout; that of a list is its first one."""
    while isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, dict) else {}


def first_value(source: Source) -> Any:
    """The first value that can be parsed; the lines stay in the source's look-ahead."""
    values = _first_values(source)
    return next(filter(None, values), None)


def _first_values(source: Source) -> list[Any]:
    """The first values that can be parsed; of a document its first elements."""
    if is_document(source):
        text = "\n".join(line.text for line in source.peek(None))
        first = islice(document_elements(text), _LOOK_AHEAD)
        return [element.value for element in first if element.value is not None]
    lines = (line.text for line in source.peek(_LOOK_AHEAD) if not line.problem)
    return [value for value in map(_parse, lines) if value is not None]


def _parse(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _table(source: Source, formats: Mapping[str, Format], columns: Columns) -> str | None:
    """A csv layout by its header."""
    header = header_of(source)
    for known in formats.values():
        # spelt exactly: "speaker" and "utterance" are columns of other people's tables, too
        if known.header and all(name in header for name in known.header):
            return known.name
    if columns or source.is_table:  # a table is never prose, whatever its columns
        return _CSV
    named = len(header) > 1 and find_column(header, _TEXT_COLUMN) is not None
    named = named or bool(turn_columns(header))
    return _CSV if named or (source.suffix in _TABLE_SUFFIXES and has_chats(header)) else None


def _prose(source: Source) -> str | None:
    """A chat by the marks of its turns; a vlog by the score table beside it."""
    if source.path is not None and youtube_personality.is_rated(source.path):
        return youtube_personality.FORMAT.name
    ahead = source.peek(LOOK_AHEAD)
    good = [line.text for line in ahead if not line.problem]
    if not good:
        raise InputError(f"{source.place(ahead[0].number)}: {ahead[0].problem}")
    found = layout_of(good)
    return None if found is None else found[0].name


def _by_suffix(source: Source, starts_as_json: bool) -> str:
    """The content did not tell. A broken JSON or csv file is best reported by its reader."""
    if source.suffix in _JSON_SUFFIXES or (starts_as_json and not source.suffix):
        return _JSONL
    return _CSV if source.suffix in _TABLE_SUFFIXES else "text"
