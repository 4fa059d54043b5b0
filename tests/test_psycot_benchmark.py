"""What the PsyCoT benchmark keeps is enough for its table, and holds nothing of the texts."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from persona_lab.detectors.psycot import VARIANTS
from persona_lab.instruments import load_instrument
from persona_lab.llm.client import Client
from persona_lab.llm.errors import LLMBadReply
from persona_lab.training.corpora import Example
from persona_lab.traits import ALL_TRAITS, BIG_FIVE
from tests.detectors.psycot.acted import ActedModel

HIGH = "We sparkle all day and talk to everybody we meet on the way home."
LOW = "We sit at home all day and talk to nobody we meet on the way there."


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parent.parent / "benchmarks"))
    return importlib.import_module("psycot")


def example(id: str, text: str, label: float) -> Example:
    labels = np.array([label if t in BIG_FIVE.keys else np.nan for t in ALL_TRAITS])
    return Example(id, "essay", (text,), labels, labels, id, len(text.split()), hash(id))


def test_measured_once_and_told_again(benchmark: ModuleType, tmp_path: Path) -> None:
    # the model knows the poles of the Mini-IPIP; the benchmark asks the default questionnaire
    model = ActedModel(load_instrument("ipip-50"))
    examples = [example("a", HIGH, 1.0), example("b", LOW, 0.0), example("c", f"{LOW} {LOW}", 1.0)]
    results = tmp_path / "results.jsonl"
    tasks = [(BIG_FIVE, one) for one in examples]
    benchmark.ask_all(Client(model), tasks, VARIANTS, 1, results)
    calls = len(model.requests)
    benchmark.ask_all(Client(model), tasks, VARIANTS, 1, results)
    assert len(model.requests) == calls

    kept = results.read_text(encoding="utf-8")
    assert "sparkle" not in kept and "nobody" not in kept
    assert len(kept.splitlines()) == len(VARIANTS) * len(examples)
    found = benchmark.measure(benchmark.read_results(results), BIG_FIVE, examples)
    for variant in VARIANTS:
        assert [min(p) >= 0.5 for p in found[variant]["scores"].values()] == [True, False, False]
        assert found[variant]["mean"]["accuracy"]["value"] == pytest.approx(2 / 3, abs=1e-3)
    assert found["psycot"]["usage"]["calls"] == 3 * 5 * 12
    assert found["psycot-batch"]["usage"]["calls"] == 3 * 5 * 2
    told = benchmark.tables(BIG_FIVE, found)
    assert "| psycot-batch | 3 | +0.0 [+0.0, +0.0] | +0.0 [+0.0, +0.0] |" in told
    cost = next(line for line in told.splitlines() if line.startswith("| psycot-batch | 10.0 |"))
    assert len(cost.split(" | ")) == 12


def test_figures_are_those_of_scikit_learn(benchmark: ModuleType) -> None:
    rng = np.random.default_rng(0)
    p, labels = rng.uniform(size=(40, 3)).round(1), rng.integers(2, size=(40, 3)).astype(float)
    columns = [(labels[:, t], p[:, t]) for t in range(3)]
    expected = [
        np.mean([accuracy_score(y, x >= 0.5) for y, x in columns]),
        np.mean([f1_score(y, x >= 0.5, average="macro") for y, x in columns]),
        np.mean([roc_auc_score(y, x) for y, x in columns]),
    ]
    assert benchmark.figures(p, labels) == pytest.approx(expected)
    p[0, 0] = np.nan
    lost = benchmark.figures(p, labels)[0]
    assert lost in (pytest.approx(expected[0]), pytest.approx(expected[0] - 1 / 120))


def test_a_text_that_could_not_be_asked_about_is_not_kept(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ActedModel(load_instrument("ipip-50"))

    def down(request: object) -> None:
        raise LLMBadReply("the server is not well", retryable=False)

    model.reply = down  # type: ignore[assignment,method-assign]
    results = tmp_path / "results.jsonl"
    tasks = [(BIG_FIVE, example("a", HIGH, 1.0))]
    benchmark.ask_all(Client(model), tasks, VARIANTS, 1, results)
    assert not results.exists()
    assert "left out, run again: bad_reply" in capsys.readouterr().err


def test_rates_are_weighted_by_what_they_are_rates_of(benchmark: ModuleType) -> None:
    def row(pairs: int, bias: float | None, flips: float | None) -> dict[str, object]:
        counts = {"ratings": 1, "choices": 2, "repaired": 0, "straight_lined": 0}
        rates = {"pairs": pairs, "position_bias": bias, "flip_rate": flips, "failures": {"x": 1}}
        return {"conduct": json.loads(json.dumps(counts | rates))}

    found = benchmark.conduct_of([row(3, 0.1, 1.0), row(1, 0.5, 0.0), row(0, None, None)])
    assert found["position_bias"] == pytest.approx(0.2)
    assert found["flip_rate"] == pytest.approx(0.75)
    assert found["failures"] == {"x": 3}
    assert benchmark.conduct_of([row(0, None, None)])["flip_rate"] is None
