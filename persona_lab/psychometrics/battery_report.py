"""The report of a battery: JSON for programs, Markdown and HTML for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from persona_lab.psychometrics.battery import Protocol
from persona_lab.psychometrics.conduct import Conduct
from persona_lab.psychometrics.document import NOTHING, Document, figure, number, percent
from persona_lab.psychometrics.estimate import Estimate
from persona_lab.psychometrics.measures import Battery, TraitMeasures
from persona_lab.psychometrics.sensitivity import Shift
from persona_lab.psychometrics.variance import VarianceComponents
from persona_lab.psychometrics.verdicts import Verdict, judge_bot, judge_trait

HEADER = ("trait", "score", "verdict", "wording", "order", "temperature", "detectable")
"""Of the table of traits."""


def verdicts_of(battery: Battery) -> tuple[Verdict, ...]:
    """The verdict on the bot, then on each trait."""
    return (judge_bot(battery), *(judge_trait(trait, battery) for trait in battery.traits))


def to_row(battery: Battery, bot: str, protocol: Protocol, notes: Sequence[str]) -> dict[str, Any]:
    """The whole report as JSON types."""
    whole, *verdicts = verdicts_of(battery)
    scale = battery.instrument.scale
    return {
        "bot": bot,
        "instrument": battery.instrument.name,
        "scale": [scale.low, scale.high],
        "protocol": {
            "wordings": list(protocol.wordings),
            "orders": list(protocol.orders),
            "temperatures": list(protocol.temperatures),
            "repeats": protocol.repeats,
        },
        "respondents": list(battery.respondents),
        "sittings": battery.sittings,
        "verdict": verdict_row(whole),
        "conduct": conduct_row(battery.conduct),
        "leaning": [shift_row(shift) for shift in battery.leaning],
        "traits": {
            trait.key: _trait_row(trait) | {"verdict": verdict_row(verdict)}
            for trait, verdict in zip(battery.traits, verdicts, strict=True)
        },
        "notes": list(notes),
    }


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    """As JSON types."""
    return {
        "level": verdict.level,
        "text": verdict.text,
        "findings": [{"code": f.code, "level": f.level, "text": f.text} for f in verdict.findings],
    }


def conduct_row(conduct: Conduct) -> dict[str, Any]:
    """As JSON types."""
    return {
        "asked": conduct.asked,
        "answered": conduct.answered.to_row(),
        "refused": conduct.refused.to_row(),
        "failures": dict(conduct.failures),
        "straight_lining": conduct.straight.to_row(),
        "acquiescence": conduct.acquiescence.to_row(),
        "negated_twins": conduct.twins.to_row(),
    }


def shift_row(shift: Shift) -> dict[str, Any]:
    """As JSON types."""
    return {
        "first": shift.first,
        "second": shift.second,
        "difference": shift.difference.to_row(),
        "dz": shift.dz.to_row(),
        "same_answers": shift.same.to_row(),
        "p": _rounded(shift.p),
        "p_holm": _rounded(shift.p_holm),
    }


def components_row(components: VarianceComponents) -> dict[str, Any]:
    """As JSON types."""
    row: dict[str, Any] = {
        "n": components.n,
        "total": _rounded(components.total),
        "effects": {
            c.effect: {"variance": _rounded(c.variance), "share": c.share.to_row()}
            for c in components.components
        },
    }
    if components.code is not None:
        row |= {"reason": components.reason, "code": components.code}
    return row


def trait_cells(trait: TraitMeasures, verdict: Verdict) -> tuple[str, ...]:
    """A row under :data:`HEADER`."""
    return (
        trait.name,
        NOTHING if trait.mean.estimate is None else number(trait.mean.estimate),
        verdict.level,
        *(_largest(trait.shifts[factor]) for factor in ("wording", "order", "temperature")),
        number(trait.change.estimate),
    )


def document(battery: Battery, bot: str, protocol: Protocol, notes: Sequence[str]) -> Document:
    """The report for people."""
    whole, *verdicts = verdicts_of(battery)
    scale = battery.instrument.scale
    page = Document(f"Reliability of {bot} on {battery.instrument.name}")
    page.paragraph(
        f"{battery.conduct.asked:,} questions in {battery.sittings:,} sittings. Wordings: "
        f"{', '.join(protocol.wordings)}. Orders of the options: {', '.join(protocol.orders)}. "
        f"Temperatures: {', '.join(f'{t:g}' for t in protocol.temperatures)}. Repeats: "
        f"{protocol.repeats}. Respondents: {len(battery.respondents)}. Scores are on {scale.low} "
        f"to {scale.high}; shifts in the first table are the largest between two ways of asking."
    )
    page.heading("Verdicts")
    page.bullets(
        [f"{t.name}: {v.level}. {v.text}" for t, v in zip(battery.traits, verdicts, strict=True)]
    )
    page.bullets([f"The bot: {f.text}" for f in whole.findings])
    page.table(HEADER, [trait_cells(t, v) for t, v in zip(battery.traits, verdicts, strict=True)])
    page.heading("How it answered")
    page.table(("measure", "value"), _conduct_rows(battery.conduct))
    page.heading("Ways of asking")
    page.table(
        ("trait", "factor", "levels", "difference", "dz", "same answers", "p (Holm)"),
        [
            (trait.name, factor, *_shift_cells(shift))
            for trait in battery.traits
            for factor, shifts in trait.shifts.items()
            for shift in shifts
        ]
        + [("ratings as given", "order", *_shift_cells(shift)) for shift in battery.leaning],
    )
    _variance(page, battery)
    page.heading("Precision")
    page.table(
        ("trait", "score", "spread over ways of asking", "over repeats", "detectable change"),
        [(t.name, *map(figure, (t.mean, t.error, t.noise, t.change))) for t in battery.traits],
    )
    _respondents(page, battery)
    if notes:
        page.heading("Notes")
        page.bullets(notes)
    return page


def _respondents(page: Document, battery: Battery) -> None:
    page.heading("Telling respondents apart")
    if len(battery.respondents) < 2:
        page.paragraph("There is one respondent; give several personas to see this.")
        return
    page.table(
        ("trait", "ICC", "dependability", "alpha", "omega"),
        [
            (t.name, *map(figure, (t.agreement, t.dependability, t.alpha, t.omega)))
            for t in battery.traits
        ],
    )
    page.table(
        ("respondent", *(t.name for t in battery.traits)),
        [
            (who, *(number(t.by_respondent.get(who)) for t in battery.traits))
            for who in battery.respondents
        ],
    )


def _variance(page: Document, battery: Battery) -> None:
    page.heading("Where the answers' variance comes from")
    effects = list(dict.fromkeys(c.effect for t in battery.traits for c in t.components.components))
    rows = []
    for trait in battery.traits:
        if trait.components.code is not None:
            reason = f"unscored: {trait.components.reason}"
            rows.append((trait.name, reason, *[""] * max(0, len(effects) - 1)))
            continue
        shares = {c.effect: c.share for c in trait.components.components}
        rows.append((trait.name, *(percent(shares[e]) if e in shares else "" for e in effects)))
    page.table(("trait", *(effects or ["all"])), rows)


def _conduct_rows(conduct: Conduct) -> list[tuple[str, str]]:
    failures = ", ".join(f"{n} {code}" for code, n in conduct.failures.items())
    return [
        ("usable answers", percent(conduct.answered)),
        ("refused", percent(conduct.refused)),
        ("not usable, by reason", failures or "none"),
        ("sittings with one rating for all", figure(conduct.straight)),
        ("acquiescence, -1 to 1", figure(conduct.acquiescence)),
        ("negated twins answered the opposite way", figure(conduct.twins)),
    ]


def _trait_row(trait: TraitMeasures) -> dict[str, Any]:
    estimates: dict[str, Estimate] = {
        "score": trait.mean,
        "error_over_protocol": trait.error,
        "noise_over_repeats": trait.noise,
        "detectable_change": trait.change,
        "icc": trait.agreement,
        "dependability": trait.dependability,
        "alpha": trait.alpha,
        "omega": trait.omega,
    }
    return {
        "name": trait.name,
        "items": trait.n_items,
        "by_respondent": {who: _rounded(v) for who, v in trait.by_respondent.items()},
        **{name: estimate.to_row() for name, estimate in estimates.items()},
        "conduct": conduct_row(trait.conduct),
        "shifts": {f: [shift_row(s) for s in shifts] for f, shifts in trait.shifts.items()},
        "variance": components_row(trait.components),
    }


def _shift_cells(shift: Shift) -> tuple[str, ...]:
    return (
        f"{shift.first} - {shift.second}",
        figure(shift.difference),
        number(shift.dz.estimate),
        percent(shift.same),
        number(shift.p_holm, 3),
    )


def _largest(shifts: Sequence[Shift]) -> str:
    sizes = [abs(s.difference.estimate) for s in shifts if s.difference.estimate is not None]
    return number(max(sizes)) if sizes else NOTHING


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
