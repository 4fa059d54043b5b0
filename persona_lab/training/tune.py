"""Search settings with Optuna: resumable, pruned, scored out of fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.reading import Array, Row
from persona_lab.encoding import Encoder
from persona_lab.errors import MissingExtraError
from persona_lab.training.calibrate import OutOfFold
from persona_lab.training.corpora import Example, assign_folds, prior_weights
from persona_lab.training.experts import (
    fit_linear,
    fit_pooled,
    lexical_features,
    make_tasks,
    mean_pool,
    text_matrix,
    unseen_scores,
)
from persona_lab.training.metrics import auc
from persona_lab.training.run import encode_examples, read_encoded, vector_cache
from persona_lab.training.settings import LexicalSettings, PooledSettings, Settings
from persona_lab.traits import ALL_TRAITS

if TYPE_CHECKING:
    import optuna

_FOLDS = 3
"""Fewer than in training: a trial should be quick, and only the order of trials counts."""

_DEFAULTS: dict[str, dict[str, Any]] = {
    "lexical": {"chars": "2-4", "c": 0.4, "c_short": 8.0, "c_mbti": 2.0, "prior_power": 0.5},
    "pooled": {
        "c": 1e-3,
        "c_short": 3e-3,
        "c_mbti": 1e-3,
        "steps": 0,
        "learning_rate": 1e-3,
        "query_decay": 1.0,
        "prior_power": 0.5,
    },
}


def mean_auc(z: Array, rows: Sequence[Row], examples: Sequence[Example]) -> float:
    """Mean AUC over rows on the texts of their register (the general ones on all).

    A row counts by the square root of its texts, roughly by how precisely its AUC is known:
    a small register's luck should not choose the settings of all.

    Args:
        z: ``(n, n_rows)`` out-of-fold log-odds.
        rows: experts.
        examples: texts.
    """
    labels = np.stack([e.labels for e in examples])
    register = np.array([e.register for e in examples])
    weights = prior_weights(examples).astype(float)
    found: list[float] = []
    sizes: list[float] = []
    for r, row in enumerate(rows):
        t = ALL_TRAITS.index(row.trait)
        known = ~np.isnan(labels[:, t])
        if row.register in register:
            known &= register == row.register
        found.append(auc(labels[known, t].astype(float), z[known, r].astype(float), weights[known]))
        sizes.append(float(np.sqrt(known.sum())))
    return float(np.average(found, weights=sizes))


def tune(
    examples: Sequence[Example],
    study_file: Path,
    *,
    component: str,
    n_trials: int,
    encoder_folder: Path | None = None,
    cache: Path | None = None,
    seed: int = 0,
    progress: Callable[[str, float], None] = lambda stage, share: None,
) -> tuple[Settings, dict[str, Any]]:
    """Run trials until the study has ``n_trials``; a rerun goes on where it stopped.

    Args:
        examples: labelled speakers.
        study_file: sqlite file of the study, made where it is missing.
        component: ``lexical`` or ``pooled``.
        n_trials: finished or pruned trials the study should have in the end.
        encoder_folder: needed for ``pooled``.
        cache: folder for vectors.
        seed: of sampler and folds.
        progress: is told stage and share.

    Returns:
        The best settings and a summary: trials, pruned, best value (mean AUC out of fold)
        and parameters, and the importance of each.

    Raises:
        MissingExtraError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("optuna", "train", "tuning") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study_file.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=component,
        storage=f"sqlite:///{study_file}",
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
    )
    folds = assign_folds(examples, _FOLDS, seed)
    if component == "pooled":
        if encoder_folder is None:
            raise MissingExtraError("an exported encoder", "train", "tuning the pooled component")
        encoder = Encoder.load(encoder_folder)
        encoded = encode_examples(
            encoder,
            examples,
            cache=vector_cache(cache, encoder_folder),
            progress=lambda share: progress("encoding", share),
        )
        vectors = encoded.vectors.astype(np.float32)
        means = mean_pool(vectors, encoded.owner, len(examples))
        dense = (means - means.mean(axis=0)) / np.maximum(means.std(axis=0), 1e-6)

        def score(trial: optuna.Trial) -> float:
            settings = suggest_pooled(trial)
            # the linear start alone tells much: prune before the costly part
            value = _linear_score(dense, examples, folds, settings, seed)
            trial.report(value, 0)
            if not settings.steps:
                return value
            if trial.should_prune():
                raise optuna.TrialPruned
            head = fit_pooled(vectors, encoded.owner, examples, folds, settings, seed=seed)
            read = OutOfFold.of(read_encoded(head, encoded, len(examples)), folds)
            return mean_auc(read.z, head.rows, examples)
    else:
        matrices: dict[tuple[int, ...], Any] = {}

        def score(trial: optuna.Trial) -> float:
            settings = suggest_lexical(trial)
            kind = (*settings.chars, settings.max_chars)
            if kind not in matrices:  # counting terms takes longer than fitting to them
                features = lexical_features(examples, settings)
                matrices[kind] = text_matrix(features, examples)
            return _linear_score(matrices[kind], examples, folds, settings, seed)

    if not study.trials:  # the defaults come first: the best trial is never worse
        study.enqueue_trial(_DEFAULTS[component])
    left = n_trials - len([t for t in study.trials if t.state.is_finished()])
    for done in range(max(0, left)):
        study.optimize(score, n_trials=1)
        progress("trials", (done + 1) / left)
    return _best(study, component), summary(study)


