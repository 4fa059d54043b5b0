"""Teach a network to rate as readers do, or as another network does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.reader.rule import DILUTION, SHY
from persona_lab.detectors.reader.scale import STEPS
from persona_lab.errors import TrainingError
from persona_lab.training.checkpoint import Checkpoint, digest
from persona_lab.training.encoder_network import Ids
from persona_lab.training.reader.network import Floats, ReaderNetwork

if TYPE_CHECKING:
    import torch

Tell = Callable[[str], None]

_POOL = 1024
"""Texts that are sorted by length together."""

_TOLD_S = 60.0


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """Settings of a reader's training.

    Attributes:
        epochs: how often each text is shown.
        batch_tokens: tokens of a step, padding included.
        learning_rate: of the highest layer; it rises, then falls to 0.
        layer_decay: each lower layer learns this much more slowly.
        head_learning_rate: of the linear layer.
        weight_decay: of AdamW, for matrices.
        warmup: share of the steps in which the rates rise.
        dropout: of the pooled vector.
        frozen: lower layers that are not trained.
        threads: of torch.
        seed: of order, dropout and the linear layer.
    """

    epochs: int = 3
    batch_tokens: int = 1100
    learning_rate: float = 1e-4
    layer_decay: float = 0.9
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.08
    dropout: float = 0.1
    frozen: int = 0
    threads: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        for name in ("epochs", "batch_tokens", "threads"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be at least 1")


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is shown: texts in units, and what to say of each text.

    Attributes:
        units: token ids of all units, text by text.
        counts: ``(n,)`` units of each text.
        chances: ``(n, 8, 5)`` probability of each rating by axis.
        known: ``(n, 8)`` 0 where nothing is to be learnt.
        weights: ``(n,)`` how much a text counts.
    """

    units: tuple[Ids, ...]
    counts: NDArray[np.int64]
    chances: Floats
    known: Floats
    weights: Floats

    @classmethod
    def joined(cls, parts: Sequence[Lesson]) -> Lesson:
        """Several lessons as one."""
        return cls(
            tuple(unit for part in parts for unit in part.units),
            np.concatenate([part.counts for part in parts]),
            np.concatenate([part.chances for part in parts]),
            np.concatenate([part.known for part in parts]),
            np.concatenate([part.weights for part in parts]),
        )


def teach(
    network: ReaderNetwork,
    lesson: Lesson,
    settings: ReaderSettings,
    folder: Path,
    *,
    judge: Callable[[ReaderNetwork], dict[str, float]] = lambda network: {},
    tell: Tell = lambda line: None,
) -> dict[str, Any]:
    """Train a network in place.

    The loss of a text of one unit and axis is the cross entropy to the given probabilities plus
    the squared error of the expected rating; of a longer text it is twice the squared error of
    what its units say together (:mod:`persona_lab.detectors.reader.rule`). A killed run goes
    on after its last whole epoch.

    Args:
        network: is changed.
        lesson: what is shown.
        settings: of training.
        folder: for checkpoints.
        judge: figures of the network on held-out texts, after each epoch.
        tell: is given a line now and then.

    Returns:
        Facts: ``loss`` and ``held_out`` by epoch, ``seconds``, ``tokens``, ``texts``.

    Raises:
        TrainingError: the checkpoint in ``folder`` is of another run.
    """
    import torch

    torch.set_num_threads(settings.threads)
    optimizer = network.optimizer(
        settings.learning_rate,
        head_rate=settings.head_learning_rate,
        layer_decay=settings.layer_decay,
        weight_decay=settings.weight_decay,
    )
    checkpoint = Checkpoint(
        folder, {"settings": asdict(settings), "lesson": digest([*lesson.units, lesson.chances])}
    )
    facts = checkpoint.load()
    if facts is None:
        facts = {"loss": [], "held_out": [], "seconds": 0.0}
    else:
        network.load(checkpoint.weights(len(facts["loss"])))
        optimizer.load_state_dict(checkpoint.optimizer(len(facts["loss"])))
    if len(facts["loss"]) < settings.epochs:
        below = network.below(lesson.units)
        tell(f"{len(lesson.counts):,} texts of {sum(map(len, lesson.units)):,} tokens")
        run = _Run(network, optimizer, lesson, below, settings, tell)
        for epoch in range(len(facts["loss"]), settings.epochs):
            start = time.perf_counter()
            facts["loss"].append(round(run.epoch(epoch), 4))
            facts["seconds"] += round(time.perf_counter() - start, 1)
            facts["held_out"].append(judge(network))
            checkpoint.save(epoch + 1, epoch + 1, network.tensors(), optimizer.state_dict(), facts)
            tell(f"epoch {epoch + 1}/{settings.epochs}: loss {facts['loss'][-1]}, "
                 f"{facts['held_out'][-1]}, {facts['seconds'] / 60:.0f} min")  # fmt: skip
    return {
        **facts,
        "texts": len(lesson.counts),
        "tokens": int(sum(map(len, lesson.units))),
        "bf16": network.bf16,
        "settings": asdict(settings),
    }


