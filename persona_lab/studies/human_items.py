"""Reliability of 25 Big Five items (the ``bfi`` data of the R package psych, Revelle 2024).

2,800 people answered five items a trait on a scale of 1 to 6. The package's documentation
gives Cronbach's alpha of each scale, so this is a check of the reliability code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from persona_lab.errors import FormatError
from persona_lab.psychometrics import (
    cronbach_alpha,
    mcdonald_omega,
    minimal_detectable_change,
    split_half,
    standard_error_of_measurement,
)
from persona_lab.psychometrics.estimate import Floats
from persona_lab.studies.files import need_file, number_in, read_table
from persona_lab.studies.result import Row, StudyResult

_NAME = "human-items"
_LOW, _HIGH = 1, 6
_PAPER_ALPHA = {
    "agree": 0.70,
    "conscientious": 0.73,
    "extraversion": 0.76,
    "neuroticism": 0.81,
    "openness": 0.60,
}


def run(folder: Path) -> StudyResult:
    """Recompute the study; see :func:`persona_lab.studies.run_study`."""
    scales = _scales(need_file(folder, "bfi.keys.csv", _NAME))
    answers = need_file(folder, "bfi.csv", _NAME)
    columns = [item.lstrip("-") for items in scales.values() for item in items]
    people = read_table(answers, columns)
    details: dict[str, Any] = {}
    rows: list[Row] = []
    for scale, items in scales.items():
        scores = _scored(people, items, answers.name)
        alpha = cronbach_alpha(scores)
        # the mean of the items, so that the errors are in steps of the answer scale
        error = standard_error_of_measurement(scores.mean(axis=1), alpha)
        figures = {
            "alpha": alpha,
            "omega": mcdonald_omega(scores),
            "split_half": split_half(scores),
            "sem": error,
            "mdc": minimal_detectable_change(error),
        }
        rows.append(Row(f"{scale}: alpha", _PAPER_ALPHA.get(scale), alpha.estimate, 2))
        rows += [
            Row(f"{scale}: {title}", None, figures[name].estimate, 2)
            for name, title in _TITLES.items()
        ]
        details[scale] = {name: figure.to_row() for name, figure in figures.items()}
        details[scale]["items"] = items
    return StudyResult(
        _NAME,
        "Reliability of 25 Big Five items",
        "R package psych, data bfi",
        tuple(rows),
        {"people": len(people), "scales": details},
        (
            "People who left out an item of a scale do not count for that scale.",
            "Errors of measurement are those of the mean answer, in steps of the 1-6 scale.",
        ),
    )


_TITLES = {
    "omega": "omega total",
    "split_half": "split-half",
    "sem": "standard error of measurement",
    "mdc": "minimal detectable change (95 %)",
}


def _scales(path: Path) -> dict[str, list[str]]:
    """Items of each scale; a minus marks a reversed one."""
    rows = read_table(path, ())
    names = [name for name in rows[0] if name != "rownames"] if rows else []
    if not names:
        raise FormatError(f"{path.name} lists no scales")
    return {name: [row[name] for row in rows if row[name].strip("- ")] for name in names}


def _scored(people: list[dict[str, str]], items: list[str], file: str) -> Floats:
    """``(people, items)`` answers, reversed items turned, missing ones NaN."""
    scores = np.full((len(people), len(items)), np.nan)
    for i, person in enumerate(people):
        for j, item in enumerate(items):
            cell = person[item.lstrip("-")].strip()
            if cell in ("", "NA"):
                continue
            answer = number_in(cell, f"{file}:{i + 2}, {item.lstrip('-')}")
            scores[i, j] = _LOW + _HIGH - answer if item.startswith("-") else answer
    return scores
