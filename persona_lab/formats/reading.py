"""One door to all layouts: choose the reader, keep ids unique, raise or hand on bad rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

from persona_lab.dialogue import Dialogue
from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats import (
    chat,
    chat_files,
    cped,
    delimited,
    essays,
    friends_persona,
    jsonl,
    kaggle_mbti,
    msc,
    openai_chat,
    persona_statements,
    personallm,
    sharegpt,
    synthetic_persona_chat,
    text,
    youtube_personality,
)
from persona_lab.formats.base import Columns, Format, Result
from persona_lab.formats.detection import detect
from persona_lab.formats.members import Members
from persona_lab.formats.source import STDIN, Source, SourceLike

AUTO = "auto"

FORMATS: Mapping[str, Format] = {
    known.name: known
    for known in (
        text.FORMAT,
        chat_files.TRANSCRIPT,
        jsonl.FORMAT,
        openai_chat.FORMAT,
        sharegpt.FORMAT,
        chat.FORMAT,
        delimited.FORMAT,
        *chat_files.MARKED,
        essays.FORMAT,
        kaggle_mbti.FORMAT,
        friends_persona.FORMAT,
        personallm.FORMAT,
        persona_statements.FORMAT,
        msc.FORMAT,
        synthetic_persona_chat.FORMAT,
        cped.FORMAT,
        youtube_personality.FORMAT,
    )
}
"""All layouts by name; each tells its name, help, and which labels it carries."""

_ANY_RECORDS = [module.FORMAT.name for module in (openai_chat, sharegpt, chat, jsonl)]
"""From the one with the rarest key to the one with the most common one."""

_BY_KEYS = {
    # The specific layouts first: 'text' is a key that others may carry as well.
    name: FORMATS[name]
    for name in [*(name for name in FORMATS if name not in _ANY_RECORDS), *_ANY_RECORDS]
}


class DialogueReader(Iterator[Result]):
    """The dialogues of one source, in order; a context manager that closes it.

    Attributes:
        format: name of the layout that is read, for messages such as "read as msc".
    """

    def __init__(
        self,
        source: SourceLike,
        layout: str,
        columns: Columns,
        *,
        strict: bool,
        rename_repeats: bool,
    ) -> None:
        """Open the source and read as far as the first row, so that mistakes show at once."""
        check_layout(layout)
        self._source = Source(source)
        try:
            self.format = detect(self._source, _BY_KEYS, columns) if layout == AUTO else layout
            reader = FORMATS[self.format]
            if columns and not reader.takes_columns:
                takers = " and ".join(f.name for f in FORMATS.values() if f.takes_columns)
                raise FormatError(
                    f"--columns works with {takers}, but this is read as {self.format}; "
                    "leave it out or give --format csv"
                )
            self._strict = strict
            results = _spoken(reader.read(self._source, columns))
            self._results = unique_ids(results) if rename_repeats else results
            self._first: Result | None = next(self._results, None)
            if self._first is None:
                raise InputError(f"{self._source.name} holds no rows; give a file with some")
        except BaseException:
            self._source.close()
            raise

    @property
    def notes(self) -> list[str]:
        """Remarks about the file as a whole so far."""
        return self._source.notes

    @property
    def members(self) -> Members | None:
        """Which rows went into which dialogue, complete at the end; None for one a row."""
        return self._source.members

    def __iter__(self) -> DialogueReader:
        """An iterator is its own."""
        return self

    def __next__(self) -> Result:
        """The next dialogue, or a note about a bad row.

        Raises:
            RowError: the row is bad and reading is strict.
        """
        result, self._first = self._first, None
        try:
            result = next(self._results) if result is None else result
        except BaseException:
            self.close()
            raise
        if self._strict and isinstance(result, RowError):
            self.close()
            raise result
        return result

    def __enter__(self) -> DialogueReader:
        """Return the reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the source."""
        self.close()

    def __del__(self) -> None:
        """Close a source whose reader was dropped half way."""
        if hasattr(self, "_source"):
            self.close()

    def close(self) -> None:
        """Stop reading; a stream that was handed in stays open."""
        self._results = iter(())
        self._source.close()


def read_dialogues(
    source: SourceLike,
    format: str = AUTO,
    *,
    columns: str | Columns | None = None,
    strict: bool = False,
    rename_repeats: bool = True,
) -> DialogueReader:
    """Read dialogues from a file, a folder of a known corpus, or a stream.

    Line- and csv-based layouts stream in constant memory.

    Args:
        source: a path, ``"-"`` for standard input, or an open text or binary stream.
        format: a name in :data:`FORMATS`, or ``auto`` to tell it from the content.
        columns: which column or key holds what, as a mapping or ``"text=body,id=key"``
            (csv and jsonl only).
        strict: raise the first bad row instead of handing it on.
        rename_repeats: give repeated ids a number of their own; without it ids are as in
            the file, and memory does not grow by the ids that were seen.

    Returns:
        An iterator of dialogues and, in the place of rows that cannot be read,
        :class:`~persona_lab.errors.RowError` objects. A repeated id becomes ``id#2``, and
        ``options["duplicate_of"]`` tells the id as in the file.

    Raises:
        InputError: the source is missing, empty, binary or wrongly encoded.
        FormatError: its layout is unknown, or lacks what the layout needs.
    """
    return DialogueReader(
        source, format, parse_columns(columns), strict=strict, rename_repeats=rename_repeats
    )


def detect_format(source: SourceLike, *, columns: str | Columns | None = None) -> str:
    """Name the layout of a file, a folder, or a stream that can be rewound.

    Args:
        source: a path or an open stream; a stream is put back where it was.
        columns: as for :func:`read_dialogues`; they speak for csv or jsonl.

    Raises:
        InputError: it cannot be read.
        FormatError: no layout fits, or the stream cannot be rewound.
    """
    stream: Any = None if isinstance(source, (str, os.PathLike)) else source
    if source == STDIN or (stream is not None and not stream.seekable()):
        raise FormatError(
            "a stream that cannot be rewound cannot be looked into; read_dialogues tells "
            "its layout in the attribute 'format'"
        )
    start = None if stream is None else stream.tell()
    opened = Source(source)
    try:
        return detect(opened, _BY_KEYS, parse_columns(columns))
    finally:
        opened.close()
        if stream is not None:
            stream.seek(start)


def parse_columns(columns: str | Columns | None) -> dict[str, str]:
    """Read ``"text=body,id=key"``; a mapping passes through.

    Raises:
        FormatError: a part is not ``role=name``, or a role is given twice.
    """
    if columns is None:
        return {}
    if not isinstance(columns, str):
        return dict(columns)
    chosen: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in columns.split(","))):
        role, equals, name = (piece.strip() for piece in part.partition("="))
        if not (role and equals and name) or role in chosen:
            raise FormatError(
                f"cannot read {part!r} in --columns; write ROLE=COLUMN once a role, "
                "for example text=body,id=key,speaker=who"
            )
        chosen[role] = name
    return chosen


def _spoken(results: Iterable[Result]) -> Iterator[Result]:
    """Without what reasoning models think before they speak, whatever the layout."""
    for result in results:
        yield result.spoken() if isinstance(result, Dialogue) else result


def unique_ids(results: Iterable[Result]) -> Iterator[Result]:
    """Give dialogues whose id was seen before an id of their own.

    Only hashes are kept: 64 bits an id, so even ten million rows collide with a
    probability below one in a hundred thousand, and a collision only renames a row.
    """
    seen: set[int] = set()
    repeats: dict[int, int] = {}
    for result in results:
        if isinstance(result, Dialogue):
            key = hash(result.id)
            if key in seen:
                result = _renamed(result, key, seen, repeats)
            seen.add(hash(result.id))
        yield result


def _renamed(dialogue: Dialogue, key: int, seen: set[int], repeats: dict[int, int]) -> Dialogue:
    count = repeats.get(key, 1) + 1
    while hash(f"{dialogue.id}#{count}") in seen:
        count += 1
    repeats[key] = count
    options = {**dialogue.options, "duplicate_of": dialogue.id}
    return replace(dialogue, id=f"{dialogue.id}#{count}", options=options)


def check_layout(layout: str) -> None:
    """Refuse the name of a layout that there is not.

    Raises:
        FormatError: it is neither ``auto`` nor in :data:`FORMATS`.
    """
    if layout not in (AUTO, *FORMATS):
        raise FormatError(f"there is no format {layout!r}; use {AUTO}, {', '.join(FORMATS)}")
