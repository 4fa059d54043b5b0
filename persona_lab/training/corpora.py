"""Labelled texts for training and evaluation, with groups that must not be split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.language import foreign_language
from persona_lab.detectors.masking import mask
from persona_lab.detectors.reading import count_words
from persona_lab.dialogue import Dialogue
from persona_lab.errors import RowError, TrainingError
from persona_lab.formats import read_dialogues
from persona_lab.traits import ALL_TRAITS, MBTI

Floats = NDArray[np.float32]

BACKGROUND = "other"
"""Register of unlabelled texts: it teaches the gate what the other registers are not."""

MBTI_FORUM_PRIOR = {
    "INFP": 1832, "INFJ": 1470, "INTP": 1304, "INTJ": 1091,
    "ENTP": 685, "ENFP": 675, "ISTP": 337, "ISFP": 271,
    "ENTJ": 231, "ISTJ": 205, "ENFJ": 190, "ISFJ": 166,
    "ESTP": 89, "ESFP": 48, "ESFJ": 42, "ESTJ": 39,
}  # fmt: skip
"""Users by type in the public PersonalityCafe set (8,675 users): the real priors there."""

_RUNS_A_FOLD = 2


@dataclass(frozen=True, slots=True)
class Example:
    """One speaker with known traits.

    Attributes:
        id: of the dialogue.
        register: kind of text; experts are trained per register.
        utterances: what the speaker says, masked if masking was asked for.
        labels: ``(9,)`` in the order of ALL_TRAITS: 1 high, 0 low, NaN unknown.
        scores: ``(9,)`` labels as in the file, before a median split.
        group: examples of one group never stand on both sides of a split.
        n_words: words.
        text_hash: of the text before masking, to know it again.
        run: of a generated text, where the corpus counts them.
    """

    id: str
    register: str
    utterances: tuple[str, ...]
    labels: Floats
    scores: Floats
    group: str
    n_words: int
    text_hash: int
    run: int | None = None


def text_hash(utterances: Iterable[str]) -> int:
    """64 bits that know a text again, whatever its spacing, case and punctuation."""
    words = "".join(c for u in utterances for c in u.casefold() if c.isalnum())
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "big")


def load_examples(
    source: str | Path,
    register: str,
    *,
    format: str = "auto",
    columns: str | None = None,
    masked: bool = True,
    tell: Callable[[Sequence[str]], None] | None = None,
) -> list[Example]:
    """Read all labelled speakers of a file; graded scores are split at their median.

    Args:
        source: anything ``read_dialogues`` takes.
        register: name of the kind of text.
        format: of the file.
        columns: which column or key holds what, as for ``read_dialogues``.
        masked: hide words that name types and traits.
        tell: is told what there is to remark about the file.

    Returns:
        Speakers with at least one word, one known label, and in English.

    Raises:
        TrainingError: there is none.
    """
    with read_dialogues(source, format, columns=columns) as reader:
        examples = [
            example
            for dialogue in reader
            if not isinstance(dialogue, RowError)
            for example in dialogue_examples(dialogue, register, masked=masked)
            if register == BACKGROUND or not np.isnan(example.scores).all()
        ]
        if tell is not None:
            tell(reader.notes)
    if not examples:
        raise TrainingError(f"{source} holds no labelled English text; see 'score --help' formats")
    return split_at_median(examples)


def dialogue_examples(dialogue: Dialogue, register: str, *, masked: bool = True) -> list[Example]:
    """The speakers of a dialogue as examples; labels as in the file."""
    found = []
    for name in dialogue.choose(None):
        said = dialogue.by(name)
        n_words = sum(count_words(u.text) for u in said)
        text = "\n".join(u.text for u in said)
        if n_words == 0 or foreign_language(text) is not None:
            continue
        speaker = dialogue.speakers.get(name)
        known = speaker.labels if speaker else {}
        scores = np.array([known.get(key, np.nan) for key in ALL_TRAITS], np.float32)
        run = dialogue.options.get("run")
        found.append(
            Example(
                id=dialogue.id,
                register=register,
                utterances=tuple(mask(u.text) if masked else u.text for u in said),
                labels=scores,
                scores=scores,
                group=dialogue.group or dialogue.id,
                n_words=n_words,
                text_hash=text_hash(u.text for u in said),
                run=int(run) if run is not None else None,
            )
        )
    return found


def split_at_median(examples: list[Example]) -> list[Example]:
    """Make 0/1 labels of graded scores: above the median of these examples is high."""
    scores = np.stack([e.scores for e in examples])
    graded = ~np.isin(scores, (0.0, 1.0)) & ~np.isnan(scores)
    if not graded.any():
        return examples
    labels = scores.copy()
    for t in np.flatnonzero(graded.any(axis=0)):
        middle = np.nanmedian(scores[:, t])
        labels[:, t] = np.where(np.isnan(scores[:, t]), np.nan, scores[:, t] > middle)
    return [replace(e, labels=line) for e, line in zip(examples, labels, strict=True)]


def assign_folds(examples: Sequence[Example], n_folds: int, seed: int = 0) -> NDArray[np.int64]:
    """Give each example a fold: groups stay whole, equal texts too.

    Generated texts that count their runs are split by run (two neighbouring runs a fold):
    every persona is then seen, no run is.

    Returns:
        ``(n,)`` fold numbers.
    """
    order = np.random.default_rng(seed).permutation
    folds = np.zeros(len(examples), np.int64)
    by_hash = {e.text_hash: e.group for e in examples}
    keys = [f"{e.register}\n{by_hash[e.text_hash]}" for e in examples]
    for register in sorted({e.register for e in examples}):
        mine = [i for i, e in enumerate(examples) if e.register == register]
        groups = sorted({keys[i] for i in mine})
        place = dict(zip(groups, order(len(groups)) % n_folds, strict=True))
        for i in mine:
            run = examples[i].run
            folds[i] = place[keys[i]] if run is None else (run - 1) // _RUNS_A_FOLD % n_folds
    return folds


def prior_weights(examples: Sequence[Example], power: float = 1.0) -> Floats:
    """Weights that bring the MBTI types to their share in the forum.

    Args:
        examples: those with all four letters are weighted, others count 1.
        power: 1 for the full correction, 0 for none.

    Returns:
        ``(n,)``, mean 1 over the weighted ones.
    """
    start = len(ALL_TRAITS) - len(MBTI.traits)
    types = [
        "".join(t.high if e.labels[start + k] == 1.0 else t.low for k, t in enumerate(MBTI.traits))
        if not np.isnan(e.labels[start:]).any()
        else ""
        for e in examples
    ]
    counts = {code: types.count(code) for code in set(types)}
    weights = np.array(
        [(MBTI_FORUM_PRIOR[code] / counts[code]) ** power if code else np.nan for code in types]
    )
    weights /= np.nanmean(weights) if counts.keys() - {""} else 1.0
    return np.asarray(np.nan_to_num(weights, nan=1.0), np.float32)


def shortened(
    examples: Sequence[Example], *, low: int = 15, high: int = 400, seed: int = 0
) -> list[tuple[int, Example]]:
    """One random window of each longer text, its length log-uniform in ``low..high`` words.

    Calibration and the length curve need to know how scores behave on less text.

    Returns:
        ``(index of the whole example, window)`` for texts of at least twice ``low`` words.
    """
    rng = np.random.default_rng(seed)
    found = []
    for index, example in enumerate(examples):
        words = " \n ".join(example.utterances).split(" ")
        n = int(np.exp(rng.uniform(np.log(low), np.log(high))))
        if len(words) < 2 * low or n >= len(words):
            continue
        start = int(rng.integers(0, len(words) - n + 1))
        text = " ".join(words[start : start + n])
        n_words = count_words(text)
        if n_words:
            parts = tuple(part.strip() for part in text.split("\n") if part.strip())
            found.append((index, replace(example, utterances=parts, n_words=n_words)))
    return found
