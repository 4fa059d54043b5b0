"""Score rows by column, so that a data set of a million rows fits."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from persona_lab.profile import Profile, Unscored, Warning_
from persona_lab.reports.results import Given, Problems, count, probability, read_rows, word
from persona_lab.reports.tallies import Floats, Models, Reasons
from persona_lab.traits import FRAMEWORKS, Framework

LABELS: Final = ("low", "abstain", "high")
_NONE: Final = -1
_NAN: Final = float("nan")


@dataclass(slots=True)
class Column:
    """One trait; a row that lacks it has NaN and no label.

    Attributes:
        p: probability of the high pole by row.
        low: lower end of its interval.
        high: upper end.
        threshold: the decision boundary.
        label: place in :data:`LABELS`.
    """

    p: array[float] = field(default_factory=lambda: array("d"))
    low: array[float] = field(default_factory=lambda: array("d"))
    high: array[float] = field(default_factory=lambda: array("d"))
    threshold: array[float] = field(default_factory=lambda: array("d"))
    label: array[int] = field(default_factory=lambda: array("b"))

    def numbers(self, name: str) -> Floats:
        """One of the columns as ``(n,)`` numbers."""
        return np.array(getattr(self, name), np.float64)

    def labels(self) -> NDArray[np.int8]:
        """``(n,)``; -1 where there is none."""
        return np.array(self.label, np.int8)


@dataclass(slots=True)
class Scored:
    """All scored rows of a framework.

    Attributes:
        framework: which.
        ids: of the dialogues.
        speakers: names.
        sources: places of the files.
        words: of the speakers.
        traits: by key.
        types: MBTI types and how many rows have each.
    """

    framework: Framework
    ids: list[str] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)
    sources: array[int] = field(default_factory=lambda: array("l"))
    words: array[int] = field(default_factory=lambda: array("q"))
    traits: dict[str, Column] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)

    def add(self, source: int, profile: Profile) -> None:
        """Take a row in."""
        self.ids.append(profile.id)
        self.speakers.append(profile.speaker)
        self.sources.append(source)
        self.words.append(profile.word_count)
        for key, column in self.traits.items():
            found = profile.traits.get(key)
            column.p.append(_NAN if found is None else found.p_high)
            column.low.append(_NAN if found is None else found.low)
            column.high.append(_NAN if found is None else found.high)
            column.threshold.append(_NAN if found is None else found.threshold)
            column.label.append(_NONE if found is None else LABELS.index(found.label))
        if profile.type is not None:
            self.types[profile.type] += 1


@dataclass(slots=True)
class Source:
    """What is counted of one file.

    Attributes:
        name: of the file.
        ids: of its dialogues.
        scored: rows.
        unscored: rows.
        words: by dialogue and speaker.
    """

    name: str
    ids: set[str] = field(default_factory=set)
    scored: int = 0
    unscored: int = 0
    words: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(slots=True)
class ScoreRows:
    """The rows of one or more files.

    Attributes:
        sources: the files.
        scored: by framework.
        unscored: why.
        warnings: rows by code.
        models: that scored.
        problems: rows that could not be read.
        repeated: rows about the same dialogue, speaker and framework as an earlier one of
            their file.
    """

    sources: list[Source] = field(default_factory=list)
    scored: dict[str, Scored] = field(default_factory=dict)
    unscored: Reasons = field(default_factory=Reasons)
    warnings: Counter[str] = field(default_factory=Counter)
    models: Models = field(default_factory=Models)
    problems: Problems = field(default_factory=Problems)
    repeated: int = 0

    def _add(self, place: int, row: Profile | Unscored, seen: set[int]) -> None:
        source = self.sources[place]
        source.ids.add(row.id)
        if row.speaker is not None:
            source.words.setdefault((row.id, row.speaker), row.word_count)
        self.warnings.update({warning.code for warning in row.warnings})
        if isinstance(row, Unscored):
            source.unscored += 1
            self.unscored.add(row.reason, row.code)
            return
        source.scored += 1
        name = row.framework.name
        key = hash((row.id, row.speaker, name))
        self.repeated += key in seen
        seen.add(key)
        if name not in self.scored:
            columns = {trait: Column() for trait in row.framework.keys}
            self.scored[name] = Scored(row.framework, traits=columns)
        self.scored[name].add(place, row)


def read_scores(given: Sequence[Given]) -> ScoreRows:
    """Read all rows; bad ones are counted.

    Args:
        given: files of score rows.

    Raises:
        InputError: a file cannot be read, or holds rows of another kind, too.
    """
    found = ScoreRows()

    def parse(row: Mapping[str, Any]) -> Profile | Unscored:
        result = parse_score(row)
        found.models.add(row["model"])
        return result

    for place, one in enumerate(given):
        found.sources.append(Source(one.name))
        seen: set[int] = set()
        for row in read_rows(one, parse, found.problems):
            found._add(place, row, seen)
    return found


def parse_score(row: Mapping[str, Any]) -> Profile | Unscored:
    """A row of ``persona-lab score``.

    Raises:
        KeyError: it lacks something, or the framework is not known.
        ValueError: a figure or name is none.
        TypeError: a field is of another type.
    """
    word(row["id"])
    count(row["word_count"])
    if row["status"] == "unscored":
        name = row["framework"]
        return Unscored(
            row["id"],
            None if row["speaker"] is None else word(row["speaker"]),
            None if name is None else FRAMEWORKS[name],
            word(row["reason"]),
            word(row["code"]),
            row["word_count"],
            warnings=tuple(Warning_(**warning) for warning in row["warnings"]),
        )
    if row["status"] != "scored":
        raise ValueError("its status is neither scored nor unscored")
    word(row["speaker"])
    profile = Profile.from_row(row)
    for key, score in profile.traits.items():
        if key not in profile.framework.keys:
            raise ValueError(f"{profile.framework.title} has no trait {key!r}")
        if score.label not in LABELS:
            raise ValueError("a label is neither high, low nor abstain")
        for figure in (score.p_high, score.low, score.high, score.threshold):
            probability(figure)
    return profile
