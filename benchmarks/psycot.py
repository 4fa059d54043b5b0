r"""PsyCoT's variants and the two baselines on one language model, on the same texts.

    python benchmarks/psycot.py --llm openai:http://127.0.0.1:8080/v1 \
        --essays 60 --users 40 --cassette replies.sqlite

Every text is asked about by all variants before the next one, so that a server with a
prefix cache reads it once. What was measured is added to ``--results``: a run that was
stopped goes on with what is missing there, and without ``--llm`` the tables are printed.
The corpora are read from PERSONA_LAB_DATA.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from persona_lab.detectors.base import Result
from persona_lab.detectors.psycot import VARIANTS, PsyCotDetector, Settings
from persona_lab.errors import PersonaLabError
from persona_lab.formats import read_dialogues
from persona_lab.llm import open_chat_model
from persona_lab.llm.client import Client
from persona_lab.profile import Profile, Unscored
from persona_lab.training.corpora import Example
from persona_lab.training.evaluate import label_matrix, labelled, request_of
from persona_lab.training.evaluate_llm import psycot_metrics
from persona_lab.traits import FRAMEWORKS, Framework

Floats = NDArray[np.float64]

RESULTS = Path(__file__).parent / "results" / "psycot.jsonl"
"""What was measured: scores, item ratings, conduct and cost by text; nothing of the texts."""

_RATED = ("rating", "sd", "position")

CORPORA = {"bigfive": "essays/essays.csv", "mbti": "kaggle_mbti/mbti_1.csv"}


def sample(framework: Framework, n: int, seed: int) -> list[Example]:
    """Texts at random, always the same for a seed; more of them begin with the same ones."""
    data = Path(os.environ.get("PERSONA_LAB_DATA", "../shared/data"))
    examples, _ = labelled(list(read_dialogues(str(data / CORPORA[framework.name]))), framework)
    order = np.random.default_rng(seed).permutation(len(examples))
    return [examples[i] for i in order[:n]]


def ask_all(
    client: Client,
    tasks: list[tuple[Framework, Example]],
    variants: Sequence[str],
    concurrency: int,
    results: Path,
) -> None:
    """Ask what there are no results of, text by text."""
    from persona_lab.llm.flows import run_flows

    known = {(row["framework"], row["id"], row["variant"]) for row in read_results(results)}

    def missing(task: tuple[Framework, Example]) -> list[str]:
        return [v for v in variants if (task[0].name, key_of(task[1]), v) not in known]

    def work(task: tuple[Framework, Example]) -> list[dict[str, Any]]:
        return [ask_once(client, *task, variant) for variant in missing(task)]

    todo = [task for task in tasks if missing(task)]

    for done, found in run_flows(todo, work, concurrency=concurrency, client=client):
        if isinstance(found, PersonaLabError):
            raise found
        lost = {row["row"]["code"] for row in found if row["row"]["status"] == "unscored"}
        if lost - {"no_answer"}:
            print(f"a text was left out, run again: {', '.join(sorted(lost))}", file=sys.stderr)
            continue
        with results.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in found)
        print(f"{done + 1}/{len(todo)} texts; {client.usage.summary()}", file=sys.stderr)


def ask_once(
    client: Client, framework: Framework, example: Example, variant: str
) -> dict[str, Any]:
    """One text by one variant: scores, ratings, conduct and cost, and nothing of the text."""
    counted = CountingModel(client)
    asked = PsyCotDetector(counted, Settings(variant=variant, concurrency=1))  # type: ignore[arg-type]
    (result,) = asked.ask(request_of(example), [framework])
    row = result.to_row(explain=True)
    items: dict[str, dict[str, list[float | None]]] = {}
    for one in row.pop("items", ()):
        items.setdefault(one["trait"], {})[one["item"]] = [one[name] for name in _RATED]
    return {
        "framework": framework.name,
        "id": key_of(example),
        "variant": variant,
        "row": row | {"id": key_of(example), "speaker": "", "warnings": []},
        "items": items,
        "conduct": asked.report.to_json(),
        "usage": counted.usage(),
    }


def key_of(example: Example) -> str:
    """An id that says nothing about the text."""
    return hashlib.sha256(request_of(example).text.encode()).hexdigest()[:16]


def read_results(path: Path) -> list[dict[str, Any]]:
    """What was measured before."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def measure(
    rows: list[dict[str, Any]], framework: Framework, examples: list[Example]
) -> dict[str, Any]:
    """Each variant's metrics and usage over the texts that it has results of, two at least."""
    by_text = {
        (row["id"], row["variant"]): row for row in rows if row["framework"] == framework.name
    }
    found: dict[str, Any] = {}
    for variant in VARIANTS:
        done = [example for example in examples if (key_of(example), variant) in by_text]
        if len(done) < 2:
            continue
        own = [by_text[key_of(example), variant] for example in done]
        found[variant] = psycot_metrics(
            [result_of(row) for row in own], conduct_of(own), done, framework
        )
        found[variant]["usage"] = {k: sum(r["usage"][k] for r in own) for k in own[0]["usage"]}
        found[variant]["scores"] = {row["id"]: scores_of(row, framework) for row in own}
        found[variant]["labels"] = {
            row["id"]: truth for row, truth in zip(own, label_matrix(done, framework), strict=True)
        }
    return found


