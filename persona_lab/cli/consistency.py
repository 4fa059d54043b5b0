"""``persona-lab consistency``: does the character stay the same, and match what was asked for?"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_lab.cli.data_options import ColumnsOption, opened_dialogues
from persona_lab.cli.measure import MeasureOption, detector_for
from persona_lab.cli.output import check_out, note, stderr, stdout, warn, write_json
from persona_lab.cli.progress import Progress
from persona_lab.errors import PersonaLabError, RowError, SpeakerError
from persona_lab.formats import FORMATS
from persona_lab.speakers import SpeakerSearch

if TYPE_CHECKING:
    from persona_lab.cli.resultfile import ResultFile
    from persona_lab.consistency.judge import ConsistencyJudge
    from persona_lab.consistency.report import Report, Unread
    from persona_lab.dialogue import Dialogue
    from persona_lab.scoring import Tally

    Found = tuple[Dialogue | None, Report | Unread]

EXAMPLES = (
    "persona-lab consistency chats.jsonl --speaker assistant",
    'persona-lab consistency chats.jsonl --target "E+ N-" --persona persona.txt',
    "persona-lab consistency talks.jsonl --persona auto --out consistency.jsonl",
)


def command(
    input: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A file of any layout below, a folder or glob of them (ids are FILE:ID), the "
            "folder of a known corpus, or - for stdin.",
            show_default=False,
        ),
    ],
    format: Annotated[
        str,
        typer.Option(
            help=f"Layout of INPUT: auto (tells it from the content), {', '.join(FORMATS)}."
        ),
    ] = "auto",
    columns: ColumnsOption = None,
    speaker: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|all",
            help="This speaker or role only (user, assistant), or all. Left out: the one a row "
            "is about where the layout names one, else all.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="The personality that was asked for: 'E+ N-', INFP, or a JSON file of traits.",
            show_default=False,
        ),
    ] = None,
    persona: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|auto",
            help="Persona statements, one a line or JSON {speaker: [...]}; auto takes them from "
            "the speaker's own turns. Left out: those in INPUT, if it has any.",
            show_default=False,
        ),
    ] = None,
    window: Annotated[
        int,
        typer.Option(min=2, metavar="K", help="Turns in a window; short dialogues get less."),
    ] = 5,
    detector: Annotated[
        str,
        typer.Option(
            metavar="NAME|DIR", help="A name from 'persona-lab models list', or a model's folder."
        ),
    ] = "default",
    measure: MeasureOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first row that cannot be read.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Read the first N rows only.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Write result rows there, each as it is made."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --out if it exists.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the file of --out where a run stopped.")
    ] = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print result rows as JSON lines on stdout.")
    ] = False,
) -> None:
    """Measure how consistent the speakers of dialogues are.

    Every speaker gets one score from 0 to 1 with an interval, made of parts: steadiness of
    what is shown, drift with its likeliest change point, match with a target,
    contradictions of the persona or of earlier turns, and fit to the partner. A part that
    cannot be scored comes with the reason.
    """
    check_out(input, out, overwrite=overwrite, resume=resume)
    with ExitStack() as stack:
        # mistakes in what was given show before a model is loaded and a file is touched
        reader = stack.enter_context(opened_dialogues(input, format, columns, strict=strict))

        from persona_lab.cli.resultfile import ResultFile
        from persona_lab.consistency.judge import ConsistencyJudge
        from persona_lab.consistency.personas import AUTO, read_persona
        from persona_lab.consistency.target import read_target
        from persona_lab.detectors.registry import load_detector
        from persona_lab.scoring import Tally

        judge = ConsistencyJudge(
            load_detector(detector_for(detector, measure)),
            target=read_target(target) if target is not None else None,
            persona=persona if persona in (None, AUTO) else read_persona(persona),
            window=window,
        )
        file = None
        if out is not None:
            file = stack.enter_context(
                ResultFile(out, judge.info, overwrite=overwrite, resume=resume)
            )
        run = Run(judge, speaker, Tally(), file)
        shown = file is not None or not (json_ and sys.stdout.isatty())
        bar = stack.enter_context(Progress(stderr(), run.tally, shown=shown))
        found = bar.following(run.results(islice(reader, limit)))
        if file is None and not json_:
            from persona_lab.cli.consistency_view import show

            show(stdout(), (result for _, result in found), before=bar.stop)
        else:
            _write(found, file, json_=json_)
        bar.stop()
        note(bar.summary())
        if run.success:
            met = sum(run.success)
            note(f"target met in {met:,} of {len(run.success):,} ({met / len(run.success):.0%})")
        run.check()


class Run:
    """One run over an input.

    Attributes:
        tally: counts, up to date while the results are taken.
        success: for each speaker that was matched against a target, whether it was met.
    """

    def __init__(
        self, judge: ConsistencyJudge, speaker: str | None, tally: Tally, file: ResultFile | None
    ) -> None:
        """Prepare a run.

        Args:
            judge: scores.
            speaker: as given to ``--speaker``.
            tally: to count in.
            file: knows which rows are there already.
        """
        self.tally, self.success = tally, list[bool]()
        self._judge, self._speaker, self._file = judge, speaker, file
        self._failure: PersonaLabError | None = None
        self._search = SpeakerSearch(speaker)

    def results(self, records: Iterable[Dialogue | RowError]) -> Iterator[Found]:
        """Score all records, in order; the dialogue is None for a row that cannot be read."""
        from persona_lab.consistency.parts import NotScored

        stream = iter(records)
        while True:
            try:
                record = next(stream, None)
            except PersonaLabError as error:
                self._failure = error
                return
            if record is None:
                return
            self.tally.records += 1
            if self._there(record):
                self.tally.skipped += 1
                continue
            dialogue = None if isinstance(record, RowError) else record
            for found in self._judge_one(record):
                if isinstance(found.score, NotScored):
                    self.tally.unscored[found.score.code] += 1
                else:
                    self.tally.scored += 1
                self._note_success(found)
                yield dialogue, found

    def check(self) -> None:
        """Raise what went wrong with the input as a whole, after its rows came out.

        Raises:
            PersonaLabError: the input ended early, nothing in it could be read, or the
                speaker that was asked for is in none of its dialogues.
        """
        if self._failure is not None:
            raise self._failure
        self._search.check()
        self.tally.check()

    def _judge_one(self, record: Dialogue | RowError) -> Iterator[Report | Unread]:
        from persona_lab.consistency.parts import NotScored
        from persona_lab.consistency.report import Unread

        if isinstance(record, RowError):
            self.tally.unreadable += 1
            warn(str(record))
            yield Unread(record.row_id, None, NotScored(str(record), "unreadable"))
            return
        try:
            self._search.choose(record)
        except SpeakerError as error:
            yield Unread(record.id, self._speaker, NotScored(str(error), "no_speaker"))
        else:
            yield from self._judge.reports(record, self._speaker)

    def _there(self, record: Dialogue | RowError) -> bool:
        from persona_lab.scoring import Key

        if self._file is None:
            return False
        framework = self._judge.reader.detector.frameworks[0].name
        if isinstance(record, RowError):
            return self._file.done([Key(record.row_id, None, None)])
        try:
            names = record.choose(self._speaker) if record.utterances else ()
        except SpeakerError:
            return self._file.done([Key(record.id, self._speaker, None)])
        if not names:
            return self._file.done([Key(record.id, None, None)])
        return self._file.done([Key(record.id, name, framework) for name in names])

    def _note_success(self, found: Report | Unread) -> None:
        from persona_lab.consistency.report import Report
        from persona_lab.consistency.target import TargetMatch

        if isinstance(found, Report) and isinstance(found.target, TargetMatch):
            self.success.append(found.target.success)


def _write(found: Iterator[Found], file: ResultFile | None, *, json_: bool) -> None:
    try:
        for _, result in found:
            row = result.to_row()
            if file is not None:
                file.write(row)
            if json_:
                write_json(row)
    except KeyboardInterrupt:
        if file is not None:
            note(f"The rows so far are in {file.path}; --resume goes on from there")
        raise
