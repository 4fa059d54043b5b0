"""The two questions are kept apart: which model is taken for which, and what is refused."""

from __future__ import annotations

import json
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest

from persona_lab.cli.measure import MeasureChoice, detector_for
from persona_lab.detectors.registry import MODELS_VARIABLE, find_model, list_models
from persona_lab.errors import ModelError


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models that hides the bundled ones: two defaults, and one beside them."""
    for name, default, measure in (
        ("asked", True, None),
        ("seen", True, "shown"),
        ("seen-large", False, "shown"),
    ):
        config = {
            "format_version": 1, "version": "1", "frameworks": ["bigfive", "mbti"],
            "default": default, **({"measure": measure} if measure else {}),
        }  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config), encoding="utf-8")
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path))
    return tmp_path


def test_what_is_shown_is_the_default_question(models: Path) -> None:
    assert find_model("default").name == "seen"
    assert find_model("mbti").name == "seen"
    assert find_model("default", "shown").name == "seen"
    assert find_model("default", "self-report").name == "asked"
    assert {e.name: e.measure for e in list_models() if e.folder.parent == models} == {
        "asked": "self-report", "seen": "shown", "seen-large": "shown"
    }  # fmt: skip


def test_a_users_own_default_comes_before_the_bundled_ones(models: Path) -> None:
    for name in ("seen", "seen-large"):
        (models / name / "config.json").unlink()
    assert find_model("default").name == "asked"
    assert find_model("default", "shown").name == "reader"


@pytest.mark.parametrize(
    ("name", "measure"),
    [("asked", "shown"), ("seen-large", "self-report"), ("psycot", "shown")],
)
def test_a_detector_of_the_other_question_is_an_error(
    models: Path, name: str, measure: str
) -> None:
    with pytest.raises(ModelError, match=f"and '{measure}' was asked"):
        detector_for(name, MeasureChoice(measure))


def test_the_option_names_the_default_of_its_question(models: Path) -> None:
    assert detector_for("default", None) == "default"
    assert detector_for("default", MeasureChoice.self_report) == "asked"
    assert detector_for("seen-large", MeasureChoice.shown) == "seen-large"
    assert detector_for("psycot", MeasureChoice.self_report) == "psycot"


@pytest.mark.parametrize("name", ["score", "consistency", "rank", "evaluate", "filter_run"])
def test_all_commands_that_take_a_detector_take_a_measure(name: str) -> None:
    command = import_module(f"persona_lab.cli.{name}").command
    assert {"measure", "detector"} <= signature(command).parameters.keys()
