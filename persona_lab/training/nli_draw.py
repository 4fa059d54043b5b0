"""Settings of the contradiction model's training, and which pairs are shown when.

A pair is drawn from a kind of corpus whose share moves from the start to the end of the run:
from plain inference to chat turns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from persona_lab.errors import TrainingError
from persona_lab.training.nli_augment import padded, swapped
from persona_lab.training.nli_pairs import Pair


@dataclass(frozen=True, slots=True)
class NliSettings:
    """Settings of the contradiction model's training.

    Attributes:
        pairs: how many are shown, repetitions counted.
        blocks: parts of the run; a checkpoint is written after each.
        batch: pairs a step.
        learning_rate: of the highest layer; it rises, then falls to 0.
        frozen: lower layers that are not trained.
        layer_decay: each lower layer learns this much more slowly.
        head_learning_rate: of the linear layer.
        weight_decay: of AdamW, for matrices.
        warmup: share of the steps in which the rates rise.
        dropout: of the pooled vector; attention has none, for speed.
        start: share of each kind of pairs at the beginning, relative to those that are there;
            ``read`` are those a teacher read.
        end: share of each kind at the end.
        contradictions: share of contradictions among DECODE pairs.
        swap: how often a pair is turned round.
        pad: how often a pair of single sentences gets others beside them.
        max_tokens: the longest pair, special tokens included.
        bf16: compute in bfloat16; None does where the processor is good at it.
        threads: of torch.
        seed: of draws, order and dropout.
    """

    pairs: int = 168_000
    blocks: int = 24
    batch: int = 32
    learning_rate: float = 1e-4
    frozen: int = 0
    layer_decay: float = 0.9
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.06
    dropout: float = 0.1
    start: Mapping[str, float] = field(
        default_factory=lambda: {
            "general": 0.60, "dialogue": 0.14, "decode": 0.06, "clean": 0.05, "made": 0.03,
            "own": 0.10, "talks": 0.02, "read": 1.0,
        }
    )  # fmt: skip
    end: Mapping[str, float] = field(
        default_factory=lambda: {
            "general": 0.18, "dialogue": 0.14, "decode": 0.24, "clean": 0.10, "made": 0.04,
            "own": 0.22, "talks": 0.08, "read": 0.5,
        }
    )  # fmt: skip
    contradictions: float = 0.45
    swap: float = 0.15
    pad: float = 0.4
    max_tokens: int = 128
    bf16: bool | None = None
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        for name in ("pairs", "blocks", "batch", "threads"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.pairs < self.blocks:
            raise TrainingError(f"pairs={self.pairs} is fewer than blocks={self.blocks}")


@dataclass(frozen=True, slots=True)
class Drawer:
    """Draws the pairs of a block.

    Attributes:
        pairs: training pairs by kind; kinds without pairs get no share.
        fillers: for :func:`~persona_lab.training.nli_augment.padded`.
        settings: of the run.
    """

    pairs: Mapping[str, Sequence[Pair]]
    fillers: Sequence[str]
    settings: NliSettings

    def block(self, number: int) -> list[Pair]:
        """The pairs of one block in an order by chance; chance depends on seed and block."""
        given = self.settings
        dice = np.random.default_rng([given.seed, number])
        total = given.pairs // given.blocks
        progress = (number + 0.5) / given.blocks
        kinds = [kind for kind, pairs in self.pairs.items() if pairs]
        shares = np.array(
            [given.start[k] + progress * (given.end[k] - given.start[k]) for k in kinds]
        )
        counts = np.rint(total * shares / shares.sum()).astype(int)
        drawn = [
            self._varied(pair, kind, dice)
            for kind, count in zip(kinds, counts, strict=True)
            for pair in self._draw(kind, int(count), number, dice)
        ]
        return [drawn[i] for i in dice.permutation(len(drawn))]

    def _draw(
        self, kind: str, count: int, number: int, dice: np.random.Generator
    ) -> Iterator[Pair]:
        pairs = self.pairs[kind]
        if kind == "decode":
            yes = [pair for pair in pairs if pair.label == "contradiction"]
            no = [pair for pair in pairs if pair.label != "contradiction"]
            part = round(self.settings.contradictions * count) if yes and no else 0
            for some, size in ((yes, part), (no, count - part)):
                if some:
                    yield from (some[i] for i in _spread(len(some), size, dice))
        else:
            yield from (pairs[i] for i in _spread(len(pairs), count, dice))

    def _varied(self, pair: Pair, kind: str, dice: np.random.Generator) -> Pair:
        if pair.read is not None:
            return pair
        if dice.random() < self.settings.swap:
            pair = swapped(pair)
        sentence_like = kind == "made" or pair.source == "dnli"
        if sentence_like and self.fillers and dice.random() < self.settings.pad:
            pair = padded(pair, self.fillers, dice)
        return pair


def _spread(n: int, count: int, dice: np.random.Generator) -> NDArray[np.int64]:
    """``count`` positions of ``n`` by chance, each as often as the others or once more."""
    whole = [dice.permutation(n) for _ in range(count // n)]
    return np.concatenate([*whole, dice.permutation(n)[: count % n]]).astype(np.int64)
