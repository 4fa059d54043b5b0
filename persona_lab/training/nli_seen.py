"""What a contradiction model has seen in training, by hashes, and keeping it out of what tests.

A model may be trained in several rounds, with other seeds and so with other splits. What any
round has seen is not held out for a later one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from persona_lab.consistency.nli_model import KEYS_FILE
from persona_lab.errors import TrainingError
from persona_lab.training.nli_corpora import Corpora
from persona_lab.training.nli_questions import Question, case_question, questions_of


def seen_by(folder: str | Path) -> frozenset[int]:
    """Keys of the pairs that a finished model was trained or calibrated on.

    Raises:
        TrainingError: the folder does not tell.
    """
    file = Path(folder) / KEYS_FILE
    try:
        with np.load(file, allow_pickle=False) as found:
            return frozenset(map(int, found["keys"]))
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(
            f"{file} does not tell what the model has seen, so nothing would be held out: {error}"
        ) from error


def unseen(corpora: Corpora, seen: Collection[int]) -> Corpora:
    """The corpora without held-out pairs and dialogues that were seen before.

    Args:
        corpora: with splits.
        seen: keys of pairs.
    """
    pairs = {
        split: kinds
        if split == "train"
        else {kind: [p for p in some if p.key not in seen] for kind, some in kinds.items()}
        for split, kinds in corpora.pairs.items()
    }
    cases = {
        split: some
        if split == "train"
        else [c for c in some if not _is_seen(case_question(c), seen)]
        for split, some in corpora.cases.items()
    }
    lost = {
        split: {
            "pairs": _count(corpora.pairs[split]) - _count(pairs[split]),
            "dialogues": len(corpora.cases[split]) - len(cases[split]),
        }
        for split in ("validation", "test")
    }
    return replace(corpora, pairs=pairs, cases=cases, facts={**corpora.facts, "seen_before": lost})


def write_seen(corpora: Corpora, folder: Path, before: Collection[int] = ()) -> None:
    """Keep hashes of what was trained and calibrated on; pairs made by rule are nobody's.

    Args:
        corpora: of this round.
        folder: the model's.
        before: keys of earlier rounds.
    """
    keys = set(before)
    for split in ("train", "validation"):
        for kind, pairs in corpora.pairs[split].items():
            if kind != "made":
                keys |= {pair.key for pair in pairs}
        # also dialogues of which only the context was shown, or that only calibrated
        for question in questions_of(corpora, split):
            keys |= set(question.keys)
    np.savez(folder / KEYS_FILE, allow_pickle=False, keys=np.array(sorted(keys), np.uint64))


def _is_seen(question: Question | str, seen: Collection[int]) -> bool:
    return isinstance(question, Question) and any(key in seen for key in question.keys)


def _count(kinds: Mapping[str, Sequence[object]]) -> int:
    return sum(map(len, kinds.values()))
