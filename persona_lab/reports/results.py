"""Results that other commands wrote: which kind each is, and its rows one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from persona_lab.errors import InputError
from persona_lab.reports.trials import REPORT, TrialKind, trial_kind

Kind = Literal["interview", "scores", "consistency", "filter"] | TrialKind

ACCEPTED: Final = (
    "the folder or profile.json of 'persona-lab interview', rows of 'persona-lab score --out' or "
    "'persona-lab consistency --out', or the --out folder of 'persona-lab filter', 'reliability', "
    "'populations', 'judge' or 'converse'"
)
_TITLES: Final[Mapping[Kind, str]] = {
    "interview": "an interview",
    "scores": "score rows",
    "consistency": "consistency rows",
    "filter": "a filter run",
    "reliability": "a reliability run",
    "populations": "a population",
    "judge": "a judged run",
    "converse": "a run of talks",
}
_PROFILE: Final = "profile.json"
_MANIFEST: Final = "manifest.json"
_LEDGER: Final = "ledger"
_KEPT_PROBLEMS: Final = 20
_TRIED_LINES: Final = 1000
"""So many lines at the beginning of a file may be damaged before it is given up."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Given:
    """One result.

    Attributes:
        kind: of the result.
        path: the file; for a filter run, or a trial of bots, its folder.
        name: short, and unlike the others' of the page.
    """

    kind: Kind
    path: Path
    name: str


@dataclass(slots=True)
class Problems:
    """Rows that could not be read.

    Attributes:
        total: how many.
        listed: place and reason of the first ones.
    """

    total: int = 0
    listed: list[str] = field(default_factory=list)

    def add(self, place: str, reason: str) -> None:
        """Count one."""
        self.total += 1
        if len(self.listed) < _KEPT_PROBLEMS:
            self.listed.append(f"{place}: {reason}")

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        return {"total": self.total, "listed": list(self.listed)}


def recognise(paths: Sequence[Path]) -> list[Given]:
    """Tell the kind of each result from its content.

    Args:
        paths: files and folders, at least one.

    Returns:
        In the same order, all of one kind.

    Raises:
        InputError: one is not there, is no result or is named twice, or they are of
            different kinds.
    """
    found = [_recognise(path) for path in paths]
    seen: dict[Path, Path] = {}
    for given, (_, path) in zip(paths, found, strict=True):
        first = seen.setdefault(path.resolve(), given)
        if first is not given:
            raise InputError(f"{given} is the same result as {first}; name each once")
    for given, (kind, _) in zip(paths, found, strict=True):
        if kind != found[0][0]:
            raise InputError(
                f"{paths[0]} holds {_TITLES[found[0][0]]} and {given} {_TITLES[kind]}; a page is "
                "about one kind of result, so make a page of each"
            )
    names = _names([_shown(path) for _, path in found])
    return [Given(kind, path, name) for (kind, path), name in zip(found, names, strict=True)]


def read_rows(
    given: Given, parse: Callable[[Mapping[str, Any]], T], problems: Problems
) -> Iterator[T]:
    """The rows of a file; a bad one is counted, and the others come.

    Args:
        given: score or consistency rows.
        parse: raises KeyError, TypeError or ValueError where a row lacks something.
        problems: to count in.

    Raises:
        InputError: the file cannot be read, or holds rows of another kind, too.
    """
    for number, raw in _lines(given.path):
        place = f"{given.name}:{number}"
        try:
            row = json.loads(raw)
        except ValueError:
            problems.add(place, "not a line of JSON")
            continue
        kind = kind_of(row)
        if kind is None:
            problems.add(place, "neither a score row nor a consistency row")
        elif kind != given.kind:
            raise InputError(
                f"{given.path}:{number} is one of {_TITLES[kind]} among {_TITLES[given.kind]}; put "
                "them in files of their own and make a page of each"
            )
        else:
            try:
                yield parse(row)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                problems.add(place, _told(error))


def kind_of(row: object) -> Kind | None:
    """What kind of result row it is; None if it is none."""
    if not isinstance(row, dict) or not {"id", "speaker", "framework", "status"} <= row.keys():
        return None
    if "parts" in row:
        return "consistency"
    return "scores" if "traits" in row else None


def probability(value: object) -> float:
    """A number from 0 to 1.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError("a figure is not a number from 0 to 1")
    return float(value)


def count(value: object) -> int:
    """A whole number, 0 or more.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a count is not a whole number from 0 on")
    return value


def word(value: object) -> str:
    """A string that can be written to a file.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, str) or value != writable(value):
        raise ValueError("a name is not a string")
    return value


def writable(text: str) -> str:
    """A text without the halves of characters that a file's name or an option may hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or not known"
    return str(error) if isinstance(error, ValueError) else "a field is of another type"


def _recognise(path: Path) -> tuple[Kind, Path]:
    try:
        if path.is_dir():
            return _folder(path)
        if path.name in (_PROFILE, _MANIFEST, REPORT):
            return _folder(path.parent)
        return _file(path), path
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from None


def _folder(path: Path) -> tuple[Kind, Path]:
    if (path / _PROFILE).is_file():
        return "interview", path / _PROFILE
    if path.name == _LEDGER and _is_run(path.parent):
        path = path.parent
    if _is_run(path):
        return "filter", path
    if (trial := trial_kind(path)) is not None:
        return trial, path
    raise InputError(f"the folder {path} holds no result; give {ACCEPTED}")


def _is_run(folder: Path) -> bool:
    """Does a filter run's manifest lie there? Other programs write files of that name, too."""
    manifest = folder / _MANIFEST
    found = _whole(manifest) if manifest.is_file() else None
    return isinstance(found, dict) and "job" in found


def _file(path: Path) -> Kind:
    from persona_lab.interviews.summary import FORMAT

    for number, raw in _lines(path):
        if number > _TRIED_LINES:
            break
        try:
            row = json.loads(raw)
        except ValueError:
            row = _whole(path) if number == 1 and raw.strip() == b"{" else None
        kind = kind_of(row)
        if kind is not None:
            return kind
        if isinstance(row, dict) and row.get("format") == FORMAT:
            return "interview"
    raise InputError(f"{path} is no result; give {ACCEPTED}")


def _whole(path: Path) -> object:
    """A JSON document of several lines; None if it is none."""
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if raw.strip():
                    yield number, raw
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from None


def _shown(path: Path) -> Path:
    """What a result is called by: a profile by its folder."""
    return path.resolve().parent if path.name == _PROFILE else path.resolve()


def _names(paths: Sequence[Path]) -> list[str]:
    """As few of the last parts of each path as tell it from the others."""
    names = []
    for path in paths:
        others = [other for other in paths if other != path]
        n = 1
        while any(other.parts[-n:] == path.parts[-n:] for other in others):
            n += 1
        names.append(writable("/".join(path.parts[-n:])))
    return names
