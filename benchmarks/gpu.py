"""Speed on a GPU: ONNX Runtime against PyTorch on the same batches, and fine-tuning.

Run: python benchmarks/gpu.py [--out FILE.json]
     python benchmarks/gpu.py --device cpu --small     # the same code without a GPU

A RoBERTa-base-sized encoder (random weights: they do not change the speed) and the bundled
encoder, each as half-precision ONNX with I/O binding on the CUDA provider, and in PyTorch,
eager and compiled. Ids go to the device and vectors come back within the time.

Parity: a linear head with random weights turns each vector into five scores of 0 to 1; no
score may be further than 2e-3 from the one that PyTorch in float32 gives. The head is told
the size of the float32 vectors, so that its logits are of size 1, where scores change most.
Beside that stands the largest difference of any element of the vectors, for which there is
no limit: what it means depends on how large the elements are.

Where there is no GPU it says so, writes the reason, and ends well.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from speed.batches import grouped
from speed.encoders import (
    Array,
    Encode,
    Ids,
    bundled_model,
    onnx_encode,
    random_model,
    torch_encode,
    write_graph,
)
from speed.figures import alternate, sigmoid, spread
from speed.fine_tuning import fine_tuning
from speed.gpu_table import gpu_lines
from speed.graphs import bundled_layers
from speed.machine import machine
from speed.output import tell, write_json
from speed.peaks import matrix_peak
from speed.shapes import MINILM, ROBERTA, TINY, Shape
from speed.texts import mixed_lengths

_PARITY = 2e-3
_SCORES = 5
_FIRST_ID = 10
"""Ids below may mean padding or another special token."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        segments: sequences of token ids.
        max_tokens: the longest.
        batch_tokens: in a batch, padding included.
        repeats: alternating.
        texts: to fine-tune on.
        words: of each.
        peak: side of the square matrices whose product is the peak.
        seed: of everything.
    """

    segments: int = 4096
    max_tokens: int = 128
    batch_tokens: int = 16_384
    repeats: int = 7
    texts: int = 1000
    words: int = 500
    peak: int = 8192
    seed: int = 0


SMALL = Plan(segments=24, batch_tokens=512, repeats=2, texts=40, words=60, peak=256)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how it is measured.

    Attributes:
        device: ``cuda`` or ``cpu``.
        precision: ``fp16`` or ``fp32``.
        plan: how much.
        peak: 10^9 operations a second of the device's fastest matrix product.
    """

    device: str
    precision: str
    plan: Plan
    peak: float


Batch = tuple[Ids, Ids]
"""Token ids and mask."""


def no_gpu() -> str | None:
    """Why this cannot be measured on a GPU here, or None."""
    from persona_lab.encoding.device import cuda_device_present

    if not cuda_device_present():
        return "no CUDA device was found"
    if find_spec("torch") is None:
        return "torch is missing: pip install 'persona-lab[train]'"
    import torch

    if not torch.cuda.is_available():
        return f"there is a CUDA device, but torch {torch.__version__} cannot use it"
    return None


def batches_of(plan: Plan, vocabulary: int, pad: int) -> tuple[list[int], list[Batch]]:
    """Lengths of the segments, and ids and masks of the batches: the same for everybody."""
    dice = np.random.default_rng(plan.seed)
    lengths = mixed_lengths(plan.segments, 8, plan.max_tokens, plan.seed)
    batches = []
    for places in grouped(lengths, tokens=plan.batch_tokens):
        sizes = np.array([lengths[i] for i in places])
        mask = (np.arange(sizes.max()) < sizes[:, None]).astype(np.int64)
        ids = dice.integers(_FIRST_ID, vocabulary, mask.shape)
        batches.append((np.where(mask == 1, ids, pad), mask))
    return lengths, batches


