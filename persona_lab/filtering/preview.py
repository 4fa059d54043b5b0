"""One HTML page about what a filter does to a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from persona_lab.dialogue import Dialogue
from persona_lab.errors import InputError
from persona_lab.filtering.decide import Decider, Decision
from persona_lab.filtering.figures import Example, Figures, Histogram, collect
from persona_lab.filtering.reading import RowReader
from persona_lab.filtering.scores import Scores
from persona_lab.wholefile import write_whole

_QUOTE = 400


def preview(
    scores: str | Path,
    out: str | Path,
    keep: str | None = None,
    *,
    any_speaker: bool = False,
    examples: int = 5,
    text: bool = True,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write the page.

    Args:
        scores: the ``out`` folder of a run.
        out: the page's file.
        keep: expression; None for the one of the run.
        any_speaker: keep a row if one scored speaker passes; the run's own choice holds
            where ``keep`` is None.
        examples: speakers to show on each side of each threshold.
        text: quote what they say.
        overwrite: replace the file if it exists.

    Returns:
        The figures as JSON types, without quotes.

    Raises:
        PersonaLabError: the scores or the expression cannot be used, or the file exists.
    """
    path = Path(out)
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; use --overwrite to replace it")
    opened = Scores.open(scores)
    job = opened.manifest["job"]
    if keep is None:
        keep, any_speaker = job["keep"], job["any_speaker"]
    decider = Decider(Decision(keep, any_speaker), opened.fields)
    figures = collect(opened, decider, examples)
    if text:
        _quote(opened, figures, dict(job["columns"]))
    page = _render(figures)
    write_whole(path, page)
    for found in figures.examples.values():
        found[:] = [Example(**(asdict(one) | {"text": ""})) for one in found]
    return asdict(figures)


def _quote(opened: Scores, figures: Figures, columns: Mapping[str, str]) -> None:
    """Put in what the examples say, from the inputs."""
    wanted = {one.ordinal for found in figures.examples.values() for one in found}
    texts: dict[tuple[int, str], str] = {}
    for entry in opened.inputs:
        if not Path(entry.path).exists():
            return
    for ordinal, dialogue in _dialogues(opened, columns, max(wanted, default=-1)):
        if ordinal in wanted:
            for name in dialogue.speaker_names:
                said = " / ".join(u.text for u in dialogue.by(name))
                texts[ordinal, name] = said[:_QUOTE] + ("\u2026" if len(said) > _QUOTE else "")
    for found in figures.examples.values():
        found[:] = [
            Example(**(asdict(one) | {"text": texts.get((one.ordinal, one.speaker), "")}))
            for one in found
        ]


def _dialogues(
    opened: Scores, columns: Mapping[str, str], last: int
) -> Iterator[tuple[int, Dialogue]]:
    for row in RowReader(opened.inputs, columns, limit=last + 1).rows():
        if row.dialogue is not None:
            yield row.ordinal, row.dialogue


def _render(figures: Figures) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("persona_lab.filtering", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("preview.html").render(figures=figures, bars=_bars)


def _bars(histogram: Histogram) -> Sequence[Mapping[str, Any]]:
    """Places of the bars in a drawing of 100 by 60."""
    most = max(*histogram.before, 1)
    width = 100 / max(1, len(histogram.before))
    return [
        {
            "x": round(i * width, 2),
            "width": round(width * 0.9, 2),
            "before": round(60 * before / most, 2),
            "after": round(60 * after / most, 2),
            "title": f"{label}: {before:,} before, {after:,} kept",
        }
        for i, (label, before, after) in enumerate(
            zip(histogram.labels, histogram.before, histogram.after, strict=True)
        )
    ]
