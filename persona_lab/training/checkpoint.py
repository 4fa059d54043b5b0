"""Checkpoints of fine-tuning: a killed run goes on and ends as if it had not been."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_lab.errors import TrainingError

if TYPE_CHECKING:
    import torch


def digest(parts: Iterable[Any]) -> str:
    """A hash of values and arrays."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return found.hexdigest()[:32]


class Checkpoint:
    """The state after an epoch. ``checkpoint.json`` is written last and makes it count."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        """Name the place.

        Args:
            folder: made when the first checkpoint is written.
            identity: JSON types; a checkpoint with another one is refused.
        """
        self._folder, self._identity = folder, json.loads(json.dumps(identity))
        self._file = folder / "checkpoint.json"

    def load(self) -> dict[str, Any] | None:
        """The facts of the last whole epoch; None where there is no checkpoint.

        Raises:
            TrainingError: the checkpoint belongs to another run or cannot be read.
        """
        if not self._file.is_file():
            return None
        advice = f"delete the folder {self._folder} to start anew, or name another one"
        try:
            found = json.loads(self._file.read_text("utf-8"))
            facts, identity = dict(found["facts"]), dict(found["identity"])
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"{self._file} cannot be read: {advice}") from error
        other = [key for key, value in self._identity.items() if identity.get(key) != value]
        if other:
            raise TrainingError(
                f"{self._file} belongs to a run with other {' and '.join(other)}: {advice}"
            )
        return facts

    def save(
        self,
        epoch: int,
        best: int,
        tensors: Mapping[str, torch.Tensor],
        optimizer: Mapping[str, Any],
        facts: Mapping[str, Any],
    ) -> None:
        """Write the state after an epoch; weights of the best epoch stay, others go.

        A run that is killed in here goes on from the checkpoint before.
        """
        import torch
        from safetensors.torch import save_file

        self._folder.mkdir(parents=True, exist_ok=True)
        copies = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
        save_file(copies, self._weights(epoch))
        torch.save(dict(optimizer), self._optimizer(epoch))
        partial = self._file.with_suffix(".partial")
        content = {"identity": self._identity, "facts": facts}
        partial.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
        partial.replace(self._file)
        keep = {self._weights(epoch), self._weights(best), self._optimizer(epoch)}
        for file in (*self._folder.glob("weights-*"), *self._folder.glob("optimizer-*")):
            if file not in keep:
                file.unlink()

    def weights(self, epoch: int) -> dict[str, torch.Tensor]:
        """The weights after an epoch: the last or the best."""
        from safetensors.torch import load_file

        return load_file(self._weights(epoch))

    def optimizer(self, epoch: int) -> dict[str, Any]:
        """The optimiser's state after the last epoch."""
        import torch

        state: dict[str, Any] = torch.load(
            self._optimizer(epoch), map_location="cpu", weights_only=True
        )
        return state

    def _weights(self, epoch: int) -> Path:
        return self._folder / f"weights-{epoch}.safetensors"

    def _optimizer(self, epoch: int) -> Path:
        return self._folder / f"optimizer-{epoch}.pt"
