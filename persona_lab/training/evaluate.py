"""Measure a detector on labelled files: honestly, also where it was trained on them.

A model keeps hashes of its training texts and the fold each was in. Texts it has seen are
judged by the one member of its ensemble that was trained without them, so a score on
training data is an out-of-fold score; how many there were is reported.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.base import Request, Result, batches
from persona_lab.detectors.calibration import judge
from persona_lab.detectors.registry import LoadedDetector
from persona_lab.detectors.screening import Options
from persona_lab.detectors.store import open_folder
from persona_lab.detectors.trained import TrainedDetector, sigmoid, trait_scores
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.errors import RowError, TrainingError
from persona_lab.formats.essays import FIVE_COLUMNS
from persona_lab.profile import Unscored
from persona_lab.training.corpora import (
    Example,
    assign_folds,
    dialogue_examples,
    prior_weights,
    split_at_median,
)
from persona_lab.training.metrics import (
    mean_metrics,
    paired_difference,
    risk_coverage,
    trait_metrics,
)
from persona_lab.traits import ALL_TRAITS, Framework

Floats = NDArray[np.float64]
TRAINING_TEXTS = "training_texts.npz"
_REGISTER = "evaluated"


@dataclass(frozen=True, slots=True)
class Judged:
    """A detector's answers to labelled texts.

    Attributes:
        p: ``(n, n_traits)`` probabilities, NaN where unscored.
        threshold: ``(n, n_traits)``.
        abstained: ``(n, n_traits)``.
        doubt: ``(n, n_traits)`` distance of the log-odds from the threshold in standard
            deviations, negated: the larger the less sure.
        seen: ``(n,)`` the text was in the detector's training data.
        unscored: reasons and how often.
    """

    p: Floats
    threshold: Floats
    abstained: NDArray[np.bool_]
    doubt: Floats
    seen: NDArray[np.bool_]
    unscored: dict[str, int]


def labelled(
    dialogues: Iterable[Dialogue | RowError],
    framework: Framework,
    *,
    only: dict[str, set[str]] | None = None,
) -> tuple[list[Example], dict[str, int]]:
    """Speakers with known labels of a framework.

    Args:
        dialogues: from ``read_dialogues``.
        framework: whose labels are wanted.
        only: keep dialogues with one of these values of an option (``{"run": {"9"}}``).

    Returns:
        Examples, unmasked, graded scores split at the median; and how many rows were left
        out, by reason.

    Raises:
        TrainingError: no row has labels.
    """
    columns = [ALL_TRAITS.index(key) for key in framework.keys]
    found: list[Example] = []
    left_out = {"unreadable": 0, "no label or no English words": 0}
    for dialogue in dialogues:
        if isinstance(dialogue, RowError):
            left_out["unreadable"] += 1
            continue
        if any(dialogue.options.get(name) not in allowed for name, allowed in (only or {}).items()):
            continue
        mine = [
            e
            for e in dialogue_examples(dialogue, _REGISTER, masked=False)
            if not np.isnan(e.scores[columns]).all()
        ]
        left_out["no label or no English words"] += not mine
        found += mine
    if not found:
        raise TrainingError(
            f"no row carries labels of {framework.name}; give a labelled layout (--format) or "
            "columns named like the traits"
        )
    return split_at_median(found), {k: v for k, v in left_out.items() if v}


def judge_examples(
    detector: LoadedDetector,
    examples: Sequence[Example],
    framework: Framework,
    *,
    seen: dict[int, int],
) -> Judged:
    """Score examples; those the detector was trained on by the member that was not.

    Args:
        detector: to measure.
        examples: unmasked.
        framework: of the labels.
        seen: fold by text hash, from :func:`training_folds`.
    """
    if not isinstance(detector, TrainedDetector):
        asked = map(request_of, examples)
        return judged_of(list(detector.profiles(asked, frameworks=(framework.name,))), framework)
    n, keys = len(examples), framework.keys
    p = np.full((n, len(keys)), np.nan)
    doubt, abstained = np.full_like(p, np.inf), np.zeros(p.shape, bool)
    limits = np.array([detector.calibration.thresholds.get(key, 0.5) for key in keys])
    boundary = np.log(limits / (1 - limits))
    unscored: dict[str, int] = {}
    done = 0
    for batch in batches(map(request_of, examples)):
        for _, readings, n_words, found in detector.read(batch):
            index, done = done, done + 1
            if isinstance(found, Unscored):
                unscored[found.code] = unscored.get(found.code, 0) + 1
                continue
            member = seen.get(examples[index].text_hash)
            said = judge(readings, detector.calibration, keys, n_words, member=member)
            p[index] = sigmoid(said.mean)
            doubt[index] = -np.abs(said.mean - boundary) / np.maximum(said.sd, 1e-9)
            scores = trait_scores(said, framework, detector.calibration.thresholds)
            abstained[index] = [s.label == "abstain" for s in scores.values()]
    known = np.array([e.text_hash in seen for e in examples])
    return Judged(p, np.tile(limits, (n, 1)), abstained, doubt, known, unscored)


def judged_of(results: Sequence[Result], framework: Framework) -> Judged:
    """The answers of a detector that keeps no folds, in the order of the examples."""
    p = np.full((len(results), len(framework.keys)), np.nan)
    doubt, abstained = np.full_like(p, np.inf), np.zeros(p.shape, bool)
    unscored: Counter[str] = Counter()
    for i, result in enumerate(results):
        if isinstance(result, Unscored):
            unscored[result.code] += 1
            continue
        for t, key in enumerate(framework.keys):
            score = result.traits.get(key)
            if score is None:
                unscored["trait_unscored"] += 1
                continue
            p[i, t] = score.p_high
            abstained[i, t] = score.label == "abstain"
            doubt[i, t] = -abs(score.p_high - 0.5) / max(score.high - score.low, 1e-9)
    seen = np.zeros(len(results), bool)
    return Judged(p, np.full_like(p, 0.5), abstained, doubt, seen, dict(unscored))


def evaluate(
    folder: Path,
    examples: Sequence[Example],
    framework: Framework,
    *,
    baseline: Path | None = None,
    forum_priors: bool = False,
    n_boot: int = 500,
    seed: int = 0,
) -> dict[str, Any]:
    """Metrics of a detector on labelled examples, per trait and on average.

    Args:
        folder: the detector's.
        examples: from :func:`labelled`.
        framework: of the labels.
        baseline: another detector, compared text by text.
        forum_priors: weight MBTI types to their real share in the forum.
        n_boot: bootstrap draws.
        seed: of the bootstrap.

    Returns:
        JSON types: ``framework``, ``detector``, ``n``, ``seen_in_training``, ``unscored``,
        ``traits`` (metrics as in ``trait_metrics``, ``abstained``, ``risk_coverage``, and
        ``spearman`` for graded labels), ``mean``, ``without_masking`` for MBTI, and
        ``against_baseline``.
    """
    seen = training_folds(folder)
    detector = open_folder(folder)
    judged = judge_examples(detector, examples, framework, seen=seen)
    weights = prior_weights(examples).astype(float) if forum_priors else None
    result = summarise(judged, examples, framework, weights=weights, n_boot=n_boot, seed=seed)
    head = {
        "framework": framework.name,
        "detector": detector.info.name,
        "n": len(examples),
        "seen_in_training": int(judged.seen.sum()),
        "unscored": judged.unscored,
    }
    if framework.name == "mbti":
        unmasked = open_folder(folder, options=Options(mask=False))
        bare = judge_examples(unmasked, examples, framework, seen=seen)
        result["without_masking"] = summarise(
            bare, examples, framework, weights=weights, n_boot=n_boot, seed=seed
        )["mean"]
    if baseline is not None:
        against = open_folder(baseline)
        other = judge_examples(against, examples, framework, seen=training_folds(baseline))
        result["against_baseline"] = {"detector": against.info.name} | compare(
            judged, other, examples, framework
        )
    return head | result


def compare(
    first: Judged, second: Judged, examples: Sequence[Example], framework: Framework
) -> dict[str, Any]:
    """Paired difference in accuracy over all traits of the texts that both scored."""
    labels = label_matrix(examples, framework)
    known = ~np.isnan(labels) & ~np.isnan(first.p) & ~np.isnan(second.p)
    right = [((j.p >= j.threshold) == (labels == 1))[known] for j in (first, second)]
    return paired_difference(*right)


def summarise(
    judged: Judged,
    examples: Sequence[Example],
    framework: Framework,
    *,
    weights: Floats | None = None,
    n_boot: int = 500,
    seed: int = 0,
) -> dict[str, Any]:
    """Metrics per trait and their mean; ``weights`` ``(n,)`` count examples unequally."""
    labels = label_matrix(examples, framework)
    graded = np.stack([e.scores for e in examples])
    traits: dict[str, Any] = {}
    for t, key in enumerate(framework.keys):
        known = ~np.isnan(labels[:, t]) & ~np.isnan(judged.p[:, t])
        if not known.any():
            continue
        y, p = labels[known, t], judged.p[known, t]
        limit = judged.threshold[known, t]
        traits[key] = trait_metrics(
            y,
            p,
            limit,
            weights=None if weights is None else weights[known],
            n_boot=n_boot,
            seed=seed,
        ) | {
            "threshold": round(float(limit.mean()), 4),
            "abstained": round(float(judged.abstained[known, t].mean()), 4),
            "risk_coverage": risk_coverage(y, p, limit, judged.doubt[known, t]),
        }
        scores = graded[known, ALL_TRAITS.index(key)]
        if not np.isin(scores, (0.0, 1.0)).all():
            from scipy.stats import spearmanr

            traits[key]["spearman"] = round(float(spearmanr(scores, p).statistic), 4)
    if not traits:
        raise TrainingError("no labelled text could be scored; see the reasons above")
    return {"traits": traits, "mean": mean_metrics(traits)}


def training_folds(folder: Path) -> dict[int, int]:
    """Fold by hash of the texts that a model was trained on; empty where it keeps none."""
    file = folder / TRAINING_TEXTS
    if not file.is_file():
        return {}
    with np.load(file, allow_pickle=False) as arrays:
        return dict(zip(arrays["hashes"].tolist(), arrays["folds"].tolist(), strict=True))


def read_folds(file: Path, examples: Sequence[Example], framework: Framework) -> NDArray[np.int64]:
    """Fold numbers from a csv: first column the id, then one column a trait or one for all.

    A trait's column is named after it, alone or after ``fold_`` (``fold_cEXT``).

    Returns:
        ``(n_examples, n_traits)``.

    Raises:
        TrainingError: an id is missing, or a column is.
    """
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    header = [name.removeprefix("fold_").strip().lower() for name in rows[0]]
    places = []
    for key in framework.keys:
        names = (key.lower(), FIVE_COLUMNS.get(key, key).lower(), "fold")
        place = next((header.index(name) for name in names if name in header), None)
        if place is None:
            raise TrainingError(
                f"{file.name} has no column for {key}; name it {key} or fold, beside the id"
            )
        places.append(place)
    by_id = {row[0]: [int(row[place]) for place in places] for row in rows[1:] if row}
    missing = [e.id for e in examples if e.id not in by_id]
    if missing:
        raise TrainingError(
            f"{file.name} names no fold for {len(missing)} texts, the first is {missing[0]!r}"
        )
    return np.array([by_id[e.id] for e in examples])


def group_folds(examples: Sequence[Example], framework: Framework, n: int) -> NDArray[np.int64]:
    """Folds by group (author, scene, persona), the same for all traits."""
    whole = assign_folds([replace(e, run=None) for e in examples], n)
    return np.tile(whole[:, None], (1, len(framework.keys)))


def label_matrix(examples: Sequence[Example], framework: Framework) -> Floats:
    """Labels of a framework: ``(n, n_traits)``, 1 high, 0 low, NaN unknown."""
    columns = [ALL_TRAITS.index(key) for key in framework.keys]
    return np.stack([e.labels for e in examples])[:, columns].astype(float)


def request_of(example: Example) -> Request:
    """Ask a detector for an example."""
    said = tuple(Utterance(str(i), "", text) for i, text in enumerate(example.utterances))
    return Request(example.id, "", said)
