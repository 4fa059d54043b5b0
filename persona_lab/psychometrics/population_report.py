"""The report on a population: sentences, JSON, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from persona_lab.psychometrics.battery_report import conduct_row, shift_row
from persona_lab.psychometrics.control import Control
from persona_lab.psychometrics.document import NOTHING, Document, figure, number, percent
from persona_lab.psychometrics.populations import Population, TraitPopulation
from persona_lab.psychometrics.verdicts import MARGIN, classify

HEADER: Final = ("trait", "mean", "without persona", "spread", "of reference", "shift when asked",
                 "on the asked side")  # fmt: skip
"""Of the table of traits."""

LEGEND: Final = (
    "No persona: the bot as it is. Spread: standard deviation over personas, and its share of the "
    "reference's. Control: points between personas that should be high and low; as asked: share "
    "on the side that was asked for."
)
"""What its columns hold."""

ALIKE: Final = 0.9
"""Share of equal ratings from which personas are one personality."""

COLLAPSED: Final = 0.5
"""Share of the reference's spread below which a trait has collapsed."""

INERT: Final = 0.5
"""Share of the ratings' variance that the items alone decide, from which roles hardly matter."""


def sentences(population: Population) -> list[str]:
    """What was found, in plain words."""
    return [
        *_answering(population),
        *_collapse(population),
        *(line for trait in population.traits for line in _control(trait, population)),
        *_robustness(population),
    ]


def _answering(population: Population) -> Iterator[str]:
    answered = population.conduct.answered.estimate
    failures = ", ".join(f"{n} {code}" for code, n in population.conduct.failures.items())
    if not answered:
        yield f"Nothing was measured: no answer can be used ({failures or 'none was asked'})."
    elif failures:
        yield (
            f"{percent(population.conduct.answered)} of {population.conduct.asked} answers can be "
            f"used (the others: {failures})."
        )


def _collapse(population: Population) -> Iterator[str]:
    n = len(population.personas)
    if population.alike.estimate is not None:
        alike = f"two personas give an item the same rating in {percent(population.alike)} of cases"
        if population.alike.estimate >= ALIKE:
            yield f"The bot plays {n} personas as one personality: {alike}."
        else:
            yield f"The personas differ: {alike}."
    if population.inertia.estimate is not None and population.inertia.estimate >= INERT:
        yield (
            f"Inertia: {percent(population.inertia)} of the variance of ratings is decided by the "
            "item alone, whoever is played."
        )
    scale = population.instrument.scale
    same = [
        trait.name
        for trait in population.traits
        if trait.spread.high is not None and trait.spread.high < MARGIN * (scale.high - scale.low)
    ]
    if same and population.alike.estimate is not None and population.alike.estimate < ALIKE:
        yield f"Whoever is played, these stay the same: {', '.join(same)}."
    for trait in population.traits:
        if trait.ratio.high is not None and trait.ratio.high < COLLAPSED:
            yield (
                f"{trait.name} has collapsed: its spread over personas is {percent(trait.ratio)} "
                "of the reference's."
            )


def _control(trait: TraitPopulation, population: Population) -> Iterator[str]:
    control = trait.control
    if control is None or control.shift is None:
        return
    scale = population.instrument.scale
    certain = control.d.low is None or control.d.low > 0
    if control.shift < MARGIN * (scale.high - scale.low) or not certain:
        yield (
            f"Asking for {trait.name} does not move it: {control.shift:+.1f} points between "
            f"{control.high} high and {control.low} low personas."
        )
        return
    yield (
        f"Asking for {trait.name} moves it by {control.shift:.1f} points, and "
        f"{percent(control.reached)} of the personas are on the side that was asked for."
    )


def _robustness(population: Population) -> Iterator[str]:
    scale = population.instrument.scale
    what = {"name": "Another name", "age": "Another age", "lines": "Another order of the lines"}
    for part in population.robustness:
        moved = [
            f"{trait.name} {-(shift.difference.estimate or 0.0):+.1f}"
            for trait in population.traits
            if classify(shift := part.shifts[trait.key], MARGIN * (scale.high - scale.low))
            == "moves"
        ]
        if moved:
            yield f"{what[part.kind]} moves scores it should not: {', '.join(moved)} points."
        else:
            yield (
                f"{what[part.kind]} changes {part.personas} personas' scores by "
                f"{number(part.moved.estimate)} points on average, in no clear direction; "
                f"{percent(part.same)} of the answers stay the same."
            )


def trait_cells(trait: TraitPopulation) -> tuple[str, ...]:
    """A row under :data:`HEADER`."""
    control = trait.control
    return (
        trait.name,
        number(trait.trend.estimate),
        number(trait.baseline),
        number(trait.spread.estimate),
        percent(trait.ratio),
        NOTHING if control is None else number(control.shift),
        NOTHING if control is None else percent(control.reached),
    )


