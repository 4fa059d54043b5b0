"""Folders of models: written and opened again, and refused with a remedy when they are bad."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from persona_lab.detectors.calibration import Calibration
from persona_lab.detectors.registry import (
    MODELS_VARIABLE,
    find_model,
    list_models,
    load_detector,
    model_folders,
)
from persona_lab.detectors.store import (
    FORMAT_VERSION,
    fingerprint,
    open_folder,
    read_config,
    write_config,
)
from persona_lab.errors import ModelError
from persona_lab.profile import Profile

MakeModel = Callable[..., Path]
TEXT = "We planned the party, and I was calm, kind and alone. " * 4


@pytest.fixture
def model(toy_model: Path, tmp_path: Path) -> Path:
    """A copy of the toy model that may be broken."""
    return Path(shutil.copytree(toy_model, tmp_path / "toy"))


def change(model: Path, **facts: object) -> None:
    """Edit the config by hand, as nobody should."""
    file = model / "config.json"
    config = json.loads(file.read_text()) | facts
    file.write_text(json.dumps(config))


def test_a_model_scores_the_same_after_a_round_trip(model: Path, tmp_path: Path) -> None:
    first = open_folder(model)
    again = tmp_path / "again"
    again.mkdir()
    first.components[0].save(again)
    write_config(
        again,
        name="toy",
        version="1.2",
        components={"lexical": "."},
        calibration=first.calibration,
    )
    second = open_folder(again)
    assert second.info == first.info
    assert (first.info.name, first.info.version) == ("toy", "1.2")
    for framework in ("bigfive", "mbti"):
        one, other = (
            first.profile(TEXT, framework=framework),
            second.profile(TEXT, framework=framework),
        )
        assert isinstance(one, Profile)
        assert one.to_row() == other.to_row()
        assert one.traits != {} and one.model.sha256 == read_config(model)["sha256"]


def test_extra_facts_are_kept(model: Path) -> None:
    config = read_config(model)
    assert config["frameworks"] == ["bigfive", "mbti"]
    assert config["format_version"] == FORMAT_VERSION


def test_the_fingerprint_covers_weights_and_calibration(model: Path) -> None:
    config = read_config(model)
    assert fingerprint(model, config) == config["sha256"]
    louder = {**config, "calibration": config["calibration"] | {"intercept": [1.0] * 9}}
    assert fingerprint(model, louder) != config["sha256"]
    other_name = {**config, "name": "other", "summary": "x"}
    assert fingerprint(model, other_name) == config["sha256"]
    words = (model / "vocabulary.json").read_text()
    (model / "vocabulary.json").write_text(words.replace("party", "soirée"))
    assert fingerprint(model, config) != config["sha256"]


def test_a_component_may_lie_in_a_folder_beside(model: Path) -> None:
    blend = model.parent / "blend"
    write_config(
        blend,
        name="blend",
        version="2",
        components={"lexical": "../toy"},
        calibration=open_folder(model).calibration,
    )
    profile = open_folder(blend).profile(TEXT)
    assert isinstance(profile, Profile) and profile.model.name == "blend"


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"not a model folder.*'persona-lab models list'"):
        open_folder(tmp_path / "nothing")
    with pytest.raises(ModelError, match=r"has no config\.json"):
        open_folder(tmp_path)


@pytest.mark.parametrize("config", ["", "{", "[]", "null", '{"name": "x"}', "\x00\x01"])
def test_a_damaged_config(model: Path, config: str) -> None:
    (model / "config.json").write_text(config)
    with pytest.raises(ModelError, match=r"config\.json is damaged.*export or train"):
        open_folder(model)


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, "2", None])
def test_a_newer_model_asks_for_an_upgrade(model: Path, version: object) -> None:
    change(model, format_version=version)
    with pytest.raises(ModelError, match=r"model format .*pip install -U persona-lab"):
        open_folder(model)


@pytest.mark.parametrize(
    "facts",
    [
        {"components": ["lexical"]},
        {"components": {"lexical": 3}},
        {"calibration": {}},
        {"calibration": None},
    ],
)
def test_a_config_of_the_wrong_shape(model: Path, facts: dict[str, object]) -> None:
    change(model, **facts)
    with pytest.raises(ModelError, match="damaged or incomplete"):
        open_folder(model)


def test_an_unknown_component(model: Path) -> None:
    change(model, components={"oracle": "."})
    with pytest.raises(ModelError, match=r"unknown component 'oracle'.*use lexical or pooled"):
        open_folder(model)


@pytest.mark.parametrize("name", ["lexical.npz", "vocabulary.json"])
@pytest.mark.parametrize("how", ["gone", "empty", "text", "cut", "flipped"])
def test_damaged_weights(model: Path, name: str, how: str) -> None:
    file = model / name
    content = file.read_bytes()
    if how == "gone":
        file.unlink()
    elif how == "flipped":
        third = len(content) // 3
        broken = bytes(255 - byte for byte in content[third : 2 * third])
        file.write_bytes(content[:third] + broken + content[2 * third :])
    else:
        file.write_bytes({"empty": b"", "text": b"hello", "cut": content[: len(content) // 2]}[how])
    with pytest.raises(ModelError, match=r"damaged or incomplete.*fetch, export or train it again"):
        open_folder(model)


def test_weights_are_never_unpickled(model: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("unpickled",))

    with np.load(model / "lexical.npz") as arrays:
        good = dict(arrays)
    np.savez(model / "lexical.npz", **good | {"bias": np.array([Trap()], dtype=object)})
    with pytest.raises(ModelError, match="damaged or incomplete"):
        open_folder(model)


def narrower(calibration: Calibration) -> Calibration:
    return replace(calibration, rows=calibration.rows[:-1])


def renamed(calibration: Calibration) -> Calibration:
    return replace(calibration, registers=("essay",))


def doubled(calibration: Calibration) -> Calibration:
    return replace(calibration, slope=np.vstack([calibration.slope] * 2))


@pytest.mark.parametrize("other", [narrower, renamed, doubled])
def test_parts_that_were_not_trained_together(
    tmp_path: Path,
    make_model: MakeModel,
    make_calibration: Callable[..., Calibration],
    other: Callable[[Calibration], Calibration],
) -> None:
    folder = make_model(tmp_path / "odd", calibration=other(make_calibration()))
    with pytest.raises(ModelError, match=r"lexical in .* does not fit its calibration; train"):
        open_folder(folder)


@pytest.fixture
def models(model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one model, named in the environment."""
    monkeypatch.setenv(MODELS_VARIABLE, str(model.parent))
    return model.parent


