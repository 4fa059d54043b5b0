"""Attention over segments, learnt from a linear start on mean-pooled vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

    from persona_lab.training.experts import Task
    from persona_lab.training.settings import PooledSettings

Array = NDArray[np.float32]


def attention_pool(
    queries: torch.Tensor, weights: torch.Tensor, x: torch.Tensor, owner: torch.Tensor, n: int
) -> torch.Tensor:
    """Log-odds without bias, as ``PooledHead`` computes them.

    Args:
        queries: ``(rows, dim)``.
        weights: ``(rows, dim)``.
        x: ``(segments, dim)`` standardised vectors.
        owner: ``(segments,)`` the text of each, from 0.
        n: number of texts.

    Returns:
        ``(n, rows)``.
    """
    import torch

    rows = queries.shape[0]
    scores, values = x @ queries.T, x @ weights.T
    index = owner[:, None].expand(-1, rows)
    top = torch.full((n, rows), -torch.inf).scatter_reduce(0, index, scores.detach(), "amax")
    share = torch.exp(scores - top[owner])
    total = torch.zeros(n, rows).index_add(0, owner, share)
    return torch.zeros(n, rows).index_add(0, owner, share * values) / total


def refine(
    x: Array,
    owner: NDArray[np.int64],
    tasks: Sequence[Task],
    folds: NDArray[np.int64],
    weights: Array,
    bias: Array,
    settings: PooledSettings,
    *,
    seed: int = 0,
) -> tuple[Array, Array, Array]:
    """Train queries, weights and biases together from the linear start.

    The loss of a row is the weighted mean cross-entropy of its examples, plus the squared
    distance of the weights to their start (they are regularised already) and the squared
    queries.

    Returns:
        Queries, weights ``(members, rows, dim)`` and biases ``(members, rows)``.
    """
    import torch

    torch.manual_seed(seed)
    n_members, n_rows, dim = weights.shape
    n = len(folds)
    segments, place = torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(owner)
    target = torch.zeros(n, n_rows)
    amount = torch.zeros(n_members, n, n_rows)
    for r, task in enumerate(tasks):
        target[task.index, r] = torch.from_numpy(task.labels).float()
        for m in range(n_members):
            keep = folds[task.index] != m
            share = task.weights[keep] / task.weights[keep].sum()
            amount[m, task.index[keep], r] = torch.from_numpy(share)
    start = torch.from_numpy(weights.reshape(-1, dim))
    q = torch.zeros_like(start, requires_grad=True)
    w = start.clone().requires_grad_()
    b = torch.from_numpy(bias.reshape(-1).copy()).requires_grad_()
    optimizer = torch.optim.Adam([q, w, b], lr=settings.learning_rate)
    for _ in range(settings.steps):
        optimizer.zero_grad()
        z = attention_pool(q, w, segments, place, n) + b
        z = z.reshape(n, n_members, n_rows).transpose(0, 1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            z, target.expand_as(z), reduction="none"
        )
        total = (loss * amount).sum()
        total = total + settings.query_decay * q.square().sum() + (w - start).square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    shape = weights.shape
    return (
        q.detach().numpy().reshape(shape),
        w.detach().numpy().reshape(shape),
        b.detach().numpy().reshape(bias.shape),
    )