def scores_of(row: dict[str, Any], framework: Framework) -> list[float]:
    """Scores of a text, NaN for traits without one."""
    traits = row["row"]["traits"]
    return [traits[key]["p_high"] if key in traits else np.nan for key in framework.keys]


def figures(p: Floats, labels: Floats) -> Floats:
    """Accuracy, macro-F1 and AUC, means over traits.

    As of ``persona_lab.training.metrics.point_metrics``, but of all traits at once: a bootstrap
    asks for them thousands of times.

    Args:
        p: ``(n, n_traits)`` scores; a trait without one is a miss, and neither pole in the AUC.
        labels: ``(n, n_traits)`` 1 or 0.
    """
    yes, high = labels == 1, p >= 0.5
    met = np.where(np.isnan(p), False, yes == high)
    missed, hits = (~met).sum(0), [(met & pole).sum(0) for pole in (yes, ~yes)]
    f1 = [2 * n / np.maximum(2 * n + missed, 1) for n in hits]
    ranks, n_yes = rankdata(np.where(np.isnan(p), 0.5, p), axis=0), yes.sum(0)
    pairs = n_yes * (len(p) - n_yes)
    above = (ranks * yes).sum(0) - n_yes * (n_yes + 1) / 2
    auc = above[pairs > 0] / pairs[pairs > 0]
    return np.array([met.mean(), np.mean(f1), auc.mean() if len(auc) else np.nan])


def against_psycot(rows: dict[str, Any], variant: str) -> list[str]:
    """Cells of a row: differences on the texts of both, 95 % bootstrap intervals over texts."""
    ours, theirs = rows[variant]["scores"], rows["psycot"]["scores"]
    texts = [text for text in ours if text in theirs]
    labels = np.array([rows["psycot"]["labels"][text] for text in texts])
    p, q = (np.array([scores[text] for text in texts]) for scores in (ours, theirs))
    rng = np.random.default_rng(0)
    draws = [figures(p[i], labels[i]) - figures(q[i], labels[i])
             for i in rng.integers(len(texts), size=(2000, len(texts)))]  # fmt: skip
    low, high = np.nanquantile(draws, (0.025, 0.975), axis=0)
    differences = [
        f"{factor * gain:+.{digits}f} [{factor * a:+.{digits}f}, {factor * b:+.{digits}f}]"
        for gain, a, b, factor, digits in zip(
            figures(p, labels) - figures(q, labels), low, high, (100, 100, 1), (1, 1, 2),
            strict=True,
        )
    ]  # fmt: skip
    return [variant, str(len(texts)), *differences]


def result_of(row: dict[str, Any]) -> Result:
    """The result behind a row."""
    whole = row["row"]
    if whole["status"] == "unscored":
        framework = FRAMEWORKS[whole["framework"]]
        return Unscored(whole["id"], "", framework, whole["reason"], whole["code"])
    items = [
        {"trait": trait, "item": item, "statement": "", **dict(zip(_RATED, values, strict=True))}
        for trait, rated in row["items"].items()
        for item, values in rated.items()
    ]
    return Profile.from_row(whole | {"items": items})


