"""The report of a study of two bots: sentences, JSON, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from persona_lab.conversing.results import KINDS, SpeakerResult, StudyResult, Trait
from persona_lab.conversing.study import Study
from persona_lab.instruments import Scale
from persona_lab.psychometrics.battery_report import shift_row
from persona_lab.psychometrics.document import Document, figure, number, percent
from persona_lab.psychometrics.verdicts import MARGIN, classify

HEADER: Final = ("speaker", "trait", "before", "after", "shift", "same answers", "p (Holm)")
"""Of the table of traits."""

_KIND_NAMES: Final = {
    "style": "style (encoder)",
    "words": "words in common",
    "function_words": "function words",
}


def sentences(study: Study, result: StudyResult) -> list[str]:
    """What was found, in plain words."""
    return list(_sentences(study, result))


def _sentences(study: Study, result: StudyResult) -> Iterator[str]:
    if result.broken:
        why = ", ".join(f"{n} {code}" for code, n in result.broken.items())
        yield (
            f"{sum(result.broken.values())} of {study.repeats} talks broke off ({why}); they are "
            "left out."
        )
    if not result.talks:
        yield "No talk was held to the end, so there is nothing to compare."
        return
    if study.instrument is not None:
        for speaker in result.speakers:
            yield _shifts(speaker, study.instrument.scale)
        closer = result.convergence
        if closer.estimate is not None and closer.low is not None and closer.high is not None:
            if closer.low > 0:
                yield f"The speakers' scores come {closer.estimate:.2f} points closer by talking."
            elif closer.high < 0:
                yield f"The speakers' scores move {-closer.estimate:.2f} points apart by talking."
    for speaker in result.speakers:
        aligned = [
            _KIND_NAMES[kind]
            for kind, gain in speaker.alignment.items()
            if gain.low is not None and gain.low > 0
        ]
        if aligned:
            yield (
                f"{speaker.name} takes up its partner's language beyond chance: "
                f"{', '.join(aligned)}."
            )
        for reason, n in speaker.not_aligned.items():
            yield f"{speaker.name}: no alignment in {n} of {result.talks} talks ({reason})."


def _shifts(speaker: SpeakerResult, scale: Scale) -> str:
    margin = MARGIN * (scale.high - scale.low)
    moved = [
        f"{t.name} {t.shift.difference.estimate or 0.0:+.1f}"
        for t in speaker.traits
        if classify(t.shift, margin) == "moves"
    ]
    if moved:
        return f"{speaker.name} answers differently after talking: {', '.join(moved)} points."
    if all(t.shift.difference.estimate is None for t in speaker.traits):
        return f"{speaker.name} gave no answers that can be compared."
    if all(classify(t.shift, margin) == "steady" for t in speaker.traits):
        return f"{speaker.name} answers after talking as before."
    return (
        f"{speaker.name}: no shift is certain; {percent(speaker.same)} of the answers are the same "
        "after talking."
    )


def trait_cells(speaker: SpeakerResult, trait: Trait) -> tuple[str, ...]:
    """A row under :data:`HEADER`."""
    return (
        speaker.name,
        trait.name,
        number(trait.before),
        number(trait.after),
        number(trait.shift.difference.estimate),
        percent(trait.shift.same),
        number(trait.shift.p_holm, 3),
    )


def rows(result: StudyResult) -> list[tuple[str, ...]]:
    """The table of traits."""
    return [trait_cells(speaker, t) for speaker in result.speakers for t in speaker.traits]


def to_row(study: Study, result: StudyResult, notes: Sequence[str]) -> dict[str, Any]:
    """The whole report as JSON types."""
    return {
        "task": study.task,
        "instrument": None if study.instrument is None else study.instrument.name,
        "talks": result.talks,
        "broken": dict(result.broken),
        "turns": result.turns,
        "findings": sentences(study, result),
        "convergence": result.convergence.to_row(),
        "speakers": {
            speaker.name: {
                "same_answers": speaker.same.to_row(),
                "traits": {
                    t.key: {
                        "before": None if t.before is None else round(t.before, 4),
                        "after": None if t.after is None else round(t.after, 4),
                        "shift": shift_row(t.shift),
                    }
                    for t in speaker.traits
                },
                "alignment": {kind: gain.to_row() for kind, gain in speaker.alignment.items()},
                "not_aligned": dict(speaker.not_aligned),
            }
            for speaker in result.speakers
        },
        "notes": list(notes),
    }


def document(study: Study, result: StudyResult, notes: Sequence[str]) -> Document:
    """The report for people."""
    names = " and ".join(speaker.name for speaker in result.speakers)
    page = Document(f"{names} talk")
    page.paragraph(
        f"Task: {study.task}. {result.talks} talks of {study.turns} turns, {result.turns} turns in "
        "all."
    )
    page.bullets(sentences(study, result))
    if study.instrument is not None:
        page.heading(f"{study.instrument.name} before and after")
        page.table(HEADER, rows(result))
        page.paragraph(f"Convergence, in points: {figure(result.convergence)}.")
    page.heading("Alignment to the partner, beyond shuffled turns")
    page.table(
        ("speaker", *(_KIND_NAMES[kind] for kind in KINDS)),
        [(s.name, *(figure(s.alignment[kind]) for kind in KINDS)) for s in result.speakers],
    )
    if notes:
        page.heading("Notes")
        page.bullets(notes)
    return page
