"""A larger network reads pairs of turns that nobody judged, and the shipped one learns from it.

(Hinton et al. 2015, "Distilling the Knowledge in a Neural Network".)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persona_lab.consistency.contradiction import softmax
from persona_lab.errors import TrainingError
from persona_lab.training.encoder_network import kept
from persona_lab.training.nli_decode import turn_in_context
from persona_lab.training.nli_draw import NliSettings
from persona_lab.training.nli_network import PairNetwork
from persona_lab.training.nli_pairs import Pair, normal

Turns = Sequence[tuple[str, str]]
"""Speaker and text of each turn."""

READ_FILE = "read.npz"
UNJUDGED = "not_contradiction"
"""Label of a pair that only a teacher reads; it counts for nothing."""

_CHUNK = 2000


def open_teacher(out: str | Path, settings: NliSettings) -> PairNetwork:
    """The network of an earlier run of ``train-contradiction``.

    Args:
        out: its ``--out`` folder.
        settings: of this run; only its longest pair counts.

    Raises:
        TrainingError: there is none in the folder.
    """
    from persona_lab.training.backbone import load_backbone

    was = kept(out, "train-contradiction")
    model, tokenizer = load_backbone(was.backbone, rotary=True)
    network = PairNetwork(model, tokenizer, replace(settings, frozen=was.frozen))
    network.load(was.tensors)
    return network


def unjudged(talks: Iterable[Turns], count: int, seed: int = 0) -> list[Pair]:
    """Pairs of turns of one speaker in one talk, in their contexts: half by chance, half alike.

    Pairs that share words are where a model errs, those by chance what it mostly meets.

    Args:
        talks: of the training split.
        count: pairs at most.
        seed: of the draw.
    """
    found: dict[tuple[str, str], float] = {}
    for turns in talks:
        for speaker in dict.fromkeys(who for who, _ in turns):
            own = [turn_in_context(turns, i) for i, (who, _) in enumerate(turns) if who == speaker]
            words = [set(normal(text).split()) for text in own]
            for i, j in combinations(range(len(own)), 2):
                shared = len(words[i] & words[j]) / (1 + min(len(words[i]), len(words[j])))
                found[own[i], own[j]] = shared
    dice = np.random.default_rng(seed)
    pairs, shared_words = list(found), np.array(list(found.values()))
    alike = np.argsort(-(shared_words + dice.random(len(pairs)) * 1e-6))[: count // 2]
    others = np.setdiff1d(np.arange(len(pairs)), alike)
    rest = dice.permutation(others)[: count - len(alike)]
    drawn = [pairs[i] for i in np.sort([*alike, *rest])]
    return [Pair(earlier, later, UNJUDGED, "read by a teacher", "read") for earlier, later in drawn]


def read_by(
    teachers: Sequence[PairNetwork],
    pairs: Sequence[Pair],
    work: Path,
    *,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Pair]:
    """The pairs with what the teachers say of them, on average.

    What is read is kept in ``work``, and a run that was killed goes on after it.

    Args:
        teachers: networks of this room.
        pairs: to read.
        work: folder of the run.
        tell: is given a line after each two thousand pairs.

    Raises:
        TrainingError: what ``work`` keeps is of other pairs.
    """
    file = work / READ_FILE
    keys = np.array([pair.key for pair in pairs], np.uint64)
    said = _kept(file, keys)
    while len(said) < len(pairs):
        some = [(p.premise, p.hypothesis) for p in pairs[len(said) : len(said) + _CHUNK]]
        mean = np.mean([softmax(teacher.predict(some)) for teacher in teachers], axis=0)
        said = np.concatenate([said, mean.astype(np.float32)])
        work.mkdir(parents=True, exist_ok=True)
        np.savez(file, allow_pickle=False, keys=keys, said=said)
        tell(f"read {len(said):,} of {len(pairs):,} pairs")
    return [
        replace(pair, read=(float(row[0]), float(row[1]), float(row[2])))
        for pair, row in zip(pairs, said, strict=True)
    ]


def _kept(file: Path, keys: NDArray[np.uint64]) -> NDArray[np.float32]:
    if not file.is_file():
        return np.empty((0, 3), np.float32)
    with np.load(file, allow_pickle=False) as found:
        if not np.array_equal(found["keys"], keys):
            raise TrainingError(
                f"{file} holds what a teacher said of other pairs; remove it, or give another --out"
            )
        said: NDArray[np.float32] = found["said"]
        return said
