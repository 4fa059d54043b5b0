"""Find detectors by name or folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persona_lab.detectors.reader.detector import ReaderDetector
from persona_lab.detectors.screening import Options
from persona_lab.detectors.store import CONFIG, open_folder, read_config
from persona_lab.detectors.trained import TrainedDetector
from persona_lab.encoding.files import Device, Precision
from persona_lab.errors import ModelError
from persona_lab.profile import SELF_REPORT, SHOWN, Measure

if TYPE_CHECKING:
    from persona_lab.encoding import Encoder

LoadedDetector = TrainedDetector | ReaderDetector
"""What a model's folder opens as."""

DEFAULT = "default"
MODELS_VARIABLE = "PERSONA_LAB_MODELS"
"""Environment variable: a folder of models that is searched before the bundled ones."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that can be asked for by name.

    Attributes:
        name: of its folder.
        folder: where it lies.
        version: as in its config.
        frameworks: that it scores.
        default: is it the one to take where none is named?
        summary: one line about it.
        measure: which question it answers: ``shown`` or ``self-report``.
        problem: why its config cannot be read; empty for a good one.
    """

    name: str
    folder: Path
    version: str
    frameworks: tuple[str, ...]
    default: bool
    summary: str
    measure: Measure = SELF_REPORT
    problem: str = ""


def model_folders() -> list[Path]:
    """Folders that hold models: the user's, then the bundled ones."""
    package = Path(__file__).resolve().parent.parent
    named = os.environ.get(MODELS_VARIABLE)
    places = [Path(named)] if named else []
    # in an installed package the models lie inside it, in a checkout beside it
    return [
        place
        for place in (*places, package / "models", package.parent / "models")
        if place.is_dir()
    ]


def list_models() -> list[ModelEntry]:
    """All models that can be asked for by name; the first of a name wins.

    One that cannot be read is listed with its problem, so that it neither hides nor
    breaks the others.
    """
    found: dict[str, ModelEntry] = {}
    for place in model_folders():
        for folder in sorted(path.parent for path in place.glob(f"*/{CONFIG}")):
            problem, config = "", dict[str, Any]()
            try:
                config = read_config(folder)
            except ModelError as error:
                problem = str(error)
            found.setdefault(
                folder.name,
                ModelEntry(
                    name=folder.name,
                    folder=folder,
                    version=str(config.get("version", "")),
                    frameworks=tuple(config.get("frameworks", ())),
                    default=bool(config.get("default")),
                    summary=str(config.get("summary", "")),
                    measure=_measure(config),
                    problem=problem,
                ),
            )
    return list(found.values())


def find_model(name: str, measure: Measure | None = None) -> Path:
    """The folder of a model.

    Args:
        name: ``default``, ``bigfive`` or ``mbti`` (the best model for the framework), a
            bundled model's name, or a folder.
        measure: the question that it must answer; None takes any, and of the defaults of one
            folder of models the one for ``shown``.

    Raises:
        ModelError: there is none of this name, or it answers the other question.
    """
    path = Path(name)
    # a folder of data that happens to be called 'bigfive' does not hide the model
    if (path / CONFIG).is_file():
        return _checked(path, name, measure)
    entries = list_models()
    for entry in entries:
        if entry.name == name:
            return _checked(entry.folder, name, measure)
    defaults = [e for e in entries if e.default and (name == DEFAULT or name in e.frameworks)]
    fitting = [e for e in defaults if measure in (None, e.measure)]
    if fitting:
        nearest = [e for e in fitting if e.folder.parent == fitting[0].folder.parent]
        return min(nearest, key=lambda e: e.measure != SHOWN).folder
    if path.is_dir():
        return path
    known = ", ".join(entry.name for entry in entries) or "none are installed"
    raise ModelError(f"there is no model {name!r}; models: {known}; or give a model's folder")


def _checked(folder: Path, name: str, measure: Measure | None) -> Path:
    """The folder, if its model answers the question."""
    if measure is not None and (own := _measure(read_config(folder))) != measure:
        raise ModelError(
            f"the detector {name!r} answers the question {own!r}, and {measure!r} was asked; "
            "leave one of the two out ('persona-lab models list' shows which answers what)"
        )
    return folder


def _measure(config: Mapping[str, Any]) -> Measure:
    return SHOWN if config.get("measure") == SHOWN else SELF_REPORT


def load_detector(
    name: str = DEFAULT,
    *,
    measure: Measure | None = None,
    options: Options | None = None,
    device: Device = "auto",
    precision: Precision = "auto",
    threads: int | None = None,
) -> LoadedDetector:
    """Load a detector by name or folder.

    Args:
        name: see :func:`find_model`.
        measure: ``shown`` or ``self-report``, if it must be that one.
        options: masking and language check.
        device: where its encoder computes; a lexical detector has none.
        precision: which of the encoder's files to open.
        threads: of the encoder; see :meth:`persona_lab.encoding.Encoder.load`.

    Raises:
        ModelError: there is none, or it cannot be read; or CUDA was asked for and is
            not there.
    """

    def open_encoder(folder: Path) -> Encoder:
        from persona_lab.encoding import Encoder

        return Encoder.load(folder, device=device, precision=precision, threads=threads)

    return open_folder(find_model(name, measure), options=options, open_encoder=open_encoder)
