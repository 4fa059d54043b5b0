"""A reader made by hand: eight words that each say one thing, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from persona_lab.detectors.reader.detector import ReaderDetector
from persona_lab.detectors.reader.head import ReaderHead
from persona_lab.detectors.reader.rule import Rule
from persona_lab.detectors.reader.scale import AXES, RATINGS, STEPS
from persona_lab.encoding.segment import Segmenter
from persona_lab.profile import ModelInfo

SIGNS = {
    "party": ("extraversion", 4.0),
    "alone": ("extraversion", -4.0),
    "worry": ("neuroticism", 4.0),
    "calm": ("neuroticism", -4.0),
    "plan": ("conscientiousness", 4.0),
    "mess": ("conscientiousness", -4.0),
    "logic": ("TF", 4.0),
    "heart": ("TF", -4.0),
}
FILLER = ("the", "a", "we", "and", "then", "went", "it", "was", "with", "there", "that", "you")


def toy_tokenizer() -> Tokenizer:
    """One token a word; special tokens around a text."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *SIGNS, *FILLER, ".", ":", "/", "q", "?"]
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


class ToyEncoder:
    """Adds up what the known words say: a unit's vector is the sum, not the mean."""

    dim = len(AXES)
    max_tokens = 128

    def __init__(self) -> None:
        self.segmenter = Segmenter(toy_tokenizer(), max_tokens=self.max_tokens)
        self.encoded: list[tuple[int, ...]] = []
        self._rows = np.zeros((40, self.dim), np.float32)
        for word, (axis, weight) in SIGNS.items():
            self._rows[self.segmenter.token_ids(word)[0], AXES.index(axis)] = weight

    def encode(self, segments: Sequence[Sequence[int]]) -> np.ndarray:
        self.encoded += [tuple(segment) for segment in segments]
        rows = [self._rows[list(segment)].sum(axis=0) for segment in segments]
        return np.array(rows, np.float32).reshape(-1, self.dim)

    def encode_traced(
        self, segments: Sequence[Sequence[int]]
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        return self.encode(segments), [self._rows[list(segment)] for segment in segments]


def toy_head() -> ReaderHead:
    """Log-odds of a rating: its step times what is said, less for the outer ones."""
    weight = np.zeros((len(AXES) * len(RATINGS), len(AXES)), np.float32)
    for axis in range(len(AXES)):
        weight[axis * len(RATINGS) : (axis + 1) * len(RATINGS), axis] = STEPS
    bias = np.tile(np.array([-3.0, -2.0, 2.0, -2.0, -3.0], np.float32), len(AXES))
    return ReaderHead(weight, bias)


def toy_reader(rule: Rule | None = None) -> ReaderDetector:
    """See the module."""
    info = ModelInfo("toy-reader", "1", "0" * 64)
    return ReaderDetector(info, ToyEncoder(), toy_head(), rule or Rule.plain())  # type: ignore[arg-type]
