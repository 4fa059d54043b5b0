"""Speed of fine-tuning an encoder of some size."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

from speed.encoders import random_model
from speed.shapes import Shape
from speed.texts import generated_documents, texts_of


def fine_tuning(
    shape: Shape, *, texts: int, words: int, max_tokens: int, seed: int
) -> list[dict[str, Any]]:
    """Tokens a second of the fine-tuning that ``persona-lab train --unfreeze`` does.

    Args:
        shape: of the encoder, whose weights are random.
        texts: number of them.
        words: of each.
        max_tokens: of a segment.
        seed: of everything.

    Returns:
        A row with only the last two layers free, and one with all (if that is more).
    """
    from persona_lab.detectors.registry import find_model
    from persona_lab.encoding.files import read_tokenizer
    from persona_lab.training.corpora import Example, text_hash
    from persona_lab.training.finetune import FineTuneSettings, fine_tune

    dice = np.random.default_rng(seed)
    examples = []
    for i, text in enumerate(texts_of([words] * texts, generated_documents())):
        labels = np.full(9, np.nan, np.float32)
        labels[:5] = dice.integers(0, 2, 5)  # speed does not ask what is learnt
        examples.append(Example(str(i), "essay", (text,), labels, labels, str(i), words,
                                text_hash([text])))  # fmt: skip
    tokenizer = read_tokenizer(find_model("pooled"))
    rows: list[dict[str, Any]] = []
    for unfreeze in sorted({2, shape.depth}):
        settings = FineTuneSettings(unfreeze=unfreeze, epochs=2, max_tokens=max_tokens, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            _, facts = fine_tune(
                random_model(shape, seed), tokenizer, examples, settings, folder=folder
            )
        rows.append({"name": shape.name, "unfreeze": unfreeze, "bf16": facts["bf16"],
                     "tokens_per_second": facts["tokens_per_second"], "device": facts["device"],
                     "seconds": facts["seconds"]})  # fmt: skip
    return rows
