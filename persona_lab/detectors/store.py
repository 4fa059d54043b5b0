"""A model's folder: ``config.json`` and the files of its components.

``blend`` owns no weights: its config names the folders of its components beside it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from persona_lab.detectors.calibration import Calibration
from persona_lab.detectors.reading import Component
from persona_lab.detectors.screening import Options
from persona_lab.detectors.trained import TrainedDetector
from persona_lab.errors import ModelError
from persona_lab.profile import ModelInfo

if TYPE_CHECKING:
    from persona_lab.detectors.reader.detector import ReaderDetector
    from persona_lab.detectors.reader.rule import Rule
    from persona_lab.encoding import Encoder

    OpenEncoder = Callable[[Path], Encoder]

FORMAT_VERSION = 1
CONFIG = "config.json"
_DAMAGE = (ValueError, OSError, EOFError, BadZipFile, zlib.error)
"""What reading a damaged file can raise."""

READER = "reader"
"""Kind of the component that reads what is shown; it stands alone in its folder."""

SIGNS = "signs"
"""What turns of a character show, in a reader's config; plain ones where it is missing."""

_WEIGHTS = {
    READER: ("head.npz", "encoder.onnx", "tokenizer.json"),
    "lexical": ("lexical.npz", "vocabulary.json"),
    "pooled": ("head.npz", "encoder.onnx", "tokenizer.json"),
}


def read_config(folder: Path) -> dict[str, Any]:
    """Read and check a model's config.

    Raises:
        ModelError: the folder is missing, not a model, damaged, or made by a newer version.
    """
    file = folder / CONFIG
    if not folder.is_dir() or not file.is_file():
        raise ModelError(
            f"{folder} is not a model folder: it has no {CONFIG}; "
            "'persona-lab models list' shows the models there are"
        )
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        version = config["format_version"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ModelError(
            f"{file} is damaged ({type(error).__name__}); export or train the model again"
        ) from error
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ModelError(
            f"{folder} was written in model format {version}, this persona-lab reads up to "
            f"{FORMAT_VERSION}; upgrade it with 'pip install -U persona-lab'"
        )
    return dict(config)


def open_folder(
    folder: Path, *, options: Options | None = None, open_encoder: OpenEncoder | None = None
) -> TrainedDetector | ReaderDetector:
    """Open a model's folder as a detector.

    Args:
        folder: with ``config.json``.
        options: how to score.
        open_encoder: opens the encoder in a folder, if it shall compute elsewhere or
            otherwise than by default.

    Raises:
        ModelError: it cannot be read.
    """
    config = read_config(folder)
    try:
        info = ModelInfo(config["name"], config["version"], config["sha256"])
        if READER in config["components"]:
            return _open_reader(folder, config, info, options, open_encoder)
        components = [
            _component(kind, folder / where, open_encoder)
            for kind, where in config["components"].items()
        ]
        calibration = Calibration.from_json(config["calibration"])
    except ModelError:
        raise
    except (*_DAMAGE, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"the model in {folder} is damaged or incomplete ({type(error).__name__}); "
            "fetch, export or train it again"
        ) from error
    for kind, component in zip(config["components"], components, strict=True):
        theirs = (component.rows, component.registers, len(components))
        if theirs != (calibration.rows, calibration.registers, len(calibration.slope)):
            raise ModelError(
                f"the component {kind} in {folder} does not fit its calibration; "
                "train the parts together"
            )
    return TrainedDetector(info, components, calibration, options=options)


def write_config(
    folder: Path,
    *,
    name: str,
    version: str,
    components: Mapping[str, str],
    calibration: Calibration | Rule,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write ``config.json``; the components' files must lie there already.

    Args:
        folder: the model's.
        name: of the model.
        version: of the model.
        components: kind to folder, relative to this one (``{"lexical": "."}``).
        calibration: fitted for them in this order; a rule for a reader.
        more: further facts to keep, JSON types only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "version": version,
        "components": dict(components),
        "calibration": calibration.to_json(),
        **(more or {}),
    }
    config["sha256"] = fingerprint(folder, config)
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def fingerprint(folder: Path, config: Mapping[str, Any]) -> str:
    """Hash of all that decides a score: weights of the components and the calibration."""
    digest = hashlib.sha256()
    for kind, where in config["components"].items():
        for name in _WEIGHTS[kind]:
            digest.update(name.encode())
            digest.update((folder / where / name).read_bytes())
    digest.update(json.dumps(config["calibration"], sort_keys=True).encode())
    return digest.hexdigest()


def _open_reader(
    folder: Path,
    config: Mapping[str, Any],
    info: ModelInfo,
    options: Options | None,
    open_encoder: OpenEncoder | None,
) -> ReaderDetector:
    from persona_lab.detectors.reader.detector import ReaderDetector
    from persona_lab.detectors.reader.head import ReaderHead
    from persona_lab.detectors.reader.rule import Rule
    from persona_lab.detectors.reader.signs import Signs
    from persona_lab.encoding import Encoder

    rule, head = Rule.from_json(config["calibration"]), ReaderHead.load(folder)
    encoder = open_encoder(folder) if open_encoder else Encoder.load(folder)
    if head.weight.shape[1] != encoder.dim:
        raise ModelError(f"encoder and head in {folder} do not belong together; train it again")
    signs = Signs.from_json(config[SIGNS]) if SIGNS in config else None
    return ReaderDetector(info, encoder, head, rule, signs=signs, options=options)


def _component(kind: str, folder: Path, open_encoder: OpenEncoder | None) -> Component:
    if kind == "lexical":
        from persona_lab.detectors.lexical import Lexical

        return Lexical.load(folder)
    if kind == "pooled":
        from persona_lab.detectors.pooled import Pooled

        return Pooled.load(folder, open_encoder(folder) if open_encoder else None)
    raise ModelError(f"unknown component {kind!r} in {folder}; use lexical or pooled")
