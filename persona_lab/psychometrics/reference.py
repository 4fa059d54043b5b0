"""How much people (or other bots) vary on a trait, from a user's file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from persona_lab.errors import FormatError, InputError
from persona_lab.instruments import Instrument
from persona_lab.psychometrics.estimate import CONFIDENCE, Estimate, scored, unscored


@dataclass(frozen=True, slots=True)
class Reference:
    """How much a trait varies elsewhere, for example between people.

    Attributes:
        sd: standard deviation of scores, on the instrument's scale.
        mean: None where it is not known.
        n: people that it comes from; None where that is not known.
    """

    sd: float
    mean: float | None = None
    n: int | None = None


def read_reference(path: str | os.PathLike[str], instrument: Instrument) -> dict[str, Reference]:
    """Read ``{"extraversion": {"sd": 0.8, "mean": 3.3, "n": 500}}`` or ``{..: 0.8}``.

    Raises:
        InputError: the file cannot be read.
        FormatError: it holds something else, or a trait that the instrument has not.
    """
    name = Path(path).name
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        found = {}
        for key, told in value.items():
            instrument.domain(key)
            facts = told if isinstance(told, dict) else {"sd": told}
            reference = Reference(
                float(facts["sd"]),
                None if facts.get("mean") is None else float(facts["mean"]),
                None if facts.get("n") is None else int(facts["n"]),
            )
            if not 0 < reference.sd < float("inf") or (reference.n or 2) < 2:
                raise ValueError
            found[key] = reference
    except OSError as error:
        raise InputError(f"cannot read the reference {name}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise FormatError(
            f'{name} is no reference; write {{"extraversion": {{"sd": 0.8, "mean": 3.3, "n": '
            "500}}, with an sd above 0 for each trait"
        ) from None
    return found


def spread_ratio(spread: Estimate, reference: Reference | None) -> Estimate:
    """A standard deviation over that of a reference.

    Args:
        spread: ``n`` counts scores.
        reference: None is unscored.

    Returns:
        With the interval of the F distribution, or of a variance where the reference tells
        no ``n``.
    """
    if reference is None:
        return unscored("no_data", spread.n)
    if spread.estimate is None:
        return spread

    from scipy.stats import chi2, f

    value, df = spread.estimate / reference.sd, spread.n - 1
    tail = (1 - CONFIDENCE) / 2
    if reference.n is None:
        low, high = (value * float(np.sqrt(df / chi2.ppf(q, df))) for q in (1 - tail, tail))
    else:
        low, high = (
            value / float(np.sqrt(f.ppf(q, df, reference.n - 1))) for q in (1 - tail, tail)
        )
    return scored(value, low, high, spread.n)
