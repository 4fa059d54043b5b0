"""Accuracy of the bundled models on the research corpora, out of fold, as one table.

Run: PERSONA_LAB_DATA=/path/to/corpora python benchmarks/accuracy.py [--out docs/accuracy.md]

Each line names the figure that was aimed at. `--recorded` needs no corpora: it prints what
training measured out of fold, with calibration crossed as well, from the models' metrics.json.
 The bundled models were trained on these
corpora: texts that they have seen are judged by the ensemble member that has not. The
published-folds line trains anew on each fold.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona_lab.detectors.registry import find_model
from persona_lab.formats import read_dialogues
from persona_lab.training.evaluate import evaluate, group_folds, labelled, read_folds
from persona_lab.training.refit import cross_validate
from persona_lab.traits import FRAMEWORKS


@dataclass(frozen=True)
class Measure:
    """One line of the table."""

    name: str
    path: str
    framework: str
    metric: str
    target: str
    only: dict[str, set[str]] | None = None
    folds: str | None = None
    refit: int = 0
    forum_priors: bool = False


MEASURES = (
    Measure("Essays, out of fold", "essays/essays.csv", "bigfive", "accuracy", "61.0"),
    Measure(
        "Essays, published folds, trained anew",
        "essays/essays.csv",
        "bigfive",
        "accuracy",
        "61.0",
        folds="essays/folds.csv",
    ),
    Measure(
        "MBTI forum, masked, real priors",
        "kaggle_mbti/mbti_1.csv",
        "mbti",
        "macro_f1",
        "67",
        forum_priors=True,
    ),
    Measure("MBTI forum, masked, as sampled", "kaggle_mbti/mbti_1.csv", "mbti", "macro_f1", ""),
    Measure(
        "FriendsPersona, by scene",
        "friends_persona/friends-personality.csv",
        "bigfive",
        "accuracy",
        "60",
    ),
    Measure(
        "GPT-3.5 stories, runs 9-10 held out",
        "personallm/gpt-3.5-turbo-0613_stories.jsonl",
        "bigfive",
        "accuracy",
        "80",
        only={"run": {"9", "10"}},
    ),
    Measure(
        "GPT-3.5 stories, personas held out, trained anew",
        "personallm/gpt-3.5-turbo-0613_stories.jsonl",
        "bigfive",
        "accuracy",
        "",
        refit=8,
    ),
    Measure("Persona statements", "persona_statements", "bigfive", "accuracy", "95"),
    Measure("Vlogs, median split", "youtube_personality", "bigfive", "accuracy", ""),
)


def run(measure: Measure, data: Path, detector: str) -> dict[str, Any]:
    framework = FRAMEWORKS[measure.framework]
    folder = find_model(detector)
    examples, _ = labelled(read_dialogues(data / measure.path), framework, only=measure.only)
    if measure.folds or measure.refit:
        plan = (
            read_folds(data / measure.folds, examples, framework)
            if measure.folds
            else group_folds(examples, framework, measure.refit)
        )
        return cross_validate(folder, examples, framework, plan)
    return evaluate(folder, examples, framework, forum_priors=measure.forum_priors)


RECORDED = (
    ("Essays, accuracy", "essay", "bigfive", "accuracy", "61.0"),
    ("MBTI forum, masked, real priors, macro-F1", "forum", "mbti", "macro_f1", "67"),
    ("FriendsPersona scenes, accuracy", "scene", "bigfive", "accuracy", "60"),
    ("GPT-3.5 stories, runs held out, accuracy", "story", "bigfive", "accuracy", "80"),
    ("Persona statements, accuracy", "statement", "bigfive", "accuracy", "95"),
    ("Vlogs, median split, accuracy", "vlog", "bigfive", "accuracy", ""),
)


def recorded(detectors: list[str]) -> list[str]:
    metrics = [json.loads((find_model(d) / "metrics.json").read_text()) for d in detectors]
    lines = [
        f"| measure | n | aimed at | majority | {' | '.join(detectors)} | ECE of {detectors[-1]} |",
        "|" + " --- |" * (len(detectors) + 5),
    ]
    for name, register, framework, metric, target in RECORDED:
        means = [m["validation"][register][framework]["mean"] for m in metrics]
        cells = " | ".join(
            f"{100 * mean[metric]['value']:.1f} "
            f"[{100 * mean[metric]['low']:.1f}, {100 * mean[metric]['high']:.1f}]"
            for mean in means
        )
        last = means[-1]
        lines.append(
            f"| {name} | {last['n']} | {target} | {100 * last['majority']:.1f} | {cells} "
            f"| {last['ece']['value']:.3f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", default="lexical,pooled,blend")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--match", default="", help="only measures whose name holds this")
    parser.add_argument("--recorded", action="store_true", help="print metrics.json, run nothing")
    arguments = parser.parse_args()
    data = Path(os.environ.get("PERSONA_LAB_DATA", "../shared/data"))
    detectors = arguments.detectors.split(",")
    if arguments.recorded:
        print("\n".join(recorded(detectors)))
        return
    lines = [
        "| measure | n | aimed at | majority | "
        + " | ".join(detectors)
        + " | traits of the last |",
        "|" + " --- |" * (len(detectors) + 5),
    ]
    for measure in MEASURES:
        if arguments.match not in measure.name:
            continue
        cells, last = [], {}
        for detector in detectors:
            last = run(measure, data, detector)
            m = last["mean"][measure.metric]
            cells.append(f"{100 * m['value']:.1f} [{100 * m['low']:.1f}, {100 * m['high']:.1f}]")
        traits = ", ".join(
            f"{key} {100 * m[measure.metric]['value']:.1f}" for key, m in last["traits"].items()
        )
        majority = f"{100 * last['mean']['majority']:.1f}"
        label = f"{measure.name}, {measure.metric.replace('_', '-')} %"
        lines.append(
            f"| {label} | {last['n']} | {measure.target} | {majority} | "
            + " | ".join(cells)
            + f" | {traits} |"
        )
        print(lines[-1], flush=True)
    if arguments.out:
        arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
