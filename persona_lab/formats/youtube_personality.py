"""YouTube personality (Biel and Gatica-Perez 2013): vlog transcripts with impressions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from persona_lab.dialogue import Dialogue
from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats.base import Columns, Format, Result
from persona_lab.formats.source import Source

SCORES = "impression_scores.csv"
TRANSCRIPTS = "transcripts"

_VLOG = "vlogId"
_SCALE = (1.0, 7.0)
_COLUMNS = {
    "openness": "Open",
    "conscientiousness": "Cons",
    "extraversion": "Extr",
    "agreeableness": "Agr",
    "neuroticism": "Emot",
}
_DIGITS = re.compile(r"(\d+)")
_REMEDY = f"give the folder that holds {SCORES} and {TRANSCRIPTS}/*.txt, or one transcript in it"


def scores_beside(path: Path) -> Path | None:
    """The score table that belongs to a transcript: in its folder or the one above."""
    for folder in (path.parent, path.parent.parent):
        if (folder / SCORES).is_file():
            return folder / SCORES
    return None


def is_score_table(first_line: str) -> bool:
    """Is this the header of the score table, which holds no text of its own?"""
    return first_line.split()[:1] == [_VLOG]


def is_rated(path: Path) -> bool:
    """Is this the transcript of a vlog that a score table beside it lists?"""
    table = scores_beside(path)
    if table is None:
        return False
    lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.split()[:1] == [path.stem] for line in lines)


def _scores(path: Path) -> tuple[dict[str, dict[str, float]], list[RowError]]:
    """Labels by vlog on the scale 1..7, and the rows that cannot be read."""
    source = Source(path)
    try:
        lines = source.lines()
        header = next(lines).text.split()
        missing = [name for name in (_VLOG, *_COLUMNS.values()) if name not in header]
        if missing:
            raise FormatError(f"{source.name} has no column {', '.join(missing)}; {_REMEDY}")
        labels: dict[str, dict[str, float]] = {}
        bad: list[RowError] = []
        for line in lines:
            if line.blank:
                continue
            cells = line.text.split()
            try:
                row = dict(zip(header, cells, strict=True))
                labels[row[_VLOG]] = _labels(row)
            except ValueError:
                message = f"must hold a vlog id and five scores from {_SCALE[0]:g} to {_SCALE[1]:g}"
                row_id, place = f"line-{line.number}", source.place(line.number)
                bad.append(RowError(message, row_id=row_id, place=place))
        return labels, bad
    finally:
        source.close()


def _labels(row: Mapping[str, str]) -> dict[str, float]:
    labels = {trait: float(row[column]) for trait, column in _COLUMNS.items()}
    if not all(_SCALE[0] <= value <= _SCALE[1] for value in labels.values()):
        raise ValueError
    # The raters judged emotional stability; the scale is turned around its middle.
    labels["neuroticism"] = round(sum(_SCALE) - labels["neuroticism"], 6)
    return labels


def _order(path: Path) -> tuple[list[tuple[float, str]], str]:
    """VLOG3 before VLOG10."""
    parts = _DIGITS.split(path.stem)
    return [(float(p) if p.isdecimal() else math.inf, p) for p in parts], path.name


def _transcript(source: Source, labels: Mapping[str, float]) -> Dialogue:
    line = source.peek(1)[0].number
    dialogue = Dialogue.from_text(source.whole(), id=source.stem, labels=labels)
    return replace(dialogue, group=source.stem, place=source.place(line))


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    if source.path is None:
        raise FormatError(f"the labels are in a file of their own; {_REMEDY}")
    if not source.is_folder:
        scores = scores_beside(source.path)
        if scores is None or source.path.name == SCORES:
            raise FormatError(f"{source.name} is no transcript with {SCORES} beside it; {_REMEDY}")
        labels, bad = _scores(scores)
        yield from bad
        yield _transcript(source, labels.get(source.stem, {}))
        return
    folder = source.path / TRANSCRIPTS
    files = sorted((folder if folder.is_dir() else source.path).glob("*.txt"), key=_order)
    if not (source.path / SCORES).is_file() or not files:
        raise FormatError(f"the folder {source.name} is not complete; {_REMEDY}")
    labels, bad = _scores(source.path / SCORES)
    yield from bad
    for file in files:
        yield _one(file, labels.get(file.stem, {}))


def _one(file: Path, labels: Mapping[str, float]) -> Result:
    """A transcript of the folder: here a file is a row, so its errors are a row's."""
    if not file.read_bytes().strip():
        empty = Dialogue.from_text("", id=file.stem, labels=labels)
        return replace(empty, group=file.stem, place=f"{file.name}:1")
    source = None
    try:
        source = Source(file)
        return _transcript(source, labels)
    except RowError as error:
        return error
    except InputError as error:
        return RowError(str(error), row_id=file.stem, place=f"{file.name}:1")
    finally:
        if source is not None:
            source.close()


FORMAT = Format(
    name="youtube-personality",
    help=f"folder with {TRANSCRIPTS}/*.txt and {SCORES}, or one of the transcripts",
    labels="Big Five impressions of observers, 1..7 (neuroticism = 8 - Emot)",
    read=_read,
)
