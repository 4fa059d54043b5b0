"""The report of a panel: sentences, JSON, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from persona_lab.judging.results import Judgement, JudgeResult, RubricResult
from persona_lab.psychometrics.document import NOTHING, Document, figure, number, percent

HEADER: Final = ("rubric", "scale", "score", "scored", "judges agree", "votes agree")
"""Of the table of rubrics."""

LEGEND: Final = (
    "Agreement is Krippendorff's alpha: 1 is perfect, 0 is chance; below .67 do not rely on the "
    "score."
)
"""What its columns hold."""

RELIABLE: Final = 0.667
"""Least alpha for tentative conclusions (Krippendorff 2013, ch. 11)."""


def sentences(judgement: Judgement) -> list[str]:
    """What the reader must know before believing the scores."""
    return [line for result in judgement.rubrics for line in _warnings(result)]


def _warnings(result: RubricResult) -> Iterator[str]:
    name = result.rubric.name
    if not result.scores:
        yield f"{name} is unscored: none of {result.cases} cases has a readable vote."
        return
    if result.unscored:
        n = len(result.unscored)
        yield f"{name}: {n} of {result.cases} cases are unscored; they do not count as 0."
    for judge in result.judges:
        if judge.always is not None:
            yield (
                f"{judge.judge} gives every case {judge.always:g} on {name}: it does not tell "
                "cases apart."
            )
        if judge.failures:
            why = ", ".join(f"{n} {code}" for code, n in judge.failures.items())
            yield f"{judge.judge} could not be read in all votes on {name} ({why})."
        alpha = judge.votes_alpha.estimate
        if alpha is not None and alpha < RELIABLE:
            yield f"{judge.judge} contradicts itself on {name}: alpha of its votes is {alpha:.2f}."
    if result.alpha.estimate is not None and result.alpha.estimate < RELIABLE:
        yield f"The judges do not agree on {name}: alpha is {result.alpha.estimate:.2f}."


def rubric_cells(result: RubricResult) -> tuple[str, ...]:
    """A row under :data:`HEADER`."""
    alphas = [j.votes_alpha.estimate for j in result.judges if j.votes_alpha.estimate is not None]
    return (
        result.rubric.name,
        f"{result.rubric.low} to {result.rubric.high}",
        number(result.mean.estimate),
        f"{len(result.scores)} of {result.cases}",
        number(result.alpha.estimate),
        number(min(alphas)) if alphas else NOTHING,
    )


def to_row(judgement: Judgement, notes: Sequence[str]) -> dict[str, Any]:
    """The whole report as JSON types."""
    return {
        "findings": sentences(judgement),
        "rubrics": {result.rubric.name: _rubric_row(result) for result in judgement.rubrics},
        "rouge_l_recall": {
            "mean": judgement.rouge_mean.to_row(),
            "correlation_with_score": judgement.rouge_follows.to_row(),
            "cases": {id: round(recall, 4) for id, recall in judgement.rouge.items()},
        },
        "notes": list(notes),
    }


def _rubric_row(result: RubricResult) -> dict[str, Any]:
    return {
        "scale": [result.rubric.low, result.rubric.high],
        "mean": result.mean.to_row(),
        "cases": result.cases,
        "scores": {id: round(score, 4) for id, score in result.scores.items()},
        "unscored": dict(result.unscored),
        "judges": {judge.judge: _judge_row(judge) for judge in result.judges},
        "agreement": {
            "alpha": result.alpha.to_row(),
            "icc": result.icc.to_row(),
            "kappa": [
                {"judges": list(pair), **kappa.to_row()} for pair, kappa in result.kappa.items()
            ],
        },
    }


def _judge_row(judge: JudgeResult) -> dict[str, Any]:
    return {
        "mean": judge.mean.to_row(),
        "read": judge.read.to_row(),
        "failures": dict(judge.failures),
        "votes_alpha": judge.votes_alpha.to_row(),
        "votes_same": judge.votes_same.to_row(),
        "always": judge.always,
    }


def document(judgement: Judgement, notes: Sequence[str]) -> Document:
    """The report for people."""
    page = Document("Judged role-play")
    page.bullets(sentences(judgement))
    page.table(HEADER, [rubric_cells(result) for result in judgement.rubrics])
    page.paragraph(LEGEND)
    page.heading("Judges")
    page.table(
        ("rubric", "judge", "score", "replies read", "alpha of votes", "equal votes"),
        [
            (r.rubric.name, j.judge, figure(j.mean), percent(j.read), figure(j.votes_alpha),
             percent(j.votes_same))
            for r in judgement.rubrics
            for j in r.judges
        ],
    )  # fmt: skip
    if any(r.kappa for r in judgement.rubrics):
        page.heading("Agreement between judges")
        page.table(
            ("rubric", "alpha", "ICC(2,1)", "judges", "quadratic kappa"),
            [
                (r.rubric.name, figure(r.alpha), figure(r.icc), " - ".join(pair), figure(kappa))
                for r in judgement.rubrics
                for pair, kappa in r.kappa.items()
            ],
        )
    if judgement.rouge:
        page.heading("Beside the judges: ROUGE-L recall of the references")
        page.paragraph(
            f"Mean over {len(judgement.rouge)} cases: {figure(judgement.rouge_mean)}. Correlation "
            f"with the score: {figure(judgement.rouge_follows)}."
        )
    page.heading("Cases")
    ids = list(dict.fromkeys(id for r in judgement.rubrics for id in (*r.scores, *r.unscored)))
    page.table(
        ("case", *(r.rubric.name for r in judgement.rubrics), "ROUGE-L recall"),
        [
            (
                id,
                *(
                    number(r.scores[id])
                    if id in r.scores
                    else f"unscored: {r.unscored[id]}"
                    if id in r.unscored
                    else NOTHING
                    for r in judgement.rubrics
                ),
                number(judgement.rouge.get(id)),
            )
            for id in ids
        ],
    )
    if notes:
        page.heading("Notes")
        page.bullets(notes)
    return page
