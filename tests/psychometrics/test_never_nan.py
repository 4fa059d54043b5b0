"""Whatever the scores, a result is finite or has a reason; nothing crashes or warns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from persona_lab import psychometrics as p
from persona_lab.psychometrics.retest import FORMS

Scores = Any


def _variance(x: Scores) -> list[Any]:
    rows, columns = np.indices(x.shape)
    result = p.variance_components(
        x.ravel(),
        {"row": rows.ravel(), "column": columns.ravel()},
        interactions=["row:column"],
        n_boot=10,
    )
    return [c.share for c in result.components] + [p.generalizability(result, "row", {"column": 2})]


TABLES: dict[str, Callable[[Scores], Any]] = {
    "alpha": p.cronbach_alpha,
    "omega": lambda x: p.mcdonald_omega(x, n_boot=10),
    "split-half": lambda x: p.split_half(x, n_boot=10),
    "retest error": p.retest_standard_error,
    "change": lambda x: p.minimal_detectable_change(p.retest_standard_error(x, absolute=False)),
    "error": lambda x: p.standard_error_of_measurement(x.ravel(), p.cronbach_alpha(x)),
    "agreement": p.percent_agreement,
    "nominal": lambda x: p.krippendorff_alpha(x, "nominal", n_boot=10),
    "ordinal": lambda x: p.krippendorff_alpha(x, "ordinal", n_boot=10),
    "interval": lambda x: p.krippendorff_alpha(x, "interval", n_boot=10),
    "acquiescence": lambda x: p.acquiescence(x, [i % 2 == 0 for i in range(x.shape[1])], (0, 4)),
    "straight-lining": p.straight_lining,
    "variance": _variance,
    "wording": lambda x: p.wording_sensitivity({str(i): c for i, c in enumerate(x.T)}),
    "matrix": lambda x: p.multitrait_multimethod(
        {(str(i % 2), str(i // 2)): c for i, c in enumerate(x.T)}
    ),
} | {form: lambda x, form=form: p.icc(x, form) for form in FORMS}

PAIRS: dict[str, Callable[[Scores, Scores], Any]] = {
    "d": p.cohens_d,
    "g": p.hedges_g,
    "dz": p.cohens_dz,
    "delta": p.cliffs_delta,
    "kappa": lambda a, b: p.weighted_kappa(a, b, n_boot=10),
    "correlation": p.correlation,
    "tests": lambda a, b: p.paired_tests({"": (a, b)}),
    "order": p.option_order_symmetry,
    "twins": lambda a, b: p.negation_consistency(a, b, (0, 4)),
}


def estimates(result: Any) -> Iterator[p.Estimate]:
    if isinstance(result, p.Estimate):
        yield result
    elif is_dataclass(result):
        for field in fields(result):
            yield from estimates(getattr(result, field.name))
    elif isinstance(result, (tuple, list)):
        for part in result:
            yield from estimates(part)
    elif isinstance(result, dict):
        yield from estimates(list(result.values()))


@pytest.mark.filterwarnings("error")
def test_small_gappy_and_constant_tables() -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        x = rng.integers(0, rng.integers(2, 6), (rng.integers(0, 9), rng.integers(1, 5)))
        x = x.astype(float)
        x[rng.random(x.shape) < rng.choice([0, 0.1, 0.5, 1])] = np.nan
        if rng.random() < 0.2:
            x[:, 0] = 2
        results = {name: function(x) for name, function in TABLES.items()}
        if x.shape[1] > 1:
            results |= {name: function(x[:, 0], x[:, 1]) for name, function in PAIRS.items()}
        for name, result in results.items():
            for found in estimates(result):
                ends = [found.low, found.high]
                context = (name, found, x.tolist())
                assert all(np.isfinite(v) for v in [found.estimate, *ends] if v is not None), (
                    context
                )
                assert found.scored == (found.reason is None) == (found.code is None), context
                assert found.scored or ends == [None, None], context
                assert None in ends or ends[0] <= ends[1] + 1e-9, context  # type: ignore[operator]
