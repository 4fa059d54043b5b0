"""Fine-tune an encoder to tell entailment, neutral and contradiction of a pair.

The network is what ``export_encoder`` writes, the mean of the last layer over the tokens of
``[CLS] first [SEP] second [SEP]``, and a linear layer to three classes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_lab.errors import MissingExtraError
from persona_lab.training.checkpoint import Checkpoint, digest
from persona_lab.training.dequantize import network_of
from persona_lab.training.nli_draw import Drawer, NliSettings
from persona_lab.training.nli_network import PairNetwork
from persona_lab.training.nli_pairs import LABELS

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

    from persona_lab.training.backbone import Backbone

Tell = Callable[[str], None]

_POOL = 16
"""Batches whose pairs are sorted by length together."""


def train_pairs(
    model: Backbone,
    tokenizer: Tokenizer,
    drawer: Drawer,
    folder: str | Path,
    *,
    judge: Callable[[PairNetwork], Mapping[str, float]],
    start: str | Path | None = None,
    tell: Tell = lambda line: None,
) -> tuple[PairNetwork, dict[str, Any]]:
    """Train, and keep the state after the last block.

    A killed run goes on after its last whole block, with the weights it would have had.

    Args:
        model: the encoder; it is not changed.
        tokenizer: its tokenizer.
        drawer: gives the pairs.
        folder: for checkpoints.
        judge: figures of a network on validation data, for the record after each block.
        start: folder of an exported model to go on from, of the same architecture.
        tell: is given a line after each block.

    Returns:
        The network, and facts: ``loss`` and ``validation`` by block, ``seconds``,
        ``tokens_per_second``, ``bf16``, ``settings``.

    Raises:
        MissingExtraError: torch is missing.
        TrainingError: the checkpoint is of another run.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "train", "training a contradiction model") from error

    settings = drawer.settings
    torch.set_num_threads(settings.threads)
    network = PairNetwork(model, tokenizer, settings)
    optimizer = network.optimizer(
        settings.learning_rate,
        head_rate=settings.head_learning_rate,
        layer_decay=settings.layer_decay,
        weight_decay=settings.weight_decay,
    )
    checkpoint = Checkpoint(
        Path(folder),
        {
            "settings": asdict(settings),
            "pairs": digest(
                (kind, len(pairs), *(pair.key for pair in pairs[:: max(1, len(pairs) // 500)]))
                for kind, pairs in drawer.pairs.items()
            ),
        },
    )
    facts = checkpoint.load()
    if facts is None and start is not None:
        network.load(network_of(start))
    if facts is None:
        facts = {"loss": [], "validation": [], "seconds": 0.0, "tokens": 0}
    else:
        network.load(checkpoint.weights(len(facts["loss"])))
        optimizer.load_state_dict(checkpoint.optimizer(len(facts["loss"])))
    for number in range(len(facts["loss"]), settings.blocks):
        began = time.perf_counter()
        loss, tokens = _block(network, optimizer, drawer, number)
        facts["seconds"] += time.perf_counter() - began
        facts["tokens"] += tokens
        facts["loss"].append(round(loss, 4))
        facts["validation"].append({k: round(v, 4) for k, v in judge(network).items()})
        checkpoint.save(number + 1, number + 1, network.tensors(), optimizer.state_dict(), facts)
        speed = facts["tokens"] / facts["seconds"]
        tell(
            f"block {number + 1}/{settings.blocks}: loss {loss:.4f}, {facts['validation'][-1]}, "
            f"{facts['seconds'] / 60:.1f} min, {speed:.0f} tokens/s"
        )
    seconds, tokens = facts.pop("seconds"), facts.pop("tokens")
    return network, {
        **facts,
        "seconds": round(seconds, 1),
        "tokens_per_second": round(tokens / seconds),
        "bf16": network.bf16,
        "settings": asdict(settings),
    }


def _block(
    network: PairNetwork, optimizer: torch.optim.Optimizer, drawer: Drawer, number: int
) -> tuple[float, int]:
    """Show the pairs of one block; mean loss and tokens."""
    import torch

    given = drawer.settings
    torch.manual_seed(given.seed * 1000 + number)
    pairs = drawer.block(number)
    segments, _ = network.joiner.join([(pair.premise, pair.hypothesis) for pair in pairs])
    per_block = -(-(given.pairs // given.blocks) // given.batch)
    goals = torch.zeros(len(pairs), 3, device=network.device)
    for i, pair in enumerate(pairs):
        if pair.read is not None:
            goals[i] = torch.tensor(pair.read)
        else:
            goals[i, list(LABELS[pair.label])] = 1.0
    read = torch.tensor([pair.read is not None for pair in pairs], device=network.device)
    total, tokens = 0.0, 0
    network.model.train(True)
    batches = _batches([len(s) for s in segments], given.batch, number)
    for i, rows in enumerate(batches):
        _set_rate(optimizer, given, number * per_block + i, given.blocks * per_block)
        logits = network.logits([segments[row] for row in rows], given.dropout)
        log_p, goal = torch.log_softmax(logits, dim=1), goals[rows]
        allowed = torch.logsumexp(log_p.masked_fill(goal == 0, -torch.inf), dim=1)
        loss = -torch.where(read[rows], (goal * log_p).sum(dim=1), allowed).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        every = [p for group in optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(every, 1.0)
        optimizer.step()
        total += float(loss.detach()) * len(rows)
        tokens += sum(len(segments[row]) for row in rows)
    network.model.train(False)
    return total / len(pairs), tokens


def _batches(lengths: Sequence[int], size: int, seed: int) -> Iterator[list[int]]:
    """Rows in batches of like length, the batches in an order by chance."""
    dice = np.random.default_rng(seed)
    for start in range(0, len(lengths), size * _POOL):
        pool = sorted(
            range(start, min(start + size * _POOL, len(lengths))), key=lengths.__getitem__
        )
        parts = [pool[i : i + size] for i in range(0, len(pool), size)]
        yield from (parts[i] for i in dice.permutation(len(parts)))


def _set_rate(optimizer: torch.optim.Optimizer, given: NliSettings, step: int, steps: int) -> None:
    """The rate that is due: rising to full, then falling to 0."""
    warm = max(1, round(given.warmup * steps))
    share = (step + 1) / warm if step < warm else max(0.0, (steps - step) / (steps - warm))
    for group in optimizer.param_groups:
        group["lr"] = group["rate"] * share
