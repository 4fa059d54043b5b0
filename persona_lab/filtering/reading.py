"""The rows of all inputs in one numbered stream, cut into chunks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from persona_lab.dialogue import Dialogue
from persona_lab.errors import InputError, PersonaLabError, RowError, SpeakerError
from persona_lab.filtering.duplicates import mark_repeats
from persona_lab.formats import Columns, DialogueReader, read_dialogues
from persona_lab.formats.arrow_tables import files_of, is_table
from persona_lab.formats.inputs import InputFile
from persona_lab.formats.packed import open_unpacked
from persona_lab.speakers import SpeakerSearch

CHUNK_ROWS = 256
"""Rows that are scored and written at once: what a killed run loses at most, by worker."""

CUT_OFF = "cut_off"
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Input:
    """An input as a run sees it, from its start to its end.

    Attributes:
        path: where it lies.
        name: unique among the inputs.
        size: bytes when the run began; what is added later is not read.
        layout: name of the format.
    """

    path: str
    name: str
    size: int
    layout: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an input.

    Attributes:
        ordinal: position among the rows of all inputs, from 0.
        source: index of the input.
        row: position in its input, from 1.
        line: where it begins.
        id: as in the file, else made from its position.
        group: that the file names.
        dialogue: None for a bad row, and where it is not needed.
        code: ``unreadable``, or ``cut_off`` for the rest of an input that breaks off;
            empty for a good row.
        problem: what is wrong with a bad row.
        content: hash of what is scored; empty for a bad row.
        copy_of: ordinal of the first row with the same content, if that is reused.
        repeats: is there an earlier row with the same content?
    """

    ordinal: int
    source: int
    row: int
    line: int
    id: str
    group: str | None = None
    dialogue: Dialogue | None = None
    code: str = ""
    problem: str = ""
    content: str = ""
    copy_of: int | None = None
    repeats: bool = False

    @property
    def scored_anew(self) -> bool:
        """Has it to be scored, rather than copied or reported?"""
        return not self.code and self.copy_of is None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows; all chunks but the last are of one length."""

    number: int
    rows: tuple[Row, ...]

    @property
    def to_score(self) -> list[Dialogue]:
        """Dialogues that have to be scored, in order."""
        return [row.dialogue for row in self.rows if row.scored_anew and row.dialogue is not None]

    def without_texts(self) -> Chunk:
        """The same rows, less what only scoring needs."""
        return Chunk(self.number, tuple(replace(row, dialogue=None) for row in self.rows))


def inspect(files: Sequence[InputFile], format: str, columns: Columns) -> list[Input]:
    """Look into every input, so that mistakes show before anything runs.

    Args:
        files: from :func:`persona_lab.formats.inputs.expand`.
        format: a layout for all, or ``auto``.
        columns: as for ``read_dialogues``.

    Raises:
        InputError: one cannot be read, or is of no known layout; all such are named.
    """
    found: list[Input] = []
    problems: list[str] = []
    for file in files:
        try:
            size = sum(part.stat().st_size for part in files_of(file.path))
            entry = Input(str(file.path.resolve()), file.name, size, format)
            with opened(entry, columns) as reader:
                found.append(Input(entry.path, entry.name, size, reader.format))
        except FileNotFoundError:
            problems.append(f"there is no file {str(file.path)!r}; check the path")
        except OSError as error:
            problems.append(f"cannot read {str(file.path)!r}: {error.strerror}")
        except PersonaLabError as error:
            problems.append(str(error))
    if problems:
        more = f"; and {len(problems) - 3} more files" if len(problems) > 3 else ""
        raise InputError("; ".join(problems[:3]) + more)
    return found


class opened:
    """Open one input for reading; a context manager that gives the reader."""

    def __init__(self, entry: Input, columns: Columns, *, strict: bool = False) -> None:
        """Keep what to open."""
        self._entry, self._columns, self._strict = entry, columns, strict
        self._stack = ExitStack()

    def __enter__(self) -> DialogueReader:
        """Open it, up to the size that it had when the run began."""
        path = Path(self._entry.path)
        how = {"columns": self._columns, "strict": self._strict, "rename_repeats": False}
        if is_table(path) or path.is_dir():
            reader = read_dialogues(path, self._entry.layout, **how)  # type: ignore[arg-type]
        else:
            stream = self._stack.enter_context(open_unpacked(path, limit=self._entry.size))
            reader = read_dialogues(stream, self._entry.layout, **how)  # type: ignore[arg-type]
        return self._stack.enter_context(reader)

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._stack.close()


@dataclass(slots=True)
class RowReader:
    """All rows of all inputs, in order.

    An input that breaks off gives one more bad row that stands for its rest.

    Attributes:
        inputs: from :func:`inspect`.
        columns: as for ``read_dialogues``.
        strict: raise at the first bad row.
        limit: rows of all inputs together; None for all.
        find_repeats: look for rows with the same content.
        search: is shown every dialogue; None for none.
        stops: by input, the line of the first row that was left out for the limit.
        count: rows read so far.
        notes: remarks about the inputs that were read to their end.
    """

    inputs: Sequence[Input]
    columns: Columns
    strict: bool = False
    limit: int | None = None
    find_repeats: bool = False
    search: SpeakerSearch | None = None
    stops: dict[int, int] = field(default_factory=dict)
    count: int = 0
    notes: list[str] = field(default_factory=list)

    def chunks(self) -> Iterator[Chunk]:
        """The rows in chunks; where they are cut depends on nothing but their order."""
        rows = mark_repeats(self.rows()) if self.find_repeats else self.rows()
        number = 0
        while part := tuple(islice(rows, CHUNK_ROWS)):
            yield Chunk(number, part)
            number += 1

    def rows(self) -> Iterator[Row]:
        """Read.

        Raises:
            InputError: a row is bad, or an input breaks off, and reading is strict.
        """
        for source, entry in enumerate(self.inputs):
            results = _results(entry, self.columns, self.strict, self.notes)
            for row, (line, result, code) in enumerate(results, start=1):
                if self.count == self.limit:
                    self.stops[source] = line
                    return
                place = (self.count, source, row, line)
                self.count += 1
                if isinstance(result, RowError):
                    yield Row(*place, result.row_id, code=code, problem=str(result))
                else:
                    self._look(result)
                    content = content_hash(result)
                    yield Row(*place, result.id, result.group, result, content=content)

    def _look(self, dialogue: Dialogue) -> None:
        if self.search is not None:
            with suppress(SpeakerError):  # the scorer gives the row its reason
                self.search.choose(dialogue)


def _results(
    entry: Input, columns: Columns, strict: bool, notes: list[str]
) -> Iterator[tuple[int, Dialogue | RowError, str]]:
    line = 0
    try:
        with opened(entry, columns, strict=strict) as reader:
            for result in reader:
                line = int(result.place.rpartition(":")[2])
                yield line, result, UNREADABLE if isinstance(result, RowError) else ""
            notes += [f"{entry.name}: {remark}" for remark in reader.notes]
    except RowError:
        raise
    except InputError as error:
        if strict:
            raise
        place = f"{entry.name}:{line + 1}"
        yield line + 1, RowError(str(error), row_id=f"line-{line + 1}", place=place), CUT_OFF


def content_hash(dialogue: Dialogue) -> str:
    """Hash of all that a score depends on: turns, personas, labels, focus.

    Returns:
        32 hexadecimal digits (BLAKE2b, 128 bits).
    """
    speakers = sorted(dialogue.speakers.items())
    what = [
        [[u.speaker, u.text] for u in dialogue.utterances],
        [[name, s.persona, sorted(s.labels.items())] for name, s in speakers],
        dialogue.focus,
    ]
    text = json.dumps(what, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
