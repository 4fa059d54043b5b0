"""A dialogue as the consistency measures see it: every turn read once, then only arithmetic.

What a set of turns says together (a window, a half, a shuffled sample) is arithmetic on one
value a turn. So windows, bootstrap and permutation tests need no second look at the text.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from persona_lab.consistency.turntraits import LinearTraits, ShownTraits, TurnTraits
from persona_lab.detectors.masking import mask_all
from persona_lab.detectors.pooled import Pooled
from persona_lab.detectors.reader.detector import ReaderDetector
from persona_lab.detectors.reading import Array, Reading, count_words
from persona_lab.detectors.registry import LoadedDetector
from persona_lab.detectors.trained import TrainedDetector
from persona_lab.dialogue import Dialogue
from persona_lab.traits import Framework

_KEPT = 8_000
"""Texts whose vectors are kept: persona statements and greetings come again and again."""

BUNDLED = "pooled"
"""The model whose encoder makes the vectors for a detector without one."""


@dataclass(frozen=True)
class Turns:
    """One dialogue, read.

    Attributes:
        texts: what is said, white space made plain, in the file's order.
        speakers: who says it.
        words: ``(n,)`` words of each turn.
        vectors: ``(n, dim)`` of length 1, an encoder's last layer, standardised as in
            training, so that unrelated turns have a cosine of about 0; 0 for a turn without
            words.
        traits: what each turn says of traits.
        framework: whose traits are asked for.
    """

    texts: tuple[str, ...]
    speakers: tuple[str, ...]
    words: Array
    vectors: Array
    traits: TurnTraits
    framework: Framework

    def of(self, speaker: str) -> list[int]:
        """Places of a speaker's turns that have words."""
        return [i for i in self.spoken if self.speakers[i] == speaker]

    def heard(self, place: int) -> str:
        """What another said just before a turn; empty where nobody did."""
        if place == 0 or self.speakers[place - 1] == self.speakers[place]:
            return ""
        return self.texts[place - 1]

    @property
    def spoken(self) -> list[int]:
        """Places of all turns that have words."""
        return [int(i) for i in np.flatnonzero(self.words > 0)]

    def n_words(self, places: Sequence[int]) -> int:
        """Words of some turns together."""
        return int(self.words[list(places)].sum())

    def per_turn(self, n_words: int) -> Array:
        """Log-odds a turn, without a constant, as they count in a text of ``n_words``."""
        return self.traits.per_turn(n_words, self.framework.keys)

    def log_odds(self, places: Sequence[int]) -> Array:
        """Calibrated log-odds of the high poles for some turns together: ``(n_traits,)``."""
        return self.traits.log_odds(places, self.framework.keys)

    def noise(self, n_words: int) -> Array:
        """Variance of the log-odds of one word of text, ``(n_traits,)``.

        As the training texts had it; that of a turn is this over its words.
        """
        return self.traits.noise(n_words, self.framework.keys)

    def sides(self, places: Sequence[int]) -> Array:
        """On which side some turns together stand, ``(n_traits,)``: 1 high, -1 low, 0 neither."""
        return self.traits.sides(places, self.framework.keys)


