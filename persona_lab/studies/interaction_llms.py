"""Do chatbots keep their personality while they write together?

Frisch & Giulianelli (2024, arXiv 2402.02896) give GPT-3.5 a creative or an analytic profile,
ask the Big Five Inventory before and after a story is written, alone (control) or continuing
another agent's story, and count the stories' words by LIWC category.

Recomputed here, for each condition, group and trait: means, the authors' F test and Cohen's d
(after minus before, average variance); beyond the paper, agreement of the two sittings,
ICC(2,1), and the standard error of measurement. From the word counts: how well logistic
regression tells the two groups apart (10-fold cross-validation on standardised counts), which
falls as agents take on one another's words.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from persona_lab.errors import FormatError, InputError
from persona_lab.psychometrics import (
    cohens_d,
    cohens_dz,
    icc,
    minimal_detectable_change,
    retest_standard_error,
)
from persona_lab.psychometrics.estimate import Floats, constant
from persona_lab.studies.files import need_file, number_in, read_table
from persona_lab.studies.result import Row, StudyResult

_NAME = "interaction-llms"
_BFI, _LIWC = "BFI_Story_data.csv", "LIWC_results.csv"
_TRAITS = ("Extraversion", "Agreeableness", "Conscientiousness", "Neuroticism", "Openness")
_AFTER = "Writing_"
_GROUP = "Group"
_ABOUT = ("Subject_ID", _GROUP, "Experimental_condition")
_FOLDS, _SEED = 10, 42
_PAPER_TOLD_APART = {"0_CONTROL": (98.5, 1), "2_CREAANA": (66.15, 2)}
"""Percent of stories told apart by condition, and the decimals given."""


def run(folder: Path) -> StudyResult:
    """Recompute the study; see :func:`persona_lab.studies.run_study`."""
    conditions = sorted(path.parent for path in folder.glob(f"*/{_BFI}"))
    if not conditions:
        raise InputError(f"{_NAME} needs files CONDITION/{_BFI}; {folder} has none")
    details: dict[str, Any] = {}
    told_apart: list[Row] = []
    shifts: list[Row] = []
    for condition in conditions:
        name = condition.name
        liwc = need_file(folder, f"{name}/{_LIWC}", _NAME)
        groups = _sittings(condition / _BFI)
        accuracy = _told_apart(liwc)
        paper, digits = _PAPER_TOLD_APART.get(name, (None, 2))
        told_apart.append(
            Row(f"{name}: stories told apart by words, %", paper, 100 * accuracy, digits)
        )
        details[name] = {
            "told_apart_by_words": round(accuracy, 4),
            "groups": {
                group: {trait: _change(*sittings) for trait, sittings in traits.items()}
                for group, traits in groups.items()
            },
        }
        shifts += _rows(name, details[name]["groups"])
    return StudyResult(
        _NAME,
        "Chatbots' Big Five before and after writing",
        "Frisch & Giulianelli 2024, arXiv 2402.02896",
        (*told_apart, *shifts),
        {"conditions": details},
        ("d is Cohen's d, after minus before, over the root of the mean of both variances.",),
    )


def _rows(condition: str, groups: dict[str, dict[str, dict[str, Any]]]) -> Iterator[Row]:
    for group, traits in groups.items():
        for trait, change in traits.items():
            place = f"{condition} {group} {trait}"
            yield Row(f"{place}: d", None, change["cohens_d"]["estimate"], 2)
            yield Row(f"{place}: ICC(2,1)", None, change["icc"]["estimate"], 2)


def _sittings(path: Path) -> dict[str, dict[str, tuple[Floats, Floats]]]:
    """Scores before and after, by group and trait."""
    columns = (*_ABOUT, *_TRAITS, *(_AFTER + trait for trait in _TRAITS))
    rows = read_table(path, columns)
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row[_GROUP], []).append(row)

    def scores(subjects: list[dict[str, str]], column: str) -> Floats:
        return np.array(
            [number_in(s[column], f"{path.name}, subject {s[_ABOUT[0]]}") for s in subjects]
        )

    return {
        group: {t: (scores(subjects, t), scores(subjects, _AFTER + t)) for t in _TRAITS}
        for group, subjects in groups.items()
    }


def _change(before: Floats, after: Floats) -> dict[str, Any]:
    """One trait of one group, before and after."""
    both = np.stack([before, after], axis=1)
    sem = retest_standard_error(both)
    f, p = _f_test(before, after)
    return {
        "n": len(before),
        "mean_before": round(float(before.mean()), 4),
        "mean_after": round(float(after.mean()), 4),
        "sd_before": round(float(before.std(ddof=1)), 4) if len(before) > 1 else None,
        "sd_after": round(float(after.std(ddof=1)), 4) if len(after) > 1 else None,
        "f": f,
        "p": p,
        "cohens_d": cohens_d(after, before, spread="average").to_row(),
        "dz": cohens_dz(after, before).to_row(),
        "icc": icc(both, "ICC(2,1)").to_row(),
        "sem": sem.to_row(),
        "mdc": minimal_detectable_change(sem).to_row(),
    }


def _f_test(before: Floats, after: Floats) -> tuple[float | None, float | None]:
    """The authors' one-way F test, which takes the sittings as independent groups."""
    from scipy.stats import f_oneway

    if len(before) < 2 or (constant(before) and constant(after)):
        return None, None
    result = f_oneway(before, after)
    return round(float(result.statistic), 4), float(result.pvalue)


def _told_apart(path: Path) -> float:
    """Cross-validated accuracy of telling the groups apart by word counts."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import StandardScaler

    rows = read_table(path, _ABOUT)
    groups = [row[_GROUP] for row in rows]
    if len(set(groups)) != 2 or min(groups.count(g) for g in set(groups)) < _FOLDS:
        raise FormatError(f"{path.name}: expected two groups of {_FOLDS} subjects or more")
    counts = [
        [
            number_in(cell, f"{path.name}:{number}, {name}")
            for name, cell in row.items()
            if name not in _ABOUT
        ]
        for number, row in enumerate(rows, start=2)
    ]
    x = StandardScaler().fit_transform(np.array(counts))
    folds = cross_val_score(LogisticRegression(random_state=_SEED), x, groups, cv=_FOLDS)
    return float(folds.mean())