def to_row(population: Population, bot: str, notes: Sequence[str]) -> dict[str, Any]:
    """The whole report as JSON types."""
    return {
        "bot": bot,
        "instrument": population.instrument.name,
        "scale": [population.instrument.scale.low, population.instrument.scale.high],
        "personas": list(population.personas),
        "findings": sentences(population),
        "conduct": conduct_row(population.conduct),
        "inertia": population.inertia.to_row(),
        "alike": population.alike.to_row(),
        "distinct": population.distinct,
        "traits": {trait.key: _trait_row(trait) for trait in population.traits},
        "contrasts": [
            {
                "trait": c.trait,
                "first": c.first,
                "second": c.second,
                "difference": round(c.difference, 4),
                "d": c.d.to_row(),
                "delta": c.delta.to_row(),
            }
            for c in population.contrasts
        ],
        "robustness": {
            part.kind: {
                "personas": part.personas,
                "same_answers": part.same.to_row(),
                "moved": part.moved.to_row(),
                "shifts": {key: shift_row(shift) for key, shift in part.shifts.items()},
            }
            for part in population.robustness
        },
        "notes": list(notes),
    }


def _trait_row(trait: TraitPopulation) -> dict[str, Any]:
    return {
        "name": trait.name,
        "scores": {id: round(score, 4) for id, score in trait.scores.items()},
        "trend": trait.trend.to_row(),
        "baseline": None if trait.baseline is None else round(trait.baseline, 4),
        "same_side": trait.same_side.to_row(),
        "spread": trait.spread.to_row(),
        "ratio_to_reference": trait.ratio.to_row(),
        "retest": trait.retest.to_row(),
        "noise_over_repeats": trait.noise.to_row(),
        "control": None if trait.control is None else _control_row(trait.control),
    }


def _control_row(control: Control) -> dict[str, Any]:
    return {
        "high": control.high,
        "low": control.low,
        "shift": None if control.shift is None else round(control.shift, 4),
        "d": control.d.to_row(),
        "delta": control.delta.to_row(),
        "raised": control.raised.to_row(),
        "lowered": control.lowered.to_row(),
        "reached": control.reached.to_row(),
        "follows": control.follows.to_row(),
        "elsewhere": {key: round(value, 4) for key, value in control.elsewhere.items()},
    }


def document(population: Population, bot: str, notes: Sequence[str]) -> Document:
    """The report for people."""
    traits = population.traits
    page = Document(f"{bot} as {len(population.personas)} personas on {population.instrument.name}")
    page.bullets(sentences(population))
    page.table(HEADER, [trait_cells(t) for t in traits])
    page.paragraph(LEGEND)
    page.heading("Trend and spread")
    page.table(
        ("trait", "mean over personas", "on the mean's side", "spread", "over repeats",
         "retest ICC"),
        [(t.name, figure(t.trend), figure(t.same_side), figure(t.spread), figure(t.noise),
          figure(t.retest)) for t in traits],
    )  # fmt: skip
    page.paragraph(
        f"Inertia: {figure(population.inertia)}. Equal ratings of two personas: "
        f"{figure(population.alike)}. Different sets of answers: {population.distinct} of "
        f"{len(population.personas)}."
    )
    _control_tables(page, traits)
    if population.contrasts:
        page.heading("Groups")
        page.table(
            ("trait", "groups", "difference", "Cohen's d", "Cliff's delta"),
            [(c.trait, f"{c.first} - {c.second}", number(c.difference), figure(c.d),
              figure(c.delta)) for c in population.contrasts],
        )  # fmt: skip
    if population.robustness:
        page.heading("Robustness")
        page.table(
            ("change", "personas", "same answers", "moved", *(t.name for t in traits)),
            [(part.kind, str(part.personas), percent(part.same), figure(part.moved),
              *(figure(part.shifts[t.key].difference) for t in traits))
             for part in population.robustness],
        )  # fmt: skip
    page.heading("Scores")
    page.table(
        ("persona", *(t.name for t in traits)),
        [(id, *(number(t.scores.get(id)) for t in traits)) for id in population.personas],
    )
    if notes:
        page.heading("Notes")
        page.bullets(notes)
    return page


def _control_tables(page: Document, traits: Sequence[TraitPopulation]) -> None:
    asked = [(t, t.control) for t in traits if t.control is not None]
    if not asked:
        return
    page.heading("Control")
    page.table(
        ("asked for", "high", "low", "shift", "Cohen's d", "high against no persona",
         "low against no persona", "on the asked side", "correlation with the target"),
        [(t.name, str(c.high), str(c.low), number(c.shift), figure(c.d), figure(c.raised),
          figure(c.lowered), figure(c.reached), figure(c.follows)) for t, c in asked],
    )  # fmt: skip
    page.paragraph("What else moves with what is asked for, high minus low, in points:")
    page.table(
        ("asked for", *(t.name for t in traits)),
        [
            (
                t.name,
                *(number(c.shift if o is t else c.elsewhere.get(o.key)) for o in traits),
            )
            for t, c in asked
        ],
    )
