"""One run of throughput.py: its contenders, each in a worker, over the same texts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speed.contenders import CONTENDERS
from speed.figures import alternate, percentile, spread
from speed.files import RunFiles
from speed.output import BenchmarkError, tell
from speed.peers import CUT_AT
from speed.texts import data_folder, documents, mixed_lengths, texts_of
from speed.worker import Worker

_SHORT_WORDS = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        texts: number of texts.
        longest: words of the longest.
        repeats: alternating repeats of the whole mix.
        cold: fresh processes for the cold start of each contender.
        commands: runs of each command from cold.
        taken_back: alternating repeats of what each choice bought.
        latencies: single short texts, in all.
        alone: texts that are scored alone, too.
        essays: with labels, where the corpora are there.
        peak_seconds: for each matrix product.
        seed: of the texts.
    """

    texts: int = 48
    longest: int = 700
    repeats: int = 5
    cold: int = 2
    commands: int = 3
    taken_back: int = 3
    latencies: int = 60
    alone: int = 12
    essays: int = 200
    peak_seconds: float = 0.25
    seed: int = 0


QUICK = Plan(
    texts=12, longest=300, repeats=1, cold=1, commands=1, taken_back=1, latencies=6, alone=4,
    essays=16, peak_seconds=0.05,
)  # fmt: skip


class Run:
    """The contenders of a run, and what was found about each so far.

    Attributes:
        rows: by contender; what could not be measured says why in ``unmeasured``.
        short: a text of 30 words.
    """

    def __init__(
        self, plan: Plan, names: Sequence[str], files: RunFiles, start: Callable[[str], Worker]
    ) -> None:
        """Write the texts; nothing is measured yet.

        Args:
            plan: how much.
            names: of contenders.
            files: of this run.
            start: starts the worker of a contender.
        """
        self._plan, self._start = plan, start
        self._names = list(names)
        self.rows: dict[str, dict[str, Any]] = {
            name: {"name": name, "what": CONTENDERS[name].what} for name in names
        }
        self._workers: dict[str, Worker] = {}
        self._scores: dict[str, NDArray[np.float64]] = {}
        self._source, found = documents(data_folder())
        sizes = mixed_lengths(plan.texts, 15, plan.longest, plan.seed)
        self._texts = list(texts_of(sizes, found, plan.seed))
        self.short = next(texts_of([_SHORT_WORDS], found, plan.seed + 1))
        files.write_texts(self._texts)

    def open(self, stack: ExitStack) -> None:
        """Cold starts, in alternating rounds; the last process of each contender stays open."""
        cold: dict[str, list[float]] = {name: [] for name in self._names}
        for left in reversed(range(self._plan.cold)):
            for name in list(self._names):
                worker = self._start(name)
                stack.callback(worker.close)
                try:
                    worker.ask("score", texts=[self.short])
                except BenchmarkError as error:
                    tell(f"  {name}: {error}")
                    self.rows[name]["unmeasured"] = str(error)
                    self._names.remove(name)
                    continue
                cold[name].append(time.perf_counter() - worker.started)
                self._workers[name] = worker
                if left:
                    worker.close()
        for name in self._names:
            self.rows[name]["cold_s"] = spread(cold[name])

    def measure(self, tokens: dict[str, Any], peaks: dict[str, Any]) -> None:
        """Throughput of the mix, latency of a short text, peak memory.

        Args:
            tokens: what the tool's ``tokens`` answers.
            peaks: what its ``peaks`` answers.
        """
        plan, workers = self._plan, self._workers
        for name in self._names:  # warms them up, too
            self._scores[name] = np.array(workers[name].ask("all"))
        times = alternate(self._names, lambda name: float(workers[name].ask("seconds")),
                          plan.repeats)  # fmt: skip
        short: dict[str, list[float]] = {name: [] for name in self._names}
        for _ in range(plan.repeats):
            for name in self._names:
                count = max(1, plan.latencies // plan.repeats)
                short[name] += workers[name].ask("latency", text=self.short, count=count)
        for name in self._names:
            contender, row = CONTENDERS[name], self.rows[name]
            median = spread(times[name])["median"]
            done = tokens["ours" if contender.ours else "peers"]
            row |= {
                "seconds": times[name],
                "texts_per_s": len(self._texts) / median,
                "tokens": done["tokens"],
                "tokens_per_s": done["tokens"] / median,
                "p50_ms": 1e3 * percentile(short[name], 0.5),
                "p95_ms": 1e3 * percentile(short[name], 0.95),
                "memory_mb": workers[name].ask("memory"),
            }
            peak = peaks.get(contender.precision or "")
            if peak:
                row["peak_share"] = done["operations"] / median / (1e9 * peak["gops"])

    def compare(self) -> None:
        """Scores of texts alone against those in company, and of contenders that are alike."""
        by_length = np.argsort([len(text) for text in self._texts], kind="stable")
        picks = np.linspace(0, len(by_length) - 1, self._plan.alone).astype(int)
        places = [int(by_length[i]) for i in picks]
        scores = self._scores
        for name in self._names:
            alone = np.array(self._workers[name].ask("alone", places=places))
            change = np.abs(alone - scores[name][places]).max()
            self.rows[name]["batch_mate_change"] = float(change)
            like = CONTENDERS[name].like
            if like in scores:
                own, other = scores[name], scores[like]
                self.rows[name]["differs"] = {
                    "from": like,
                    "max": float(np.abs(own - other).max()),
                    "mean": float(np.abs(own - other).mean()),
                    "same_half": float(np.mean((own >= 0.5) == (other >= 0.5))),
                }

    def mix(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """What the texts are."""
        words = [len(text.split()) for text in self._texts]
        return {
            "source": self._source,
            "seed": self._plan.seed,
            "texts": len(words),
            "words": {**spread(words), "mean": sum(words) / len(words)},
            "tokens": tokens["ours"]["tokens"],
            "tokens_read_by_peers": tokens["peers"]["tokens"],
            "peers_cut_at": CUT_AT,
        }


def cold_commands(files: RunFiles, count: int, short: str) -> list[dict[str, Any]]:
    """Seconds until ``persona-lab score`` has written its first result, and until it ended."""
    given, messages = files.folder / "short.txt", files.folder / "messages.txt"
    given.write_text(short + "\n", encoding="utf-8")
    rows = []
    for model in ("lexical", "pooled", "blend"):
        first, whole = [], []
        for _ in range(count):
            start = time.perf_counter()
            with (
                messages.open("wb") as errors,
                subprocess.Popen(
                    [sys.executable, "-m", "persona_lab", "score", str(given),
                     "--detector", model, "--json"],
                    stdout=subprocess.PIPE, stderr=errors,
                ) as process,
            ):  # fmt: skip
                assert process.stdout is not None
                line = process.stdout.readline()
                first.append(time.perf_counter() - start)
                process.stdout.read()
            whole.append(time.perf_counter() - start)
            if process.returncode or not line:
                raise BenchmarkError(messages.read_text(encoding="utf-8")[-500:])
        rows.append({"model": model, "first_s": spread(first), "whole_s": spread(whole)})
    return rows
