"""The contradiction model's folder: which files it holds, and where the bundled one lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from persona_lab.encoding.files import ENCODER_FILE, TOKENIZER_FILE
from persona_lab.errors import ModelError

FOLDER = "contradiction"
CONFIG = "contradiction.json"
"""Not ``config.json``, by which detectors of personality are found."""

HEAD_FILE = "head.npz"
KEYS_FILE = "training_pairs.npz"
"""Hashes of the pairs the model was trained or calibrated on."""

_FORMAT = 1


def find_folder() -> Path:
    """The bundled model's folder, or the user's where ``PERSONA_LAB_MODELS`` holds one.

    Raises:
        ModelError: there is none.
    """
    from persona_lab.detectors.registry import model_folders

    for place in model_folders():
        if (place / FOLDER / CONFIG).is_file():
            return place / FOLDER
    raise ModelError(
        "no contradiction model is installed; train one with 'persona-lab train-contradiction' "
        "and give its folder"
    )


def read_config(folder: Path) -> dict[str, Any]:
    """Read and check a model's config.

    Raises:
        ModelError: the folder is no model, damaged, or made by a newer version.
    """
    file = folder / CONFIG
    if not file.is_file():
        raise ModelError(f"{folder} is not a contradiction model: it has no {CONFIG}")
    try:
        config = dict(json.loads(file.read_text(encoding="utf-8")))
        version = int(config["format_version"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ModelError(f"{file} is damaged ({type(error).__name__}); fetch it again") from error
    if version > _FORMAT:
        raise ModelError(
            f"{folder} was written in format {version}, this persona-lab reads up to {_FORMAT}; "
            "upgrade it with 'pip install -U persona-lab'"
        )
    return config


def write_config(
    folder: Path,
    *,
    name: str,
    version: str,
    calibration: Mapping[str, float | bool],
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write the config; the model's other files must lie there already.

    Args:
        folder: the model's.
        name: of the model.
        version: of the model.
        calibration: fields of its ``PairCalibration``.
        more: further facts to keep, JSON types only.
    """
    digest = hashlib.sha256(json.dumps(dict(calibration), sort_keys=True).encode())
    for file in (ENCODER_FILE, TOKENIZER_FILE, HEAD_FILE):
        digest.update((folder / file).read_bytes())
    config = {
        "format_version": _FORMAT,
        "name": name,
        "version": version,
        "sha256": digest.hexdigest(),
        "calibration": dict(calibration),
        **(more or {}),
    }
    partial = folder / f"{CONFIG}.partial"
    partial.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    partial.replace(folder / CONFIG)
