"""Agreement of methods over the subjects of an interview."""

from __future__ import annotations

import numpy as np
import pytest

from persona_lab.interviews.result import DomainResult, Measurement
from persona_lab.interviews.validity import FEWEST_SUBJECTS, method_agreement

DOMAINS = ("openness", "neuroticism")


def result(score: float | None) -> DomainResult:
    return DomainResult(score, None, None, None, None, 1, 0)


def measured(scores: dict[tuple[str, str], np.ndarray]) -> list[Measurement]:
    """One measurement a subject and method, from ``(n, domains)`` scores by method."""
    return [
        Measurement(
            "bot",
            f"p{i}",
            protocol,
            rater,
            {
                d: result(None if np.isnan(x) else float(x))
                for d, x in zip(DOMAINS, row, strict=True)
            },
            {},
        )
        for (protocol, rater), table in scores.items()
        for i, row in enumerate(table)
    ]


SAID = np.random.default_rng(0).uniform(size=(20, 2))


def test_methods_that_see_the_same_agree_on_each_trait() -> None:
    told = {("self-report", "closed"): SAID, ("interview", "detector"): 0.5 + 0.1 * SAID}
    found = method_agreement(measured(told))
    assert found is not None
    assert found["subjects"] == 20
    assert found["methods"] == ["self-report, closed", "interview, detector"]
    same = [cell for cell in found["cells"] if cell["kind"] == "convergent"]
    assert [(c["trait_1"], c["trait_2"]) for c in same] == [(d, d) for d in DOMAINS]
    assert all(c["estimate"] == pytest.approx(1.0) and c["n"] == 20 for c in same)
    assert len(found["cells"]) == 6
    assert found["means"]["convergent"]["estimate"] == pytest.approx(1.0)
    assert found["heteromethod"]["estimate"] == found["monomethod"]["estimate"] == 1.0


def test_a_missing_score_leaves_out_the_pair_and_not_the_subject() -> None:
    other = SAID.copy()
    other[3, 1] = np.nan
    found = method_agreement(measured({("self-report", "closed"): SAID, ("story", "llm"): other}))
    assert found is not None
    assert [c["n"] for c in found["cells"] if c["kind"] == "convergent"] == [20, 19]


def test_a_method_that_says_the_same_of_all_has_no_correlation() -> None:
    flat = np.full_like(SAID, 0.5)
    found = method_agreement(measured({("self-report", "closed"): SAID, ("story", "llm"): flat}))
    assert found is not None
    (cell, *_) = [c for c in found["cells"] if c["kind"] == "convergent"]
    assert cell["estimate"] is None and cell["code"] == "no_variance"


def test_few_subjects_or_one_method_have_no_matrix() -> None:
    few = SAID[: FEWEST_SUBJECTS - 1]
    assert method_agreement(measured({("self-report", "closed"): SAID})) is None
    assert (
        method_agreement(measured({("self-report", "closed"): few, ("story", "llm"): few})) is None
    )
    assert method_agreement([]) is None
