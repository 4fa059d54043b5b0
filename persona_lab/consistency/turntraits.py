"""What turns say of traits: one value a turn, so that any set of them is judged by arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from persona_lab.detectors.base import Request
from persona_lab.detectors.calibration import Calibration
from persona_lab.detectors.reader.detector import ReaderDetector
from persona_lab.detectors.reader.rule import Rule, evidence, level_of
from persona_lab.detectors.reader.scale import AXES, axis_of
from persona_lab.detectors.reader.signs import Signs
from persona_lab.detectors.reading import Array
from persona_lab.detectors.trained import sigmoid
from persona_lab.dialogue import Dialogue
from persona_lab.profile import Unscored

SEGMENT_WORDS = 100.0
"""About the length of the segments whose spread the calibration knows."""

_UNIT_WORDS = 20.0
"""About the length of the units whose noise the reader's rule knows."""


class TurnTraits(Protocol):
    """What turns say of traits, so that any set of them can be judged without reading again."""

    def per_turn(self, n_words: int, keys: Sequence[str]) -> Array:
        """Log-odds ``(n, n_traits)`` a turn, as they count in a text of ``n_words``."""

    def log_odds(self, places: Sequence[int], keys: Sequence[str]) -> Array:
        """Log-odds ``(n_traits,)`` of the high poles for some turns together."""

    def sides(self, places: Sequence[int], keys: Sequence[str]) -> Array:
        """The side ``(n_traits,)`` on which some turns stand: 1 high, -1 low, 0 neither."""

    def noise(self, n_words: int, keys: Sequence[str]) -> Array:
        """Variance ``(n_traits,)`` of the log-odds of one word of text."""


@dataclass(frozen=True)
class LinearTraits:
    """Turns as a trained detector of self-report reads them.

    The log-odds of a set of turns are the mean of one value a turn, weighted by words, plus
    a constant.

    Attributes:
        words: ``(n,)`` words of each turn.
        values: ``(n_components, n, n_rows)`` log-odds that each turn alone speaks for.
        bias: ``(n_components, n_rows)`` what is added to a mean of values.
        gate: ``(n_registers,)`` probabilities of the kind of text.
        calibration: of the detector.
    """

    words: Array
    values: Array
    bias: Array
    gate: Array
    calibration: Calibration

    def per_turn(self, n_words: int, keys: Sequence[str]) -> Array:
        """See :class:`TurnTraits`."""
        weight = self._weight(n_words, keys)
        return np.asarray(np.einsum("ktr,knr->nt", weight, self.values), np.float32)

    def log_odds(self, places: Sequence[int], keys: Sequence[str]) -> Array:
        """See :class:`TurnTraits`."""
        words = self.words[list(places)]
        n_words = int(words.sum())
        share = words / max(n_words, 1)
        mean = np.einsum("n,knr->kr", share, self.values[:, list(places)]) + self.bias
        intercept = self._mix(keys) @ self.calibration.intercept
        found = np.einsum("ktr,kr->t", self._weight(n_words, keys), mean) + intercept
        return np.asarray(found, np.float32)

    def sides(self, places: Sequence[int], keys: Sequence[str]) -> Array:
        """See :class:`TurnTraits`; there is always one."""
        known = self.calibration.thresholds
        thresholds = np.array([known.get(key, 0.5) for key in keys])
        above = np.asarray(sigmoid(self.log_odds(places, keys))) >= thresholds
        return np.where(above, 1.0, -1.0).astype(np.float32)

    def noise(self, n_words: int, keys: Sequence[str]) -> Array:
        """See :class:`TurnTraits`; as the training texts' segments had it."""
        weight = self._weight(n_words, keys)
        spread = np.einsum("ktr,kr->t", weight, self.calibration.spread)
        return np.asarray(np.square(spread) * SEGMENT_WORDS, np.float32)

    def _mix(self, keys: Sequence[str]) -> Array:
        return self.calibration.mixing(self.gate, keys)

    def _weight(self, n_words: int, keys: Sequence[str]) -> Array:
        return self.calibration.transfer(self._mix(keys), n_words)


@dataclass(frozen=True)
class ShownTraits:
    """Turns as the reader reads them: what each shows, see :mod:`~.detectors.reader.rule`.

    Attributes:
        evidence: ``(n, 8)`` of each turn, 0 for one that shows nothing.
        counts: ``(n,)`` units of each turn.
        rule: from units to a speaker.
        signs: what turns of a character show.
    """

    evidence: Array
    counts: Array
    rule: Rule
    signs: Signs

    @classmethod
    def read(cls, reader: ReaderDetector, dialogue: Dialogue) -> ShownTraits:
        """Read all turns of all speakers."""
        places: dict[str, list[int]] = {}
        for i, utterance in enumerate(dialogue.utterances):
            places.setdefault(utterance.speaker, []).append(i)
        found = np.zeros((len(dialogue.utterances), len(AXES)), np.float32)
        counts = np.zeros(len(found), np.float32)
        requests = [Request.of(dialogue, name) for name in places]
        for request, reading in zip(requests, reader.read(requests), strict=True):
            if isinstance(reading, Unscored):
                continue
            own = np.array([places[request.speaker][unit.utterance] for unit in reading.units])
            np.add.at(found, own, evidence(reading.chances))
            np.add.at(counts, own, 1.0)
        return cls(found, counts, reader.rule, reader.signs)

    def per_turn(self, n_words: int, keys: Sequence[str]) -> Array:
        """See :class:`TurnTraits`; a turn says the same in any company."""
        del n_words
        return self._odds(self._each(), keys)

    def each(self, keys: Sequence[str]) -> Array:
        """Evidence ``(n, n_traits)`` of each turn alone, about 0 where it shows nothing."""
        return np.asarray(self._each()[:, [axis_of(key) for key in keys]], np.float32)

    def log_odds(self, places: Sequence[int], keys: Sequence[str]) -> Array:
        """See :class:`TurnTraits`."""
        return self._odds(self._summed(places), keys)

    def sides(self, places: Sequence[int], keys: Sequence[str]) -> Array:
        """See :class:`TurnTraits`; the labels that these turns would get."""
        level = level_of(self.rule.scale * self._summed(places))
        found = np.where(level >= self.rule.high, 1.0, np.where(level <= self.rule.low, -1.0, 0.0))
        return np.asarray(found[[axis_of(key) for key in keys]], np.float32)

    def noise(self, n_words: int, keys: Sequence[str]) -> Array:
        """See :class:`TurnTraits`; as the units of the rated texts had it."""
        del n_words
        return np.asarray(np.square(self._odds(self.rule.noise, keys)) * _UNIT_WORDS, np.float32)

    def _summed(self, places: Sequence[int]) -> Array:
        some = list(places)
        units = max(float(self.counts[some].sum()), 1.0)
        return np.asarray(self.evidence[some].sum(axis=0) / units**self.rule.dilution, np.float32)

    def _each(self) -> Array:
        shares = np.maximum(self.counts, 1.0)[:, None] ** self.rule.dilution
        return np.asarray(self.evidence / shares, np.float32)

    def _odds(self, evidence: Array, keys: Sequence[str]) -> Array:
        axes = [axis_of(key) for key in keys]
        scaled = evidence * self.rule.scale * self.rule.odds
        return np.asarray(scaled[..., axes], np.float32)