def conduct_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts added up, rates by what they are rates of."""
    each = [row["conduct"] for row in rows]
    failures: Counter[str] = Counter()
    for one in each:
        failures.update(one["failures"])
    pairs = sum(one["pairs"] for one in each)
    summed = {
        k: sum(one[k] for one in each) for k in ("ratings", "choices", "repaired", "straight_lined")
    }
    rates = {
        k: sum(one["pairs"] * one[k] for one in each if one["pairs"]) / pairs if pairs else None
        for k in ("position_bias", "flip_rate")
    }
    return summed | rates | {"failures": dict(failures), "pairs": pairs}


def shown(conduct: dict[str, Any], name: str, form: str) -> str:
    """A rate for the table."""
    return "-" if conduct[name] is None else format(conduct[name], form)


class CountingModel:
    """Adds up what replies cost when they were made, although they are replayed now."""

    def __init__(self, model: Client) -> None:
        """Wrap a client."""
        self.model, self.name, self.context_length = model, model.name, model.context_length
        self.replies: list[Any] = []

    def reply(self, request: Any) -> Any:
        """As the client."""
        reply = self.model.reply(request)
        self.replies.append(reply)
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


def tables(framework: Framework, rows: dict[str, Any]) -> str:
    """Markdown: how right the variants are, how they differ from psycot, what they cost."""

    def cell(metric: dict[str, Any], factor: int, digits: int) -> str:
        if metric["value"] is None:
            return "-"
        value, low, high = (factor * metric[k] for k in ("value", "low", "high"))
        return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    right, cost = [], []
    of_psycot = tokens_of(rows["psycot"])
    for variant, found in rows.items():
        mean, usage, conduct = found["mean"], found["usage"], found["conduct"]
        n, rate = found["n"], partial(shown, conduct)
        correlations = [i["r"] for i in found["items"] if i["r"] is not None]
        right.append(
            [
                variant,
                str(n),
                cell(mean["accuracy"], 100, 1),
                cell(mean["macro_f1"], 100, 1),
                cell(mean["auc"], 1, 2),
                f"{np.mean(correlations):+.3f}" if correlations else "-",
            ]
        )
        cost.append(
            [
                variant,
                f"{usage['calls'] / n:.1f}",
                f"{usage['tokens_in'] / n:,.0f}",
                f"{usage['tokens_cached'] / usage['tokens_in']:.0%}",
                f"{usage['tokens_out'] / n:,.0f}",
                f"{tokens_of(found) / of_psycot:.0%}",
                f"{usage['seconds'] / n:,.0f}",
                f"{sum(conduct['failures'].values())}",
                f"{conduct['repaired']}",
                f"{conduct['straight_lined']}",
                rate("position_bias", "+.2f"),
                rate("flip_rate", ".0%"),
            ]
        )
    majority = 100 * rows["psycot"]["mean"]["majority"]
    apart = [against_psycot(rows, variant) for variant in rows if variant != "psycot"]
    return "\n\n".join(
        [
            f"### {framework.title}",
            f"Majority class: {majority:.1f} % accuracy.",
            markdown("variant, texts, accuracy %, macro-F1 %, AUC, item r", right),
            "Differences to `psycot` on the same texts:",
            markdown("variant, texts, accuracy (points), macro-F1 (points), AUC", apart),
            "Cost of a text, and conduct:",
            markdown(
                "variant, calls, tokens in, of them cached, tokens out, of psycot's, s, "
                "unread, repaired, straight, bias, flips",
                cost,
            ),
        ]
    )


def markdown(header: str, rows: Sequence[Sequence[str]]) -> str:
    """A table; the header's cells stand between commas."""
    names = header.split(", ")
    return "\n".join(f"| {' | '.join(row)} |" for row in [names, ["---"] * len(names), *rows])


def tokens_of(found: dict[str, Any]) -> float:
    """Tokens in and out, of a text."""
    return float(found["usage"]["tokens_in"] + found["usage"]["tokens_out"]) / found["n"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llm", help="left out: print the table of what was measured")
    parser.add_argument("--model")
    parser.add_argument("--cassette", type=Path)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--essays", type=int, default=60)
    parser.add_argument("--users", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=900.0)
    args = parser.parse_args()
    wanted = {"bigfive": args.essays, "mbti": args.users}
    samples = {name: sample(FRAMEWORKS[name], n, args.seed) for name, n in wanted.items()}
    if args.llm:
        # both corpora grow alike, so that a run that is stopped has some of each
        places = sorted(
            (i / len(samples[name]), name, i) for name in wanted for i in range(len(samples[name]))
        )
        tasks = [(FRAMEWORKS[name], samples[name][i]) for _, name, i in places]
        with open_chat_model(
            args.llm, model=args.model, cassette=args.cassette, timeout=args.timeout,
            concurrency=args.concurrency,
        ) as client:  # fmt: skip
            ask_all(client, tasks, args.variants, args.concurrency, args.results)
    rows = read_results(args.results)
    for name, examples in samples.items():
        found = measure(rows, FRAMEWORKS[name], examples)
        if "psycot" in found:
            print(tables(FRAMEWORKS[name], found), end="\n\n")


if __name__ == "__main__":
    main()
