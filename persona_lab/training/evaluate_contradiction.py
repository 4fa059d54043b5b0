"""Measure a contradiction model on labelled files; rows it was trained on are kept apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_lab.consistency.contradiction import (
    CLASSES,
    CONTRADICTION,
    ContradictionModel,
)
from persona_lab.consistency.nli_model import KEYS_FILE, find_folder
from persona_lab.errors import InputError, TrainingError
from persona_lab.training.metrics import trait_metrics
from persona_lab.training.nli_questions import READERS, Question, problem_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TASK = "contradiction"
THRESHOLD = 0.5
"""A contradiction is claimed from this probability on."""

METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "auc", "brier", "ece")
_NEGATION = re.compile(
    r"\b(?:not|no|never|nobody|nothing|none|neither|nor|without|cannot|\w+n['\u2019]?t)\b", re.I
)
_CHUNK = 512
Progress = Callable[[str, float], None]


def evaluate_contradiction(
    input: str | Path,
    format: str,
    *,
    model: str | Path | None = None,
    sample: int = 0,
    n_boot: int = 500,
    seed: int = 0,
    progress: Progress = lambda stage, share: None,
) -> dict[str, Any]:
    """Measure on a labelled file or folder.

    Args:
        input: the file or folder.
        format: ``decode`` (does the last turn contradict an earlier one of its speaker?),
            ``nli`` (jsonl of premise, hypothesis and label) or ``cdconv`` (Chinese: its rows
            come out unscored by an English model).
        model: a model's folder; the bundled one by default.
        sample: take this many rows at random of those that can be scored; 0 for all.
        n_boot: bootstrap draws.
        seed: of the sample and the bootstrap.
        progress: is told stage and share.

    Returns:
        JSON types. ``task``, ``format``, ``model``; of rows that the model never saw ``n``,
        ``majority`` and each metric as ``{"value", "low", "high"}`` with a 95 % interval, None
        where nothing can be said; ``threshold``; ``seen_in_training``: the same figures of
        rows that were trained or calibrated on; ``unscored``: counts by reason;
        ``shortened``: rows with a text too long to be read whole. For ``decode`` also
        ``evidence``: how often the turn found is one that annotators named. For ``nli`` also
        ``three_way``, ``by_source`` and ``negation``.

    Raises:
        TrainingError: there is no such format.
        InputError: the input cannot be read, or holds no rows.
        ModelError: the model cannot be read.
    """
    if format not in READERS:
        raise TrainingError(f"there is no format {format!r}; use {', '.join(READERS)}")
    folder = find_folder() if model is None else Path(model)
    opened = ContradictionModel.load(folder)
    unscored: Counter[str] = Counter()
    questions: list[Question] = []
    for row in READERS[format](Path(input)):
        code = row if isinstance(row, str) else problem_of(row)
        if code is None and isinstance(row, Question):
            questions.append(row)
        else:
            unscored[code or "unreadable"] += 1
    if not questions and not unscored:
        raise InputError(f"{input} holds no rows; give a file with some")
    if 0 < sample < len(questions):
        picks = np.random.default_rng(seed).choice(len(questions), sample, replace=False)
        questions = [questions[i] for i in sorted(picks)]
    known = training_keys(folder)
    seen = np.array([bool(known.intersection(q.keys)) for q in questions], bool)
    said = answer(opened, questions, progress=progress)
    new = np.flatnonzero(~seen)
    return {
        "task": TASK,
        "format": format,
        "model": opened.info.name,
        **measure(questions, said, new, n_boot=n_boot, seed=seed),
        "threshold": THRESHOLD,
        "seen_in_training": measure(
            questions, said, np.flatnonzero(seen), n_boot=n_boot, seed=seed
        ),
        "unscored": dict(unscored),
        "shortened": int(said.shortened.sum()),
        **(_evidence(questions, said, new) if format == "decode" else {}),
        **(three_way(questions, said, new, n_boot=n_boot, seed=seed) if format == "nli" else {}),
    }


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says to questions.

    Attributes:
        p: ``(n,)`` probability of a contradiction.
        classes: ``(n, 3)`` of the pair, of the most likely contradicted one where there are more.
        found: ``(n,)`` position of that pair.
        shortened: ``(n,)`` a text was too long to be read whole.
    """

    p: Floats
    classes: Floats
    found: NDArray[np.int64]
    shortened: NDArray[np.bool_]


