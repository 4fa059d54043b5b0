"""Do chatbots answer a questionnaire as the traits they were assigned?

Jiang et al. (2024, arXiv 2305.02547) assign five binary traits to three models, 320 personas
each, and let them answer the 44 items of the Big Five Inventory. Recomputed here: Cohen's d
between personas with and without a trait, the scores from the raw answers, and which personas
do not answer as assigned.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from persona_lab.errors import FormatError, InputError
from persona_lab.psychometrics import Estimate, cohens_d, correlation
from persona_lab.studies.files import (
    number_in,
    read_objects,
    read_table,
    text_in,
)
from persona_lab.studies.result import Row, StudyResult

_NAME = "personallm"
_SCORES, _ANSWERS = "_all_scores.csv", "_bfi_answers.jsonl"
_CODES = {
    "Extraversion": ("extr", "intr"),
    "Agreeableness": ("agre", "anta"),
    "Conscientiousness": ("cons", "unco"),
    "Neuroticism": ("neur", "emot"),
    "Openness": ("open", "clos"),
}
"""Trait and the codes of its poles, high pole first."""

_KEY = {
    "Extraversion": (1, -6, 11, 16, -21, 26, -31, 36),
    "Agreeableness": (-2, 7, -12, 17, 22, -27, 32, -37, 42),
    "Conscientiousness": (3, -8, 13, -18, -23, 28, 33, 38, -43),
    "Neuroticism": (4, -9, 14, 19, -24, 29, -34, 39),
    "Openness": (5, 10, 15, 20, 25, 30, -35, 40, -41, 44),
}
"""Items of the Big Five Inventory by trait, reversed ones negative (John & Srivastava 1999)."""

_N_ITEMS = 44
_LOW, _HIGH = 1, 5
_ANSWER = re.compile(r"\([a-z]{1,2}\)\s*(\d)")
_FIRST_ITEM = "(a)"

_PRINTED_DIGITS = 4

_PAPER_D = {
    "gpt4_0613": (5.465, 4.224, 4.388, 5.174, 6.305),
    "gpt3.5_turbo_0613": (7.806, 5.930, 1.561, 1.833, 2.903),
    "llama-2": (2.865, 1.340, 1.164, 1.630, 2.614),
}
"""Cohen's d by model, in the order of the traits above."""

Persona = tuple[str, str]
"""Assigned traits (``extr_agre_cons_neur_open``) and run."""


@dataclass(frozen=True, slots=True)
class _Answers:
    """One persona's raw answers.

    Attributes:
        id: of the record.
        persona: assigned traits and run.
        answers: ``(44,)``, 1..5.
    """

    id: str
    persona: Persona
    answers: tuple[int, ...]

    def score(self, trait: str) -> int:
        """Sum score of a trait."""
        given = ((self.answers[abs(i) - 1], i < 0) for i in _KEY[trait])
        return sum(_LOW + _HIGH - answer if turned else answer for answer, turned in given)


def run(folder: Path) -> StudyResult:
    """Recompute the study; see :func:`persona_lab.studies.run_study`."""
    files = sorted((folder / "scores").glob(f"*{_SCORES}"))
    if not files:
        raise InputError(f"{_NAME} needs files scores/MODEL{_SCORES}; {folder} has none")
    raw = {_plain(p.name.removesuffix(_ANSWERS)): p for p in sorted(folder.glob(f"*{_ANSWERS}"))}
    if not raw:
        raise InputError(f"{_NAME} needs files MODEL{_ANSWERS}; {folder} has none")
    rows: list[Row] = []
    models: dict[str, Any] = {}
    for file in files:
        model = file.name.removesuffix(_SCORES)
        scores = _read_scores(file)
        effects = {trait: _effect(scores, trait) for trait in _CODES}
        models[model] = {"cohens_d": {t: d.to_row() for t, d in effects.items()}}
        published = _PAPER_D.get(model, (None,) * len(_CODES))
        rows += [
            Row(f"{model}: Cohen's d, {trait}", paper, _printed(effects[trait]), 3)
            for trait, paper in zip(_CODES, published, strict=True)
        ]
        if _plain(model) in raw:
            models[model] |= _from_answers(list(_read_answers(raw[_plain(model)])), scores)
            rows += _answer_rows(model, models[model])
    return StudyResult(
        _NAME,
        "Chatbots with assigned Big Five traits",
        "Jiang et al. 2024, arXiv 2305.02547",
        tuple(rows),
        {"models": models},
        (
            "Cohen's d as the authors' script has it: variances over n, pooled with weights n-1, "
            "printed with four decimals, from which the figures are rounded.",
            "Answers are against the assignment where their correlation with the assigned "
            "direction of the items is not above 0 (one-sided, p >= .05), reversed where it is "
            "below 0.",
        ),
    )


