"""The scale on which readers rate: five steps from clearly low to clearly high."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from persona_lab.traits import BIG_FIVE, MBTI

RATINGS: Final = (-2, -1, 0, 1, 2)
"""Clearly low, leaning low, nothing shown or evenly mixed, leaning high, clearly high."""

AXES: Final = (*BIG_FIVE.keys, *MBTI.keys[1:])
"""What is rated. There is no ``EI``: what is shown of it is extraversion."""

_SAME: Mapping[str, str] = {"EI": "extraversion"}

STEPS: NDArray[np.float32] = np.array(RATINGS, np.float32)
"""The ratings as numbers."""


def axis_of(trait: str) -> int:
    """Place in :data:`AXES` of what tells a trait."""
    return AXES.index(_SAME.get(trait, trait))


def expected(chances: NDArray[np.float32]) -> NDArray[np.float32]:
    """Expected rating, -2..2, of probabilities ``(..., 5)``."""
    return np.asarray(chances @ STEPS, np.float32)
