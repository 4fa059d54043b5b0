"""Does one text contradict another? A small inference model for chat turns, without torch.

A pair goes through one encoder as ``[CLS] first [SEP] second [SEP]``; a linear layer gives
entailment, neutral and contradiction. To tell whether a turn contradicts anything its speaker
said before, it is paired with every earlier turn and the largest contradiction counts (the
"utterance-based" approach of Nie et al. 2021, ACL).

Example:
    >>> from persona_lab.consistency.contradiction import ContradictionModel
    >>> model = ContradictionModel.load()
    >>> p = model.predict([("I have two dogs.", "I have never had a pet.")])
    >>> bool(p[0].argmax() == 2)
    True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from persona_lab.consistency.nli_model import HEAD_FILE, find_folder, read_config
from persona_lab.consistency.pairs import PairJoiner
from persona_lab.encoding.encoder import Encoder
from persona_lab.encoding.files import Device, Precision
from persona_lab.errors import ModelError
from persona_lab.profile import ModelInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CLASSES = ("entailment", "neutral", "contradiction")
"""Columns of a prediction."""

CONTRADICTION = 2

_WINDOW = 8192
"""Pairs encoded at once: enough to sort by length, little enough to stay flat in memory."""


@dataclass(frozen=True, slots=True)
class PairCalibration:
    """From log-odds of the linear layer to probabilities.

    Attributes:
        temperature: what log-odds are divided by (Guo et al. 2017), fitted on validation pairs.
        both_ways: whether the probability of a contradiction is the mean over both orders of
            the two texts: contradiction is symmetric, entailment is not.
        slope: of the largest contradiction log-odds among a turn's pairs.
        length: of the logarithm of the number of pairs: among many the largest is large by chance.
        intercept: of the same logistic regression, for dialogues of which half hold a
            contradiction.
        rare_slope: of a pair's contradiction log-odds among the pairs of a natural dialogue.
        rare: intercept of the same; it is low, since of these pairs few contradict (prior
            shift, Saerens et al. 2002).
    """

    temperature: float = 1.0
    both_ways: bool = False
    slope: float = 1.0
    length: float = 0.0
    intercept: float = 0.0
    rare_slope: float = 1.0
    rare: float = -3.0

    def of_pair(self, wrong: Floats) -> Floats:
        """Probability that a pair of a natural dialogue is a contradiction, any shape."""
        return np.asarray(1 / (1 + np.exp(-(self.rare_slope * logit(wrong) + self.rare))))

    def of_dialogue(self, largest: Floats, count: Floats) -> Floats:
        """Probability that a turn contradicts any of ``count`` earlier ones, each ``(n,)``.

        Args:
            largest: the largest probability of a contradiction among the turn's pairs.
            count: how many pairs there are.
        """
        z = self.slope * logit(largest) + self.length * np.log(count) + self.intercept
        return np.asarray(1 / (1 + np.exp(-z)))


@dataclass(frozen=True, slots=True)
class PairReadings:
    """What the model says of pairs.

    Attributes:
        probabilities: ``(n, 3)``, columns as in :data:`CLASSES`.
        shortened: ``(n,)`` a text was too long and lost its middle.
    """

    probabilities: Floats
    shortened: NDArray[np.bool_]


class ContradictionModel:
    """Reads pairs of English texts.

    Attributes:
        info: name, version and hash.
        encoder: turns joined pairs into vectors.
        calibration: from log-odds to probabilities.
    """

    def __init__(
        self,
        info: ModelInfo,
        encoder: Encoder,
        joiner: PairJoiner,
        head: tuple[Floats, Floats],
        calibration: PairCalibration,
    ) -> None:
        """Put a model together; :meth:`load` is the usual way.

        Args:
            info: name, version, hash.
            encoder: trained on pairs.
            joiner: with the encoder's tokenizer.
            head: weights ``(3, dim)`` and biases ``(3,)`` of the linear layer.
            calibration: fitted for this model.
        """
        self.info, self.encoder, self.calibration = info, encoder, calibration
        self._joiner = joiner
        self._weight, self._bias = head

    @classmethod
    def load(
        cls,
        folder: str | Path | None = None,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        threads: int | None = None,
    ) -> ContradictionModel:
        """Open a model's folder.

        Args:
            folder: the bundled model's if left out.
            device: as for :meth:`~persona_lab.encoding.Encoder.load`.
            precision: as there.
            threads: as there.

        Raises:
            ModelError: it is missing, damaged or made by a newer version.
        """
        place = find_folder() if folder is None else Path(folder)
        config = read_config(place)
        encoder = Encoder.load(place, device=device, precision=precision, threads=threads)
        try:
            with np.load(place / HEAD_FILE, allow_pickle=False) as arrays:
                head = arrays["weight"].astype(np.float64), arrays["bias"].astype(np.float64)
            calibration = PairCalibration(**config["calibration"])
            info = ModelInfo(config["name"], config["version"], config["sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"the model in {place} is damaged or incomplete ({type(error).__name__}); "
                "fetch it or train it again"
            ) from error
        if head[0].shape != (len(CLASSES), encoder.dim) or head[1].shape != (len(CLASSES),):
            raise ModelError(f"{place / HEAD_FILE} does not fit the encoder beside it")
        joiner = PairJoiner(encoder.segmenter)
        return cls(info, encoder, joiner, head, calibration)

    def predict(
        self, pairs: Sequence[tuple[str, str]], *, batch_tokens: int | None = None
    ) -> Floats:
        """Calibrated probabilities of entailment, neutral and contradiction.

        Args:
            pairs: two texts each, said in this order. A pair's probabilities do not depend
                on the other pairs.
            batch_tokens: as for :meth:`~persona_lab.encoding.Encoder.encode`.

        Returns:
            ``(n, 3)``, rows sum to 1.

        Raises:
            ValueError: a text is blank.
        """
        return self.read(pairs, batch_tokens=batch_tokens).probabilities

    def in_dialogue(self, wrong: Floats) -> Floats:
        """Probability of a contradiction for pairs of a natural dialogue, where few are.

        Args:
            wrong: what :meth:`predict` says of contradiction, any shape.
        """
        return self.calibration.of_pair(wrong)

    def read(
        self, pairs: Sequence[tuple[str, str]], *, batch_tokens: int | None = None
    ) -> PairReadings:
        """As :meth:`predict`, and which pairs were too long; arguments and errors as there."""
        logits, shortened = self.logits(pairs, batch_tokens=batch_tokens)
        p = softmax(logits / self.calibration.temperature)
        if self.calibration.both_ways:
            turned, _ = self.logits([(b, a) for a, b in pairs], batch_tokens=batch_tokens)
            other = softmax(turned / self.calibration.temperature)
            wrong = (p[:, CONTRADICTION] + other[:, CONTRADICTION]) / 2
            rest = np.maximum(1 - p[:, CONTRADICTION], 1e-12)
            p = p * ((1 - wrong) / rest)[:, None]
            p[:, CONTRADICTION] = wrong
        return PairReadings(p, shortened)

    def logits(
        self, pairs: Sequence[tuple[str, str]], *, batch_tokens: int | None = None
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Uncalibrated log-odds ``(n, 3)`` in this order, and which pairs were too long."""
        for index, pair in enumerate(pairs):
            if not all(text.strip() for text in pair):
                raise ValueError(f"pair {index} has a blank text; leave such pairs out")
        found = np.empty((len(pairs), len(CLASSES)))
        shortened = np.zeros(len(pairs), bool)
        for start in range(0, len(pairs), _WINDOW):
            rows = slice(start, start + _WINDOW)
            segments, shortened[rows] = self._joiner.join(pairs[rows])
            vectors = self.encoder.encode(segments, batch_tokens=batch_tokens)
            found[rows] = vectors @ self._weight.T + self._bias
        return found, shortened

    def contradicts_earlier(self, utterances: Sequence[str], last: str) -> tuple[float, int]:
        """Whether a turn contradicts anything its speaker said before.

        Args:
            utterances: earlier turns of the same speaker, none of them blank.
            last: the turn in question.

        Returns:
            The calibrated probability, for a dialogue that is as likely as not to hold a
            contradiction, and the position of the turn that is most likely contradicted.

        Raises:
            ValueError: there is no earlier turn, or a turn is blank.
        """
        p, index = self.contradict_earlier([(utterances, last)])
        return float(p[0]), int(index[0])

    def contradict_earlier(
        self, cases: Sequence[tuple[Sequence[str], str]]
    ) -> tuple[Floats, NDArray[np.int64]]:
        """:meth:`contradicts_earlier` for many turns at once.

        Returns:
            Probabilities and positions, both ``(n,)``.

        Raises:
            ValueError: as there.
        """
        counts = [len(utterances) for utterances, _ in cases]
        if not all(counts):
            raise ValueError(f"case {counts.index(0)} has no earlier turn to contradict")
        pairs = [(earlier, last) for utterances, last in cases for earlier in utterances]
        wrong = self.predict(pairs)[:, CONTRADICTION]
        ends = np.cumsum([0, *counts])
        spans = [wrong[a:b] for a, b in pairwise(ends)]
        index = np.array([int(span.argmax()) for span in spans], np.int64)
        largest = np.array([float(span.max()) for span in spans])
        return self.calibration.of_dialogue(largest, np.array(counts, float)), index


def softmax(logits: Floats) -> Floats:
    """Probabilities from log-odds, row by row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def logit(p: Floats) -> Floats:
    """Log-odds of probabilities, finite at 0 and 1."""
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))