class TurnReader:
    """Reads dialogues with a detector; vectors of texts it has seen are kept."""

    def __init__(self, detector: LoadedDetector) -> None:
        """Prepare.

        Args:
            detector: its encoder makes the vectors; the bundled one if it has none, or one
                that was fine-tuned to tell traits and nothing else.

        Raises:
            ModelError: it has none, and the bundled model is not there.
        """
        self.detector = detector
        components = () if isinstance(detector, ReaderDetector) else detector.components
        pooled = [c for c in components if isinstance(c, Pooled)]
        self._pooled = pooled[0] if pooled else _bundled()
        self._kept: OrderedDict[str, tuple[Array, Array]] = OrderedDict()

    def prepare(self, dialogues: Iterable[Dialogue]) -> None:
        """Encode the turns of several dialogues together, which is faster than one by one."""
        texts: list[str] = []
        for dialogue in dialogues:
            own, masked = self._texts(dialogue)
            texts += own if isinstance(self.detector, ReaderDetector) else [*masked, *own]
        self._encode(texts)

    def _texts(self, dialogue: Dialogue) -> tuple[tuple[str, ...], list[str]]:
        """What is said, white space made plain, and what may be read of it."""
        texts = tuple(" ".join(u.text.split()) for u in dialogue.utterances)
        return texts, mask_all(texts) if self.detector.options.mask else list(texts)

    def read(self, dialogue: Dialogue, framework: Framework) -> Turns:
        """Read all turns of all speakers."""
        texts, masked = self._texts(dialogue)
        words = np.array([count_words(text) for text in masked], np.float32)
        if isinstance(self.detector, ReaderDetector):
            traits: TurnTraits = ShownTraits.read(self.detector, dialogue)
        else:
            self._encode([*masked, *texts])
            traits = self._linear(self.detector, masked, words)
        return Turns(
            texts=texts,
            speakers=tuple(u.speaker for u in dialogue.utterances),
            words=words,
            vectors=self.vectors(texts),
            traits=traits,
            framework=framework,
        )

    def _linear(
        self, detector: TrainedDetector, masked: Sequence[str], words: Array
    ) -> LinearTraits:
        """The log-odds that each turn speaks for."""
        components, calibration = detector.components, detector.calibration
        values = np.zeros((len(components), len(masked), len(calibration.rows)), np.float32)
        bias = np.zeros((len(components), len(calibration.rows)), np.float32)
        gate = np.ones(len(calibration.registers))
        if words.any():
            readings = self._readings(detector, masked)
            gate = np.exp(np.mean([reading.gate for reading in readings], axis=0))
            for k, (component, reading) in enumerate(zip(components, readings, strict=True)):
                counted = not isinstance(component, Pooled)
                values[k], bias[k] = _by_turn(reading, words, counted=counted)
        share = np.asarray(gate / gate.sum(), np.float32)
        return LinearTraits(words, values, bias, share, calibration)

    def vectors(self, texts: Sequence[str]) -> Array:
        """Vectors as in :attr:`Turns.vectors`, ``(n, dim)``; no text is encoded twice."""
        found = self._last_layer(texts)
        found[[count_words(text) == 0 for text in texts]] = 0.0
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(length, 1e-9), np.float32)

    def _last_layer(self, texts: Sequence[str]) -> Array:
        """Mean of the last layer over a text's tokens, standardised as in training."""
        self._encode(texts)
        encoder, head = self._pooled.encoder, self._pooled.head
        last = slice(encoder.dim - encoder.hidden, None)
        center, scale = head.center[last], head.scale[last]
        found = np.zeros((len(texts), encoder.hidden), np.float32)
        for i, text in enumerate(texts):
            vectors, n_tokens = self._kept[text]
            if len(vectors):
                found[i] = (n_tokens @ vectors[:, last] / n_tokens.sum() - center) / scale
        return found

    def forget(self) -> None:
        """Drop the vectors that were kept."""
        self._kept.clear()

    def _encode(self, texts: Sequence[str]) -> None:
        """Make sure that each text's segments are there, ``(n_segments, dim)``."""
        for text in texts:
            if text in self._kept:
                self._kept.move_to_end(text)
        new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if not new:
            return
        segments = self._pooled.encoder.segmenter.segments(new, pack=False)
        vectors = np.zeros((0, self._pooled.encoder.dim), np.float32)
        if segments:
            vectors = self._pooled.encoder.encode([s.token_ids for s in segments])
        mine: list[list[int]] = [[] for _ in new]
        for place, segment in enumerate(segments):
            mine[segment.covers[0][0]].append(place)
        for text, places in zip(new, mine, strict=True):
            n_tokens = np.array([segments[p].n_tokens for p in places], np.float32)
            self._kept[text] = vectors[places], n_tokens
        while len(self._kept) > max(_KEPT, len(set(texts))):
            self._kept.popitem(last=False)

    def _readings(self, detector: TrainedDetector, masked: Sequence[str]) -> list[Reading]:
        """What each component reads, no segment with two turns."""
        readings = []
        for component in detector.components:
            if isinstance(component, Pooled):
                vectors = np.concatenate([self._kept[text][0] for text in masked])
                covers = [((i, 1.0),) for i, text in enumerate(masked) for _ in self._kept[text][0]]
                readings.append(component.head.read(vectors, covers))
            else:
                readings.append(component.read([list(masked)], pack=False)[0])
        return readings


def _by_turn(reading: Reading, words: Array, *, counted: bool) -> tuple[Array, Array]:
    """One value a turn, ``(n, n_rows)``, and the constant, ``(n_rows,)``.

    Args:
        reading: no segment of two turns.
        words: of each turn.
        counted: values are shares of a total that grows with the words (lexical), and not
            what a segment speaks for whatever its length (pooled).
    """
    parts = reading.weights * reading.values
    value = np.zeros((len(words), parts.shape[1]), np.float32)
    weight = np.zeros_like(value)
    for part, attention, covers in zip(parts, reading.weights, reading.covers, strict=True):
        for i, share in covers:
            value[i] += share * part
            weight[i] += share * attention
    if counted:
        weight = np.repeat((words / max(words.sum(), 1.0))[:, None], parts.shape[1], axis=1)
    value = np.where(weight > 0, value / np.where(weight > 0, weight, 1.0), 0.0)
    constant = reading.members.mean(axis=0) - parts.sum(axis=0)
    return np.asarray(value, np.float32), np.asarray(constant, np.float32)


@lru_cache(maxsize=1)
def _bundled() -> Pooled:
    """The encoder for detectors that have none."""
    from persona_lab.detectors.registry import find_model

    return Pooled.load(find_model(BUNDLED))
