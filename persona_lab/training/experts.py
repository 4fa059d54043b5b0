"""Fit the experts of both components: one linear model a row and ensemble member.

Member m is trained without fold m. So the ensemble's spread tells how much the training
texts matter, and every training text has one member that never saw it: out-of-fold
scores are the inference code's own scores by that member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.calibration import GENERAL
from persona_lab.detectors.lexical import Lexical, LexicalFeatures, chunks
from persona_lab.detectors.ngrams import WORD_PATTERN
from persona_lab.detectors.pooled import PooledHead
from persona_lab.detectors.reading import Row
from persona_lab.encoding.device import available_cores
from persona_lab.errors import TrainingError
from persona_lab.training.corpora import BACKGROUND, Example, prior_weights
from persona_lab.training.settings import LexicalSettings, PooledSettings
from persona_lab.traits import ALL_TRAITS, MBTI

Array = NDArray[np.float32]
Folds = NDArray[np.int64]

_MIN_EXAMPLES = 50
"""A register with fewer labelled examples of a trait gets no expert of its own."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one row learns from.

    Attributes:
        row: the expert.
        index: positions of its examples.
        labels: 0/1, for them.
        weights: for them, mean about 1.
        short: its texts are short.
    """

    row: Row
    index: NDArray[np.int64]
    labels: NDArray[np.int64]
    weights: Array
    short: bool


def make_tasks(examples: Sequence[Example], *, prior_power: float) -> list[Task]:
    """Rows that the examples can teach: each register with enough labels, and the general.

    The general expert of a trait learns from all registers, each counting by the square
    root of its size, so that thousands of one-line statements do not outvote the essays.

    In a register of texts that each speak of one trait (statements), an expert that saw
    only lines about its own trait would read every line as being about it. The lines about
    the other traits are therefore taught as neutral: once with either label.
    """
    labels = np.stack([e.labels for e in examples])
    register = np.array([e.register for e in examples])
    about_one = _registers_about_one_trait(labels, register)
    lengths = np.array([e.n_words for e in examples])
    priors = prior_weights(examples, prior_power)
    names = [name for name in dict.fromkeys(register) if name != BACKGROUND]
    tasks: list[Task] = []
    for t, trait in enumerate(ALL_TRAITS):
        known = ~np.isnan(labels[:, t])
        taught = [name for name in names if (known & (register == name)).sum() >= _MIN_EXAMPLES]
        if not known.any():
            continue
        # with one register the general expert is that register's
        for name in (*(taught if len(taught) > 1 else ()), GENERAL):
            index = np.flatnonzero(known if name == GENERAL else known & (register == name))
            y = labels[index, t].astype(int)
            if len(set(y)) < 2:
                raise TrainingError(
                    f"all {len(y)} labels of {trait} in {name!r} are equal; give examples of "
                    "both poles or leave the trait out"
                )
            weights = priors[index].copy()
            if name == GENERAL:
                for part in set(register[index]):
                    inside = register[index] == part
                    weights[inside] *= inside.sum() ** -0.5
            for pole in (0, 1):  # neither pole wins by numbers; calibration knows the base rate
                weights[y == pole] /= weights[y == pole].sum()
            for part in about_one & set(register[index].tolist()):
                others = np.flatnonzero(~known & (register == part))
                alike = weights[register[index] == part].sum() / len(others) / 2
                index = np.concatenate([index, others, others])
                y = np.concatenate([y, np.zeros(len(others), int), np.ones(len(others), int)])
                weights = np.concatenate([weights, np.full(2 * len(others), alike)])
            tasks.append(
                Task(
                    Row(str(name), trait),
                    index,
                    y,
                    (weights / weights.mean()).astype(np.float32),
                    short=bool(np.median(lengths[index]) < 60),
                )
            )
    return tasks


def _registers_about_one_trait(labels: Array, register: NDArray[np.str_]) -> set[str]:
    """Registers whose texts are labelled for one trait each, and not all for the same."""
    found = set()
    for name in set(register.tolist()):
        known = ~np.isnan(labels[register == name])
        if (known.sum(axis=1) == 1).all() and known.any(axis=0).sum() > 1:
            found.add(name)
    return found


def lexical_features(examples: Sequence[Example], settings: LexicalSettings) -> LexicalFeatures:
    """Choose terms and their IDF; labels are not looked at."""
    from sklearn.feature_extraction.text import CountVectorizer

    texts = ["\n".join(e.utterances) for e in examples]
    blocks: list[list[str]] = []
    idf = []
    for kind, limit in (("words", settings.max_words), ("chars", settings.max_chars)):
        if not limit:
            blocks.append([])
            continue
        shape: dict[str, Any] = {"analyzer": "char_wb", "token_pattern": None}
        counter = CountVectorizer(
            ngram_range=tuple(getattr(settings, kind)),
            min_df=min(settings.min_df, len(texts)),
            max_features=limit,
            **({"token_pattern": WORD_PATTERN} if kind == "words" else shape),
        )
        try:
            counts = counter.fit_transform(texts)
        except ValueError as error:
            raise TrainingError(
                f"no {kind} occur in at least {settings.min_df} texts; "
                "give more texts or lower min_df"
            ) from error
        df = np.bincount(counts.indices, minlength=counts.shape[1])
        blocks.append([str(term) for term in counter.get_feature_names_out()])
        idf.append(np.log((1 + len(texts)) / (1 + df)) + 1)
    lengths = {"words": list(settings.words), "chars": list(settings.chars)}
    return LexicalFeatures(blocks, np.concatenate(idf).astype(np.float32), lengths)


def text_matrix(features: LexicalFeatures, examples: Sequence[Example]) -> Any:
    """TF-IDF of whole texts, counted chunk by chunk as when scoring: ``(n, n_features)``."""
    from scipy.sparse import csr_matrix

    cut = [[chunk.text for chunk in chunks(e.utterances)] for e in examples]
    counts = features.counts([text for parts in cut for text in parts])
    owner = np.repeat(np.arange(len(cut)), [len(parts) for parts in cut])
    add = csr_matrix((np.ones(len(owner)), (owner, np.arange(len(owner)))))
    return features.tfidf(csr_matrix(add @ counts))


def fit_lexical(
    examples: Sequence[Example],
    folds: Folds,
    settings: LexicalSettings,
    *,
    seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> Lexical:
    """Train the lexical component.

    Args:
        examples: with labels; background examples teach the gate only.
        folds: ``(n,)`` from ``assign_folds``.
        settings: see :class:`LexicalSettings`.
        seed: of the solver.
        progress: is told the share done, 0..1.
    """
    features = lexical_features(examples, settings)
    x = text_matrix(features, examples)
    tasks = make_tasks(examples, prior_power=settings.prior_power)
    weights, bias = fit_linear(x, tasks, folds, settings, seed=seed, progress=progress)
    gate_weights, gate_bias, registers = fit_gate(x, examples, c=30.0, seed=seed)
    rows = [task.row for task in tasks]
    return Lexical(
        features, rows, registers, np.ascontiguousarray(weights.transpose(2, 0, 1)), bias,
        np.ascontiguousarray(gate_weights.T), gate_bias,
    )  # fmt: skip


def fit_pooled(
    vectors: Array,
    owner: NDArray[np.int64],
    examples: Sequence[Example],
    folds: Folds,
    settings: PooledSettings,
    *,
    seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> PooledHead:
    """Train the pooled component's head on segment vectors.

    Args:
        vectors: ``(n_segments, dim)`` of all examples, in order.
        owner: ``(n_segments,)`` which example a segment belongs to.
        examples: see :func:`fit_lexical`.
        folds: see :func:`fit_lexical`.
        settings: see :class:`PooledSettings`.
        seed: of solver and optimiser.
        progress: is told the share done, 0..1.
    """
    means = mean_pool(vectors, owner, len(examples))
    center = means.mean(axis=0)
    scale = np.maximum(means.std(axis=0), 1e-6)
    x = (means - center) / scale
    tasks = make_tasks(examples, prior_power=settings.prior_power)
    weights, bias = fit_linear(x, tasks, folds, settings, seed=seed, progress=progress)
    queries = np.zeros_like(weights)
    if settings.steps:
        from persona_lab.training.attention import refine

        queries, weights, bias = refine(
            (vectors - center) / scale, owner, tasks, folds, weights, bias, settings, seed=seed
        )
    gate_weights, gate_bias, registers = fit_gate(x, examples, c=1e-2, seed=seed)
    return PooledHead(
        [task.row for task in tasks],
        registers,
        center=center,
        scale=scale,
        queries=queries,
        weights=weights,
        bias=bias,
        gate_weights=gate_weights,
        gate_bias=gate_bias,
    )


def mean_pool(vectors: Array, owner: NDArray[np.int64], n: int) -> Array:
    """Mean vector of each text: ``(n, dim)``."""
    means = np.zeros((n, vectors.shape[1]), np.float32)
    np.add.at(means, owner, vectors)
    return np.asarray(means / np.bincount(owner, minlength=n)[:, None], np.float32)


def fit_linear(
    x: Any,
    tasks: Sequence[Task],
    folds: Folds,
    settings: LexicalSettings | PooledSettings,
    *,
    seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Array, Array]:
    """One logistic regression a row and member.

    Args:
        x: ``(n, n_features)`` of all examples, sparse or dense.
        tasks: rows.
        folds: ``(n,)``.
        settings: the penalties.
        seed: of the solver.
        progress: is told the share done, 0..1.

    Returns:
        Weights ``(n_members, n_rows, n_features)`` and biases ``(n_members, n_rows)``.
    """
    n_members = int(folds.max()) + 1
    weights = np.zeros((n_members, len(tasks), x.shape[1]), np.float32)
    bias = np.zeros((n_members, len(tasks)), np.float32)

    def fit(job: tuple[int, int, Task, NDArray[np.bool_]]) -> tuple[int, int, Any]:
        r, m, task, keep = job
        c = settings.c_short if task.short else settings.c
        if task.row.trait in MBTI.keys:
            c = settings.c_mbti
        model = _logistic(c, seed, sparse=not isinstance(x, np.ndarray))
        model.fit(x[task.index[keep]], task.labels[keep], sample_weight=task.weights[keep])
        return r, m, model

    # the solvers release the interpreter's lock
    with ThreadPoolExecutor(available_cores()) as pool:
        for done, (r, m, model) in enumerate(pool.map(fit, _jobs(tasks, folds))):
            weights[m, r], bias[m, r] = model.coef_[0], model.intercept_[0]
            progress((done + 1) / (len(tasks) * n_members))
    return weights, bias


def unseen_scores(x: Any, weights: Array, bias: Array, folds: Folds) -> Array:
    """Log-odds of each text by the member that never saw it: ``(n, n_rows)``."""
    z = np.zeros((len(folds), weights.shape[1]), np.float32)
    for m in range(len(weights)):
        mine = folds == m
        z[mine] = x[mine] @ weights[m].T + bias[m]
    return z


def fit_gate(
    x: Any, examples: Sequence[Example], *, c: float, seed: int
) -> tuple[Array, Array, list[str]]:
    """Learn to tell registers apart; each counts alike.

    Returns:
        Weights ``(n_registers, n_features)``, bias ``(n_registers,)`` and the names.
    """
    from sklearn.linear_model import LogisticRegression

    names = list(dict.fromkeys(e.register for e in examples))
    if len(names) == 1:
        return np.zeros((1, x.shape[1]), np.float32), np.zeros(1, np.float32), names
    place = {name: k for k, name in enumerate(names)}
    y = np.array([place[e.register] for e in examples])
    model = LogisticRegression(C=c, max_iter=200, class_weight="balanced", random_state=seed)
    model.fit(x, y)
    coef, intercept = model.coef_, model.intercept_
    if len(names) == 2:  # scikit-learn keeps one line for two classes
        coef, intercept = np.vstack([-coef, coef]) / 2, np.r_[-intercept, intercept] / 2
    return coef.astype(np.float32), intercept.astype(np.float32), names


def _jobs(
    tasks: Sequence[Task], folds: Folds
) -> Iterator[tuple[int, int, Task, NDArray[np.bool_]]]:
    """Every row and member, with the examples that the member may see."""
    for r, task in enumerate(tasks):
        for m in range(int(folds.max()) + 1):
            keep = folds[task.index] != m
            if len(set(task.labels[keep])) < 2:
                raise TrainingError(
                    f"without fold {m} only one pole of {task.row.trait} is left in "
                    f"{task.row.register!r}; use fewer folds or more examples"
                )
            yield r, m, task, keep


def _logistic(c: float, seed: int, *, sparse: bool) -> Any:
    from sklearn.linear_model import LogisticRegression

    if sparse:  # many columns, few examples: the dual-capable solver is the quickest
        return LogisticRegression(C=c, solver="liblinear", max_iter=300, random_state=seed)
    return LogisticRegression(C=c, max_iter=300)
