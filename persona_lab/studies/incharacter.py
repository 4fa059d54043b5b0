"""Two sets of human labels of the same characters (InCharacter, arXiv 2310.17976 v2).

Annotators filled in 14 questionnaires for each character; voters of a fan site (``pdb``)
judged two of them. The annotators' scores are taken as predictions of the voters' labels, by
InCharacter's own measures: this is how well people agree, and so how well a chatbot's
measured personality could agree at best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persona_lab.errors import FormatError, InputError
from persona_lab.studies.alignment import (
    OPEN,
    DimensionAlignment,
    DimensionLabel,
    align_dimensions,
    side_of,
)
from persona_lab.studies.files import need_file, read_json
from persona_lab.studies.result import Row, StudyResult

_NAME = "incharacter"
_LABELS = "characters_labels.json"
_PREDICTOR, _TARGET = "annotation", "pdb"
_PERCENT = {"16Personalities": (0.0, 100.0)}
"""Questionnaires whose labels are percentages, not on the scale of their answers."""

Labels = dict[str, dict[str, dict[str, dict[str, Any]]]]
"""Score and type by character, questionnaire and dimension."""


def run(folder: Path) -> StudyResult:
    """Recompute the study; see :func:`persona_lab.studies.run_study`."""
    sources = _sources(need_file(folder, _LABELS, _NAME))
    names = {q for labels in sources.values() for per in labels.values() for q in per}
    scales = {name: _scale(folder, name) for name in sorted(names)}
    target = sources[_TARGET]
    shared = sorted({q for per in target.values() for q in per})
    alignments = {
        name: align_dimensions(
            _scores(sources[_PREDICTOR], name), _labels(target, name), scales[name]
        )
        for name in shared
    }
    checks = {source: _check_types(labels, scales) for source, labels in sources.items()}
    rows = [row for name, aligned in alignments.items() for row in _rows(name, aligned)]
    rows += [
        Row(
            f"{source}: types that break the .6/.4 rule, of {c['checked']}",
            None,
            len(c["exceptions"]),
            0,
        )
        for source, c in checks.items()
    ]
    return StudyResult(
        _NAME,
        "Annotators against a fan site's votes",
        "Wang et al. 2024, arXiv 2310.17976 v2",
        tuple(rows),
        {
            "characters": len(target),
            "predictor": _PREDICTOR,
            "target": _TARGET,
            "questionnaires": {name: aligned.to_row() for name, aligned in alignments.items()},
            "label_types": checks,
        },
        _notes(checks),
    )


def _rows(name: str, aligned: DimensionAlignment) -> Iterator[Row]:
    dimension, full, mae = aligned.accuracy, aligned.full, aligned.mae.estimate
    share = dimension.estimate.estimate
    yield Row(f"{name}: dimensions right, of {dimension.total}", None, dimension.correct, 0)
    yield Row(f"{name}: dimensions right, %", None, None if share is None else 100 * share, 1)
    yield Row(f"{name}: characters all right, of {full.total}", None, full.correct, 0)
    yield Row(f"{name}: mean absolute error, of the scale", None, mae, 3)


def _notes(checks: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    return tuple(
        f"{source}: {e['character']}, {e['questionnaire']}, {e['dimension']} scores {e['place']} "
        f"of the scale and is stored as {e['stored']}, not {e['by_rule']}."
        for source, check in checks.items()
        for e in check["exceptions"]
    )


def _sources(path: Path) -> dict[str, Labels]:
    given = read_json(path)
    for source in (_PREDICTOR, _TARGET):
        characters = given.get(source)
        if not isinstance(characters, dict):
            raise FormatError(f"{path.name} lacks the labels {source!r}")
        for character, questionnaires in characters.items():
            if not _nested(questionnaires):
                raise FormatError(
                    f"{path.name}: {source}, {character}: expected a 'score' and a 'type' for "
                    "each dimension of each questionnaire"
                )
    return {source: given[source] for source in (_PREDICTOR, _TARGET)}


def _nested(questionnaires: Any) -> bool:
    """Are there objects by questionnaire and dimension?"""
    return isinstance(questionnaires, dict) and all(
        isinstance(dimensions, dict)
        and all(isinstance(entry, dict) and "type" in entry for entry in dimensions.values())
        for dimensions in questionnaires.values()
    )


def _scale(folder: Path, questionnaire: str) -> tuple[float, float]:
    """Lowest and highest score of a questionnaire's labels."""
    if questionnaire in _PERCENT:
        return _PERCENT[questionnaire]
    path = need_file(folder, f"questionnaires/{questionnaire}.json", _NAME)
    try:
        low, high = (float(end) for end in read_json(path)["range"])
    except (KeyError, TypeError, ValueError):
        raise FormatError(f"{path.name} lacks 'range', the lowest and highest answer") from None
    if not low < high:
        raise InputError(f"{path.name}: the range {low}..{high} is empty")
    return low, high


def _known(entry: dict[str, Any]) -> float | None:
    """A label's score; the file has X in its place where raters could not tell."""
    score = entry.get("score")
    return float(score) if isinstance(score, (int, float)) else None


def _scores(labels: Labels, questionnaire: str) -> dict[str, dict[str, float]]:
    return {
        character: {
            dimension: score
            for dimension, entry in per.get(questionnaire, {}).items()
            if (score := _known(entry)) is not None
        }
        for character, per in labels.items()
    }


def _labels(labels: Labels, questionnaire: str) -> dict[str, dict[str, DimensionLabel]]:
    return {
        character: {
            dimension: DimensionLabel(score, entry["type"])
            for dimension, entry in per.get(questionnaire, {}).items()
            if (score := _known(entry)) is not None
        }
        for character, per in labels.items()
    }


def _check_types(labels: Labels, scales: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """Do stored types follow from the scores?"""
    counts: Counter[str] = Counter()
    exceptions = []
    for character, per in labels.items():
        for questionnaire, dimensions in per.items():
            low, high = scales[questionnaire]
            for dimension, entry in dimensions.items():
                score = _known(entry)
                if score is None:
                    counts["without_score"] += 1
                    counts["without_score_not_open"] += entry["type"] != OPEN
                    continue
                counts["checked"] += 1
                by_rule = side_of(score, (low, high))
                if entry["type"] != by_rule:
                    exceptions.append(
                        {
                            "character": character,
                            "questionnaire": questionnaire,
                            "dimension": dimension,
                            "score": score,
                            "place": round((score - low) / (high - low), 4),
                            "stored": entry["type"],
                            "by_rule": by_rule,
                        }
                    )
    keys = ("checked", "without_score", "without_score_not_open")
    return {key: counts[key] for key in keys} | {"exceptions": exceptions}
