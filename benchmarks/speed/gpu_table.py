"""The page's part on GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from speed.figures import paired
from speed.markdown import Result, number, percent, ranged, table, tiny


def gpu_lines(result: Result | None) -> Iterator[str]:
    """Speed on a GPU, or that there was none."""
    yield "## GPU"
    yield ""
    if result is None or result.get("unmeasured"):
        reason = f" ({result['unmeasured']})" if result else ""
        yield (
            f"Not measured: no GPU could be had{reason}. On a machine with one: "
            "`pip install '.[train]'`, then `python benchmarks/gpu.py --out gpu.json` and "
            "`python benchmarks/table.py throughput.json growth.json gpu.json`."
        )
        yield ""
        return
    yield (
        f"{result['device']['name']}, {result['precision']}, torch {result['device']['torch']}, "
        f"ONNX Runtime {result['device']['onnxruntime']} ({result['device']['provider']}); "
        f"fastest matrix product {number(result['peak']['gops'])} x 10^9 operations a second."
    )
    yield ""
    if result["small"]:
        yield "**A smoke test with small models: it shows that the code runs, and no speed.**"
        yield ""
    for model in result["models"]:
        yield (
            f"**{model['name']}** ({model['weights']} weights, {number(model['parameters'])} "
            f"parameters), {number(model['segments'])} segments of up to {model['max_tokens']} "
            "tokens:"
        )
        yield ""
        yield from table(
            ("", "tokens/s", "x PyTorch eager", "of the peak", "scores differ by", "vectors by"),
            [_gpu_row(row, model["rows"][0]) for row in model["rows"]],
        )
    yield (
        "Ids go to the device and vectors come back within the time. Differences are the largest "
        "from PyTorch in float32: of the scores (0 to 1) of a random linear head (limit "
        f"{result['parity_limit']:g}), and of the vectors' elements (no limit)."
    )
    yield ""
    for row in result["training"]:
        yield (
            f"Fine-tuning as `persona-lab train --unfreeze {row['unfreeze']}` does it, "
            f"{row['name']}: {number(row['tokens_per_second'])} tokens/s"
            f"{', bfloat16' if row['bf16'] else ''}."
        )
        yield ""


def _gpu_row(row: Result, eager: Result) -> list[str]:
    if "unmeasured" in row:
        return [row["what"], f"not measured: {row['unmeasured']}", "", "", "", ""]
    parity = f"{tiny(row['scores_differ'])}{'' if row['parity'] else ' **above the limit**'}"
    ratio = ranged(paired(eager["seconds"], row["seconds"])) if "seconds" in eager else "-"
    return [
        row["what"], number(row["tokens_per_s"]), ratio,
        percent(row["peak_share"]), parity, tiny(row["vectors_differ"]),
    ]  # fmt: skip