class _Run:
    """The steps of one run."""

    def __init__(
        self,
        network: ReaderNetwork,
        optimizer: torch.optim.Optimizer,
        lesson: Lesson,
        below: Sequence[torch.Tensor],
        settings: ReaderSettings,
        tell: Tell,
    ) -> None:
        import torch

        self._network, self._optimizer, self._tell = network, optimizer, tell
        self._below, self._settings = below, settings
        lengths = np.array([len(state) for state in below])
        self._first = np.concatenate([[0], np.cumsum(lesson.counts)])
        self._longest = np.maximum.reduceat(lengths, self._first[:-1])
        self._counts = lesson.counts
        self._chances, self._known, self._weights, self._steps = (
            torch.from_numpy(np.ascontiguousarray(array)).to(network.device)
            for array in (lesson.chances, lesson.known, lesson.weights, STEPS)
        )
        self._plans = [list(self._plan(epoch)) for epoch in range(settings.epochs)]

    def epoch(self, number: int) -> float:
        """Show each text once; the mean loss."""
        import torch

        done = sum(len(plan) for plan in self._plans[:number])
        total = sum(map(len, self._plans))
        every = [p for group in self._optimizer.param_groups for p in group["params"]]
        losses: list[float] = []
        told = time.monotonic()
        torch.manual_seed(self._settings.seed * 1000 + number)
        self._network.model.train(True)
        for step, rows in enumerate(self._plans[number], start=done):
            self._set_rate(step, total)
            units = [i for row in rows for i in range(self._first[row], self._first[row + 1])]
            logits = self._network.logits([self._below[i] for i in units], self._settings.dropout)
            loss = self._loss(logits, rows)
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(every, 1.0)
            self._optimizer.step()
            losses.append(float(loss.detach()))
            if time.monotonic() - told > _TOLD_S:
                told = time.monotonic()
                recent = np.mean(losses[-200:])
                self._tell(f"epoch {number + 1}, step {step + 1}/{total}: loss {recent:.4f}")
        self._network.model.train(False)
        return float(np.mean(losses))

    def _loss(self, logits: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        import torch

        log_p = torch.log_softmax(logits, dim=-1)
        level = log_p.exp() @ self._steps
        wanted = self._chances[rows]
        weight = self._known[rows] * self._weights[rows, None]
        counts = torch.from_numpy(self._counts[rows]).to(level.device)
        owner = torch.repeat_interleave(torch.arange(len(rows), device=level.device), counts)
        summed = torch.zeros_like(weight).index_add(0, owner, torch.atanh(SHY * level / 2.0))
        together = torch.tanh(summed / counts[:, None] ** DILUTION) * 2.0 / SHY
        apart = (together - wanted @ self._steps).square()
        # a single unit is its whole text: all of its ratings are known, not only their mean
        alone = counts == 1
        entropy = torch.zeros_like(weight)
        entropy[alone] = -(wanted[alone] * log_p[alone[owner]]).sum(dim=-1)
        each = torch.where(alone[:, None], entropy + apart, 2.0 * apart)
        return (each * weight).sum() / weight.sum().clamp(min=1.0)

    def _plan(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Texts in batches of like units, the batches in an order by chance."""
        dice = np.random.default_rng([self._settings.seed, epoch])
        order = dice.permutation(len(self._counts))
        batches: list[list[int]] = []
        for start in range(0, len(order), _POOL):
            batch: list[int] = []
            units = 0
            pool = order[start : start + _POOL]
            for row in pool[np.argsort(self._longest[pool], kind="stable")]:
                more = units + int(self._counts[row])
                if batch and self._longest[row] * more > self._settings.batch_tokens:
                    batches.append(batch)
                    batch, more = [], int(self._counts[row])
                batch.append(int(row))
                units = more
            batches.append(batch)
        yield from (np.array(batches[i]) for i in dice.permutation(len(batches)))

    def _set_rate(self, step: int, steps: int) -> None:
        """The rate that is due: rising to full, then falling to 0."""
        warm = max(1, round(self._settings.warmup * steps))
        share = (step + 1) / warm if step < warm else max(0.0, (steps - step) / (steps - warm))
        for group in self._optimizer.param_groups:
            group["lr"] = group["rate"] * share
