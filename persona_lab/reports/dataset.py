"""What score rows say about a data set, in figures: what the page shows and ``--json`` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from persona_lab.dialogue import AUTHOR
from persona_lab.errors import InputError
from persona_lab.reports.results import Given
from persona_lab.reports.scorerows import LABELS, Column, Scored, ScoreRows, read_scores
from persona_lab.reports.tallies import (
    WORD_EDGES,
    Floats,
    binned,
    mean_of,
    rounded,
    spread_of,
    used_bins,
    word_bins,
    word_label,
)
from persona_lab.traits import Trait

_LISTED: Final = 5
_MOST_TYPES: Final = 16
_MOST_SPEAKERS: Final = 12
_LEAST_ROWS: Final = 5
"""A name with fewer rows is nobody one could say something about."""
_ABSTAIN: Final = LABELS.index("abstain")


def dataset_figures(given: Sequence[Given]) -> dict[str, Any]:
    """All figures of a data set.

    Args:
        given: files of score rows.

    Returns:
        JSON types: ``rows`` (total, scored, unscored, unreadable, repeated), ``texts``,
        ``speakers``, ``unscored`` and ``warnings`` by code, ``models``, ``words`` (spread and
        bins), ``sources``, ``problems``, and ``frameworks``, each with its ``traits``
        (spread, ``bins`` of 20 by label, counts of labels, ``highest``, ``lowest`` and
        ``nearest`` rows by id), ``types``, ``by_words``, ``by_source`` and ``by_speaker``.

    Raises:
        InputError: a file cannot be read, or no row in them can.
    """
    rows = read_scores(given)
    scored = sum(source.scored for source in rows.sources)
    unscored = rows.unscored.counts.total()
    if not scored + unscored:
        first = rows.problems.listed[0] if rows.problems.listed else "the files are empty"
        raise InputError(f"not one row can be read: {first}")
    return {
        "rows": {
            "total": scored + unscored + rows.problems.total,
            "scored": scored,
            "unscored": unscored,
            "unreadable": rows.problems.total,
            "repeated": rows.repeated,
        },
        "texts": sum(len(source.ids) for source in rows.sources),
        "speakers": sum(len(source.words) for source in rows.sources),
        "unscored": rows.unscored.to_rows(),
        "warnings": [{"code": code, "rows": n} for code, n in rows.warnings.most_common()],
        "models": rows.models.to_rows(),
        "words": _words(rows),
        "sources": _sources(rows),
        "frameworks": [
            _framework(rows.scored[name], rows)
            for name in ("bigfive", "mbti")
            if name in rows.scored
        ],
        "problems": rows.problems.to_row(),
    }


def _words(rows: ScoreRows) -> dict[str, Any]:
    """How long the texts are, a speaker each."""
    lengths = np.array([n for source in rows.sources for n in source.words.values()], np.int64)
    counts = np.bincount(word_bins(lengths), minlength=len(WORD_EDGES)).tolist()
    return spread_of(lengths.astype(np.float64)) | {
        "total": int(lengths.sum()),
        "bins": [{"words": word_label(i), "speakers": counts[i]} for i in used_bins(counts)],
    }


def _sources(rows: ScoreRows) -> list[dict[str, Any]]:
    return [
        {
            "name": source.name,
            "texts": len(source.ids),
            "speakers": len(source.words),
            "scored": source.scored,
            "unscored": source.unscored,
            "median_words": rounded(float(np.median(list(source.words.values()))))
            if source.words
            else None,
        }
        for source in rows.sources
    ]


def _framework(scored: Scored, rows: ScoreRows) -> dict[str, Any]:
    sources = np.array(scored.sources, np.int64)
    groups = [(source.name, sources == place) for place, source in enumerate(rows.sources)]
    found = {
        "name": scored.framework.name,
        "title": scored.framework.title,
        "rows": len(scored.ids),
        "traits": [
            _trait(trait, scored.traits[trait.key], scored, rows)
            for trait in scored.framework.traits
        ],
        "by_words": _by_words(scored),
        "by_source": _groups(scored, groups if len(groups) > 1 else ()),
        "by_speaker": _groups(scored, _speakers(scored)),
    }
    if scored.types:
        found["types"] = {
            "listed": [{"type": t, "rows": n} for t, n in scored.types.most_common(_MOST_TYPES)],
            "different": len(scored.types),
            "complete": sum(n for t, n in scored.types.items() if "X" not in t),
        }
    return found


def _trait(trait: Trait, column: Column, scored: Scored, rows: ScoreRows) -> dict[str, Any]:
    p, labels = column.numbers("p"), column.labels()
    known = ~np.isnan(p)
    values = p[known]
    thresholds = column.numbers("threshold")
    width = (column.numbers("high") - column.numbers("low"))[known]
    return {
        "key": trait.key,
        "high_pole": trait.high,
        "low_pole": trait.low,
        **mean_of(values),
        "sd": rounded(float(values.std(ddof=1))) if len(values) > 1 else None,
        **{f"p_{name}": value for name, value in spread_of(values).items()},
        "interval_width": rounded(float(width.mean())) if len(width) else None,
        "thresholds": sorted({rounded(float(t)) for t in np.unique(thresholds[known])}),
        "labels": {name: int((labels == i).sum()) for i, name in enumerate(LABELS)},
        "bins": {name: binned(p[labels == i]) for i, name in enumerate(LABELS)},
        **_extremes(p, thresholds, column, scored, rows),
    }


def _extremes(
    p: Floats, thresholds: Floats, column: Column, scored: Scored, rows: ScoreRows
) -> dict[str, list[dict[str, Any]]]:
    """The rows at both ends and those nearest to the threshold, by id."""

    def listed(order: Floats) -> list[dict[str, Any]]:
        known = np.flatnonzero(~np.isnan(order))
        chosen = known[np.argsort(order[known], kind="stable")][:_LISTED]
        return [_row(int(at), column, scored, rows) for at in chosen]

    return {
        "highest": listed(-p),
        "lowest": listed(p),
        "nearest": listed(np.abs(p - thresholds)),
    }


def _row(at: int, column: Column, scored: Scored, rows: ScoreRows) -> dict[str, Any]:
    return {
        "id": scored.ids[at],
        "speaker": scored.speakers[at],
        "source": rows.sources[scored.sources[at]].name,
        "words": scored.words[at],
        "p_high": rounded(column.p[at]),
        "low": rounded(column.low[at]),
        "high": rounded(column.high[at]),
        "label": LABELS[column.label[at]],
    }


def _by_words(scored: Scored) -> list[dict[str, Any]]:
    """Share of labels that are abstained from, by length of the text."""
    bins = word_bins(np.array(scored.words, np.int64))
    counts = np.bincount(bins, minlength=len(WORD_EDGES)).tolist()
    labels = np.stack([column.labels() for column in scored.traits.values()])
    return [
        {
            "words": word_label(number),
            "rows": counts[number],
            **_abstained(labels[:, bins == number]),
        }
        for number in used_bins(counts)
    ]


def _abstained(labels: NDArray[np.int8]) -> dict[str, Any]:
    """How many of the labels ``(traits, rows)`` there are, and which share is none."""
    n = int((labels >= 0).sum())
    none = int((labels == _ABSTAIN).sum())
    return {"labels": n, "abstained": none, "share": rounded(none / n) if n else None}


def _speakers(scored: Scored) -> list[tuple[str, NDArray[np.bool_]]]:
    """Names that come back, the most frequent first; nothing where there are not two."""
    common = [
        (name, n)
        for name, n in Counter(scored.speakers).most_common(_MOST_SPEAKERS + 1)
        # texts of many people have this stand-in for a name
        if n >= _LEAST_ROWS and name != AUTHOR
    ]
    if len(common) < 2:
        return []
    names = np.array(scored.speakers, object)
    return [(name, np.asarray(names == name, np.bool_)) for name, _ in common[:_MOST_SPEAKERS]]


def _groups(
    scored: Scored, groups: Sequence[tuple[str, NDArray[np.bool_]]]
) -> list[dict[str, Any]]:
    """Means of each trait in each group of rows."""
    labels = np.stack([column.labels() for column in scored.traits.values()])
    words = np.array(scored.words, np.int64)
    found = []
    for name, mine in groups:
        traits = {}
        for key, column in scored.traits.items():
            values = column.numbers("p")[mine]
            traits[key] = mean_of(values[~np.isnan(values)])
        found.append(
            {
                "name": name,
                "rows": int(mine.sum()),
                "median_words": rounded(float(np.median(words[mine]))) if mine.any() else None,
                "traits": traits,
                **_abstained(labels[:, mine]),
            }
        )
    return found
