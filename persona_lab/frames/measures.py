"""Statistics as frames: correlations, marker words, estimates, and what models are worth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from persona_lab.errors import InputError
from persona_lab.frames.building import Columns, build

if TYPE_CHECKING:
    import pandas as pd

    from persona_lab.psychometrics.estimate import Estimate
    from persona_lab.psychometrics.mtmm import MultitraitMultimethod

_ESTIMATE: Final[Columns] = {
    "low": "number",
    "high": "number",
    "n": "count",
    "status": "text",
    "reason": "text",
    "code": "text",
}
_MTMM: Final[Columns] = {
    "trait_1": "text",
    "method_1": "text",
    "trait_2": "text",
    "method_2": "text",
    "kind": "text",
    "r": "number",
    **_ESTIMATE,
}
_MARKER: Final[Columns] = {
    "word": "text",
    "log_odds": "number",
    "z": "number",
    "n_one": "count",
    "n_other": "count",
}
_WHERE: Final[Columns] = {"detector": "text", "register": "text", "framework": "text"}
_RISK: Final[Columns] = {**_WHERE, "coverage": "number", "risk": "number"}
_LENGTH: Final[Columns] = {
    **_WHERE,
    "words_low": "count",
    "words_high": "count",
    "n": "count",
    "accuracy": "number",
    "majority": "number",
}
_UNBOUNDED: Final = 100_000


def mtmm_frame(matrix: MultitraitMultimethod) -> pd.DataFrame:
    """Correlations of a multitrait-multimethod matrix, one row a pair of measures.

    Args:
        matrix: from :func:`~persona_lab.psychometrics.mtmm.multitrait_multimethod`.

    Returns:
        Columns ``trait_1``, ``method_1``, ``trait_2``, ``method_2``, ``kind``, ``r``,
        ``low``, ``high``, ``n``, ``status``, ``reason``, ``code``.
    """
    rows = ({**cell.pair, "r": cell.r.estimate} | _estimate(cell.r) for cell in matrix.cells)
    return build(rows, _MTMM)


def estimate_frame(estimates: Mapping[str, Estimate], *, value: str = "effect") -> pd.DataFrame:
    """Estimates with intervals, such as effect sizes by trait.

    Args:
        estimates: by name.
        value: what the column of the values is called.

    Returns:
        Columns ``name``, the value's, ``low``, ``high``, ``n``, ``status``, ``reason``,
        ``code``, in the order given.
    """
    rows = (
        {"name": name, value: found.estimate} | _estimate(found)
        for name, found in estimates.items()
    )
    return build(rows, {"name": "text", value: "number", **_ESTIMATE})


def marker_frame(
    one: Iterable[str], other: Iterable[str], background: Iterable[str] | None = None
) -> pd.DataFrame:
    """Which words one side uses more, and which the other.

    The log-odds ratio with an informative Dirichlet prior and its z-score (Monroe, Colaresi
    & Quinn 2008, equations 16 and 22), as in :mod:`persona_lab.consistency.markers`.

    Args:
        one: texts of one side.
        other: texts of the other.
        background: texts for the prior; both sides together if left out.

    Returns:
        Columns ``word``, ``log_odds`` (natural logarithm, positive where ``one`` uses it
        more), ``z``, ``n_one``, ``n_other`` (how often), from the highest z to the lowest.
    """
    from persona_lab.consistency.markers import contrasts, strongest_first, word_counts

    counts, others = word_counts(one), word_counts(other)
    known = word_counts(background) if background is not None else None
    rows = [
        {
            "word": word,
            "log_odds": found.log_odds,
            "z": found.z,
            "n_one": counts[word],
            "n_other": others[word],
        }
        for word, found in strongest_first(contrasts(counts, others, known))
    ]
    return build(rows, _MARKER)


def risk_frame(metrics: Mapping[str, Any] | Path) -> pd.DataFrame:
    """Risk against coverage of a trained model, out of fold.

    Args:
        metrics: a model's folder, its ``metrics.json``, or the contents of that.

    Returns:
        Columns ``detector``, ``register`` (kind of text), ``framework``, ``coverage`` (share
        of the texts that are labelled, the surest first) and ``risk`` (share of wrong labels
        among them, mean over traits).

    Raises:
        InputError: there are no such figures.
    """
    found = _metrics(metrics, "validation")
    return build(_risks(found), _RISK)


def length_frame(metrics: Mapping[str, Any] | Path) -> pd.DataFrame:
    """Accuracy against text length of a trained model, out of fold.

    Args:
        metrics: a model's folder, its ``metrics.json``, or the contents of that.

    Returns:
        Columns ``detector``, ``register``, ``framework``, ``words_low``, ``words_high``
        (missing where there is no upper end), ``n`` (texts), ``accuracy`` and ``majority``
        (accuracy of always saying the commoner label), means over traits.

    Raises:
        InputError: there are no such figures.
    """
    found = _metrics(metrics, "length_curve")
    rows = []
    for point in found["length_curve"]:
        low, high = point["words"]
        bounds = {"words_low": low, "words_high": high if high < _UNBOUNDED else None}
        rows.append({"detector": found.get("model"), **point, **bounds})
    return build(rows, _LENGTH)


def _estimate(found: Estimate) -> dict[str, Any]:
    names = ("low", "high", "n", "reason", "code")
    status = "scored" if found.scored else "unscored"
    return {name: getattr(found, name) for name in names} | {"status": status}


def _risks(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for register, frameworks in found["validation"].items():
        for framework, measured in frameworks.items():
            where = {
                "detector": found.get("model"),
                "register": register,
                "framework": framework,
            }
            for point in measured["risk_coverage"]:
                yield {**where, **point}


def _metrics(given: Mapping[str, Any] | Path, needed: str) -> Mapping[str, Any]:
    found: Any = given
    if isinstance(given, Path):
        file = given / "metrics.json" if given.is_dir() else given
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise InputError(
                f"{file} cannot be read as metrics.json; give the folder of a trained model"
            ) from None
    # the contradiction model's figures are of another kind under the same name
    if not isinstance(found, Mapping) or not isinstance(found.get(needed), (Mapping, list)):
        raise InputError(f"there is no {needed} in these metrics; give a trait model's folder")
    if needed == "validation" and not isinstance(found[needed], Mapping):
        raise InputError(f"there is no {needed} in these metrics; give a trait model's folder")
    return found
