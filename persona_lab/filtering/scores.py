"""The folder of a finished run, to be decided on again without inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.filtering.decide import Decider, Decision
from persona_lab.filtering.fields import Field, ledger_fields
from persona_lab.filtering.ledger import read_ledger
from persona_lab.filtering.outfolder import LEDGER, MANIFEST, SUMMARY, OutFolder, read_json
from persona_lab.filtering.reading import Input
from persona_lab.filtering.results import lay_out, summarise
from persona_lab.filtering.stages import Stage, also_dropped


@dataclass(frozen=True, slots=True)
class Scores:
    """The folder of a finished run, to be decided on again.

    Attributes:
        folder: of the run.
        manifest: what it was.
        fields: of its ledger.
        inputs: of the run.
        stops: by input, the line from which nothing was read.
    """

    folder: Path
    manifest: Mapping[str, Any]
    fields: dict[str, Field]
    inputs: tuple[Input, ...]
    stops: dict[int, int]

    @property
    def ledger(self) -> Path:
        """Folder of the parts."""
        return self.folder / LEDGER

    @classmethod
    def open(cls, folder: str | Path) -> Scores:
        """Open the --out folder of a run.

        Raises:
            InputError: it is none, or the run is not finished.
        """
        folder = Path(folder)
        manifest, summary = read_json(folder / MANIFEST), read_json(folder / SUMMARY)
        if manifest is None:
            raise InputError(f"{folder} is not the --out folder of a filter run")
        if summary is None:
            raise InputError(f"the run in {folder} is not finished; finish it with --resume")
        settings = manifest["job"]["scorer"]
        fields = ledger_fields(
            manifest["frameworks"],
            target=settings["target"] is not None,
            extra=settings["extra"],
            cascade=settings["cascade"] is not None,
        )
        stops = {
            index: entry["until_line"]
            for index, entry in enumerate(summary["inputs"])
            if entry["until_line"] is not None
        }
        inputs = tuple(Input(**entry) for entry in manifest["inputs"])
        return cls(folder, manifest, fields, inputs, stops)


def filter_scores(
    scores: str | Path,
    keep: str | None,
    out: str | Path | None = None,
    *,
    any_speaker: bool = False,
    drop_duplicates: bool = False,
    stage: Stage | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Decide again on rows that are scored already; no model is loaded.

    Args:
        scores: the ``out`` folder of a run.
        keep: expression; None keeps what was scored.
        out: folder for rows, reasons and a ledger of their own; None only counts.
        any_speaker: keep a row if one scored speaker passes; else all must.
        drop_duplicates: keep only the first of equal rows.
        stage: resampling after the expression.
        overwrite: replace an earlier run in ``out``.

    Returns:
        The summary.

    Raises:
        PersonaLabError: the scores, the expression or the folder cannot be used, or an
            input of the run is gone.
    """
    opened = Scores.open(scores)
    decision = Decision(keep, any_speaker, drop_duplicates)
    decider = Decider(decision, opened.fields)
    drops = also_dropped(stage, opened.ledger, decision, opened.fields)
    decider = Decider(replace(decision, also_drop=drops), opened.fields)
    if out is None:
        for table in read_ledger(opened.ledger, decider.needed):
            decider.decide(table, reasons=False)
        return summarise(decider, opened.inputs, None)
    if Path(out).resolve() == opened.folder.resolve():
        raise PersonaLabError("--out is the folder of --scores; name another folder")
    for entry in opened.inputs:
        if not Path(entry.path).exists():
            raise InputError(
                f"the input {entry.path} is gone, so its rows cannot be copied; leave --out away "
                "to count only"
            )
    folder = OutFolder(Path(out), resume=False, overwrite=overwrite)
    job = opened.manifest["job"] | {
        "keep": keep,
        "any_speaker": any_speaker,
        "duplicates": "drop" if drop_duplicates else "reuse",
        "stage": asdict(stage) if stage else None,
    }
    folder.begin({**opened.manifest, "job": job})
    columns = dict(opened.manifest["job"]["columns"])
    totals = lay_out(
        folder, opened.ledger, decider, opened.fields, opened.inputs, opened.stops, columns
    )
    summary = summarise(decider, opened.inputs, totals)
    folder.finish(summary)
    return summary
