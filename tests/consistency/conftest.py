"""Dialogues made by hand, and a model of contradiction that follows one rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from persona_lab.consistency.turns import Turns
from persona_lab.consistency.turntraits import LinearTraits, ShownTraits
from persona_lab.detectors.calibration import Calibration
from persona_lab.detectors.reader.rule import Rule
from persona_lab.detectors.reader.scale import AXES
from persona_lab.detectors.reader.signs import Signs
from persona_lab.detectors.registry import load_detector
from persona_lab.detectors.trained import TrainedDetector
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.profile import ModelInfo
from persona_lab.traits import BIG_FIVE

MakeTurns = Callable[..., Turns]
Talk = Callable[..., Dialogue]


class RuleNli:
    """Two texts with a noun in common contradict if one of them says 'never'."""

    info = ModelInfo("rule", "1", "f" * 64)

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def predict(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        self.pairs += pairs
        found = np.tile([0.05, 0.9, 0.05], (len(pairs), 1))
        for row, (a, b) in zip(found, pairs, strict=True):
            one, two = (set(re.findall(r"[a-z]{4,}", text.lower())) - {"never"} for text in (a, b))
            if one & two:
                denied = ("never" in a.lower()) != ("never" in b.lower())
                row[:] = [0.01, 0.04, 0.95] if denied else [0.9, 0.08, 0.02]
        return found

    def in_dialogue(self, wrong: np.ndarray) -> np.ndarray:
        return wrong


@pytest.fixture
def nli() -> RuleNli:
    return RuleNli()


@pytest.fixture(scope="session")
def toy(toy_model: Path) -> TrainedDetector:
    return load_detector(str(toy_model))


@pytest.fixture
def talk() -> Talk:
    """``talk(("Ann", "hello"), ("Bob", "hi"))``."""

    def make(*turns: tuple[str, str], id: str = "talk", **more: object) -> Dialogue:
        said = tuple(Utterance(str(i), who, text) for i, (who, text) in enumerate(turns))
        return replace(Dialogue(id, said), **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_turns(make_calibration: Callable[..., Calibration]) -> MakeTurns:
    """Turns whose log-odds of each Big Five trait are ``z``, of ten words each by default."""

    def make(
        z: np.ndarray,
        speakers: Sequence[str] | None = None,
        vectors: np.ndarray | None = None,
        words: Sequence[float] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Turns:
        calibration = make_calibration()
        columns = [i for i, row in enumerate(calibration.rows) if row.trait in BIG_FIVE.keys]
        values = np.zeros((1, len(z), len(calibration.rows)), np.float32)
        values[0][:, columns] = z
        lengths = np.asarray(words if words is not None else [10.0] * len(z), np.float32)
        bias = np.zeros((1, len(calibration.rows)), np.float32)
        return Turns(
            texts=tuple(texts or ["some words"] * len(z)),
            speakers=tuple(speakers or ["Ann"] * len(z)),
            words=lengths,
            vectors=np.asarray(vectors if vectors is not None else np.eye(len(z)), np.float32),
            traits=LinearTraits(lengths, values, bias, np.ones(1, np.float32), calibration),
            framework=BIG_FIVE,
        )

    return make


@pytest.fixture
def make_shown() -> MakeTurns:
    """Turns that show what is said: evidence by Big Five trait, ten words a turn."""

    def make(speakers: Sequence[str] | None = None, **shown: Sequence[float]) -> Turns:
        n = max(len(column) for column in shown.values())
        evidence = np.zeros((n, len(AXES)), np.float32)
        for trait, column in shown.items():
            evidence[: len(column), AXES.index(trait)] = column
        return Turns(
            texts=("some words",) * n,
            speakers=tuple(speakers or ["Ann"] * n),
            words=np.full(n, 10.0, np.float32),
            vectors=np.eye(n, dtype=np.float32),
            traits=ShownTraits(evidence, np.ones(n, np.float32), Rule.plain(), Signs.plain()),
            framework=BIG_FIVE,
        )

    return make
