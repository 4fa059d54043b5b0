"""Fine-tune the top layers of an encoder on labelled examples, before it is exported.

The network: encoder, masked mean over the tokens of a segment (what ``export_encoder``
writes), attention over a text's segments, one linear head per register and trait and a
general one per trait. The heads start as linear probes of the frozen encoder, so that
their first gradients do not spoil the layers below, and epoch 0 tells what the frozen
encoder is worth. The heads are thrown away in the end: ``fit_pooled`` fits better ones.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.errors import MissingExtraError, TrainingError
from persona_lab.training.checkpoint import Checkpoint, digest
from persona_lab.training.corpora import BACKGROUND, Example, assign_folds
from persona_lab.training.segments import Network, Targets, cut, draw, spread

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import RobertaModel

Array = NDArray[np.float32]
Rows = NDArray[np.int64]
Progress = Callable[[str, float], None]

_FOLDS = 5


@dataclass(frozen=True, slots=True)
class FineTuneSettings:
    """Settings of fine-tuning.

    Attributes:
        unfreeze: top layers that are trained, counted down from the highest layer in use;
            0 trains nothing. Embeddings are always frozen.
        epochs: at most; each text is seen once in an epoch.
        batch_texts: texts that go forward and back together.
        accumulate: such batches before a step of the optimiser.
        segments_per_text: segments drawn of each text, anew in each epoch.
        learning_rate: of the highest layer.
        layer_decay: each lower layer learns this much more slowly.
        head_learning_rate: of the heads and the attention over segments.
        weight_decay: of AdamW; biases, normalisations and the attention query have none.
        warmup: share of the steps in which the rate rises; it falls to 0 in the others.
        dropout: of a text's pooled vector. The layers that are trained keep the model's
            own rate, but for attention: 0, which trains 2 to 3 times faster on CPUs.
        label_smoothing: 0.1 makes labels of 0.05 and 0.95.
        patience: epochs without a gain in validation AUC before stopping.
        bf16: compute in bfloat16; None does where the processor is good at it.
        max_tokens: the longest segment, special tokens included; as in the export.
        seed: of folds, sampling and dropout.
    """

    unfreeze: int = 3
    epochs: int = 4
    batch_texts: int = 16
    accumulate: int = 2
    segments_per_text: int = 4
    learning_rate: float = 5e-5
    layer_decay: float = 0.8
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.1
    dropout: float = 0.1
    label_smoothing: float = 0.05
    patience: int = 2
    bf16: bool | None = None
    max_tokens: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        for name in ("epochs", "batch_texts", "accumulate", "segments_per_text", "patience"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("warmup", "dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(f"{name} is {getattr(self, name)}; give 0 or more, below 1")


def fine_tune(
    model: RobertaModel,
    tokenizer: Tokenizer,
    examples: Sequence[Example],
    settings: FineTuneSettings,
    *,
    folder: str | Path,
    holdout_fold: int = 0,
    layers: Sequence[int] | None = None,
    progress: Progress = lambda stage, share: None,
) -> tuple[RobertaModel, dict[str, Any]]:
    """Train the top layers; stop when validation says so; keep the best epoch's weights.

    A killed run goes on after its last whole epoch, with the weights it would have had.

    Args:
        model: the encoder; it is not changed.
        tokenizer: its tokenizer.
        examples: labelled speakers; background ones are left out.
        settings: of the run.
        folder: for checkpoints; it may be deleted afterwards.
        holdout_fold: of ``assign_folds(examples, 5, seed)``: not trained on, tells the best epoch.
        layers: whose means are a segment's vector, as for ``export_encoder``.
        progress: is told stage and share.

    Returns:
        The model with the best weights, on the CPU in float32, and facts: ``epochs``,
        ``best_epoch`` (0: the model as given), ``auc`` and ``aucs`` (mean, and by register
        and trait) from epoch 0 on, ``loss`` from epoch 1 on, ``seconds`` and
        ``tokens_per_second`` of training, ``texts``, ``device``, ``bf16``, ``settings``...

    Raises:
        MissingExtraError: torch or transformers is missing.
        TrainingError: settings do not fit, data are too few, or the checkpoint is another run's.
    """
    try:
        import torch

        from persona_lab.training.onnx_encoder import check_layers, padding_id, weights_of
    except ImportError as error:
        raise MissingExtraError("torch", "train", "fine-tuning an encoder") from error

    chosen = check_layers(model, layers)
    room = model.config.max_position_embeddings - padding_id(model) - 1
    if not 0 <= settings.unfreeze <= max(chosen) or settings.max_tokens > room:
        raise TrainingError(
            f"unfreeze={settings.unfreeze}, max_tokens={settings.max_tokens}: this encoder has "
            f"{max(chosen)} layers in use and takes {room} tokens; lower the settings"
        )
    given = [
        (e, fold)
        for e, fold in zip(examples, assign_folds(examples, _FOLDS, settings.seed), strict=True)
        if e.register != BACKGROUND and not np.isnan(e.labels).all()
    ]
    progress("cutting texts", 0.0)
    pieces = cut(tokenizer, [e for e, _ in given], settings.max_tokens)
    used = [(e, fold, p) for (e, fold), p in zip(given, pieces, strict=True) if p]
    held = np.array([fold == holdout_fold for _, fold, _ in used], bool)
    if held.all() or not held.any():
        raise TrainingError(
            f"fold {holdout_fold} of {_FOLDS} holds {held.sum()} of {len(used)} labelled texts: "
            "give more groups of examples, or another holdout_fold"
        )
    checkpoint = Checkpoint(
        Path(folder),
        {
            "settings": asdict(settings) | {"layers": chosen, "holdout_fold": holdout_fold},
            "examples": digest((e.id, e.register, f, e.utterances, *e.labels) for e, f, _ in used),
            "model": digest([tokenizer.to_str(), *weights_of(model).values()]),
        },
    )
    targets = Targets.of([e for e, _, _ in used])
    network = Network(model, len(targets.columns), chosen, settings.unfreeze, settings.bf16)
    run = _Run(network, [p for _, _, p in used], targets, settings)
    gpu = [torch.cuda.current_device()] if network.device == "cuda" else []
    with torch.random.fork_rng(devices=gpu):
        facts = run.train(np.flatnonzero(~held), np.flatnonzero(held), checkpoint, progress)
    return network.finished(), facts | {
        "texts": {"train": int((~held).sum()), "validation": int(held.sum())},
        "device": network.device,
        "bf16": network.bf16,
        "settings": asdict(settings) | {"layers": list(chosen), "holdout_fold": holdout_fold},
    }


@dataclass(frozen=True, slots=True)
class _Run:
    """The network, what it learns from, and how."""

    network: Network
    pieces: list[list[NDArray[np.int32]]]
    targets: Targets
    given: FineTuneSettings

    def train(
        self, train: Rows, held: Rows, checkpoint: Checkpoint, progress: Progress
    ) -> dict[str, Any]:
        """Go through the epochs that the checkpoint lacks; leave the best weights; the facts."""
        given, network = self.given, self.network
        optimizer = network.optimizer(
            given.learning_rate, given.layer_decay, given.head_learning_rate, given.weight_decay
        )
        facts = checkpoint.load()
        if facts is None:
            progress("first heads", 0.0)
            self._probe(train)
            facts = {"auc": [], "aucs": [], "loss": [], "seconds": 0.0, "tokens": 0}
            self._judge(held, facts)
            checkpoint.save(0, 0, network.tensors(), optimizer.state_dict(), facts)
        else:
            network.load(checkpoint.weights(len(facts["loss"])))
            optimizer.load_state_dict(checkpoint.optimizer(len(facts["loss"])))
        best = int(np.argmax(facts["auc"]))
        last = given.epochs if given.unfreeze else 0
        for epoch in range(len(facts["loss"]) + 1, last + 1):
            if epoch - 1 - best >= given.patience:
                break
            start = time.perf_counter()
            self._epoch(epoch, train, optimizer, facts, progress)
            facts["seconds"] += time.perf_counter() - start
            self._judge(held, facts)
            best = int(np.argmax(facts["auc"]))
            checkpoint.save(epoch, best, network.tensors(), optimizer.state_dict(), facts)
        network.load(checkpoint.weights(best))
        progress("fine-tuning", 1.0)
        seconds, tokens = facts.pop("seconds"), facts.pop("tokens")
        return {
            "epochs": len(facts["loss"]),
            "best_epoch": best,
            **facts,
            "seconds": round(seconds, 1),
            "tokens_per_second": round(tokens / seconds) if seconds else None,
        }

    def _epoch(
        self,
        epoch: int,
        train: Rows,
        optimizer: torch.optim.Optimizer,
        facts: dict[str, Any],
        progress: Progress,
    ) -> None:
        """One pass over the texts. Chance depends on seed and epoch alone: it can be resumed."""
        import torch

        given, network, targets = self.given, self.network, self.targets
        dice = np.random.default_rng([given.seed, epoch])
        torch.manual_seed(int(dice.integers(2**62)))
        order = dice.permutation(train)
        batches = [
            order[i : i + given.batch_texts] for i in range(0, len(order), given.batch_texts)
        ]
        steps = math.ceil(len(batches) / given.accumulate)
        known = (~np.isnan(targets.labels[train])).sum(axis=1)
        whole = float(known @ targets.weights[train]) / len(train)  # weight of a mean text
        total = 0.0
        for layer in network.trained:
            layer.train(True)
        for i, rows in enumerate(batches):
            texts = [draw(self.pieces[row], given.segments_per_text, dice) for row in rows]
            pooled = torch.nn.functional.dropout(network.pooled(texts), given.dropout)
            labels, weights = targets.labels[rows], targets.weights[rows]
            loss = network.loss(pooled, labels, weights, given.label_smoothing) / whole
            (loss / (given.batch_texts * given.accumulate)).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
            facts["tokens"] += sum(len(segment) for text in texts for segment in text)
            if (i + 1) % given.accumulate == 0 or i + 1 == len(batches):
                step = (epoch - 1) * steps + i // given.accumulate
                self._step(optimizer, step, given.epochs * steps)
            progress("fine-tuning", (epoch - 1 + (i + 1) / len(batches)) / given.epochs)
        facts["loss"].append(round(total / len(train), 5))
        for layer in network.trained:
            layer.train(False)

    def _step(self, optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
        """One step of the optimiser, at the rate that is due."""
        import torch

        warm = max(1, round(self.given.warmup * steps))
        share = (step + 1) / warm if step < warm else (steps - step) / (steps - warm)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * share
        every = [p for group in optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(every, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    def _judge(self, held: Rows, facts: dict[str, Any]) -> None:
        """Add the validation AUCs of the weights as they are."""
        head = {name: t.detach().cpu().numpy() for name, t in self.network.head.items()}
        found = self.targets.aucs(held, self._vectors(held) @ head["weight"].T + head["bias"])
        if not found:
            raise TrainingError(
                f"no trait has both poles among the {len(held)} validation texts: give more "
                "groups of examples, or another holdout_fold"
            )
        facts["auc"].append(round(float(np.mean(list(found.values()))), 5))
        facts["aucs"].append({name: round(value, 4) for name, value in found.items()})

    def _probe(self, train: Rows) -> None:
        """Set the heads to linear probes of the encoder as it is."""
        x = self._vectors(train)
        center, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
        weight, bias = self.targets.probes((x - center) / scale, train)
        values = {"center": center, "scale": scale, "weight": weight, "bias": bias}
        self.network.load({f"head.{name}": value for name, value in values.items()})

    def _vectors(self, rows: Rows) -> Array:
        """Vectors of texts, from segments at equal distances: twice as many as are trained on."""
        count = 2 * self.given.segments_per_text
        return self.network.frozen([spread(self.pieces[row], count) for row in rows])
