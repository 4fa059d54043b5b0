"""From rated texts to what a network is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persona_lab.detectors.base import Request
from persona_lab.detectors.reader.scale import AXES
from persona_lab.detectors.reader.text import ANSWER, QUESTION, TURN
from persona_lab.detectors.reader.units import cut
from persona_lab.dialogue import Utterance
from persona_lab.encoding.segment import Segmenter
from persona_lab.training.encoder_network import Ids
from persona_lab.training.reader.fit import Lesson
from persona_lab.training.reader.labels import Rated
from persona_lab.training.reader.network import Floats


def request_of(id: str, text: str, kind: str) -> Request:
    """A rated text as the detector gets it: turns apart, an answer with its question."""
    heard: tuple[str, ...] = ()
    turns = [text]
    if kind == "chat":
        turns = text.split(TURN)
    elif kind == "answer" and text.startswith(QUESTION) and ANSWER in text:
        asked, said = text[len(QUESTION) :].rsplit(ANSWER, 1)
        turns, heard = [said], (asked,)
    return Request(
        id,
        "author",
        tuple(Utterance(str(i), "author", turn) for i, turn in enumerate(turns)),
        heard,
    )


def units_of(
    texts: Sequence[tuple[str, str]], segmenter: Segmenter
) -> tuple[tuple[Ids, ...], NDArray[np.int64]]:
    """Cut texts into units.

    Args:
        texts: pairs of text and kind.
        segmenter: of the encoder.

    Returns:
        Token ids of all units, and how many units each text has; at least one.
    """
    requests = [request_of(str(i), text, kind) for i, (text, kind) in enumerate(texts)]
    found = cut(requests, segmenter)
    empty = np.array([*segmenter.prefix, *segmenter.suffix], np.int32)
    units = [[np.array(unit.token_ids, np.int32) for unit in own] or [empty] for own in found]
    return (
        tuple(unit for own in units for unit in own),
        np.array([len(own) for own in units], np.int64),
    )


def lesson_of(
    rated: Sequence[Rated], segmenter: Segmenter, *, weights: Sequence[float] | None = None
) -> Lesson:
    """What readers said as a lesson.

    Args:
        rated: texts.
        segmenter: of the encoder.
        weights: how much each counts; all the same if left out.
    """
    units, counts = units_of([(one.text, one.kind) for one in rated], segmenter)
    return Lesson(
        units,
        counts,
        np.stack([one.chances for one in rated]),
        np.stack([one.known for one in rated]),
        np.asarray(weights if weights is not None else np.ones(len(rated)), np.float32),
    )


def lesson_from(units: Sequence[Ids], chances: Floats, weight: float) -> Lesson:
    """What teachers say of single units as a lesson.

    Args:
        units: ``n``, token ids.
        chances: ``(n, 8, 5)``.
        weight: how much each counts beside a rated text.
    """
    n = len(units)
    return Lesson(
        tuple(units),
        np.ones(n, np.int64),
        chances,
        np.ones((n, len(AXES)), np.float32),
        np.full(n, weight, np.float32),
    )
