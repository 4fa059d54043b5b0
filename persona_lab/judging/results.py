"""What the votes say, and how far the judges can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Final

import numpy as np

from persona_lab.judging.cases import Case
from persona_lab.judging.panel import Ballot, Vote
from persona_lab.judging.rouge import rouge_l_recall
from persona_lab.judging.rubrics import Rubric
from persona_lab.psychometrics.agreement import (
    krippendorff_alpha,
    percent_agreement,
    weighted_kappa,
    wilson,
)
from persona_lab.psychometrics.estimate import Estimate, mean_estimate, unscored
from persona_lab.psychometrics.mtmm import correlation
from persona_lab.psychometrics.retest import icc

FEW: Final = 5
"""Votes from which a judge that always gives the same score is told."""


@dataclass(frozen=True, slots=True)
class JudgeResult:
    """One judge on one rubric.

    Attributes:
        judge: its name.
        mean: over cases of the mean of its votes.
        read: share of its replies that could be read.
        failures: replies that could not, by code.
        votes_alpha: agreement of its votes on the same case (Krippendorff, interval).
        votes_same: share of pairs of its votes on the same case that are equal.
        always: the score that it gave to everything; None where it gave several, or few.
    """

    judge: str
    mean: Estimate
    read: Estimate
    failures: Mapping[str, int]
    votes_alpha: Estimate
    votes_same: Estimate
    always: float | None


@dataclass(frozen=True, slots=True)
class RubricResult:
    """All judges on one rubric.

    Attributes:
        rubric: what was rated.
        cases: that it is for.
        mean: over cases of the mean of the judges' means.
        scores: mean by case, of those with a readable vote.
        unscored: reason by case, of those without.
        judges: one by one.
        alpha: agreement between judges' means (Krippendorff, interval).
        icc: ICC(2,1) of the judges' means.
        kappa: quadratic kappa of first votes, by pair of judges.
    """

    rubric: Rubric
    cases: int
    mean: Estimate
    scores: Mapping[str, float]
    unscored: Mapping[str, str]
    judges: tuple[JudgeResult, ...]
    alpha: Estimate
    icc: Estimate
    kappa: Mapping[tuple[str, str], Estimate]


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that was judged.

    Attributes:
        rubrics: those with cases, one by one.
        rouge: ROUGE-L recall by case, where there is a reference and an answer.
        rouge_mean: over those cases.
        rouge_follows: correlation over cases of recall and the mean over rubrics of the
            score, both from 0 to 1.
    """

    rubrics: tuple[RubricResult, ...]
    rouge: Mapping[str, float]
    rouge_mean: Estimate
    rouge_follows: Estimate


def summarize(
    cases: Sequence[Case],
    responses: Mapping[str, str],
    rubrics: Sequence[Rubric],
    planned: Sequence[Ballot],
    votes: Sequence[Vote],
    unanswered: Mapping[str, str],
) -> Judgement:
    """Work the votes out.

    Args:
        cases: that were to be judged.
        responses: what was rated, by case.
        rubrics: all of them.
        planned: the votes that belong to this run; a file may hold others.
        votes: that were cast.
        unanswered: why a case has no response, by case.
    """
    wanted = {ballot.id for ballot in planned}
    cast = [vote for vote in votes if vote.id in wanted]
    results = tuple(
        _rubric(rubric, own, [v for v in cast if v.rubric == rubric.name], unanswered)
        for rubric in rubrics
        if (own := [c for c in cases if not c.rubrics or rubric.name in c.rubrics])
    )
    rouge = {
        case.id: recall
        for case in cases
        if case.reference is not None
        and case.id in responses
        and (recall := rouge_l_recall(responses[case.id], case.reference)) is not None
    }
    overall = _overall(results)
    both = [id for id in rouge if id in overall]
    return Judgement(
        results,
        rouge,
        mean_estimate(np.array(list(rouge.values()))),
        correlation([rouge[id] for id in both], [overall[id] for id in both]),
    )


def _rubric(
    rubric: Rubric, cases: Sequence[Case], votes: Sequence[Vote], unanswered: Mapping[str, str]
) -> RubricResult:
    names = list(dict.fromkeys(v.judge for v in votes))
    means = {name: _means(v for v in votes if v.judge == name) for name in names}
    table = [[means[name].get(case.id) for name in names] for case in cases]
    scores = {
        case.id: fmean(known)
        for case, row in zip(cases, table, strict=True)
        if (known := [x for x in row if x is not None])
    }
    first = {(v.judge, v.case): v.score for v in votes if v.vote == 0}
    several = len(names) > 1
    return RubricResult(
        rubric,
        len(cases),
        mean_estimate(np.array(list(scores.values()))),
        scores,
        {c.id: _why(c, votes, unanswered) for c in cases if c.id not in scores},
        tuple(_judge(name, [v for v in votes if v.judge == name], means[name]) for name in names),
        krippendorff_alpha(table, "interval") if several else unscored("one_column", len(scores)),
        icc(table) if several and table else unscored("one_column", len(scores)),
        {
            (a, b): weighted_kappa(
                [first.get((a, c.id)) for c in cases],
                [first.get((b, c.id)) for c in cases],
                categories=[float(level) for level in rubric.levels],
            )
            for a, b in combinations(names, 2)
        },
    )


def _judge(name: str, votes: Sequence[Vote], means: Mapping[str, float]) -> JudgeResult:
    by_case: dict[str, list[float | None]] = {}
    for vote in votes:
        by_case.setdefault(vote.case, []).append(vote.score)
    given = [v.score for v in votes if v.score is not None]
    constant = len(given) >= FEW and len(set(given)) == 1
    table = list(by_case.values())
    return JudgeResult(
        name,
        mean_estimate(np.array(list(means.values()))),
        wilson(len(given), len(votes)),
        dict(Counter(v.code for v in votes if v.code is not None).most_common()),
        krippendorff_alpha(table, "interval"),
        percent_agreement(table),
        given[0] if constant else None,
    )


def _means(votes: Iterable[Vote]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for vote in votes:
        if vote.score is not None:
            found.setdefault(vote.case, []).append(vote.score)
    return {case: fmean(scores) for case, scores in found.items()}


def _why(case: Case, votes: Sequence[Vote], unanswered: Mapping[str, str]) -> str:
    if case.id in unanswered:
        return unanswered[case.id]
    codes = sorted({v.code for v in votes if v.case == case.id and v.code is not None})
    return f"no vote could be read ({', '.join(codes)})" if codes else "no vote was cast"


def _overall(results: Sequence[RubricResult]) -> dict[str, float]:
    """Mean over rubrics of the score of each case, from 0 (lowest) to 1."""
    found: dict[str, list[float]] = {}
    for result in results:
        low, high = result.rubric.low, result.rubric.high
        for case, score in result.scores.items():
            found.setdefault(case, []).append((score - low) / (high - low))
    return {case: fmean(scores) for case, scores in found.items()}
