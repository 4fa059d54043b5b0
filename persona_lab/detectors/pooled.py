"""The pooled component: encode each segment once, pool with attention, linear experts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from persona_lab.detectors.reading import Array, Reading, Row, log_softmax, softmax
from persona_lab.encoding import Encoder, Segment

_LEAST_ATTENTION = np.float32(1e-30)


class PooledHead:
    """Attention pooling over segment vectors and one linear expert a row.

    For member m and row r: ``z = sum_s a_s (w . v_s) + b`` with
    ``a = softmax_s(q . v_s)``; vectors are standardised first.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        registers: Sequence[str],
        *,
        center: Array,
        scale: Array,
        queries: Array,
        weights: Array,
        bias: Array,
        gate_weights: Array,
        gate_bias: Array,
    ) -> None:
        """Put a head together.

        Args:
            rows: experts.
            registers: kinds of text, in the order of the gate.
            center: ``(dim,)`` mean of training vectors.
            scale: ``(dim,)`` their standard deviation.
            queries: ``(n_members, n_rows, dim)`` attention queries.
            weights: ``(n_members, n_rows, dim)``.
            bias: ``(n_members, n_rows)``.
            gate_weights: ``(n_registers, dim)``, on the plain mean of the vectors.
            gate_bias: ``(n_registers,)``.
        """
        self.rows, self.registers = tuple(rows), tuple(registers)
        self.center, self.scale = center, scale
        self.queries, self.weights, self.bias = queries, weights, bias
        self.gate_weights, self.gate_bias = gate_weights, gate_bias
        n_members, n_rows, dim = weights.shape
        self._shape = (n_members, n_rows)
        # without attention every segment counts alike, and the members can share the work
        self._attends = bool(queries.any())
        columns = [queries.reshape(-1, dim)] if self._attends else []
        self._all = np.ascontiguousarray(np.concatenate([*columns, weights.reshape(-1, dim)]).T)
        self._mean = np.ascontiguousarray(weights.mean(axis=0).T)

    def read(self, vectors: Array, covers: Sequence[tuple[tuple[int, float], ...]]) -> Reading:
        """Pool one speaker's segment vectors, shape ``(n_segments, dim)``."""
        standard = (vectors - self.center) / self.scale
        mean = standard.mean(axis=0)
        values, weights, members = (
            self._attend(standard) if self._attends else self._share(standard, mean)
        )
        return Reading(
            values=values,
            weights=weights,
            members=members + self.bias,
            gate=log_softmax(mean @ self.gate_weights.T + self.gate_bias),
            covers=tuple(covers),
        )

    def _attend(self, standard: Array) -> tuple[Array, Array, Array]:
        """Values and weights of the segments, ``(n_segments, n_rows)``, and the members' sums."""
        both = (standard @ self._all).reshape(len(standard), 2, *self._shape)
        attention = softmax(both[:, 0])
        parts = attention * both[:, 1]
        # a segment that gets no attention at all must not divide by it
        weights = np.maximum(attention.mean(axis=1), _LEAST_ATTENTION)
        return parts.mean(axis=1) / weights, weights, parts.sum(axis=0)

    def _share(self, standard: Array, mean: Array) -> tuple[Array, Array, Array]:
        """As :meth:`_attend` where all queries are 0, at a fraction of the cost."""
        values = standard @ self._mean
        weights = np.full_like(values, 1.0 / len(standard))
        return values, weights, (mean @ self._all).reshape(self._shape)

    def save(self, folder: Path) -> None:
        """Write ``head.npz``."""
        np.savez_compressed(
            folder / "head.npz",
            rows=np.array([[row.register, row.trait] for row in self.rows]),
            registers=np.array(self.registers),
            center=self.center,
            scale=self.scale,
            queries=self.queries.astype(np.float16),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
            gate_weights=self.gate_weights.astype(np.float16),
            gate_bias=self.gate_bias,
        )

    @classmethod
    def load(cls, folder: Path) -> PooledHead:
        """Read what :meth:`save` wrote."""
        with np.load(folder / "head.npz", allow_pickle=False) as arrays:
            rows = [Row(str(register), str(trait)) for register, trait in arrays["rows"]]
            registers = [str(name) for name in arrays["registers"]]
            numbers = {
                name: arrays[name].astype(np.float32)
                for name in arrays.files
                if name not in ("rows", "registers")
            }
        return cls(rows, registers, **numbers)


class Pooled:
    """An encoder and a head."""

    def __init__(self, encoder: Encoder, head: PooledHead) -> None:
        """Put a component together."""
        self.encoder, self.head = encoder, head
        self.rows, self.registers = head.rows, head.registers
        self._segmenter = encoder.segmenter

    def read(self, texts: Sequence[Sequence[str]], *, pack: bool = True) -> list[Reading]:
        """See :class:`~persona_lab.detectors.reading.Component`."""
        cut = [self._segmenter.segments(utterances, pack=pack) for utterances in texts]
        vectors = self.encoder.encode([s.token_ids for speaker in cut for s in speaker])
        readings, start = [], 0
        for speaker in cut:
            end = start + len(speaker)
            readings.append(self.head.read(vectors[start:end], segment_shares(speaker)))
            start = end
        return readings

    def save(self, folder: Path) -> None:
        """Write the head; the encoder's files are written by ``export``."""
        self.head.save(folder)

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None = None) -> Pooled:
        """Open a model's folder, with its own encoder or one that was opened from it before."""
        return cls(encoder or Encoder.load(folder), PooledHead.load(folder))


def segment_shares(segments: Sequence[Segment]) -> list[tuple[tuple[int, float], ...]]:
    """Turn token counts into shares of each segment."""
    return [
        tuple((index, count / segment.n_tokens) for index, count in segment.covers)
        for segment in segments
    ]
