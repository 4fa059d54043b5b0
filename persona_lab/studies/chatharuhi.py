"""Do role-play chatbots show their characters' personalities?

Wang et al. (2023, arXiv 2310.17976 v1) interview chatbots of 32 characters and compare MBTI
types with those that people give the characters. Three protocols: closed (the chatbot ticks
options), open (a judge reads all answers of an axis) and multigroup (a judge gives percentages
on groups of answers; the larger mean percentage wins). The Big Five tables hold a judge's
scores, -5..5, per facet and group of answers. Beside them our own raters on the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from persona_lab.detectors.registry import load_detector
from persona_lab.errors import FormatError, TargetError
from persona_lab.studies.alignment import (
    LETTERS,
    PredictedType,
    TypeAlignment,
    align_types,
    parse_type,
)
from persona_lab.studies.files import Object, find_files, read_objects, text_in
from persona_lab.studies.raters import rate_chatharuhi
from persona_lab.studies.result import Row, StudyResult

_NAME = "chatharuhi"
_AXES = tuple(f"{axis[0]}/{axis[1]}" for axis in LETTERS)
_PAPER_CHARACTERS, _PAPER_MULTIGROUP = 32, 82.8
_LABEL = {"character", "label"}
_DOMAINS = ("O", "C", "E", "A", "N")
_TABLE = "_table"


def run(folder: Path) -> StudyResult:
    """Recompute the study; see :func:`persona_lab.studies.run_study`."""
    labels = human_types(folder)
    alignments = {
        name: align_types(predicted, labels) for name, predicted in _predictions(folder).items()
    }
    big_five = _big_five(folder)
    rows = []
    for name, aligned in alignments.items():
        # the paper's figure is about its multigroup protocol on all its characters
        whole = name == "multigroup" and len(labels) - len(aligned.missing) == _PAPER_CHARACTERS
        rows += _rows(name, aligned, _PAPER_MULTIGROUP if whole else None)
    nulls = sum(d["nulls"] for domains in big_five.values() for d in domains.values())
    differ = [
        f"{character} {domain}"
        for character, domains in big_five.items()
        for domain, d in domains.items()
        if d["mean"] is not None and (d["stored"] is None or abs(d["mean"] - d["stored"]) > 1e-9)
    ]
    rows.append(Row("Big Five scores that differ from the stored ones", None, len(differ), 0))
    rater_rows, raters = rate_chatharuhi(folder, labels, load_detector("mbti"))
    rows += rater_rows
    notes = [f"Big Five tables: {nulls:,} empty cells were skipped."]
    if differ:
        notes.append(f"Big Five scores that differ from the stored ones: {', '.join(differ)}.")
    if len(labels) != _PAPER_CHARACTERS:
        notes.append(
            f"The paper's 82.8 % is about {_PAPER_CHARACTERS} characters; here are {len(labels)}."
        )
    return StudyResult(
        _NAME,
        "Role-play chatbots against human labels",
        "Wang et al. 2023, arXiv 2310.17976 v1",
        tuple(rows),
        {
            "characters": len(labels),
            "protocols": {name: aligned.to_row() for name, aligned in alignments.items()},
            "big_five": big_five,
            "big_five_nulls": nulls,
            "raters": raters,
        },
        tuple(notes),
    )


def _rows(name: str, aligned: TypeAlignment, paper: float | None) -> list[Row]:
    letters, other = aligned.letters, aligned.letters_other_way
    rows = [
        Row(f"{name}: letters right, of {letters.total}", None, letters.correct, 0),
        Row(f"{name}: letters right, %", paper, _percent(letters.correct, letters.total), 1),
        Row(f"{name}: whole types right, of {aligned.whole.total}", None, aligned.whole.correct, 0),
    ]
    if aligned.ties:
        rows.append(
            Row(
                f"{name}: letters right if {aligned.ties} ties go the other way",
                None,
                other.correct,
                0,
            )
        )
    return rows


def _percent(correct: int, total: int) -> float | None:
    return 100 * correct / total if total else None


def human_types(folder: Path) -> dict[str, str]:
    """Types that people give the characters, ``X`` where they disagree.

    Raises:
        InputError: no file of the folder holds them.
        FormatError: a row is no label.
    """
    paths = find_files(
        folder,
        lambda record: set(record) >= _LABEL and not {_AXES[0], "0"} & set(record),
        study=_NAME,
        usual_name="mbti_labels.jsonl",
        holds="'character' and a four-letter 'label', one a line",
    )
    return {
        text_in(record, "character", place): _type(record, place)
        for path in paths
        for place, record in read_objects(path)
    }


def _type(record: Object, place: str) -> str:
    try:
        return parse_type(text_in(record, "label", place))
    except TargetError as error:
        raise FormatError(f"{place}: {error}") from None


def _predictions(folder: Path) -> dict[str, dict[str, PredictedType]]:
    """Types by character, by protocol."""
    protocols: dict[str, dict[str, PredictedType]] = {}
    for name, usual_name, holds, fits, read in _PROTOCOLS:
        paths = find_files(folder, fits, study=_NAME, usual_name=usual_name, holds=holds)
        for path in paths:
            # with several judges the file says which is which
            key = name if len(paths) == 1 else f"{name} ({path.stem})"
            protocols[key] = {
                text_in(record, "character", place): read(record, place)
                for place, record in read_objects(path)
            }
    return protocols


def _closed(record: Object, place: str) -> PredictedType:
    return PredictedType(_type(record, place))


def _open(record: Object, place: str) -> PredictedType:
    letters = (text_in(record.get(axis, {}), "result", f"{place}, {axis}") for axis in _AXES)
    return PredictedType(_type({"label": "".join(letters)}, place))


def _multigroup(record: Object, place: str) -> PredictedType:
    means = []
    for axis in _AXES:
        groups = record.get(axis) or []
        try:
            scores = [group["results"]["result"] for group in groups]
            means.append(
                {letter: sum(s[letter] for s in scores) / len(scores) for letter in axis[::2]}
                if scores
                else {}
            )
        except (KeyError, TypeError):
            raise FormatError(
                f"{place}: a group of {axis} lacks results.result with a percentage of each letter"
            ) from None
    return PredictedType.from_scores(means)


def _first_axis(record: Object) -> Any:
    return record.get(_AXES[0])


_Reader = Callable[[Object, str], PredictedType]
_PROTOCOLS: tuple[tuple[str, str, str, Callable[[Object], bool], _Reader], ...] = (
    (
        "closed",
        "mbti_results_closed.jsonl",
        "'character', 'label' and the answers, one character a line",
        lambda record: set(record) >= _LABEL | {"0"},
        _closed,
    ),
    (
        "open",
        "mbti_results_open.jsonl",
        "'character' and a 'result' an axis, one character a line",
        lambda record: isinstance(_first_axis(record), dict),
        _open,
    ),
    (
        "multigroup",
        "mbti_results_open_multigroup_split=True_gpt-4.jsonl",
        "'character' and a list of groups an axis, one character a line",
        lambda record: isinstance(_first_axis(record), list),
        _multigroup,
    ),
)


def _big_five(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Domain scores by character and domain."""
    paths = find_files(
        folder,
        lambda record: "role_name" in record and f"N{_TABLE}" in record,
        study=_NAME,
        usual_name="psy_score_openai.jsonl",
        holds="'role_name' and the facet tables N_table ... E_table, one character a line",
    )
    return {
        text_in(record, "role_name", place): {
            domain: _domain(record, domain, place) for domain in _DOMAINS
        }
        for path in paths
        for place, record in read_objects(path)
    }


