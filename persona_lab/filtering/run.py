"""One run: read, score what is not scored yet, decide, lay the rows out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from persona_lab.errors import InputError
from persona_lab.filtering.decide import Decider, Decision
from persona_lab.filtering.fields import COSTLY, ledger_fields, unknown_field
from persona_lab.filtering.ledger import Parts
from persona_lab.filtering.outfolder import OutFolder, refuse_input_as_output
from persona_lab.filtering.reading import Input, RowReader, inspect
from persona_lab.filtering.results import lay_out, summarise
from persona_lab.filtering.rules import Rule
from persona_lab.filtering.scorer import PersonalityScorer, ScorerSettings
from persona_lab.filtering.stages import Stage, also_dropped
from persona_lab.formats import Columns
from persona_lab.formats.arrow_tables import files_of
from persona_lab.formats.inputs import InputFile, expand
from persona_lab.formats.source import STDIN
from persona_lab.speakers import SpeakerSearch
from persona_lab.traits import FRAMEWORKS
from persona_lab.version import __version__

Engine = Literal["local", "ray"]
Duplicates = Literal["reuse", "drop", "score"]
Summary = dict[str, Any]
"""What :mod:`persona_lab.filtering.results` writes to ``summary.json``."""

Tell = Callable[[int, int], None]
"""Is told of rows done and of those that were there already."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to do with a data set.

    Attributes:
        keep: expression over the fields; None scores only, and keeps what was scored.
        any_speaker: keep a row if one scored speaker passes; else all must.
        stage: resampling after the expression; None for none.
        duplicates: ``reuse`` the scores of the first, ``drop`` all but the first, or
            ``score`` each anew without looking for them.
        scorer: how to score.
        fields: fields to compute that no expression asks for.
        format: layout of the inputs.
        columns: which column holds what.
        limit: rows to read at most.
        strict: stop at the first bad row.
    """

    keep: str | None = None
    any_speaker: bool = False
    stage: Stage | None = None
    duplicates: Duplicates = "reuse"
    scorer: ScorerSettings = field(default_factory=ScorerSettings)
    fields: tuple[str, ...] = ()
    format: str = "auto"
    columns: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    strict: bool = False


def run(
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    job: Job,
    *,
    engine: Engine = "local",
    workers: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    tell: Tell | None = None,
    warn: Callable[[str], None] | None = None,
) -> Summary:
    """Do a job; :mod:`persona_lab.filtering.api` has the usual ways.

    Args:
        inputs: files, folders, globs, or ``-``.
        out: folder for the results.
        job: what to do.
        engine: where to compute.
        workers: how many at a time.
        resume: go on with a run that was stopped.
        overwrite: replace an earlier run.
        tell: is told how far it is.
        warn: is told of what people should know; None for nobody.

    Raises:
        SpeakerError: no dialogue has the speaker that was asked for; the rows, all
            unscored, are in the folder.
        PersonaLabError: an input, the expression, a model or the folder cannot be used.
    """
    warn = warn or (lambda message: None)
    given = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    job = _with_extra_fields(job)
    scorer = PersonalityScorer(settings=job.scorer)
    scorer.warm_up()
    fields = scorer.fields
    decision = Decision(job.keep, job.any_speaker, job.duplicates == "drop")
    Decider(decision, fields)  # a mistake in the expression shows before anything is touched
    from_stdin = [str(one) for one in given] == [STDIN]
    files = () if from_stdin else _files(given, dict(job.columns), warn)
    folders = [path for path in map(Path, given) if path.is_dir()]
    refuse_input_as_output([*folders, *(file.path for file in files)], Path(out))
    if not from_stdin and not resume:
        inspect(files, job.format, dict(job.columns))
    folder = OutFolder(Path(out), resume=resume, overwrite=overwrite)
    if from_stdin:
        files = (InputFile(folder.spool(sys.stdin.buffer), "stdin"),)
    entries = _begin(folder, job, scorer, files)
    if (finished := folder.finished) is not None:
        folder.close()
        return finished
    search = SpeakerSearch(job.scorer.speaker)
    reader = RowReader(
        entries,
        dict(job.columns),
        job.strict,
        job.limit,
        find_repeats=job.duplicates != "score",
        search=search,
    )
    parts = Parts(folder.parts, fields, entries)
    _score(reader, parts, scorer, engine, workers, tell)
    for remark in reader.notes:
        warn(remark)
    for entry in entries:
        grown = sum(f.stat().st_size for f in _data_files(entry)) - entry.size
        if grown > 0:
            warn(f"{entry.name} grew by {grown:,} bytes during the run; those were not read")
    stage_drops = also_dropped(job.stage, folder.parts, decision, fields)
    decider = Decider(replace(decision, also_drop=stage_drops), fields)
    totals = lay_out(
        folder, folder.parts, decider, fields, entries, reader.stops, dict(job.columns)
    )
    if decider.counts.total != reader.count:
        raise RuntimeError(f"{reader.count} rows were read and {decider.counts.total} decided on")
    summary = summarise(decider, entries, totals)
    folder.finish(summary)
    search.check()
    return summary


def _data_files(entry: Input) -> list[Path]:
    return files_of(Path(entry.path))


def _files(
    given: Sequence[str | Path], columns: Columns, warn: Callable[[str], None]
) -> tuple[InputFile, ...]:
    if not given:
        raise InputError("give at least one file, folder or glob, or - for standard input")
    if STDIN in map(str, given):
        raise InputError("- for standard input stands alone; give it without other inputs")
    found = expand(given, columns)
    for remark in found.warnings():
        warn(remark)
    return found.files


def _with_extra_fields(job: Job) -> Job:
    """Ask the scorer for the costly fields that the job needs, and for no others."""
    for name in job.fields:
        if name not in COSTLY:
            raise unknown_field(name, COSTLY, where="--fields")
    asked = set(job.fields)
    if job.keep is not None:
        names = ledger_fields(tuple(FRAMEWORKS), target=True, extra=COSTLY)
        asked |= set(Rule(job.keep, {n: f.kind for n, f in names.items()}).fields)
    extra = tuple(name for name in COSTLY if name in asked)
    return replace(job, scorer=replace(job.scorer, extra=extra))


def _begin(
    folder: OutFolder, job: Job, scorer: PersonalityScorer, files: Sequence[InputFile]
) -> list[Input]:
    """Note what is run, or check that it is what was begun."""
    before = folder.manifest
    if before is None:
        entries = inspect(files, job.format, dict(job.columns))
        folder.begin(_manifest(job, scorer, entries))
        return entries
    entries = [Input(**entry) for entry in before["inputs"]]
    now = _manifest(job, scorer, entries)
    for part in ("job", "models", "persona_lab"):
        if now[part] != before[part]:
            raise InputError(
                f"{folder.path} was begun with another {_different(part, before, now)}; resume "
                "with the same options, or name another folder with --out"
            )
    if [entry.path for entry in entries] != [str(file.path.resolve()) for file in files]:
        raise InputError(f"{folder.path} was begun with other inputs; resume with the same")
    for entry in entries:
        if sum(file.stat().st_size for file in _data_files(entry)) < entry.size:
            raise InputError(f"{entry.name} has become shorter since the run began; start anew")
    return entries


def _different(part: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if part != "job":
        return {"models": "model", "persona_lab": "version of persona-lab"}[part]
    keys: list[str] = [key for key in now[part] if now[part][key] != before[part].get(key)]
    return keys[0]


def _manifest(job: Job, scorer: PersonalityScorer, entries: Sequence[Input]) -> dict[str, Any]:
    return {
        "persona_lab": __version__,
        # as JSON reads it back: tuples are lists
        "job": json.loads(json.dumps(asdict(job))),
        "models": [asdict(info) for info in scorer.warm_up()],
        "frameworks": list(scorer.frameworks),
        "inputs": [asdict(entry) for entry in entries],
    }


def _score(
    reader: RowReader,
    parts: Parts,
    scorer: PersonalityScorer,
    engine: Engine,
    workers: int,
    tell: Tell | None,
) -> None:
    """Write the parts that are not there yet."""
    if engine == "ray":
        from persona_lab.filtering.ray_data import score_chunks_on_ray as score_chunks
    else:
        from persona_lab.filtering.local import score_chunks
    done = skipped = 0
    for chunk, columns in score_chunks(reader, parts.numbers(), scorer, workers):
        if parts.has(chunk):
            skipped += len(chunk.rows)
        else:
            parts.write(chunk, columns)
            done += len(chunk.rows)
        if tell is not None:
            tell(done, skipped)
