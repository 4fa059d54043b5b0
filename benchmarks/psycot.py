r"""PsyCoT's variants and the two baselines on one language model, on the same texts.

    python benchmarks/psycot.py --llm openai:http://127.0.0.1:8080/v1 \
        --essays 60 --users 40 --cassette replies.sqlite

Every text is asked about by all variants before the next one, so that a server with a
prefix cache reads it once. Replies are kept in the cassette: a run that was stopped goes
on, and ``--offline`` prints the table of the texts that are complete. The corpora are read
from PERSONA_LAB_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from persona_lab.detectors.psycot import VARIANTS, PsyCotDetector, Settings
from persona_lab.errors import PersonaLabError
from persona_lab.formats import read_dialogues
from persona_lab.llm import open_chat_model
from persona_lab.llm.client import Client
from persona_lab.llm.errors import LLMError
from persona_lab.training.corpora import Example
from persona_lab.training.evaluate import labelled, request_of
from persona_lab.training.evaluate_llm import evaluate_psycot
from persona_lab.traits import FRAMEWORKS, Framework

CORPORA = {"bigfive": "essays/essays.csv", "mbti": "kaggle_mbti/mbti_1.csv"}


def sample(framework: Framework, n: int, seed: int) -> list[Example]:
    """Texts at random, always the same for a seed; more of them begin with the same ones."""
    data = Path(os.environ.get("PERSONA_LAB_DATA", "../shared/data"))
    examples, _ = labelled(list(read_dialogues(str(data / CORPORA[framework.name]))), framework)
    order = np.random.default_rng(seed).permutation(len(examples))
    return [examples[i] for i in order[:n]]


def detector(client: Client, variant: str, concurrency: int) -> PsyCotDetector:
    return PsyCotDetector(client, Settings(variant=variant, concurrency=concurrency))  # type: ignore[arg-type]


def ask_all(client: Client, tasks: list[tuple[Framework, Example]], concurrency: int) -> None:
    """Fill the cassette, text by text."""
    from persona_lab.llm.flows import run_flows

    def work(task: tuple[Framework, Example]) -> None:
        framework, example = task
        for variant in VARIANTS:
            detector(client, variant, 1).ask(request_of(example), [framework])

    for done, found in run_flows(tasks, work, concurrency=concurrency, client=client):
        if isinstance(found, PersonaLabError):
            raise found
        print(f"{done + 1}/{len(tasks)} texts; {client.usage.summary()}", file=sys.stderr)


def complete(spec: dict[str, Any], framework: Framework, examples: list[Example]) -> list[Example]:
    """The examples whose replies are all in the cassette."""
    found = []
    with open_chat_model(**spec) as client:
        for example in examples:
            try:
                for variant in VARIANTS:
                    detector(client, variant, 1).ask(request_of(example), [framework])
            except LLMError:
                continue
            found.append(example)
    return found


def measure(spec: dict[str, Any], framework: Framework, examples: list[Example]) -> dict[str, Any]:
    """Each variant's metrics and usage, from the cassette."""
    rows = {}
    for variant in VARIANTS:
        with open_chat_model(**spec) as client:
            counted = CountingModel(client)
            asked = detector(client, variant, 1)
            asked.model = counted  # type: ignore[assignment]
            rows[variant] = evaluate_psycot(asked, examples, framework) | {"usage": counted.usage()}
    return rows


class CountingModel:
    """Adds up what replies cost when they were made, although they are replayed now."""

    def __init__(self, model: Client) -> None:
        """Wrap a client."""
        self.model, self.name, self.context_length = model, model.name, model.context_length
        self.replies: list[Any] = []

    def reply(self, request: Any) -> Any:
        """As the client."""
        reply = self.model.reply(request)
        self.replies.append(replace(reply))
        return reply

    def close(self) -> None:
        """As the client."""
        self.model.close()

    def usage(self) -> dict[str, float]:
        """Sums over all replies."""
        return {
            "calls": len(self.replies),
            "tokens_in": sum(r.tokens_in for r in self.replies),
            "tokens_cached": sum(r.tokens_cached for r in self.replies),
            "tokens_out": sum(r.tokens_out for r in self.replies),
            "seconds": round(sum(r.seconds for r in self.replies), 1),
        }


def table(framework: Framework, rows: dict[str, Any], n: int) -> list[str]:
    """Markdown."""

    def cell(metric: dict[str, Any], factor: int, digits: int) -> str:
        value, low, high = (factor * metric[k] for k in ("value", "low", "high"))
        return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    lines = [
        f"### {framework.title}, {n} texts",
        "",
        "| variant | accuracy % | macro-F1 % | AUC | mean item r | calls | tokens in | of psycot "
        "| tokens out | s | unread | repaired | straight | bias | flips % |",
        "|" + " --- |" * 15,
    ]
    base = sum(rows["psycot"]["usage"][k] for k in ("tokens_in", "tokens_out"))
    for variant, found in rows.items():
        usage, conduct, mean = found["usage"], found["conduct"], found["mean"]
        correlations = [i["r"] for i in found["items"] if i["r"] is not None]
        lines.append(
            f"| {variant} | {cell(mean['accuracy'], 100, 1)} | {cell(mean['macro_f1'], 100, 1)} | "
            f"{cell(mean['auc'], 1, 2)} | "
            f"{f'{np.mean(correlations):+.3f}' if correlations else '-'} | "
            f"{usage['calls']:,} | {usage['tokens_in']:,} | "
            f"{100 * (usage['tokens_in'] + usage['tokens_out']) / base:.0f} % | "
            f"{usage['tokens_out']:,} | {usage['seconds']:,.0f} | "
            f"{sum(conduct['failures'].values())} | {conduct['repaired']} | "
            f"{conduct['straight_lined']} | {conduct['position_bias']:+.2f} | "
            f"{100 * conduct['flip_rate']:.0f} |"
        )
    majority = 100 * next(iter(rows.values()))["mean"]["majority"]
    return [*lines, "", f"Majority class: {majority:.1f} % accuracy.", ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llm", required=True)
    parser.add_argument("--model")
    parser.add_argument("--cassette", type=Path, required=True)
    parser.add_argument("--essays", type=int, default=60)
    parser.add_argument("--users", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=900.0)
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    spec = {
        "spec": args.llm,
        "model": args.model,
        "cassette": args.cassette,
        "timeout": args.timeout,
        "concurrency": args.concurrency,
    }
    wanted = {"bigfive": args.essays, "mbti": args.users}
    samples = {name: sample(FRAMEWORKS[name], n, args.seed) for name, n in wanted.items()}
    if not args.offline:
        # both corpora grow alike, so that a run that is stopped has some of each
        places = [
            (i / max(len(samples[name]), 1), name, i)
            for name in wanted
            for i in range(wanted[name])
        ]
        tasks = [(FRAMEWORKS[name], samples[name][i]) for _, name, i in sorted(places)]
        with open_chat_model(**spec) as client:
            ask_all(client, tasks, args.concurrency)
    report: dict[str, Any] = {}
    for name, examples in samples.items():
        offline = spec | {"offline": True}
        done = complete(offline, FRAMEWORKS[name], examples)
        if len(done) < 2:
            continue
        report[name] = measure(offline, FRAMEWORKS[name], done)
        print("\n".join(table(FRAMEWORKS[name], report[name], len(done))))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