def _domain(record: Object, domain: str, place: str) -> dict[str, Any]:
    """One domain: the mean over groups of answers of the mean score of each.

    Returns:
        ``mean`` so computed, -5..5 (as the authors do it), ``mean_of_cells`` of all scores
        alike, ``facets``, how many ``scores`` and ``nulls`` the table has, and the ``stored``
        score of the file, which is null where a score was written as text.
    """
    tables = record.get(f"{domain}{_TABLE}")
    if not isinstance(tables, Mapping) or not all(isinstance(r, list) for r in tables.values()):
        raise FormatError(f"{place}: {domain}{_TABLE} is not a table of facets by groups")
    facets = {facet: [_score(cell) for cell in row] for facet, row in tables.items()}
    n_groups = max((len(row) for row in facets.values()), default=0)
    groups = [_mean([row[i] for row in facets.values() if i < len(row)]) for i in range(n_groups)]
    cells = [cell for row in facets.values() for cell in row]
    stored = record.get(domain)
    return {
        "mean": _mean(groups),
        "mean_of_cells": _mean(cells),
        "facets": {facet: _mean(row) for facet, row in facets.items()},
        "scores": sum(cell is not None for cell in cells),
        "nulls": sum(cell is None for cell in cells),
        "stored": stored.get("score") if isinstance(stored, Mapping) else None,
    }


def _score(cell: Any) -> float | None:
    """A score; the judge's replies hold some as text, and "null" for none."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def _mean(scores: list[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if known else None
