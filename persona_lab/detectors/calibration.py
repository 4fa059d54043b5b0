"""From readings to calibrated log-odds with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from persona_lab.detectors.reading import Array, Reading, Row

REFERENCE_WORDS = 100.0
GENERAL = "general"
"""The register of last resort: its experts learnt from all registers together."""

_PRIOR_SEGMENTS = 4.0
"""How many segments the training texts' spread counts for against the text's own."""

_DRAWS = 200
_Z90 = 1.6449
"""Half-width of a 90 % normal interval in standard deviations."""


_ARRAYS = ("intercept", "slope", "slope_log", "borrow", "spread", "min_log", "max_log")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns the components' log-odds into calibrated ones, row by row.

    ``z = intercept + sum_k (slope_k + slope_log_k ln(n / 100)) z_k + borrow_k g_k`` for
    components k and n words, where ``g_k`` is what the general expert says of the same
    trait: a small register borrows strength from the others. Fitted out of fold by
    logistic regression on whole and shortened texts (Platt 1999, stacked, with a slope
    that may depend on length).

    Attributes:
        rows: experts.
        registers: kinds of text in the order of the gate.
        intercept: ``(n_rows,)``.
        slope: ``(n_components, n_rows)``.
        slope_log: ``(n_components, n_rows)``.
        borrow: ``(n_components, n_rows)``; 0 for the general experts themselves.
        spread: ``(n_components, n_rows)`` standard deviation of segment values within a
            training text: the expected sampling error where a text has few segments.
        min_log: ``(n_rows,)`` lowest ``ln(n / 100)`` seen in fitting; shorter text counts
            as that long.
        max_log: ``(n_rows,)`` highest.
        thresholds: decision boundary on the probability by trait.
        min_words: shortest text by register that is not ``too_short``.
    """

    rows: tuple[Row, ...]
    registers: tuple[str, ...]
    intercept: Array
    slope: Array
    slope_log: Array
    borrow: Array
    spread: Array
    min_log: Array
    max_log: Array
    thresholds: Mapping[str, float]
    min_words: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "rows": [[row.register, row.trait] for row in self.rows],
            "registers": list(self.registers),
            "thresholds": dict(self.thresholds),
            "min_words": dict(self.min_words),
        } | {name: np.round(getattr(self, name), 6).tolist() for name in _ARRAYS}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Calibration:
        """Read what :meth:`to_json` wrote."""
        return cls(
            rows=tuple(Row(*pair) for pair in given["rows"]),
            registers=tuple(given["registers"]),
            thresholds=given["thresholds"],
            min_words=given["min_words"],
            **{name: np.asarray(given[name], np.float32) for name in _ARRAYS},
        )

    def slopes(self, n_words: int) -> Array:
        """Effective slope of each component and row at a length: ``(n_components, n_rows)``."""
        log = np.clip(np.log(max(n_words, 1) / REFERENCE_WORDS), self.min_log, self.max_log)
        return np.asarray(np.maximum(self.slope + self.slope_log * log, 0.0), np.float32)

    def transfer(self, mix: Array, n_words: int) -> Array:
        """What one unit of each component's row adds to each trait's log-odds.

        Args:
            mix: ``(n_traits, n_rows)`` from :meth:`mixing`.
            n_words: words of the speaker.

        Returns:
            ``(n_components, n_traits, n_rows)``.
        """
        weight = mix[None] * self.slopes(n_words)[:, None]
        borrowed = mix[None] * self.borrow[:, None]
        return np.asarray(weight + borrowed @ _to_general(self.rows), np.float32)

    def mixing(self, gate: Array, traits: Sequence[str]) -> Array:
        """How much each row counts for each trait: ``(n_traits, n_rows)``, lines sum to 1.

        A register without an expert for a trait hands its share to the general expert.

        Args:
            gate: ``(n_registers,)`` probabilities.
            traits: keys.
        """
        return np.asarray(gate @ _experts(self.rows, self.registers, tuple(traits)), np.float32)

    def shortest(self, gate: Array) -> float:
        """Words below which a text of this kind is too short, as the gate sees its kind."""
        return float(
            sum(
                p * self.min_words.get(register, self.min_words[GENERAL])
                for register, p in zip(self.registers, gate, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """Calibrated log-odds of some traits.

    Attributes:
        mean: ``(n_traits,)`` log-odds of the high pole.
        sd: ``(n_traits,)`` standard deviation: sampling of segments and model spread.
        row_weight: ``(n_components, n_traits, n_rows)`` what one unit of a component's
            row adds to a trait; evidence needs it.
        too_short: the text is shorter than texts of its kind can be judged at.
        shortest: words that a text of its kind needs.
    """

    mean: Array
    sd: Array
    row_weight: Array
    too_short: bool
    shortest: float

    def interval(self) -> tuple[Array, Array]:
        """Ends of the 90 % interval on the log-odds."""
        return self.mean - _Z90 * self.sd, self.mean + _Z90 * self.sd


def judge(
    readings: Sequence[Reading],
    calibration: Calibration,
    traits: Sequence[str],
    n_words: int,
    *,
    member: int | None = None,
    seed: int = 0,
) -> Judgement:
    """Combine the components' readings of one speaker.

    Args:
        readings: one a component, in the calibration's order.
        calibration: of the detector.
        traits: keys wanted.
        n_words: words of the speaker.
        member: judge with one member of the ensemble only (the one that never saw the
            text), instead of the mean of all.
        seed: of the bootstrap.
    """
    gate = np.exp(np.mean([reading.gate for reading in readings], axis=0))
    gate = gate / gate.sum()
    mix = calibration.mixing(gate, traits)
    row_weight = calibration.transfer(mix, n_words)
    members = np.stack([reading.members for reading in readings])  # (K, M, R)
    by_member = np.einsum("ktr,kmr->mt", row_weight, members)
    offset = mix @ calibration.intercept
    chosen = by_member.mean(axis=0) if member is None else by_member[member]
    sampling = _sampling_variance(readings, row_weight, calibration.spread, seed)
    variance = sampling + by_member.var(axis=0)
    shortest = calibration.shortest(gate)
    return Judgement(
        mean=chosen + offset,
        sd=np.sqrt(variance),
        row_weight=row_weight,
        too_short=n_words < shortest,
        shortest=shortest,
    )


def _sampling_variance(
    readings: Sequence[Reading], row_weight: Array, spread: Array, seed: int
) -> Array:
    """Variance of the log-odds if other segments of the same speaker had been read.

    A bootstrap over segments, the same places of the text for all components, shrunk
    towards the spread within training texts: one segment alone shows none.
    """
    n = max(len(reading.values) for reading in readings)
    expected = np.square(np.einsum("ktr,kr->t", row_weight, spread)) / n
    if n == 1:
        return np.asarray(expected, np.float32)
    total = np.zeros((_DRAWS, row_weight.shape[1]), np.float32)
    for reading, weight in zip(readings, row_weight, strict=True):
        counts = _resamples(n, len(reading.values), seed)
        pooled = (counts @ (reading.weights * reading.values)) / (counts @ reading.weights)
        total += pooled @ weight.T
    # the plain bootstrap underestimates by (n - 1) / n
    seen = total.var(axis=0) * n / (n - 1)
    return np.asarray((n * seen + _PRIOR_SEGMENTS * expected) / (n + _PRIOR_SEGMENTS), np.float32)


@lru_cache(maxsize=256)
def _resamples(n: int, n_segments: int, seed: int) -> Array:
    """How often each segment is drawn, ``(n_draws, n_segments)``, at ``n`` places of a text."""
    places = np.random.default_rng(seed).random((_DRAWS, n))
    cells = (places * n_segments).astype(int) + n_segments * np.arange(_DRAWS)[:, None]
    counts = np.bincount(cells.ravel(), minlength=_DRAWS * n_segments)
    return counts.reshape(_DRAWS, n_segments).astype(np.float32)


@lru_cache(maxsize=8)
def _to_general(rows: tuple[Row, ...]) -> Array:
    """``(n_rows, n_rows)``, 1 where the second row is the general expert of the first's trait."""
    general = {row.trait: i for i, row in enumerate(rows) if row.register == GENERAL}
    found = np.zeros((len(rows), len(rows)), np.float32)
    found[np.arange(len(rows)), [general[row.trait] for row in rows]] = 1.0
    return found


@lru_cache(maxsize=32)
def _experts(rows: tuple[Row, ...], registers: tuple[str, ...], traits: tuple[str, ...]) -> Array:
    """``(n_traits, n_registers, n_rows)``, 1 for the expert that a register has for a trait."""
    found = np.zeros((len(traits), len(registers), len(rows)), np.float32)
    for t, trait in enumerate(traits):
        own = {row.register: i for i, row in enumerate(rows) if row.trait == trait}
        for g, register in enumerate(registers):
            found[t, g, own.get(register, own[GENERAL])] = 1.0
    return found
