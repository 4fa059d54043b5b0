"""The contradiction model's card, generated from ``metrics.json``: never typed by hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from persona_lab.consistency.contradiction import CLASSES
from persona_lab.consistency.nli_model import read_config

_INTRODUCTION = """\
Does one English text contradict another, above all: does a chatbot's turn contradict what it
said before? A cross-encoder: both texts go through one encoder together, a linear layer on the
mean of its last layer gives entailment, neutral and contradiction. For a whole dialogue the
last turn is paired with each earlier turn of its speaker and the largest contradiction counts
(the utterance-based approach of Nie et al. 2021).

The encoder is MiniLM-L6 (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0; 22 M parameters),
converted exactly into a RoBERTa-shaped model and fine-tuned; embeddings stayed as they were.
Its weights are rounded to int8.

This card is generated from `metrics.json`."""

_FIXED = """\
## Intended use

To find turns worth a look when a chatbot's consistency is studied, and to compare chatbots on
the same dialogues. Read what is found before calling it a contradiction.

## Known limits and biases

- English only; other languages are left unscored.
- A small model: it knows little of the world. It finds contradictions about likes, jobs, family,
  possessions and plain negations; it misses those that need arithmetic, dates, geography or
  several turns together.
- A turn is compared with one earlier turn at a time. A turn of up to 25 words is read with the
  end of what it answers ("Do you smoke? / Not since school."); contradictions of what the
  *other* speaker said do not count.
- Two events that are merely different ("I live in Norway", "I work in a bank") are called a
  contradiction too often. Among the turns of a whole talk the surest pair is often the right
  one, but hardly surer than that of a talk without a contradiction.
- Probabilities are calibrated for dialogues of which half hold a contradiction. Where
  contradictions are rare, expect most alarms near one half to be false; `consistency` uses a
  calibration of its own for the pairs of a natural talk, of which one in a hundred contradicts.
- A turn that denies or rejects something is taken for a contradiction more often than another,
  also where nothing it denies was said (see the check above).
- A change of mind, irony, and role-play within a role-play look like contradictions.
- In DECODE contradictions were written by people on purpose. Those that chatbots make by
  accident are of other kinds; figures on them may be lower.
- Pairs longer than 128 tokens lose the middle of the longer text (reported as `shortened`).

## Licence

