"""Does a second measurement say the same? Intraclass correlations and what follows.

Formulas and names: Shrout & Fleiss (1979), McGraw & Wong (1996).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from persona_lab.errors import InputError
from persona_lab.psychometrics.estimate import (
    CONFIDENCE,
    Estimate,
    Floats,
    column,
    complete,
    constant,
    normal_quantile,
    scored,
    table,
    unscored,
)

Form = Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]
FORMS: tuple[Form, ...] = get_args(Form)


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Analysis of variance of ``n`` targets measured ``k`` times.

    Attributes:
        n: targets (people, bots).
        k: measurements (runs, raters) each.
        targets: mean square between targets.
        measurements: between measurements.
        error: of the two-way layout.
        within: within targets, measurements and error together.
    """

    n: int
    k: int
    targets: float
    measurements: float
    error: float
    within: float


def mean_squares(x: Floats) -> MeanSquares:
    """Mean squares of complete ``(targets, measurements)`` scores, two or more of each."""
    n, k = x.shape
    middle = x.mean()
    targets = k * float(((x.mean(axis=1) - middle) ** 2).sum())
    measurements = n * float(((x.mean(axis=0) - middle) ** 2).sum())
    total = float(((x - middle) ** 2).sum())
    error = max(0.0, total - targets - measurements)
    return MeanSquares(
        n,
        k,
        targets / (n - 1),
        measurements / (k - 1),
        error / ((n - 1) * (k - 1)),
        (measurements + error) / (n * (k - 1)),
    )


def icc(scores: Any, form: Form = "ICC(2,1)", *, confidence: float = CONFIDENCE) -> Estimate:
    """Intraclass correlation of repeated measurements.

    Args:
        scores: ``(targets, measurements)``; targets with a missing one are left out.
        form: ``ICC(1,.)`` each target has its own raters, ``ICC(2,.)`` agreement over
            random raters or runs, ``ICC(3,.)`` consistency over these raters; ``1`` for a
            single measurement, ``k`` for their mean.
        confidence: of the F-based interval (McGraw & Wong 1996, table 7).

    Returns:
        At most 1; below 0 where targets differ less than chance lets them.

    Raises:
        InputError: there is no such form.
    """
    if form not in FORMS:
        raise InputError(f"there is no {form!r}; use one of {', '.join(FORMS)}")
    x = complete(table(scores, "targets x measurements"))
    problem = _problem(x)
    if problem is not None:
        return problem
    ms = mean_squares(x)
    value, low, high = {"1": _one_way, "2": _agreement, "3": _consistency}[form[4]](ms, confidence)
    if form.endswith("k)"):
        value, low, high = (_of_mean(r, ms.k) for r in (value, low, high))
    return scored(value, low, high, ms.n)


def _problem(x: Floats) -> Estimate | None:
    n, k = x.shape
    if k == 1:
        return unscored("one_column", n)
    if not x.size:
        return unscored("no_data")
    if n < 2:
        return unscored("too_few", n)
    # rows that are all alike leave nothing to tell targets apart by
    if all(constant(column_) for column_ in x.T):
        return unscored("no_variance", n)
    return None


Triple = tuple[float, float, float]


def _one_way(ms: MeanSquares, confidence: float) -> Triple:
    return _from_ratio(ms.targets, ms.within, ms.n - 1, ms.n * (ms.k - 1), ms.k, confidence)


def _consistency(ms: MeanSquares, confidence: float) -> Triple:
    df = (ms.n - 1) * (ms.k - 1)
    return _from_ratio(ms.targets, ms.error, ms.n - 1, df, ms.k, confidence)


def _from_ratio(
    between: float, within: float, df1: int, df2: int, k: int, confidence: float
) -> Triple:
    """ICC and its ends from the F ratio of two mean squares."""
    from scipy.stats import f

    if within <= 1e-12 * between:
        return 1.0, 1.0, 1.0
    ratio = between / within
    tail = (1 - confidence) / 2
    ratios = (ratio, ratio / f.ppf(1 - tail, df1, df2), ratio * f.ppf(1 - tail, df2, df1))
    value, low, high = ((r - 1) / (r + k - 1) for r in ratios)
    return value, low, high


