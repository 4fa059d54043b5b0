"""Texts that readers rated, and what is learnt from several ratings of one text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.reader.scale import AXES, RATINGS, STEPS
from persona_lab.detectors.reader.text import plain
from persona_lab.errors import TrainingError
from persona_lab.instruments import load_instrument

Split = Literal["train", "valid", "test"]
Floats = NDArray[np.float32]

DATA = Path(__file__).resolve().parent.parent / "data" / "reader"
"""Our own texts with their ratings, and the ratings of texts of corpora."""

WRITTEN, RATED = "written.jsonl", "rated.jsonl"

DIALOGUES = DATA.parent / "dialogues.jsonl"
"""Talks of a user and a chatbot whose character is known; nothing was trained on them."""

LETTERS: Mapping[str, str] = dict(
    zip(("O", "C", "E", "A", "N", "SN", "TF", "JP"), AXES, strict=True)
)
"""Axis by the name it has in the files."""

OWN = "own:"

WRITER = "writer"
"""The rater who wrote the text and noted what it should show."""

_SLIP = 0.1
"""Share of a rating that goes to its neighbours: raters who agree at r = .92 slip that often."""

_PLAIN = (0.02, 0.03, 0.10, 0.35, 0.50)
"""What readers say of a plain statement about oneself, from the other pole to this one."""

_IPIP = ("ipip-120", "ipip-50")


@dataclass(frozen=True, slots=True)
class Rated:
    """A text and what readers say that it shows.

    Attributes:
        id: of the text.
        text: as the reader is given it, see :func:`~persona_lab.detectors.reader.text.plain`.
        kind: ``utterance``, ``passage``, ``chat``, ``answer``, ``narration``, ``statement``.
        source: corpus, or ``own:`` and the writer.
        group: author, scene or situation; a group stands on one side of a split.
        split: ``train``, ``valid`` or ``test``.
        chances: ``(8, 5)`` share of each rating by axis.
        known: ``(8,)`` 1 where an axis was rated.
        ratings: by rater, by axis; empty for statements.
    """

    id: str
    text: str
    kind: str
    source: str
    group: str
    split: Split
    chances: Floats
    known: Floats
    ratings: Mapping[str, Mapping[str, int]]

    @property
    def written(self) -> bool:
        """Is it a text of our own?"""
        return self.source.startswith(OWN)

    @property
    def blind(self) -> Mapping[str, Mapping[str, int]]:
        """The ratings of those who did not write the text."""
        return {who: r for who, r in self.ratings.items() if who != WRITER}

    @property
    def levels(self) -> Floats:
        """Mean rating by axis, ``(8,)``; NaN where there is none.

        A writer's intent counts only where nobody else rated.
        """
        found = np.full(len(AXES), np.nan, np.float32)
        for place, axis in enumerate(AXES):
            given = [r[axis] for r in self.blind.values() if axis in r]
            given = given or [r[axis] for r in self.ratings.values() if axis in r]
            if given:
                found[place] = np.mean(given)
        return found


def shares(ratings: Iterable[Mapping[str, int]]) -> tuple[Floats, Floats]:
    """What to learn from ratings: the shares of each, with what raters slip.

    Args:
        ratings: by axis, one mapping a rater.

    Returns:
        ``(8, 5)`` and ``(8,)``, as in :class:`Rated`.
    """
    found = np.zeros((len(AXES), len(RATINGS)), np.float32)
    for one in ratings:
        for axis, rating in one.items():
            found[AXES.index(axis), RATINGS.index(rating)] += 1.0
    count = found.sum(axis=1)
    found /= np.maximum(count, 1.0)[:, None]
    return found @ _slips(), (count > 0).astype(np.float32)


def read_written(folder: Path = DATA) -> list[Rated]:
    """Our own texts.

    Raises:
        TrainingError: the file is not there or cannot be read.
    """
    return [
        rated(row, plain(row["text"]), OWN + row["writer"]) for row in rows_of(folder / WRITTEN)
    ]


def statements() -> list[Rated]:
    """The items of the IPIP, each plain about the one trait it is keyed for."""
    items = {item.text: (item, name) for name in _IPIP for item in load_instrument(name).items}
    return [
        statement(f"I {text[0].lower()}{text[1:]}", item.domain, high=item.keyed > 0, source=name)
        for text, (item, name) in items.items()
    ]


def statement(text: str, trait: str, *, high: bool, source: str) -> Rated:
    """A plain statement about oneself; what it shows of other traits is unknown."""
    chances = np.zeros((len(AXES), len(RATINGS)), np.float32)
    known = np.zeros(len(AXES), np.float32)
    chances[AXES.index(trait)] = _PLAIN if high else _PLAIN[::-1]
    known[AXES.index(trait)] = 1.0
    text = plain(text)
    key = text_hash(text)
    return Rated(key, text, "statement", source, key, "train", chances, known, {})


def rated(row: Mapping[str, Any], text: str, source: str) -> Rated:
    """A line of a file of ratings with its text."""
    ratings = {
        rater: {LETTERS[letter]: int(value) for letter, value in given.items()}
        for rater, given in row["ratings"].items()
    }
    chances, known = shares(ratings.values())
    return Rated(
        row["id"], text, row["kind"], source, row["group"], row["split"], chances, known, ratings
    )


def rows_of(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file of ratings.

    Raises:
        TrainingError: the file is not there, or a line cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TrainingError(f"cannot read the ratings in {file}: {error}") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise TrainingError(f"{file}, line {number} is no JSON: {error}") from error


def text_hash(text: str) -> str:
    """Sixteen letters that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def levels(found: Sequence[Rated]) -> Floats:
    """Mean ratings, ``(n, 8)``, NaN where there is none."""
    return np.stack([one.levels for one in found])


def _slips() -> Floats:
    """``(5, 5)``: of each rating, what share is said as which."""
    found = np.zeros((len(RATINGS), len(RATINGS)), np.float32)
    for place in range(len(STEPS)):
        near = [p for p in (place - 1, place + 1) if 0 <= p < len(STEPS)]
        found[place, place] = 1.0 - _SLIP
        found[place, near] = _SLIP / len(near)
    return found
