"""Files, folders and globs of them: which files an input stands for."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from persona_lab.errors import FormatError, InputError
from persona_lab.formats.arrow_tables import ARROW_SUFFIXES, is_dataset, splits_of
from persona_lab.formats.base import Columns
from persona_lab.formats.packed import stem
from persona_lab.formats.reading import detect_format

SUFFIXES = ARROW_SUFFIXES | {
    *(".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".vtt", ".srt", ".fountain"),
}
"""Extensions of the files that are taken from a folder; others are left alone."""

_SMALL = 64


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file (or dataset folder) to read.

    Attributes:
        path: where it lies.
        name: unique among the inputs; relative to the folder that was given.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Expanded:
    """What the inputs stand for.

    Attributes:
        files: in order: as given, the files of a folder by name.
        skipped: files of folders whose extension is none of a dialogue file.
        stray: JSON files of folders that hold no dialogues, such as the description of a
            data set that lies beside it.
        empty: files of folders with nothing in them.
    """

    files: tuple[InputFile, ...]
    skipped: tuple[Path, ...]
    stray: tuple[Path, ...] = ()
    empty: tuple[Path, ...] = ()

    def remarks(self) -> Iterator[str]:
        """What is left out of the folders for what is in it, and why: a remark a file."""
        for path in self.stray:
            yield f"{path.name} left out: it is JSON of no known layout"
        for path in self.empty:
            yield f"{path.name} left out: it is empty"

    def warnings(self) -> Iterator[str]:
        """All that is left out of the folders; one remark for files of other kinds."""
        if self.skipped:
            more = f" and {len(self.skipped) - 1} more" if len(self.skipped) > 1 else ""
            what = "left out: the extension is not one of a dialogue file"
            yield f"{self.skipped[0]}{more} {what}"
        yield from self.remarks()


def expand(given: Iterable[str | Path], columns: str | Columns | None = None) -> Expanded:
    """Find the files that paths, folders and globs stand for.

    A folder stands for all dialogue files in and below it; a folder that
    ``datasets.Dataset.save_to_disk`` wrote counts as one file, one of a ``DatasetDict`` as
    one a split. Hidden files are left out, and a file that is named twice is read once.

    Args:
        given: paths, folders and globs.
        columns: chosen columns or keys; a file that they fit is not stray.

    Raises:
        InputError: there is no such file, or a folder or glob has no file to read.
    """
    found: dict[Path, str] = {}
    skipped: list[Path] = []
    stray: list[Path] = []
    empty: list[Path] = []
    for one in map(str, given):
        files = _expand_one(one, skipped)
        inner = [path for path, _ in files if Path(one).is_dir()]
        bare = [path for path in inner if _is_empty(path)]
        odd = [path for path in inner if path not in bare and _is_stray(path, columns)]
        # where nothing else is there, the reader says what is wrong with it
        some = len(odd) + len(bare) < len(files)
        stray += odd if some else []
        empty += bare if some else []
        for path, name in files:
            if path not in (*stray, *empty) and path.resolve() not in {
                known.resolve() for known in found
            }:
                found[path] = _unique(name, set(found.values()))
    files_found = tuple(InputFile(path, name) for path, name in found.items())
    return Expanded(files_found, tuple(skipped), tuple(stray), tuple(empty))


def _is_empty(path: Path) -> bool:
    try:
        small = path.is_file() and path.stat().st_size <= _SMALL
        return small and path.read_bytes().strip() in (b"", b"[]", b"[\n]")
    except OSError:  # what is wrong is told where it is read
        return False


def _is_stray(path: Path, columns: str | Columns | None) -> bool:
    if Path(stem(path.name)).suffix.lower() != ".json" or path.is_dir():
        return False
    try:
        detect_format(path, columns=columns)
    except FormatError:
        return True
    except InputError:  # what is wrong is told where it is read
        pass
    return False


def _expand_one(given: str, skipped: list[Path]) -> list[tuple[Path, str]]:
    path = Path(given)
    if path.is_dir():
        files = [(file, file.relative_to(path).as_posix()) for file in _walk(path, skipped)]
        if path in (file for file, _ in files):
            files = [(path, path.resolve().name)]
        what = "the folder"
    elif path.exists() or not glob.has_magic(given):
        return [(path, path.name)]
    else:
        matches = sorted(Path(match) for match in glob.glob(given, recursive=True))
        files = []
        for match in matches:
            inner = _walk(match, skipped) if match.is_dir() else [match]
            files += [(file, file.name) for file in inner]
        what = "the pattern"
    if not files:
        raise InputError(
            f"{what} {given!r} has no file to read; files in folders are told by their "
            f"extension: {', '.join(sorted(SUFFIXES))}, also with .gz or .zst"
        )
    return files


def _walk(folder: Path, skipped: list[Path]) -> list[Path]:
    if is_dataset(folder):
        return [folder]
    if splits := splits_of(folder):
        return splits
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            found += _walk(path, skipped)
        elif Path(stem(path.name)).suffix.lower() in SUFFIXES:
            found.append(path)
        else:
            skipped.append(path)
    return found


def _unique(name: str, taken: set[str]) -> str:
    """The name, with a number in front of its last part where another input has it."""
    unique, count = name, 1
    while unique in taken:
        count += 1
        folder, slash, last = name.rpartition("/")
        unique = f"{folder}{slash}{count}-{last}"
    return unique
