"""What filter runs kept of their data sets, in figures, from their folders alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from persona_lab.errors import InputError
from persona_lab.filtering.ledger import read_ledger
from persona_lab.filtering.outfolder import SUMMARY, read_json
from persona_lab.filtering.scores import Scores
from persona_lab.reports.results import Given
from persona_lab.reports.tallies import (
    BINS,
    WORD_EDGES,
    Floats,
    binned,
    rounded,
    used_bins,
    word_bins,
    word_label,
)
from persona_lab.traits import FRAMEWORKS

_VERDICT: Final = "verdict"
_SUMMARY: Final = ("rows", "unscored", "unreadable", "speakers", "duplicates", "clauses", "inputs")


def filter_figures(given: Sequence[Given]) -> dict[str, Any]:
    """All figures of filter runs.

    Args:
        given: their folders.

    Returns:
        JSON types: ``runs``, each with its ``name``, ``summary`` (of the run), ``settings``,
        ``models``, ``traits`` (``bins`` of 20 and means of all speakers and of those kept)
        and ``words`` (bins).

    Raises:
        InputError: a run is not finished, or its ledger is damaged.
    """
    return {"runs": [_run(one) for one in given]}


def _run(given: Given) -> dict[str, Any]:
    opened = Scores.open(given.path)
    summary = read_json(given.path / SUMMARY) or {}
    missing = [key for key in _SUMMARY if key not in summary]
    if missing:
        raise InputError(f"{given.path / SUMMARY} lacks {missing[0]!r}; run the filter again")
    job = opened.manifest["job"]
    return {
        "name": given.name,
        "summary": summary,
        "settings": {
            "keep": job["keep"],
            "any_speaker": job["any_speaker"],
            "duplicates": job["duplicates"],
            "stage": job["stage"],
        },
        "models": [dict(model) for model in opened.manifest["models"]],
        **_spread(opened),
    }


def _spread(opened: Scores) -> dict[str, Any]:
    """Distributions of all speakers and of those whose row is kept."""
    traits = [t for name in opened.manifest["frameworks"] for t in FRAMEWORKS[name].traits]
    tallies = {trait.key: _Tally(BINS) for trait in traits}
    words = _Tally(len(WORD_EDGES))
    columns = [*(f"{trait.key}.p_high" for trait in traits), "words", _VERDICT]
    for table in read_ledger(opened.ledger, columns):
        kept = np.array(table[_VERDICT].to_pylist(), object) == "kept"
        for trait in traits:
            tallies[trait.key].take(_floats(table[f"{trait.key}.p_high"]), kept, binned)
        words.take(_floats(table["words"]), kept, _lengths)
    return {
        "traits": [
            {
                "key": trait.key,
                "high_pole": trait.high,
                "low_pole": trait.low,
                **tallies[trait.key].to_row(),
            }
            for trait in traits
        ],
        "words": [
            {"words": word_label(i), "all": words.counts["all"][i], "kept": words.counts["kept"][i]}
            for i in used_bins(words.counts["all"])
        ],
    }


class _Tally:
    """Counts and sums of one column, table by table."""

    def __init__(self, n_bins: int) -> None:
        self.counts = {"all": [0] * n_bins, "kept": [0] * n_bins}
        self._sums = {"all": 0.0, "kept": 0.0}

    def take(self, values: Floats, kept: NDArray[np.bool_], bins: Any) -> None:
        known = ~np.isnan(values)
        for name, chosen in (("all", known), ("kept", known & kept)):
            found = bins(values[chosen])
            self.counts[name] = [a + b for a, b in zip(self.counts[name], found, strict=True)]
            self._sums[name] += float(values[chosen].sum())

    def to_row(self) -> Mapping[str, Any]:
        n = {name: sum(counts) for name, counts in self.counts.items()}
        means = {name: rounded(self._sums[name] / n[name]) if n[name] else None for name in n}
        return {"n": n, "mean": means, "bins": self.counts}


def _floats(column: Any) -> Floats:
    """An Arrow column as numbers; NaN where it is empty."""
    return np.asarray(column.to_numpy(), np.float64)


def _lengths(words: Floats) -> list[int]:
    bins = word_bins(words.astype(np.int64))
    return [int(n) for n in np.bincount(bins, minlength=len(WORD_EDGES))]
