r"""Reading and writing dialogue files: one module a layout, detection by content.

Example:
    >>> import io
    >>> from persona_lab.formats import read_dialogues
    >>> talk = io.StringIO("Ann: Hello!\nBob: Hi, Ann.\n")
    >>> [(u.speaker, u.text) for d in read_dialogues(talk) for u in d.utterances]
    [('Ann', 'Hello!'), ('Bob', 'Hi, Ann.')]
"""

from __future__ import annotations

from persona_lab.formats.base import Columns, Format, Result
from persona_lab.formats.reading import (
    FORMATS,
    DialogueReader,
    detect_format,
    parse_columns,
    read_dialogues,
)
from persona_lab.formats.source import SourceLike
from persona_lab.formats.writing import dialogue_record, write_dialogues

__all__ = [
    "FORMATS",
    "Columns",
    "DialogueReader",
    "Format",
    "Result",
    "SourceLike",
    "detect_format",
    "dialogue_record",
    "parse_columns",
    "read_dialogues",
    "write_dialogues",
]
