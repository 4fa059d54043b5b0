"""What turns of a character show, counted on dialogues of known character."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from persona_lab.consistency.change import MARGIN, weigh
from persona_lab.consistency.turntraits import ShownTraits
from persona_lab.detectors.reader.signs import EDGES, Numbers, Signs
from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.training.reader.labels import DIALOGUES
from persona_lab.traits import BIG_FIVE

if TYPE_CHECKING:
    from persona_lab.detectors.reader.detector import ReaderDetector

SPEAKER = "assistant"
"""Whose character is known."""

PRIOR = 0.2
"""Share of changes for which the probability is calibrated, whatever the share in the data."""

_TOLD = ("stable", "switched", "moody", "plain")
"""Kinds whose truth tells what is shown of each trait."""

_START = 0.5
"""Counted in each bin before anything is seen."""


@dataclass(frozen=True, slots=True)
class KnownDialogue:
    """A dialogue whose character is known.

    Attributes:
        dialogue: user and assistant, who has a persona in most.
        writer: who wrote it.
        split: ``train`` or ``test``.
        kind: ``stable``, ``switched``, ``moody`` and others.
        truth: what the writer meant, see the data's card.
    """

    dialogue: Dialogue
    writer: str
    split: str
    kind: str
    truth: Mapping[str, Any]

    @property
    def own(self) -> list[int]:
        """Positions in the dialogue of the turns whose character is known."""
        return [i for i, u in enumerate(self.dialogue.utterances) if u.speaker == SPEAKER]

    @property
    def changes(self) -> bool:
        """Does the character change?"""
        return self.kind == "switched"

    def poles(self, n: int) -> NDArray[np.int64]:
        """The pole, 1 or -1, that each of ``n`` turns should show: ``(n, 5)``; 0 is none."""
        found = np.zeros((n, len(BIG_FIVE.keys)), np.int64)
        if "trait" in self.truth:
            column = BIG_FIVE.keys.index(self.truth["trait"])
            pole = 1 if self.truth.get("before", self.truth.get("pole")) == "high" else -1
            found[:, column] = pole
            if self.changes:
                found[self.truth["turn"] :, column] = -pole
        return found


def read_known() -> Iterator[KnownDialogue]:
    """The dialogues that come with the package."""
    for line in DIALOGUES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        said = tuple(
            Utterance(str(i), turn["speaker"], turn["text"]) for i, turn in enumerate(row["turns"])
        )
        persona = Speaker(SPEAKER, {}, tuple(row.get("persona", ())))
        talk = Dialogue(row["id"], said, {SPEAKER: persona})
        yield KnownDialogue(talk, row["writer"], row["split"], row["kind"], row["truth"])


def fit_signs(reader: ReaderDetector, known: Sequence[KnownDialogue]) -> Signs:
    """Count what turns show, and calibrate the probability of a change.

    The calibration is of dialogues of writers whose dialogues were not counted.

    Args:
        reader: with its rule.
        known: by at least two writers, with and without changes; those that contradict
            themselves or their persona are examples of no change.
    """
    read = [(one, _evidence(reader, one)) for one in known]
    read = [(one, evidence) for one, evidence in read if len(evidence) >= 2 * MARGIN]
    factors: list[float] = []
    changes: list[bool] = []
    for writer in sorted({one.writer for one, _ in read}):
        signs = _counted([pair for pair in read if pair[0].writer != writer])
        for one, evidence in read:
            if one.writer == writer:
                factors.append(float(weigh(evidence, signs).together()))
                changes.append(one.changes)
    counted = _counted(read)
    return Signs(counted.own, counted.nothing, *calibrated(factors, changes))


def calibrated(factors: Sequence[float], changes: Sequence[bool]) -> tuple[float, float]:
    """Intercept and slope from log Bayes factors to log-odds, for a share of :data:`PRIOR`."""
    from sklearn.linear_model import LogisticRegression

    changed = np.array(changes)
    share = changed.mean()
    weight = np.where(changed, PRIOR / share, (1.0 - PRIOR) / (1.0 - share))
    model = LogisticRegression(C=10.0).fit(np.array(factors)[:, None], changed, weight)
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def _evidence(reader: ReaderDetector, known: KnownDialogue) -> Numbers:
    """Of each of the character's turns; none where the dialogue could not be read."""
    own, traits = known.own, ShownTraits.read(reader, known.dialogue)
    return np.asarray(traits.each(BIG_FIVE.keys)[own if traits.counts[own].any() else []], float)


def _counted(read: Sequence[tuple[KnownDialogue, Numbers]]) -> Signs:
    """How often turns show what; what is said of the poles is said of both alike."""
    own, nothing = np.full((2, len(EDGES) + 1), _START)
    for one, evidence in read:
        if one.kind not in _TOLD:
            continue
        poles = one.poles(len(evidence))
        bins = np.searchsorted(EDGES, evidence, side="right")
        mirrored = np.where(poles < 0, len(EDGES) - bins, bins)
        np.add.at(own, mirrored[poles != 0], 1.0)
        np.add.at(nothing, bins[poles == 0], 1.0)
    nothing = nothing + nothing[::-1]
    return Signs(own / own.sum(), nothing / nothing.sum(), 0.0, 1.0)
