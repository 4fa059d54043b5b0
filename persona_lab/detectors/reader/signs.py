"""What the turns of a character show, turn by turn: the numbers behind a change of character.

Most turns of a chat show nothing, also those of a marked character; a turn of the other pole is
rare. How rare is counted on dialogues whose character is known: the evidence of a turn is put
into bins, for the traits of a character with its sign turned to the character's pole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

EDGES = (-1.0, -0.55, -0.3, -0.15, -0.05, 0.05, 0.15, 0.3, 0.55, 1.0)
"""Between the bins, in units of evidence; .3 is a rating of about .6."""

_OWN = (0.003, 0.009, 0.013, 0.014, 0.029, 0.335, 0.107, 0.095, 0.085, 0.12, 0.19)
_NOTHING = (0.002, 0.005, 0.015, 0.03, 0.055, 0.786, 0.055, 0.03, 0.015, 0.005, 0.002)


@dataclass(frozen=True, slots=True)
class Signs:
    """How often turns show what, and how far a change may be believed.

    Attributes:
        own: ``(11,)`` how often the evidence of a character's turn falls into each bin; the
            last ones are clear signs of its own pole, the first of the other.
        nothing: ``(11,)`` the same of a trait that the character does not show.
        intercept: log-odds of a change at a log Bayes factor of 0.
        slope: what one unit of the log Bayes factor adds to them.
    """

    own: Numbers
    nothing: Numbers
    intercept: float
    slope: float

    @classmethod
    def plain(cls) -> Signs:
        """Before anything is counted."""
        own, nothing = (np.array(row) / sum(row) for row in (_OWN, _NOTHING))
        return cls(own, nothing, -1.4, 1.0)

    def log_likelihoods(self, evidence: NDArray[np.floating[Any]]) -> tuple[Numbers, ...]:
        """Of a character of the high pole, of the low pole, and of none, each of that shape."""
        bins = np.searchsorted(EDGES, evidence, side="right")
        return tuple(np.log(row)[bins] for row in (self.own, self.own[::-1], self.nothing))

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "own": np.round(self.own, 5).tolist(),
            "nothing": np.round(self.nothing, 5).tolist(),
            "intercept": round(self.intercept, 4),
            "slope": round(self.slope, 4),
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Signs:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError: the counts do not fit the bins.
        """
        own, nothing = (np.array(given[name], float) for name in ("own", "nothing"))
        if own.shape != nothing.shape or len(own) != len(EDGES) + 1:
            raise ValueError(f"signs need {len(EDGES) + 1} bins")
        return cls(own / own.sum(), nothing / nothing.sum(), given["intercept"], given["slope"])