def measure_model(
    shape: Shape, model: Any, layers: Sequence[int], setting: Setting
) -> dict[str, Any]:
    """All ways to run one encoder.

    Args:
        shape: of the encoder.
        model: its weights, a RobertaModel.
        layers: whose vectors are wanted.
        setting: where and how.
    """
    plan, device, precision = setting.plan, setting.device, setting.precision
    lengths, batches = batches_of(plan, shape.vocabulary, model.config.pad_token_id)
    exact = everything(torch_encode(model, layers, device, "fp32"), batches)
    ways: dict[str, Callable[[], Encode]] = {
        "PyTorch, eager": lambda: torch_encode(model, layers, device, precision),
        "PyTorch, compiled": lambda: torch_encode(model, layers, device, precision, compiled=True),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "encoder.onnx"
        write_graph(model, layers, file, plan.max_tokens, precision)
        ways["ONNX Runtime, I/O binding"] = lambda: onnx_encode(file, device)
        rows, ready = open_ways(ways, batches, exact)
        times = alternate(ready, lambda way: seconds_of(ready[way], batches), plan.repeats)
    for row in rows:
        if row["what"] in times:
            seconds = times[row["what"]]
            median = spread(seconds)["median"]
            row |= {
                "seconds": seconds,
                "tokens_per_s": sum(lengths) / median,
                "peak_share": shape.operations(lengths) / median / (1e9 * setting.peak),
            }
    return {"parameters": model.num_parameters(), "layers": list(layers),
            "segments": len(lengths), "tokens": sum(lengths), "max_tokens": plan.max_tokens,
            "rows": rows}  # fmt: skip


def open_ways(
    ways: dict[str, Callable[[], Encode]], batches: Sequence[Batch], exact: Array
) -> tuple[list[dict[str, Any]], dict[str, Encode]]:
    """Warm every way up and compare its vectors; what fails has its reason in its row."""
    rows: list[dict[str, Any]] = []
    ready: dict[str, Encode] = {}
    for what, start in ways.items():
        tell(f"  {what}")
        try:
            encode = start()
            vectors = everything(encode, batches)
        except Exception as error:  # compilers and providers raise all kinds
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            rows.append({"what": what, "unmeasured": first[:200]})
            continue
        ready[what] = encode
        change = float(np.abs(scores_of(vectors, exact) - scores_of(exact, exact)).max())
        rows.append({"what": what, "scores_differ": change, "parity": change <= _PARITY,
                     "vectors_differ": float(np.abs(vectors - exact).max())})  # fmt: skip
    return rows, ready


def scores_of(vectors: Array, exact: Array) -> Array:
    """Scores (0 to 1) of a random linear head whose logits are of size 1.

    Vectors are scaled as the exact ones need, and not centred: vectors of random tokens are
    alike, and what is left of them without their mean is rounding errors written large.
    """
    dice = np.random.default_rng(0)
    head = dice.standard_normal((exact.shape[1], _SCORES)) / np.sqrt(exact.shape[1])
    return sigmoid(np.asarray(vectors / np.sqrt(np.square(exact).mean()) @ head, np.float32))


def everything(encode: Encode, batches: Sequence[Batch]) -> Array:
    """The vectors of all batches in a row."""
    return np.concatenate([encode(ids, mask) for ids, mask in batches])


def seconds_of(encode: Encode, batches: Sequence[Batch]) -> float:
    """How long all batches take, vectors back in main memory."""
    start = time.perf_counter()
    everything(encode, batches)
    return time.perf_counter() - start


def benchmark(setting: Setting, *, small: bool) -> dict[str, Any]:
    """Both encoders and fine-tuning."""
    import onnxruntime
    import torch

    plan, cuda = setting.plan, setting.device == "cuda"
    shape = TINY if small else ROBERTA
    tell(shape.name)
    sized = measure_model(shape, random_model(shape, plan.seed), [shape.depth], setting)
    tell("bundled encoder")
    model, weights = bundled_model(plan.seed)
    bundled = measure_model(MINILM, model, bundled_layers(), setting)
    tell("fine-tuning")
    training = fine_tuning(
        shape, texts=plan.texts, words=plan.words, max_tokens=plan.max_tokens, seed=plan.seed
    )
    return {
        "benchmark": "gpu",
        "machine": machine(),
        "device": {"name": torch.cuda.get_device_name() if cuda else "CPU",
                   "torch": torch.__version__, "cuda": torch.version.cuda,
                   "onnxruntime": onnxruntime.__version__, "provider": "CUDA" if cuda else "CPU"},
        "precision": setting.precision,
        "small": small,
        "settings": asdict(plan),
        "parity_limit": _PARITY,
        "peak": {"gops": setting.peak},
        "models": [{"name": shape.name, "weights": "random", **sized},
                   {"name": "bundled encoder", "weights": weights, **bundled}],
        "training": training,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="write the result there as JSON")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--precision", choices=("fp16", "fp32"),
                        help="fp16 on a GPU, fp32 on a CPU if left out")  # fmt: skip
    parser.add_argument("--small", action="store_true", help="tiny models: does the code run?")
    parser.add_argument("--repeats", type=int, help=f"{Plan().repeats} if left out")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before anything looks for one
    reason = no_gpu() if given.device == "cuda" else None
    if reason is not None:
        tell(f"not measured: {reason}; '--device cpu --small' tries the code without a GPU")
        result: dict[str, Any] = {"benchmark": "gpu", "machine": machine(), "unmeasured": reason}
    else:
        plan = SMALL if given.small else Plan()
        plan = replace(plan, seed=given.seed, repeats=given.repeats or plan.repeats)
        precision = given.precision or ("fp16" if given.device == "cuda" else "fp32")
        tell("peak of matrix products")
        peak = matrix_peak(plan.peak, given.device, precision)
        result = benchmark(Setting(given.device, precision, plan, peak), small=given.small)
    if given.out:
        write_json(given.out, result)
    print("\n".join(gpu_lines(result)))


if __name__ == "__main__":
    main()