def test_models_are_found_by_name_framework_and_folder(models: Path) -> None:
    assert model_folders()[0] == models
    for name in ("toy", "default", "bigfive", "mbti", str(models / "toy")):
        assert find_model(name) == models / "toy", name
    assert load_detector("mbti").info.name == "toy"


def test_an_unknown_name_is_told_which_there_are(models: Path) -> None:
    with pytest.raises(ModelError, match=r"no model 'oracle'; models: .*toy"):
        find_model("oracle")


def test_a_folder_of_data_does_not_hide_a_model(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "bigfive").mkdir(parents=True)
    (tmp_path / "here" / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert find_model("bigfive") == models / "toy"
    # but whoever names a folder that is no model is told about that folder
    with pytest.raises(ModelError, match="mine is not a model folder"):
        load_detector("mine")


def test_a_broken_model_does_not_break_the_others(models: Path) -> None:
    shutil.copytree(models / "toy", models / "newer")
    change(models / "newer", format_version=FORMAT_VERSION + 1, default=True)
    entries = {entry.name: entry for entry in list_models()}
    assert entries["toy"].problem == "" and entries["toy"].default
    assert "pip install -U" in entries["newer"].problem and not entries["newer"].default
    assert load_detector("default").info.name == "toy"
    with pytest.raises(ModelError, match="pip install -U"):
        load_detector("newer")
