"""The measures behind the parts, as they stand in result rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from persona_lab.consistency.accommodation import Accommodation
from persona_lab.consistency.drift import Drift
from persona_lab.consistency.entailment import Coherence
from persona_lab.consistency.stability import Stability
from persona_lab.consistency.target import TargetMatch


def rounded(x: float) -> float:
    """As numbers are written in rows."""
    return round(float(x), 4)


def _all_rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    return {key: rounded(value) for key, value in numbers.items()}


def _stability(part: Stability) -> dict[str, Any]:
    return {
        "chance": part.chance,
        "spread": _all_rounded(part.spread),
        "icc": _all_rounded(part.icc) if part.icc is not None else None,
        "windows": [
            {"first": w.first, "last": w.last, "p_high": _all_rounded(w.traits)}
            for w in part.windows
        ],
    }


def _drift(part: Drift) -> dict[str, Any]:
    return {
        "shift": _all_rounded(part.change_point.shift),
        "slope": {
            key: {"total": rounded(s.total), "low": rounded(s.low), "high": rounded(s.high)}
            for key, s in part.slopes.items()
        },
        "early": _all_rounded(part.early),
        "late": _all_rounded(part.late),
        "style_distance": rounded(part.style_distance),
    }


def _target(part: TargetMatch) -> dict[str, Any]:
    return {
        "traits": _all_rounded(part.traits),
        "together": rounded(part.together),
        "distance": rounded(part.distance),
        "success": part.success,
        "aligned": {k: None if x is None else rounded(x) for k, x in part.aligned.items()},
        "windows": [
            {"first": w.first, "last": w.last, "match": rounded(w.match)} for w in part.windows
        ],
    }


def _contradiction(part: Coherence) -> dict[str, Any]:
    return {
        "persona_match": None if part.match is None else rounded(part.match),
        "free_of_contradiction": rounded(part.free),
        "c_score": None if part.c_score is None else rounded(part.c_score),
        "apc": None if part.apc is None else rounded(part.apc),
        "pairs_read": part.n_pairs,
        "statements": [
            {
                "statement": s.statement,
                "relevance": rounded(s.relevance),
                "entailed": rounded(s.entailed),
                "entailed_by": s.entailed_by,
                "contradicted": rounded(s.contradicted),
                "contradicted_by": s.contradicted_by,
                "apc": rounded(s.apc),
            }
            for s in part.statements
        ],
    }


def _accommodation(part: Accommodation) -> dict[str, Any]:
    return {
        "weakest": part.weakest,
    } | {
        name: {"value": rounded(found.value), "chance": rounded(found.chance)}
        for name, found in (
            ("style", part.style),
            ("words", part.words),
            ("function_words", part.function_words),
        )
    }


_READ: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "stability": _stability,
    "drift": _drift,
    "target": _target,
    "contradiction": _contradiction,
    "accommodation": _accommodation,
}


def details(name: str, part: Any) -> dict[str, Any]:
    """The measures behind a part (JSON types only).

    Args:
        name: of the part.
        part: as its module returns it, scored.
    """
    return {"interval": [rounded(part.score.low), rounded(part.score.high)]} | _READ[name](part)
