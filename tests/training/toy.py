"""A toy corpus in which some words go with some traits, for tests of training."""

from __future__ import annotations

import random

import numpy as np

from persona_lab.training.corpora import Example, text_hash
from persona_lab.traits import ALL_TRAITS

_FILLER = (
    *("the", "a", "and", "then", "we", "went", "to", "see", "it"),
    *("was", "on", "with", "for", "they", "said", "so", "there", "day"),
)
_TELLS = {
    "openness": ("museum", "spreadsheet"),
    "extraversion": ("party", "alone"),
    "neuroticism": ("worry", "calm"),
    "agreeableness": ("kind", "fight"),
    "conscientiousness": ("planner", "mess"),
    "EI": ("crowd", "cave"),
    "SN": ("hammer", "theory"),
    "TF": ("logic", "heart"),
    "JP": ("deadline", "whim"),
}


def toy_text(labels: dict[str, bool], n_words: int, rng: random.Random, noise: float) -> str:
    words = []
    for _ in range(n_words):
        trait = rng.choice(list(labels)) if rng.random() < 0.35 else None
        if trait is None:
            words.append(rng.choice(_FILLER))
        else:
            high = labels[trait] != (rng.random() < noise)
            words.append(_TELLS[trait][0 if high else 1])
    return " ".join(words)


def toy_examples(
    register: str,
    keys: tuple[str, ...],
    n: int = 120,
    *,
    n_words: int = 60,
    noise: float = 0.3,
    seed: int = 0,
) -> list[Example]:
    """Examples whose labels show in words; ``noise`` is the share of misleading words."""
    rng = random.Random(f"{register}{seed}")
    found = []
    for i in range(n):
        labels = {key: rng.random() < 0.5 for key in keys}
        text = toy_text(labels, n_words, rng, noise)
        line = np.array(
            [float(labels[key]) if key in labels else np.nan for key in ALL_TRAITS], np.float32
        )
        found.append(
            Example(
                id=f"{register}-{i}",
                register=register,
                utterances=(text[: len(text) // 2], text[len(text) // 2 :]),
                labels=line,
                scores=line,
                group=f"{register}-{i // 2}",
                n_words=n_words,
                text_hash=text_hash([text]),
            )
        )
    return found