def _plain(model: str) -> str:
    """A model's name without what the two kinds of files spell differently."""
    return re.sub(r"[^a-z0-9]", "", model.lower())


def _read_scores(path: Path) -> dict[tuple[Persona, str], float]:
    """Sum scores by persona and trait."""
    scores = {}
    columns = ("trait", "run", "personality_type", "sum_score")
    for number, row in enumerate(read_table(path, columns), start=2):
        if row["trait"] not in _CODES:
            raise FormatError(f"{path.name}:{number}: {row['trait']!r} is no Big Five trait")
        persona = (row["personality_type"], row["run"])
        scores[persona, row["trait"]] = number_in(row["sum_score"], f"{path.name}:{number}")
    return scores


def _effect(scores: Mapping[tuple[Persona, str], float], trait: str) -> Estimate:
    """Cohen's d between personas that were assigned the two poles of a trait."""
    poles: dict[str, list[float]] = defaultdict(list)
    for ((encoding, _), scored_trait), score in scores.items():
        if scored_trait == trait:
            poles[_pole(encoding, trait)].append(score)
    high, low = (poles[code] for code in _CODES[trait])
    return cohens_d(high, low, spread="population")


def _printed(d: Estimate) -> float | None:
    """An effect as the authors' script prints it, from which figures were rounded further."""
    return None if d.estimate is None else round(d.estimate, _PRINTED_DIGITS)


def _pole(encoding: str, trait: str) -> str:
    parts = set(encoding.split("_")) & set(_CODES[trait])
    if len(parts) != 1:
        raise FormatError(f"the persona {encoding!r} does not name one pole of {trait}")
    return parts.pop()


def _read_answers(path: Path) -> Iterator[_Answers]:
    for place, record in read_objects(path):
        text = text_in(record, "annotation", place)
        # some replies begin by repeating an item of the middle; the list starts at (a)
        found = _ANSWER.findall(text[max(0, text.find(_FIRST_ITEM)) :])[:_N_ITEMS]
        answers = tuple(int(digit) for digit in found)
        if len(answers) < _N_ITEMS or not all(_LOW <= a <= _HIGH for a in answers):
            raise FormatError(f"{place}: expected {_N_ITEMS} answers of {_LOW} to {_HIGH}")
        persona = (text_in(record, "persona_encoding", place), str(record.get("iteration")))
        yield _Answers(str(record.get("file", place)), persona, answers)


def _from_answers(
    records: list[_Answers], scores: Mapping[tuple[Persona, str], float]
) -> dict[str, Any]:
    """What the raw answers say: scores that differ, and personas against their assignment."""
    compared = [
        (record.id, trait, record.score(trait), scores[record.persona, trait])
        for record in records
        for trait in _CODES
        if (record.persona, trait) in scores
    ]
    against = [facts for record in records if (facts := _against(record)) is not None]
    return {
        "rescored": {
            "compared": len(compared),
            "differ": [
                {"id": id_, "trait": trait, "answers": ours, "csv": theirs}
                for id_, trait, ours, theirs in compared
                if ours != theirs
            ],
            "without_csv_row": len(records) * len(_CODES) - len(compared),
        },
        "against_assignment": {
            "count": len(against),
            "reversed": sum(facts["match"] < 0 for facts in against),
            "of": len(records),
            "ids": [facts["id"] for facts in against],
            "personas": against,
        },
    }


def _against(record: _Answers) -> dict[str, Any] | None:
    """Facts on a persona whose answers do not go along with its assignment, else None."""
    direction = np.zeros(_N_ITEMS)
    opposite = []
    for trait, (high, _) in _CODES.items():
        sign = 1 if _pole(record.persona[0], trait) == high else -1
        for item in _KEY[trait]:
            direction[abs(item) - 1] = sign * np.sign(item)
        middle = len(_KEY[trait]) * (_LOW + _HIGH) / 2
        if sign * (record.score(trait) - middle) < 0:
            opposite.append(trait)
    # a two-sided 90 % interval leaves 5 % on either side
    match = correlation(record.answers, direction, confidence=0.9)
    if match.estimate is not None and match.low is not None and match.low > 0:
        return None
    return {
        "id": record.id,
        "match": 0.0 if match.estimate is None else round(match.estimate, 4),
        "opposite_traits": opposite,
    }


def _answer_rows(model: str, facts: Mapping[str, Any]) -> Iterator[Row]:
    rescored, against = facts["rescored"], facts["against_assignment"]
    yield Row(f"{model}: scores compared with raw answers", None, rescored["compared"], 0)
    yield Row(f"{model}: scores that differ from raw answers", 0, len(rescored["differ"]), 0)
    yield Row(f"{model}: personas against their assignment", None, against["count"], 0)
    yield Row(f"{model}: of these, reversed", None, against["reversed"], 0)
