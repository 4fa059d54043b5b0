"""How well a reader agrees with readers on texts that nothing was fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.reader.rule import Rule, Verdict, judge
from persona_lab.detectors.reader.scale import AXES
from persona_lab.training.metrics import ece
from persona_lab.training.reader.calibrate import CLEAR, NOTHING, POLE, Read
from persona_lab.training.reader.labels import Rated, levels
from persona_lab.training.reader.network import Floats

_LONG = 48
"""Words from which a text counts as a passage."""

_BIG_FIVE = 5
"""The first axes are the Big Five's."""

_DRAWS = 500


def groups_of(texts: Sequence[Rated]) -> NDArray[np.str_]:
    """``real`` or ``written``, ``passages`` or ``utterances``."""
    return np.array(
        [
            f"{'written' if one.written else 'real'} "
            f"{'passages' if len(one.text.split()) >= _LONG else 'utterances'}"
            for one in texts
        ]
    )


def agreement(
    texts: Sequence[Rated], reads: Sequence[Read], rule: Rule | None = None
) -> dict[str, float]:
    """Mean correlation over the Big Five of level and mean rating, by group of texts.

    Args:
        texts: rated.
        reads: of each.
        rule: fitted, or the plain one.
    """
    level = np.stack([judge(read, rule or Rule.plain()).level for read in reads])
    wanted, groups = levels(texts), groups_of(texts)
    return {
        str(group): round(
            float(np.nanmean(_correlations(level[rows], wanted[rows])[:_BIG_FIVE])), 3
        )
        for group in sorted(set(groups))
        if (rows := groups == group).sum() > 2
    }


def measure(
    texts: Sequence[Rated], reads: Sequence[Read], rule: Rule, *, seed: int = 0
) -> dict[str, Any]:
    """All figures of a reader on held-out texts.

    Args:
        texts: rated.
        reads: of each.
        rule: fitted.
        seed: of the bootstrap over groups of texts.

    Returns:
        JSON types. By group of texts ``n``, ``r`` (mean over the Big Five with its 90 %
        interval by resampling authors, and by axis) and ``raters`` (mean correlation of one
        rater with the others' mean); over all texts ``clear`` (cases with a mean rating
        beyond 1.5: ``n``, ``labelled_right``, ``right_among_labelled``), ``nothing`` (cases
        within a third of 0: ``n``, ``labelled``), ``ece`` of ``p_high`` where a pole was seen,
        and ``coverage`` of the 90 % interval of the level.
    """
    verdicts = [judge(read, rule) for read in reads]
    level, wanted = np.stack([v.level for v in verdicts]), levels(texts)
    groups = groups_of(texts)
    dice = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for group in sorted(set(groups)):
        rows = np.flatnonzero(groups == group).tolist()
        found[str(group)] = {
            "n": len(rows),
            "r": _with_interval(level[rows], wanted[rows], [texts[i].group for i in rows], dice),
            "by_axis": {
                axis: None if np.isnan(r) else round(float(r), 3)
                for axis, r in zip(AXES, _correlations(level[rows], wanted[rows]), strict=True)
            },
            "raters": _raters([texts[i] for i in rows]),
        }
    return {"groups": found} | _cases(verdicts, wanted)


def _cases(verdicts: Sequence[Verdict], wanted: Floats) -> dict[str, Any]:
    five = slice(0, _BIG_FIVE)
    label = np.stack([v.label for v in verdicts])[:, five]
    p = np.stack([v.p_high for v in verdicts])[:, five]
    low, high = (
        np.stack([getattr(v, name) for v in verdicts])[:, five]
        for name in ("level_low", "level_high")
    )
    want = wanted[:, five]
    clear, nothing, pole = np.abs(want) >= CLEAR, np.abs(want) <= NOTHING, np.abs(want) >= POLE
    right = label == np.sign(want)
    labelled = label != 0
    return {
        "clear": {
            "n": int(clear.sum()),
            "labelled_right": _share(right & clear, clear),
            "right_among_labelled": _share(right & labelled & clear, labelled & clear),
        },
        "nothing": {"n": int(nothing.sum()), "labelled": _share(labelled & nothing, nothing)},
        "pole": {"n": int(pole.sum()), "right_side": _share((p > 0.5) == (want > 0), pole)},
        "ece": round(
            float(ece((want[pole] > 0).astype(float), p[pole].astype(float), np.ones(pole.sum()))),
            4,
        ),
        "coverage": _share((low <= want) & (want <= high), ~np.isnan(want)),
    }


def _share(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> float | None:
    return round(float(hits[among].mean()), 4) if among.any() else None


def _correlations(level: Floats, wanted: Floats) -> Floats:
    """By axis; NaN where nothing is known or varies."""
    found = np.full(level.shape[1], np.nan)
    for axis in range(level.shape[1]):
        known = ~np.isnan(wanted[:, axis])
        a, b = level[known, axis], wanted[known, axis]
        if len(a) > 2 and a.std() > 0 and b.std() > 0:
            found[axis] = np.corrcoef(a, b)[0, 1]
    return found


def _with_interval(
    level: Floats, wanted: Floats, groups: Sequence[str], dice: np.random.Generator
) -> dict[str, float]:
    names, place = np.unique(groups, return_inverse=True)
    rows = [np.flatnonzero(place == i) for i in range(len(names))]
    level, wanted = level[:, :_BIG_FIVE], wanted[:, :_BIG_FIVE]
    draws = []
    for _ in range(_DRAWS):
        picked = np.concatenate([rows[i] for i in dice.integers(len(rows), size=len(rows))])
        draws.append(np.nanmean(_correlations(level[picked], wanted[picked])))
    low, high = np.quantile(draws, [0.05, 0.95])
    value = float(np.nanmean(_correlations(level, wanted)))
    return {"value": round(value, 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def _raters(texts: Sequence[Rated]) -> float | None:
    """Mean correlation of a rater with the mean of the others, where three rated."""
    pairs: dict[int, list[tuple[float, float]]] = {}
    for one in texts:
        given = list(one.blind.values())
        if len(given) < 3:
            continue
        for place, axis in enumerate(AXES[:_BIG_FIVE]):
            said = [r[axis] for r in given if axis in r]
            for i, rating in enumerate(said):
                others = [r for j, r in enumerate(said) if j != i]
                pairs.setdefault(place, []).append((rating, float(np.mean(others))))
    columns = [np.array(some).T for some in pairs.values()]
    found = [np.corrcoef(two)[0, 1] for two in columns if two.std(axis=1).all()]
    return round(float(np.mean(found)), 3) if found else None