Apache-2.0 for the files in this folder. The training corpora are not included; their licences
differ: MIT, Apache-2.0, CC BY-SA, **CC BY-NC-SA** (SICK and others: not for commercial use), and
several state none. Whether weights learnt from such text carry its terms is not settled;
if that matters to you, train the model anew on corpora of your choice with
`persona-lab train-contradiction`. Only 8-byte hashes of the training pairs are kept, to tell
when a test row was trained on."""


def write_card(folder: Path) -> str:
    """Write ``README.md`` of a model folder from its config and metrics.

    Returns:
        The card.
    """
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    config = read_config(folder)
    parts = [
        f"# {config['name']}",
        "",
        f"Version {config['version']}, language: English.",
        "",
        _INTRODUCTION,
        "",
        *_results(metrics["test"], metrics["pairs_per_second"]),
        *_negation(metrics["test"]["pairs"]["negation"]),
        *_calibration(metrics["calibration"], config["calibration"]),
        *_rounding(metrics["export"], metrics["int8_check"]),
        *_data(metrics["data"]),
        *_training(metrics),
        _FIXED,
    ]
    card = "\n".join(parts).rstrip() + "\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    return card


def _results(test: Mapping[str, Any], speed: int) -> list[str]:
    header = ("rows", "n", "majority %", "accuracy %", "balanced %", "AUC", "ECE")
    rows = [_row("**DECODE dialogues**", test["decode"])]
    rows += [
        _row(f"... with {name} earlier turn{'s' * (name != '1')}", found)
        for name, found in test["decode_by_history"].items()
        if found["n"]
    ]
    pairs = test["pairs"]
    rows.append(_row("**all test pairs**", pairs))
    sources = sorted(pairs["by_source"].items(), key=lambda item: -item[1]["n"])
    rows += [_row(name, found) for name, found in sources if found["n"] >= 100]
    three_way = [
        (name, found["n"], _percent(found["three_way_accuracy"]))
        for name, found in sources
        if found["n"] >= 100 and found["three_way_accuracy"] is not None
    ]
    return [
        "## Results on the test split",
        "",
        "Contradiction against the rest, at a threshold of 0.5, with 95 % bootstrap intervals. "
        "No pair of a test dialogue or with a test premise was trained or calibrated on; "
        "hypotheses (persona lines) may occur elsewhere.",
        "",
        *_table(header, rows),
        "",
        f"Speed when this was measured: {speed:,} pairs of chat turns a second.",
        "",
        "Accuracy over the three classes:",
        "",
        *_table(
            ("source", "n", "accuracy %"),
            [
                ("**all**", pairs["three_way"]["n"], _percent(pairs["three_way"]["accuracy"])),
                *three_way,
            ],
        ),
        "",
    ]


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        str(found["n"]),
        _percent(found["majority"]),
        _show(found["accuracy"], percent=True),
        _show(found["balanced_accuracy"], percent=True),
        _show(found["auc"], percent=False),
        _show(found["ece"], percent=False),
    )


def _negation(cells: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            label,
            cells[kind][label]["n"],
            kind,
            _percent(cells[kind][label]["accuracy"]),
            _percent(cells[kind][label]["called_contradiction"]),
        )
        for label in CLASSES
        for kind in ("negated", "plain")
        if label in cells[kind]
    ]
    return [
        "## Check for the negation shortcut",
        "",
        "In several corpora a hypothesis with a word of negation is a contradiction more often "
        "than not (Gururangan et al. 2018). How often is it called one although it is none?",
        "",
        *_table(("label", "n", "hypothesis", "accuracy %", "called contradiction %"), rows),
        "",
    ]


def _calibration(facts: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    taken = "are read in both orders" if config["both_ways"] else "are read in one order"
    return [
        "## Calibration",
        "",
        f"On {facts['pairs']:,} validation pairs a temperature of {facts['temperature']:g} takes "
        f"the negative log-likelihood from {facts['nll_before']} to {facts['nll_after']}. On "
        f"{facts['dialogues']} validation dialogues the AUC is {facts['auc_one_way']} reading "
        f"pairs in one order and {facts['auc_both_ways']} reading them in both: pairs {taken}. "
        f"A dialogue's log-odds are {config['slope']:.2f} times the largest log-odds of a pair "
        f"{config['length']:+.2f} times the logarithm of the number of pairs "
        f"{config['intercept']:+.2f}, fitted with labels balanced within each number of pairs.",
        "",
    ]


def _rounding(export: Mapping[str, Any], check: Mapping[str, Any]) -> list[str]:
    return [
        "## Export",
        "",
        f"ONNX, {export['quantization']}; {export['bytes_int8'] / 1e6:.1f} MB "
        f"(float: {export['bytes_fp32'] / 1e6:.1f} MB). Largest difference of the float graph to "
        f"torch {export['max_difference_torch']:.1e}; a vector changes by at most "
        f"{export['batch_mate_difference_int8']:.1e} with its batch-mates.",
        "",
        f"int8 against float: on {check['dialogues']} DECODE dialogues accuracy "
        f"{_percent(check['decode_accuracy_int8'])} against "
        f"{_percent(check['decode_accuracy_fp32'])} %, AUC {check['decode_auc_int8']:.3f} against "
        f"{check['decode_auc_fp32']:.3f}; on {check['pairs']:,} pairs accuracy "
        f"{_percent(check['accuracy_int8'])} against {_percent(check['accuracy_fp32'])} %, "
        f"the same class in {_percent(check['same_class'])} %, a probability differs by "
        f"{check['mean_p_difference']:.3f} on average and {check['max_p_difference']:.2f} at most.",
        "",
    ]


def _data(data: Mapping[str, Any]) -> list[str]:
    rows = []
    for source, splits in data["pairs"].items():
        labels: Counter[str] = Counter()
        for counts in splits.values():
            labels.update(counts)
        rows.append(
            (
                source,
                *(sum(splits.get(name, {}).values()) for name in ("train", "validation", "test")),
                ", ".join(f"{label} {count}" for label, count in sorted(labels.items())),
            )
        )
    dialogues = ", ".join(
        f"{split} {found['dialogues']} ({found['contradictions']} with a contradiction)"
        for split, found in data["decode"].items()
    )
    return [
        "## Data",
        "",
        f"DECODE dialogues: {dialogues}. Dialogues that share a sentence of six words or more, "
        "over all corpora of dialogues, are in one split; other pairs are split by premise.",
        "",
        *_table(("kind: source", "train", "validation", "test", "labels"), rows),
        "",
        "`decode` pairs are the last turn with each earlier turn of its speaker; `clean` are turns "
        "of one speaker of a dialogue without contradiction; `made` are first-person statements "
        "negated by rule; `own` are pairs that come with the package, `talks` turns of its "
        "dialogues. Kinds are drawn in shares that move in training, see the settings.",
        "",
    ]


def _training(metrics: Mapping[str, Any]) -> list[str]:
    return [
        "## Training",
        "",
        f"{metrics['settings']['pairs']:,} pairs shown in {metrics['seconds'] / 60:.0f} minutes at "
        f"{metrics['tokens_per_second']:,} tokens a second"
        f"{', in bfloat16' if metrics['bf16'] else ''}.",
        "",
        *([metrics["note"], ""] if "note" in metrics else []),
        *([_continued(metrics), ""] if "continued" in metrics else []),
        "Validation by block:",
        "",
        *_table(
            ("block", "loss", *metrics["validation"][0]),
            [
                (i, loss, *found.values())
                for i, (loss, found) in enumerate(
                    zip(metrics["loss"], metrics["validation"], strict=True), 1
                )
            ],
        ),
        "",
        "```json",
        json.dumps(metrics["settings"], indent=1),
        "```",
        "",
    ]


def _continued(metrics: Mapping[str, Any]) -> str:
    lost = metrics["data"].get("seen_before", {}).get("test")
    left_out = (
        f" Of the test split {lost['dialogues']:,} dialogues and {lost['pairs']:,} pairs that an "
        "earlier round had seen are left out."
        if lost
        else ""
    )
    return f"Training went on from the model with the hash `{metrics['continued']}`.{left_out}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _show(metric: Mapping[str, Any], *, percent: bool) -> str:
    if metric["value"] is None:
        return "-"
    values = [metric[name] * (100 if percent else 1) for name in ("value", "low", "high")]
    digits = 1 if percent else 3
    return f"{values[0]:.{digits}f} [{values[1]:.{digits}f}, {values[2]:.{digits}f}]"


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    return [
        "| " + " | ".join(header) + " |",
        "|" + " --- |" * len(header),
        *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows),
    ]
