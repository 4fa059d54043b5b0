"""Filtering from Python: score a data set, keep what meets an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from persona_lab.errors import PersonaLabError
from persona_lab.filtering.presets import Preset, find_preset
from persona_lab.filtering.run import Duplicates, Engine, Job, Summary, run
from persona_lab.filtering.scorer import ScorerSettings
from persona_lab.filtering.targets import TargetChoice, TargetField
from persona_lab.formats import parse_columns


def filter_dialogues(
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    keep: str | None = None,
    *,
    preset: str | None = None,
    detector: str = "default",
    frameworks: Sequence[str] = (),
    speaker: str | None = None,
    any_speaker: bool = False,
    target: str | Mapping[str, float] | None = None,
    target_field: TargetField | None = None,
    cascade: bool = False,
    duplicates: Duplicates = "reuse",
    format: str = "auto",
    columns: str | Mapping[str, str] | None = None,
    engine: Engine = "local",
    workers: int = 1,
    limit: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Summary:
    """Keep the rows of a data set that meet an expression.

    Args:
        inputs: files, folders, globs, or ``-`` for standard input.
        out: folder for the results; see :mod:`persona_lab.filtering.outfolder`.
        keep: for example ``"extraversion.p_high >= 0.6 and words > 50"``.
        preset: a recipe; see :mod:`persona_lab.filtering.presets`. With ``keep``, both.
        detector: a name or folder.
        frameworks: names; empty for all that the detector knows.
        speaker: whom to score; see :meth:`persona_lab.dialogue.Dialogue.choose`.
        any_speaker: keep a row if one scored speaker passes; else all must.
        target: gives the fields ``target.*``, the same target for all rows.
        target_field: each row brings its target: ``profile`` (its labels) or ``persona``.
        cascade: score with the lexical model first, and with ``detector`` only where
            that leaves the expression undecided.
        duplicates: what to do with rows that repeat an earlier one.
        format: layout of the inputs, or ``auto``.
        columns: which column holds what.
        engine: where to compute.
        workers: processes of the local engine, actors of Ray.
        limit: rows to read at most.
        resume: go on with a run that was stopped.
        overwrite: replace an earlier run.

    Returns:
        The summary: counts that add up to the input.

    Raises:
        PersonaLabError: an input, the expression, the model or the folder cannot be used.
    """
    recipe = find_preset(preset) if preset is not None else Preset()
    keep = recipe.and_keep(keep)
    if keep is None and recipe.stage is None:
        raise PersonaLabError("say what to keep: an expression, a preset, or both")
    job = Job(
        keep,
        any_speaker=any_speaker,
        stage=recipe.stage,
        duplicates=duplicates,
        scorer=ScorerSettings(
            detector,
            tuple(frameworks),
            speaker,
            target=_target(target, target_field or recipe.target_field),
            cascade=keep if cascade else None,
        ),
        format=format,
        columns=tuple(parse_columns(columns).items()),
        limit=limit,
    )
    return run(inputs, out, job, engine=engine, workers=workers, resume=resume, overwrite=overwrite)


def score_dataset(
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    detector: str = "default",
    frameworks: Sequence[str] = (),
    speaker: str | None = None,
    target: str | Mapping[str, float] | None = None,
    target_field: TargetField | None = None,
    fields: Sequence[str] = (),
    duplicates: Duplicates = "reuse",
    format: str = "auto",
    columns: str | Mapping[str, str] | None = None,
    engine: Engine = "local",
    workers: int = 1,
    limit: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Summary:
    """Score a data set into a ledger.

    :func:`persona_lab.filtering.scores.filter_scores` filters it later. Args and errors are
    those of :func:`filter_dialogues`; ``fields`` names fields to compute that cost extra.
    """
    job = Job(
        duplicates=duplicates,
        scorer=ScorerSettings(
            detector, tuple(frameworks), speaker, target=_target(target, target_field)
        ),
        fields=tuple(fields),
        format=format,
        columns=tuple(parse_columns(columns).items()),
        limit=limit,
    )
    return run(inputs, out, job, engine=engine, workers=workers, resume=resume, overwrite=overwrite)


def _target(
    target: str | Mapping[str, float] | None, field: TargetField | None
) -> TargetChoice | None:
    if field is not None:
        return TargetChoice(field=field)
    return TargetChoice.parse(target) if target is not None else None
