"""The pooled head's array arithmetic against loops that follow the formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from persona_lab.detectors.pooled import PooledHead, segment_shares
from persona_lab.detectors.reading import Reading, Row
from persona_lab.encoding import Segment

MEMBERS, DIM = 3, 5
ROWS = (Row("general", "EI"), Row("chat", "EI"), Row("general", "TF"), Row("general", "openness"))


def make_head(scale: float = 1.0) -> PooledHead:
    """A head with random numbers; ``scale`` sharpens its attention."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return PooledHead(
        ROWS,
        ["essay", "chat"],
        center=normal(DIM),
        scale=(0.5 + rng.random(DIM)).astype(np.float32),
        queries=scale * normal(MEMBERS, len(ROWS), DIM),
        weights=normal(MEMBERS, len(ROWS), DIM),
        bias=normal(MEMBERS, len(ROWS)),
        gate_weights=normal(2, DIM),
        gate_bias=normal(2),
    )


def vectors(n: int) -> np.ndarray:
    """Segment vectors of one speaker."""
    return np.random.default_rng(n).normal(size=(n, DIM)).astype(np.float32)


def read(head: PooledHead, n: int) -> Reading:
    """Read ``n`` segments of an utterance each."""
    return head.read(vectors(n), [((i, 1.0),) for i in range(n)])


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("sharpness", [1.0, 0.0])
def test_members_follow_the_formula(n: int, sharpness: float) -> None:
    head = make_head(sharpness)
    reading = read(head, n)
    standard = [(v - head.center) / head.scale for v in vectors(n)]
    for m in range(MEMBERS):
        for r in range(len(ROWS)):
            scores = np.array([head.queries[m, r] @ v for v in standard])
            attention = np.exp(scores) / np.exp(scores).sum()
            z = sum(a * (head.weights[m, r] @ v) for a, v in zip(attention, standard, strict=True))
            assert reading.members[m, r] == pytest.approx(z + head.bias[m, r], abs=1e-4)
    gate = np.exp(head.gate_weights @ np.mean(standard, axis=0) + head.gate_bias)
    assert np.exp(reading.gate) == pytest.approx(gate / gate.sum(), abs=1e-5)


def test_without_attention_all_segments_count_alike() -> None:
    head = make_head(0.0)
    reading = read(head, 4)
    assert reading.weights == pytest.approx(0.25)
    standard = (vectors(4) - head.center) / head.scale
    expected = np.einsum("nd,mrd->nr", standard, head.weights) / MEMBERS
    assert reading.values == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_segments_add_up_to_the_whole(n: int) -> None:
    head = make_head()
    reading = read(head, n)
    total = (reading.weights * reading.values).sum(axis=0) + head.bias.mean(axis=0)
    assert total == pytest.approx(reading.members.mean(axis=0), abs=1e-4)
    assert reading.weights.sum(axis=0) == pytest.approx(np.ones(len(ROWS)), abs=1e-5)


def test_without_queries_pooling_is_the_mean() -> None:
    head = make_head(scale=0.0)
    reading = read(head, 4)
    assert reading.weights == pytest.approx(np.full((4, len(ROWS)), 0.25))
    mean = (vectors(4).mean(axis=0) - head.center) / head.scale
    assert reading.members[1] == pytest.approx(head.weights[1] @ mean + head.bias[1], abs=1e-4)


def test_attention_on_one_segment_alone_divides_by_nothing() -> None:
    reading = read(make_head(scale=1e4), 6)
    assert (reading.weights <= 1e-30).any(), "the case that this test is about"
    assert np.isfinite(reading.values).all()
    assert np.isfinite(reading.members).all()
    # a sum over the other segments alone must be possible as well: the bootstrap does it
    assert (reading.weights > 0).all()


def test_a_head_can_be_saved(tmp_path: Path) -> None:
    head = make_head()
    head.save(tmp_path)
    again = PooledHead.load(tmp_path)
    assert (again.rows, again.registers) == (head.rows, head.registers)
    assert read(again, 3).members == pytest.approx(read(head, 3).members, abs=2e-2)
    assert np.array_equal(again.center, head.center)  # only the weights are in half precision


def test_token_counts_become_shares() -> None:
    segment = Segment((0, 5, 6, 7, 8, 2), ((1, 3), (2, 1)))
    assert segment_shares([segment]) == [((1, 0.75), (2, 0.25))]