def answer(
    model: ContradictionModel,
    questions: Sequence[Question],
    *,
    progress: Progress = lambda stage, share: None,
) -> Answers:
    """Ask a model; a question with known classes is a pair, the others are dialogues."""
    parts: list[Answers] = []
    for start in range(0, len(questions), _CHUNK):
        some = questions[start : start + _CHUNK]
        counts = np.array([len(q.earlier) for q in some])
        read = model.read([(text, q.last) for q in some for text in q.earlier])
        ends = np.cumsum(counts)
        wrong = np.split(read.probabilities[:, CONTRADICTION], ends[:-1])
        found = np.array([int(span.argmax()) for span in wrong], np.int64)
        classes = read.probabilities[found + ends - counts]
        p = model.calibration.of_dialogue(classes[:, CONTRADICTION], counts.astype(float))
        pairs = np.array([bool(q.classes) for q in some])
        cut = np.array([bool(span.any()) for span in np.split(read.shortened, ends[:-1])])
        parts.append(Answers(np.where(pairs, classes[:, CONTRADICTION], p), classes, found, cut))
        progress("reading", (start + len(some)) / len(questions))
    if not parts:
        return Answers(np.empty(0), np.empty((0, 3)), np.empty(0, np.int64), np.empty(0, bool))
    return Answers(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Answers.__slots__)
    )


def measure(
    questions: Sequence[Question],
    said: Answers,
    rows: NDArray[np.int64],
    *,
    n_boot: int = 500,
    seed: int = 0,
) -> dict[str, Any]:
    """Metrics of some rows; each is None where there are no rows."""
    if not len(rows):
        nothing = {"value": None, "low": None, "high": None}
        return {"n": 0, "majority": None, **{name: dict(nothing) for name in METRICS}}
    y = np.array([float(questions[i].label) for i in rows])
    return trait_metrics(y, said.p[rows], THRESHOLD, n_boot=n_boot, seed=seed)


def training_keys(folder: Path) -> set[int]:
    """Hashes of the pairs a model was trained or calibrated on; empty where it keeps none."""
    file = folder / KEYS_FILE
    if not file.is_file():
        return set()
    with np.load(file, allow_pickle=False) as arrays:
        return set(arrays["keys"].tolist())


def _evidence(
    questions: Sequence[Question], said: Answers, rows: NDArray[np.int64]
) -> dict[str, Any]:
    """How often the most likely contradicted turn is one that annotators named."""
    named = [i for i in rows if questions[i].evidence and len(questions[i].earlier) > 1]
    right = [int(said.found[i]) in questions[i].evidence for i in named]
    by_chance = [len(questions[i].evidence) / len(questions[i].earlier) for i in named]
    return {
        "evidence": {
            "n": len(named),
            "accuracy": round(float(np.mean(right)), 4) if named else None,
            "by_chance": round(float(np.mean(by_chance)), 4) if named else None,
        }
    }


def three_way(
    questions: Sequence[Question],
    said: Answers,
    rows: NDArray[np.int64],
    *,
    n_boot: int = 500,
    seed: int = 0,
) -> dict[str, Any]:
    """Accuracy over three classes, metrics by source, and the check for a shortcut."""
    exact = [i for i in rows if len(questions[i].classes) == 1]
    right = {i: int(said.classes[i].argmax()) == questions[i].classes[0] for i in exact}
    sources = sorted({questions[i].source for i in rows})
    by_source = {}
    for source in sources:
        mine = np.array([i for i in rows if questions[i].source == source])
        found = [right[i] for i in mine if i in right]
        by_source[source] = measure(questions, said, mine, n_boot=n_boot, seed=seed) | {
            "three_way_accuracy": round(float(np.mean(found)), 4) if found else None
        }
    return {
        "three_way": {
            "n": len(exact),
            "accuracy": round(float(np.mean(list(right.values()))), 4) if exact else None,
        },
        "by_source": by_source,
        "negation": _negation(questions, said, exact),
    }


def _negation(
    questions: Sequence[Question], said: Answers, rows: Sequence[int]
) -> dict[str, dict[str, Any]]:
    """Accuracy by class of hypotheses with and without a word of negation of their own.

    Such words are more frequent in contradictions of several corpora (Gururangan et al.
    2018): a model that learnt only that calls negated hypotheses contradictions whatever
    their label.
    """
    cells: dict[str, dict[str, Any]] = {"negated": {}, "plain": {}}
    for kind, cell in cells.items():
        alike = [i for i in rows if _negated(questions[i]) == (kind == "negated")]
        for k, label in enumerate(CLASSES):
            mine = [i for i in alike if questions[i].classes == (k,)]
            if mine:
                found = said.classes[mine].argmax(axis=1)
                cell[label] = {
                    "n": len(mine),
                    "accuracy": round(float((found == k).mean()), 4),
                    "called_contradiction": round(float((found == CONTRADICTION).mean()), 4),
                }
    return cells


def _negated(question: Question) -> bool:
    """Whether only the last text holds a word of negation."""
    return bool(_NEGATION.search(question.last)) and not any(
        _NEGATION.search(text) for text in question.earlier
    )
