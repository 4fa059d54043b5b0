"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

from persona_lab.detectors.calibration import GENERAL, Calibration
from persona_lab.detectors.lexical import Lexical, LexicalFeatures
from persona_lab.detectors.reading import Row
from persona_lab.detectors.store import write_config
from persona_lab.traits import ALL_TRAITS
from tests.llm.fake_server import FakeServer, Serve

# a slow machine is no failure
hypothesis.settings.register_profile("no-deadline", deadline=None)
hypothesis.settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of research corpora; tests that need it are skipped where it is missing."""
    given = os.environ.get("PERSONA_LAB_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(given) if given else beside
    if not folder.is_dir():
        pytest.skip("no research corpora: set PERSONA_LAB_DATA to the folder that holds them")
    return folder


TOY_WEIGHTS = {
    "party": {"extraversion": 4.0, "EI": 4.0},
    "alone": {"extraversion": -4.0, "EI": -4.0},
    "worry": {"neuroticism": 5.0},
    "calm": {"neuroticism": -5.0},
    "dream": {"openness": 3.0, "SN": -3.0},
    "bus": {"openness": -3.0, "SN": 3.0},
    "plan": {"conscientiousness": 4.0, "JP": 4.0},
    "whatever": {"conscientiousness": -4.0, "JP": -4.0},
    "kind": {"agreeableness": 4.0, "TF": -4.0},
    "stupid": {"agreeableness": -4.0, "TF": 4.0},
}
"""What each word the toy model knows adds to which trait, in log-odds."""

TOY_ROWS = tuple(Row(GENERAL, trait) for trait in ALL_TRAITS)
TOY_REGISTERS = ("talk",)


def toy_lexical(*, spread: float = 0.25) -> Lexical:
    """A lexical component by hand: ten words, IDF 1, two members that differ by ``spread``.

    A text with one known word scores ``weight`` on its traits, and 0 on the others.
    """
    words = sorted(TOY_WEIGHTS)
    middle = np.zeros((len(TOY_ROWS), len(words)), np.float32)
    for column, word in enumerate(words):
        for trait, weight in TOY_WEIGHTS[word].items():
            middle[ALL_TRAITS.index(trait), column] = weight
    weights = np.stack([middle - spread * np.sign(middle), middle + spread * np.sign(middle)])
    return Lexical(
        LexicalFeatures([words, []], np.ones(len(words)), {"words": [1, 1], "chars": [2, 3]}),
        TOY_ROWS,
        TOY_REGISTERS,
        np.ascontiguousarray(weights.transpose(2, 0, 1)),
        np.zeros((2, len(TOY_ROWS)), np.float32),
        np.zeros((len(words), 1), np.float32),
        np.zeros(1, np.float32),
    )


def toy_calibration(**changes: Any) -> Calibration:
    """The identity: calibrated log-odds are the component's; labels from 20 words on."""
    one = np.ones((1, len(TOY_ROWS)), np.float32)
    line = np.zeros(len(TOY_ROWS), np.float32)
    identity = Calibration(
        rows=TOY_ROWS,
        registers=TOY_REGISTERS,
        intercept=line,
        slope=one,
        slope_log=0 * one,
        borrow=0 * one,
        spread=one,
        min_log=line - 3.0,
        max_log=line + 3.0,
        thresholds={trait: 0.5 for trait in ALL_TRAITS} | {"TF": 0.6},
        min_words={GENERAL: 20},
    )
    return replace(identity, **changes)


def save_toy(folder: Path, **changes: Any) -> Path:
    """Write the toy model as a folder that ``load_detector`` opens."""
    folder.mkdir(parents=True, exist_ok=True)
    toy_lexical().save(folder)
    (folder / "README.md").write_text("# The toy model\n\nKnows **ten** words.\n", encoding="utf-8")
    settings: dict[str, Any] = {
        "name": folder.name,
        "version": "1.2",
        "components": {"lexical": "."},
        "calibration": toy_calibration(),
        "more": {
            "frameworks": ["bigfive", "mbti"],
            "default": True,
            "summary": "knows ten words",
        },
    }
    write_config(folder, **(settings | changes))
    return folder


@pytest.fixture(scope="session")
def lexical() -> Lexical:
    """See :func:`toy_lexical`."""
    return toy_lexical()


@pytest.fixture(scope="session")
def make_calibration() -> Callable[..., Calibration]:
    """See :func:`toy_calibration`; keywords replace fields."""
    return toy_calibration


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Path]:
    """See :func:`save_toy`; keywords go to ``write_config``."""
    return save_toy


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the toy model; its parent serves as a folder of models."""
    return save_toy(tmp_path_factory.mktemp("models") / "toy")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start fake language model servers; they end with the test."""
    servers: list[FakeServer] = []

    def start(*answers: Any, **how: Any) -> FakeServer:
        servers.append(FakeServer(*answers, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