def _linear_score(
    x: Any,
    examples: Sequence[Example],
    folds: NDArray[np.int64],
    settings: LexicalSettings | PooledSettings,
    seed: int,
) -> float:
    tasks = make_tasks(examples, prior_power=settings.prior_power)
    weights, bias = fit_linear(x, tasks, folds, settings, seed=seed)
    return mean_auc(unseen_scores(x, weights, bias, folds), [task.row for task in tasks], examples)


def suggest_lexical(trial: optuna.Trial) -> LexicalSettings:
    """What is searched for the lexical component."""
    chars = trial.suggest_categorical("chars", ["none", "2-4", "3-5"])
    low, high = (2, 4) if chars == "none" else tuple(int(n) for n in chars.split("-"))
    return LexicalSettings(
        chars=(low, high),
        max_chars=0 if chars == "none" else 20_000,
        c=trial.suggest_float("c", 0.05, 5.0, log=True),
        c_short=trial.suggest_float("c_short", 0.5, 50.0, log=True),
        c_mbti=trial.suggest_float("c_mbti", 0.3, 10.0, log=True),
        prior_power=trial.suggest_float("prior_power", 0.0, 1.0),
    )


def suggest_pooled(trial: optuna.Trial) -> PooledSettings:
    """What is searched for the pooled component's head."""
    return PooledSettings(
        c=trial.suggest_float("c", 1e-4, 3e-2, log=True),
        c_short=trial.suggest_float("c_short", 3e-4, 1e-1, log=True),
        c_mbti=trial.suggest_float("c_mbti", 1e-4, 1e-2, log=True),
        steps=trial.suggest_categorical("steps", [0, 20]),
        learning_rate=trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True),
        query_decay=trial.suggest_float("query_decay", 1e-3, 10.0, log=True),
        prior_power=trial.suggest_float("prior_power", 0.0, 1.0),
    )


def summary(study: optuna.Study) -> dict[str, Any]:
    """Facts about a study for the card; JSON types only."""
    import optuna

    finished = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
    pruned = [t for t in study.trials if t.state == optuna.trial.TrialState.PRUNED]
    try:
        weight = optuna.importance.get_param_importances(study) if len(finished) > 3 else {}
    except (RuntimeError, ValueError):  # all trials alike: nothing to weigh
        weight = {}
    return {
        "study": study.study_name,
        "trials": len(finished),
        "pruned": len(pruned),
        "best_mean_auc": round(study.best_value, 4),
        "median_mean_auc": round(float(np.median([t.value for t in finished])), 4),
        "best": study.best_params,
        "importance": {name: round(float(share), 3) for name, share in weight.items()},
    }


def _best(study: optuna.Study, component: str) -> Settings:
    import optuna

    fixed = optuna.trial.FixedTrial(study.best_params)
    if component == "pooled":
        return Settings(pooled=suggest_pooled(fixed))  # type: ignore[arg-type]
    return Settings(lexical=suggest_lexical(fixed))  # type: ignore[arg-type]
