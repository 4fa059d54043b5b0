"""From what a reader yields to results, in the order of the input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from persona_lab.detectors import Detector, Request, Result
from persona_lab.dialogue import Dialogue
from persona_lab.errors import InputError, PersonaLabError, RowError, SpeakerError
from persona_lab.profile import Profile, Unscored, Warning_
from persona_lab.speakers import SpeakerSearch
from persona_lab.traits import FRAMEWORKS

_BATCH_CHARACTERS = 100_000
_BATCH_STEPS = 256
"""A batch is about what a detector reads at once; memory does not grow with the input."""

_FIRST_STEPS = 8
"""The first batch; each may be twice the one before, so that the first rows come at once."""


class Key(NamedTuple):
    """What a row is about; one row a key and dialogue."""

    id: str
    speaker: str | None
    framework: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One speaker to score, or the rows that stand in for one that cannot be.

    Attributes:
        dialogue: where it comes from; None for a row that could not be read.
        request: for the detector.
        rows: the results where there is nothing to ask the detector.
    """

    dialogue: Dialogue | None
    request: Request | None = None
    rows: tuple[Unscored, ...] = ()


@dataclass(slots=True)
class Tally:
    """What came out so far.

    Attributes:
        records: dialogues and bad rows read, skipped ones included.
        skipped: dialogues whose rows were there already.
        unreadable: bad rows.
        scored: result rows with scores.
        unscored: other result rows, by code.
    """

    records: int = 0
    skipped: int = 0
    unreadable: int = 0
    scored: int = 0
    unscored: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """Result rows."""
        return self.scored + self.unscored.total()

    def check(self) -> None:
        """Raise where rows were read and not one of them was good.

        Raises:
            InputError: so it is.
        """
        if self.unreadable and self.unreadable == self.records:
            raise InputError(
                f"not one of {self.records} rows could be read, for the reasons above; "
                "repair the file, or name its layout with --format"
            )


class Scoring:
    """One run over an input.

    Attributes:
        tally: counts, up to date while the results are taken.
        failure: why the input ended early; the rows before it are good.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        frameworks: tuple[str, ...],
        speaker: str | None = None,
        explain: bool = False,
        done: Callable[[list[Key]], bool] | None = None,
        on_bad_row: Callable[[RowError], None] | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            detector: scores.
            frameworks: names, in the order of the rows.
            speaker: as given to ``--speaker``.
            explain: also fill ``evidence``.
            done: tells whether the rows with these keys exist already; None if none do.
            on_bad_row: is told of rows that cannot be read; None for nobody.
        """
        self.tally = Tally()
        self.failure: PersonaLabError | None = None
        self._detector, self._frameworks, self._speaker = detector, frameworks, speaker
        self._explain, self._done, self._on_bad_row = explain, done, on_bad_row
        self._search = SpeakerSearch(speaker)

    def results(
        self, records: Iterable[Dialogue | RowError]
    ) -> Iterator[tuple[Dialogue | None, Result]]:
        """Score all records.

        Yields:
            The dialogue (None for a row that could not be read) and one result a speaker
            and framework, in order.
        """
        for batch in self._batches(records):
            requests = [step.request for step in batch if step.request is not None]
            answers = self._detector.profiles(
                requests, frameworks=self._frameworks, explain=self._explain
            )
            for step in batch:
                found: Iterable[Result] = step.rows
                if step.request is not None:
                    found = [next(answers) for _ in self._frameworks]
                for result in found:
                    self._count(result)
                    yield step.dialogue, _marked(result, step.dialogue)

    def check(self) -> None:
        """Raise what went wrong with the input as a whole, after its rows came out.

        Raises:
            PersonaLabError: the input ended early, nothing in it could be read, or the
                speaker that was asked for is in none of its dialogues.
        """
        if self.failure is not None:
            raise self.failure
        self._search.check()
        self.tally.check()

    def _batches(self, records: Iterable[Dialogue | RowError]) -> Iterator[list[Step]]:
        batch: list[Step] = []
        size, most = 0, _FIRST_STEPS
        for step in self._steps(records):
            batch.append(step)
            if step.request is not None:
                size += sum(len(u.text) for u in step.request.utterances)
            if size >= _BATCH_CHARACTERS or len(batch) >= most:
                yield batch
                batch, size = [], 0
                most = min(2 * most, _BATCH_STEPS)
        if batch:
            yield batch

    def _steps(self, records: Iterable[Dialogue | RowError]) -> Iterator[Step]:
        stream = iter(records)
        while True:
            try:
                record = next(stream)
            except StopIteration:
                return
            except PersonaLabError as error:
                self.failure = error
                return
            self.tally.records += 1
            steps = self._bad_row(record) if isinstance(record, RowError) else self._plan(record)
            if self._done is not None and self._done(self._keys(steps)):
                self.tally.skipped += 1
            else:
                yield from steps

    def _bad_row(self, error: RowError) -> list[Step]:
        self.tally.unreadable += 1
        if self._on_bad_row is not None:
            self._on_bad_row(error)
        return [Step(None, rows=(Unscored(error.row_id, None, None, str(error), "unreadable"),))]

    def _plan(self, dialogue: Dialogue) -> list[Step]:
        try:
            names = self._search.choose(dialogue)
        except SpeakerError as error:
            rows = tuple(
                Unscored(dialogue.id, self._speaker, FRAMEWORKS[name], str(error), "no_speaker")
                for name in self._frameworks
            )
            return [Step(dialogue, rows=rows)]
        if not names:
            empty = Unscored(dialogue.id, None, None, "the dialogue has no turns", "no_words")
            return [Step(dialogue, rows=(empty,))]
        return [Step(dialogue, request=Request.of(dialogue, name)) for name in names]

    def _keys(self, steps: list[Step]) -> list[Key]:
        keys = []
        for step in steps:
            if step.request is not None:
                who = step.request
                keys += [Key(who.id, who.speaker, name) for name in self._frameworks]
            keys += [key_of(row) for row in step.rows]
        return keys

    def _count(self, result: Result) -> None:
        if isinstance(result, Profile):
            self.tally.scored += 1
        else:
            self.tally.unscored[result.code] += 1


def key_of(result: Result) -> Key:
    """What a result is about."""
    framework = result.framework.name if result.framework else None
    return Key(result.id, result.speaker, framework)


def _marked(result: Result, dialogue: Dialogue | None) -> Result:
    """Say so where the id is not the one in the file."""
    own_id = dialogue.options.get("duplicate_of") if dialogue else None
    if own_id is None:
        return result
    message = f"the id {own_id!r} occurs more than once; this row was renamed {result.id!r}"
    return replace(result, warnings=(*result.warnings, Warning_("duplicate_id", message)))
