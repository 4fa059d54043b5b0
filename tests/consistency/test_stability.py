"""Steadiness against chance, and ICC against the published example."""

from __future__ import annotations

import numpy as np
import pytest

from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.stability import Stability, icc, stability, width


def test_icc_of_shrout_and_fleiss() -> None:
    # Table 2 of Shrout & Fleiss 1979: six targets, four judges; ICC(1,1) = .17
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert icc([np.array(row, float) for row in ratings]) == pytest.approx(0.17, abs=0.005)


def test_icc_at_its_ends() -> None:
    assert icc([np.array([1.0, 1.0]), np.array([2.0, 2.0])]) == pytest.approx(1.0)
    assert icc([np.array([1.0, 2.0]), np.array([1.0, 2.0])]) < 0
    assert icc([np.array([1.0, 1.0]), np.array([1.0, 1.0])]) == 0.0
    with pytest.raises(ValueError, match="two targets"):
        icc([np.array([1.0, 2.0])])
    with pytest.raises(ValueError, match="two ratings"):
        icc([np.array([1.0]), np.array([2.0])])


def two_people(steps: int = 12) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Ann and Bob in turn, four log-odds apart, with vectors to match."""
    rng = np.random.default_rng(1)
    who = ["Ann", "Bob"] * steps
    side = np.array([1.0 if name == "Ann" else -1.0 for name in who])
    z = 2.0 * side[:, None] + 0.3 * rng.standard_normal((len(who), 5))
    vectors = rng.standard_normal((len(who), 8)) * 0.2 + side[:, None]
    return z, who, vectors


def test_steady_people_are_steadier_than_a_mixture(make_turns) -> None:
    found = stability(make_turns(*two_people()), "Ann")
    assert isinstance(found, Stability)
    assert found.chance == "speakers"
    assert found.score.value > 0.95
    assert found.score.low <= found.score.value <= found.score.high
    assert found.icc is not None
    assert min(found.icc.values()) > 0.9


def test_a_speaker_whose_turns_are_swapped_is_less_steady(make_turns) -> None:
    z, who, vectors = two_people()
    z, vectors = z.copy(), vectors.copy()
    for i in range(16, 24, 2):  # Ann's last four turns are Bob's
        z[[i, i + 1]], vectors[[i, i + 1]] = z[[i + 1, i]], vectors[[i + 1, i]]
    swapped = stability(make_turns(z, who, vectors), "Ann")
    assert isinstance(swapped, Stability)
    assert swapped.score.value < 0.5


def test_one_speaker_is_compared_with_the_own_turns_in_random_order(make_turns) -> None:
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((20, 5))
    broken = noise + np.where(np.arange(20) < 10, -3.0, 3.0)[:, None]
    vectors = rng.standard_normal((20, 8))
    found = stability(make_turns(broken, vectors=vectors), "Ann")
    assert isinstance(found, Stability)
    assert (found.chance, found.icc) == ("order", None)
    assert found.score.value < 0.02
    even = stability(make_turns(noise, vectors=vectors), "Ann")
    assert isinstance(even, Stability)
    assert even.score.value > 0.1


def test_windows(make_turns) -> None:
    z = np.zeros((9, 5))
    z[:, 0] = np.arange(9) - 4
    found = stability(make_turns(z), "Ann", window=3)
    assert isinstance(found, Stability)
    assert [(w.first, w.last) for w in found.windows][:2] == [(0, 2), (1, 3)]
    assert len(found.windows) == 7
    # the middle of turns 0..2 is -3: p = 1 / (1 + e^3)
    assert found.windows[0].traits["openness"] == pytest.approx(0.0474, abs=1e-4)
    assert found.windows[3].traits["openness"] == pytest.approx(0.5)


@pytest.mark.parametrize(("n", "wanted", "size"), [(4, 5, 2), (9, 5, 3), (60, 5, 5), (60, 2, 2)])
def test_width(n: int, wanted: int, size: int) -> None:
    assert width(n, wanted) == size


def test_too_little(make_turns) -> None:
    few = stability(make_turns(np.zeros((3, 5))), "Ann")
    assert isinstance(few, NotScored)
    assert (few.code, few.reason) == (
        "too_short",
        "3 turns with 30 words; this needs 4 turns and 30 words",
    )
    short = stability(make_turns(np.zeros((8, 5)), words=[2] * 8), "Ann")
    assert isinstance(short, NotScored)
    assert "16 words" in short.reason


def test_same_seed_same_score(make_turns) -> None:
    turns = make_turns(*two_people())
    assert stability(turns, "Bob") == stability(turns, "Bob")
