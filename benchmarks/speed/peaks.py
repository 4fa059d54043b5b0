"""The fastest matrix products of a machine: what the encoders' speed is held against."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from persona_lab.encoding.device import available_cores
from speed.output import tell


def gemm_peaks(seconds: float = 0.4) -> dict[str, dict[str, Any]]:
    """The fastest matrix products of this machine, on all processors it may use.

    Args:
        seconds: spent on each size and library.

    Returns:
        By precision (``fp32``, ``bf16``, ``int8``): ``gops``, 10^9 operations a second of the
        best product, its ``size`` (rows, inner, columns) and its ``library``.
    """
    sizes = ((512, 384, 1536), (1024, 1024, 1024), (2048, 2048, 2048))
    found: dict[str, dict[str, Any]] = {}
    for m, k, n in sizes:
        for (precision, library), product in _products(m, k, n).items():
            try:
                rate = 2e-9 * m * k * n / _shortest(product, seconds)
            except RuntimeError as error:  # a type that this torch does not multiply here
                tell(f"  no {precision} product by {library}: {str(error).splitlines()[0]}")
                continue
            if rate > found.get(precision, {}).get("gops", 0.0):
                found[precision] = {"gops": rate, "size": [m, k, n], "library": library}
    return found


def _products(m: int, k: int, n: int) -> dict[tuple[str, str], Callable[[], Any]]:
    """By precision and library, what multiplies ``(m, k)`` with ``(k, n)``."""
    dice = np.random.default_rng(0)
    a, b = (dice.standard_normal(shape, dtype=np.float32) for shape in ((m, k), (k, n)))
    products: dict[tuple[str, str], Callable[[], Any]] = {
        ("fp32", "numpy"): partial(a.__matmul__, b)
    }
    with suppress(ImportError):
        products["int8", "onnxruntime"] = _integer_product(m, k, n)
    with suppress(ImportError):
        import torch

        left, right = torch.from_numpy(a), torch.from_numpy(b)
        products["fp32", "torch"] = partial(torch.mm, left, right)
        products["bf16", "torch"] = partial(torch.mm, left.bfloat16(), right.bfloat16())
        small = [torch.from_numpy(x).round().clamp(-9, 9).to(torch.int8) for x in (a, b)]
        products["int8", "torch"] = partial(torch._int_mm, *small)
    return products


def _integer_product(m: int, k: int, n: int) -> Callable[[], Any]:
    """A product of uint8 with constant int8, in ONNX Runtime on all processors."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    dice = np.random.default_rng(0)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [m, k])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [m, n])],
        [numpy_helper.from_array(dice.integers(-127, 127, (k, n)).astype(np.int8), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    x = dice.integers(0, 255, (m, k)).astype(np.uint8)
    return lambda: session.run(None, {"x": x})


def _shortest(call: Callable[[], Any], seconds: float) -> float:
    """The shortest time of a call among those that fit into some seconds."""
    call()
    best, end = math.inf, time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        call()
        best = min(best, time.perf_counter() - start)
    return best


def matrix_peak(side: int, device: str, precision: str) -> float:
    """10^9 operations a second of the fastest square product in torch, of three sizes."""
    import torch

    dtype = torch.float16 if precision == "fp16" else torch.float32
    best = 0.0
    for size in (side // 4, side // 2, side):
        x, y = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        for _ in range(8):
            start = time.perf_counter()
            for _ in range(4):
                x @ y
            if device == "cuda":
                torch.cuda.synchronize()
            best = max(best, 8e-9 * size**3 / (time.perf_counter() - start))
    return best
