"""How good a pair network in training is, on validation data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from persona_lab.consistency.contradiction import CONTRADICTION, softmax
from persona_lab.training.metrics import auc
from persona_lab.training.nli_corpora import JUDGED, Corpora
from persona_lab.training.nli_pairs import LABELS
from persona_lab.training.nli_questions import questions_of

if TYPE_CHECKING:
    from persona_lab.training.nli_network import PairNetwork

_JUDGED_PAIRS = 700


def validation_judge(corpora: Corpora) -> Callable[[PairNetwork], dict[str, float]]:
    """Figures of a network in training: AUC on dialogues, accuracy over three classes."""
    dialogues = questions_of(corpora, "validation")
    y = np.array([float(q.label) for q in dialogues])
    owner = np.repeat(np.arange(len(dialogues)), [len(q.earlier) for q in dialogues])
    ours = corpora.pairs["validation"]["own"]
    theirs = np.array([float(pair.label == "contradiction") for pair in ours])
    every = [
        pair
        for kind in JUDGED
        for pair in corpora.pairs["validation"][kind]
        if len(LABELS[pair.label]) == 1
    ]
    pairs = every[:: max(1, len(every) // _JUDGED_PAIRS)]
    classes = np.array([LABELS[pair.label][0] for pair in pairs])

    def judge(network: PairNetwork) -> dict[str, float]:
        wrong = softmax(network.predict([(t, q.last) for q in dialogues for t in q.earlier]))
        largest = np.zeros(len(dialogues))
        np.maximum.at(largest, owner, wrong[:, CONTRADICTION])
        said = network.predict([(pair.premise, pair.hypothesis) for pair in pairs]).argmax(axis=1)
        own = softmax(network.predict([(pair.premise, pair.hypothesis) for pair in ours]))
        return {
            "decode_auc": auc(y, largest, np.ones(len(y))),
            "own_auc": auc(theirs, own[:, CONTRADICTION], np.ones(len(theirs))),
            "three_way_accuracy": float((said == classes).mean()),
        }

    return judge
