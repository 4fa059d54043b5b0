"""persona-lab's detectors, through the interface that programs use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from speed.output import BenchmarkError

if TYPE_CHECKING:
    from persona_lab.detectors.base import Request
    from persona_lab.detectors.pooled import Pooled
    from persona_lab.detectors.trained import TrainedDetector
    from persona_lab.profile import Profile
    from speed.peers import Array, Scores


def scores(model: str) -> Scores:
    """A detector, by name or folder, as texts to probabilities of the high side."""
    from persona_lab.detectors.registry import load_detector

    detector = load_detector(model)

    def found(texts: Sequence[str]) -> Array:
        rows = [[trait.p_high for trait in one.traits.values()] for one in read(detector, texts)]
        return np.array(rows, np.float32)

    return found


def read(detector: TrainedDetector, texts: Sequence[str]) -> Iterator[Profile]:
    """The Big Five profile of each text."""
    from persona_lab.profile import Unscored

    for profile in detector.profiles(map(request, texts), frameworks=("bigfive",)):
        if isinstance(profile, Unscored):
            raise BenchmarkError(f"a text of the benchmark is unscored: {profile.reason}")
        yield profile


def request(text: str) -> Request:
    """A text as a dialogue of one utterance."""
    from persona_lab.detectors import Request
    from persona_lab.dialogue import Dialogue

    dialogue = Dialogue.from_text(text)
    return Request.of(dialogue, dialogue.choose(None)[0])


def pooled_of(detector: TrainedDetector) -> Pooled:
    """The encoder's component of a detector."""
    from persona_lab.detectors.pooled import Pooled

    (pooled,) = detector.components
    assert isinstance(pooled, Pooled)
    return pooled