def _agreement(ms: MeanSquares, confidence: float) -> Triple:
    """ICC(2,1), with Satterthwaite's degrees of freedom."""
    from scipy.stats import f

    n, k = ms.n, ms.k
    if ms.error + ms.measurements <= 1e-12 * ms.targets:
        return 1.0, 1.0, 1.0
    value = _ratio(
        ms.targets - ms.error,
        ms.targets + (k - 1) * ms.error + k * (ms.measurements - ms.error) / n,
    )
    a = k * value / (n * (1 - value))
    b = 1 + a * (n - 1)
    df = _ratio(
        (a * ms.measurements + b * ms.error) ** 2,
        (a * ms.measurements) ** 2 / (k - 1) + (b * ms.error) ** 2 / ((n - 1) * (k - 1)),
    )
    if not df > 0:
        return value, float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low_f, high_f = float(f.ppf(1 - tail, n - 1, df)), float(f.ppf(1 - tail, df, n - 1))
    noise = k * ms.measurements + (k * n - k - n) * ms.error
    low = _ratio(n * (ms.targets - low_f * ms.error), low_f * noise + n * ms.targets)
    high = _ratio(n * (high_f * ms.targets - ms.error), noise + n * high_f * ms.targets)
    return value, low, high


def _ratio(above: float, below: float) -> float:
    """A quotient; NaN where few targets leave nothing, or less, below the line."""
    return above / below if below > 1e-12 * abs(above) else float("nan")


def _of_mean(r: float, k: int) -> float:
    """The same correlation for the mean of ``k`` measurements (Spearman and Brown)."""
    below = 1 + (k - 1) * r
    return k * r / below if below > 0 else float("nan")


def standard_error_of_measurement(scores: Any, reliability: Estimate) -> Estimate:
    """Standard error of measurement from one sitting: ``sd * sqrt(1 - reliability)``.

    Args:
        scores: ``(people,)`` scale scores.
        reliability: such as alpha or omega of the same scores.

    Returns:
        In the unit of the scores. The ends come from those of the reliability; the sampling
        error of the standard deviation, small beside it, is left out.
    """
    x = column(scores, "scale scores")
    x = x[~np.isnan(x)]
    if len(x) < 2:
        return unscored("too_few" if len(x) else "no_data", len(x))
    if reliability.estimate is None:
        return unscored("no_reliability", len(x))
    sd = float(np.std(x, ddof=1))
    value, high, low = (
        float("nan") if r is None else sd * float(np.sqrt(max(0.0, 1 - r)))
        for r in (reliability.estimate, reliability.low, reliability.high)
    )
    return scored(value, low, high, len(x))


def retest_standard_error(
    scores: Any, *, absolute: bool = True, confidence: float = CONFIDENCE
) -> Estimate:
    """Standard error of measurement from repeated sittings.

    The root of the mean square within targets, or of the two-way error (Weir 2005), with
    the interval of a variance (chi-squared).

    Args:
        scores: ``(targets, measurements)``.
        absolute: count a shift of everybody from one sitting to the next as error.
        confidence: of the interval.

    Returns:
        In the unit of the scores; 0 where all repeat themselves exactly.
    """
    x = complete(table(scores, "targets x measurements"))
    problem = _problem(x)
    if problem is not None and problem.code != "no_variance":
        return problem

    from scipy.stats import chi2

    ms = mean_squares(x)
    square, df = (ms.within, ms.n * (ms.k - 1)) if absolute else (ms.error, (ms.n - 1) * (ms.k - 1))
    tail = (1 - confidence) / 2
    low, high = (float(np.sqrt(df * square / chi2.ppf(q, df))) for q in (1 - tail, tail))
    return scored(float(np.sqrt(square)), low, high, ms.n)


def minimal_detectable_change(sem: Estimate, *, confidence: float = CONFIDENCE) -> Estimate:
    """The least change of one score that is unlikely to be error: ``z * sqrt(2) * SEM``.

    With 95 % confidence z is 1.96 (Weir 2005, eq. 6).

    Args:
        sem: the standard error of measurement.
        confidence: that a change of this size is real.

    Returns:
        In the unit of the scores, its ends from those of ``sem``.
    """
    if sem.estimate is None:
        return sem
    factor = normal_quantile(confidence) * float(np.sqrt(2))
    value, low, high = (
        float("nan") if end is None else factor * end for end in (sem.estimate, sem.low, sem.high)
    )
    return scored(value, low, high, sem.n)
