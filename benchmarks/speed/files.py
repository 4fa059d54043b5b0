"""The files that the processes of one run of throughput.py share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from speed.output import BenchmarkError


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Where they lie.

    Attributes:
        folder: of the run, temporary.
        backbone: folder of the float weights, or None for a run that does without them.
    """

    folder: Path
    backbone: Path | None

    @property
    def weights(self) -> Path:
        """The folder of the float weights.

        Raises:
            BenchmarkError: this run does without them.
        """
        if self.backbone is None:
            raise BenchmarkError("this needs the float weights: see --backbone")
        return self.backbone

    @property
    def head(self) -> Path:
        """The peers' linear head."""
        return self.folder / "head.npz"

    @property
    def traced_fp32(self) -> Path:
        """The encoder and the head as torch traces them."""
        return self.folder / "traced-fp32.onnx"

    @property
    def traced_int8(self) -> Path:
        """The same, after ``quantize_dynamic`` with its defaults."""
        return self.folder / "traced-int8.onnx"

    @property
    def float_model(self) -> Path:
        """Folder of the bundled model with its encoder in float32."""
        return self.folder / "pooled-fp32"

    @property
    def float_graph(self) -> Path:
        """The encoder of :attr:`float_model`."""
        return self.float_model / "encoder-fp32.onnx"

    @property
    def long_graph(self) -> Path:
        """The bundled encoder's graph, int8, for segments as long as the peers' texts."""
        return self.folder / "long-int8.onnx"

    def write_texts(self, texts: Sequence[str]) -> None:
        """Keep the texts of the run for its workers."""
        self._texts.write_text("".join(json.dumps(text) + "\n" for text in texts), "utf-8")

    def read_texts(self) -> list[str]:
        """The texts of the run."""
        return [json.loads(line) for line in self._texts.read_text("utf-8").splitlines()]

    @property
    def _texts(self) -> Path:
        return self.folder / "texts.jsonl"
