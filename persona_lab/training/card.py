"""The model card, generated from ``metrics.json``: never typed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from persona_lab.detectors.store import read_config

_WEIGHTS_ORIGIN = {
    "lexical": "Term weights were trained by persona-lab; no outside weights are in it.",
    "pooled": (
        "The encoder is MiniLM-L6 (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0; 22 M "
        "parameters), converted exactly into a RoBERTa-shaped model: positions shifted by "
        "`padding_idx + 1`, the token-type row folded in. It was not pre-trained as RoBERTa. "
        "Its weights are rounded to int8."
    ),
}

_FIXED = """\
## Intended use

Aggregate, exploratory statements about text: which of two chatbots comes across as more
extraverted, how a corpus is distributed, whether a role-play bot keeps its character.

## Misuse

Not for hiring, admission, credit, insurance, policing, diagnosis or any decision about a
person. A single text tells little about its author: look at the accuracies above next to the
majority class. MBTI is reported because users ask for it; its types are not well supported by
research.

## Known limits and biases

- English only; other languages are left unscored.
- Essays are by US psychology students of the 1990s and 2000s, forum users of PersonalityCafe
  typed themselves, vlog labels are strangers' impressions, stories and statements were written
  by language models. A score says "writes like those who were labelled so there".
- The model sees words. Dialect, topic, age and gender leave traces in words and may move
  scores; no subgroup analysis was possible, because the corpora name no groups.
- Big Five labels are halves by design (median splits), so 0.5 is the base rate; MBTI
  probabilities carry the forum's base rates (three in four write as introverts), and labels
  use the threshold in the row.
- Where a register's texts are labelled for one trait each (the one-line statements), lines about
  other traits are taught as neutral. Out of fold, 7 % of them still get a label on a trait that
  they say nothing about; a one-liner is best believed on the trait it is about.
- On model-written stories extraversion and agreeableness are easy and the other traits hardly
  visible; on scenes from a TV series the signal is not distinguishable from chance.

## Licence

Apache-2.0 for the files in this folder. The training corpora are not included; several state
no licence. Only hashes of the training texts are kept, to warn when a test text was trained on.
"""


def write_card(folder: Path) -> str:
    """Write ``README.md`` of a model folder from its config and metrics.

    Returns:
        The card.
    """
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    config = read_config(folder)
    card = "\n".join(_sections(config, metrics)).rstrip() + "\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    return card


def _sections(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    origin = [_WEIGHTS_ORIGIN[kind] for kind in config["components"]]
    parts = [
        f"# {config['name']}",
        "",
        f"{config['summary'].capitalize()}. Version {config['version']}, frameworks: "
        f"{', '.join(config['frameworks'])}, language: English."
        + (
            " **The default for self-report: best on validation.**" if config.get("default") else ""
        ),
        "",
        "Measure: **self-report**. It guesses what the author of a text would say of themselves in "
        "a questionnaire, which text hardly tells. What a text *shows* `reader` tells.",
        "",
        *origin,
        *_attention(config),
        "",
        "This card is generated from `metrics.json`.",
        "",
        "## Training data",
        "",
        *_table(
            ("register", "texts", "groups", "median words", "share high"),
            [
                (
                    name,
                    facts["texts"],
                    facts["groups"],
                    facts["median_words"],
                    ", ".join(f"{key} {share:.2f}" for key, share in facts["high"].items())
                    or "(unlabelled)",
                )
                for name, facts in metrics["data"].items()
            ],
        ),
        "",
        "Folds keep groups together (author, scene, persona run). Every figure below is of texts "
        "that neither the experts nor the calibration behind the figure saw. The vocabulary and "
        "its document frequencies were counted on all texts, without labels. Words that name a "
        "type, axis, cognitive function or trait were masked.",
        "",
        "## Results out of fold",
        "",
    ]
    for register, frameworks in metrics["validation"].items():
        for framework, cell in frameworks.items():
            weighted = ", weighted to the forum's real types" if framework == "mbti" else ""
            parts += [f"### {register}, {framework}{weighted}", "", *_results(cell), ""]
    parts += _comparison(metrics)
    parts += ["## Accuracy against length", ""]
    parts += _table(
        ("register", "framework", "words", "n", "accuracy %", "majority %"),
        [
            (
                c["register"],
                c["framework"],
                f"{c['words'][0]}-{c['words'][1] - 1}" if c["words"][1] < 100_000
                else f"{c['words'][0]}+",
                c["n"],
                f"{100 * c['accuracy']:.1f}",
                f"{100 * c['majority']:.1f}",
            )
            for c in metrics["length_curve"]
        ],
    )  # fmt: skip
    shortest = config["calibration"]["min_words"]
    parts += [
        "",
        "Texts shorter than this many words are labelled `abstain` with the warning `too_short`: "
        + ", ".join(f"{name} {words}" for name, words in shortest.items())
        + ".",
        "",
    ]
    parts += _export(metrics)
    parts += _tuning(metrics)
    parts += ["## Settings", "", "```json", json.dumps(config["settings"], indent=1), "```", ""]
    return [*parts, _FIXED]


def _attention(config: Mapping[str, Any]) -> list[str]:
    """Say so where attention was left at the plain mean."""
    if "pooled" not in config["components"] or config["settings"]["pooled"]["steps"]:
        return []
    return [
        "Attention over segments is at its starting point, the plain mean: trials in which it "
        "was trained did worse out of fold."
    ]


def _results(cell: Mapping[str, Any]) -> list[str]:
    def show(metric: Mapping[str, Any], percent: bool) -> str:
        if metric["value"] is None:
            return "-"
        values = [metric[name] * (100 if percent else 1) for name in ("value", "low", "high")]
        digits = 1 if percent else 3
        return f"{values[0]:.{digits}f} [{values[1]:.{digits}f}, {values[2]:.{digits}f}]"

    rows = [
        (
            name,
            m["n"],
            f"{100 * m['majority']:.1f}",
            show(m["accuracy"], True),
            show(m["macro_f1"], True),
            show(m["auc"], False),
            show(m["brier"], False),
            show(m["ece"], False),
        )
        for name, m in [*cell["traits"].items(), ("**mean**", cell["mean"])]
    ]
    curve = ", ".join(
        f"{100 * c['coverage']:.0f} %: {100 * (1 - c['risk']):.1f}" for c in cell["risk_coverage"]
    )
    return [
        *_table(
            ("trait", "n", "majority %", "accuracy %", "macro-F1 %", "AUC", "Brier", "ECE"), rows
        ),
        "",
        f"Accuracy when only the surest share is labelled: {curve}.",
    ]


def _comparison(metrics: Mapping[str, Any]) -> list[str]:
    if not metrics["against_lexical"]:
        return []
    rows = [
        (
            cell,
            f"{100 * d['difference']:+.2f} [{100 * d['low']:+.2f}, {100 * d['high']:+.2f}]",
            f"{d['p_value']:.3f}",
        )
        for cell, d in metrics["against_lexical"].items()
    ]
    return [
        "## Against the lexical baseline, same texts",
        "",
        *_table(("register/framework", "accuracy points", "McNemar p"), rows),
        "",
    ]


def _export(metrics: Mapping[str, Any]) -> list[str]:
    facts = metrics.get("export")
    if not facts:
        return []
    return [
        "## Export",
        "",
        f"ONNX, {facts['quantization']}; layers {facts['layers']}; "
        f"{facts['bytes_int8'] / 1e6:.1f} MB (float: {facts['bytes_fp32'] / 1e6:.1f} MB). "
        f"Largest difference of the float graph to torch {facts['max_difference_torch']:.1e}; "
        f"cosine of int8 to float vectors {facts['cosine_mean']:.4f} on average, "
        f"{facts['cosine_min']:.4f} at worst; a vector changes by at most "
        f"{facts['batch_mate_difference_int8']:.1e} with its batch-mates.",
        *(
            [
                f"Accuracy of int8 against float on {facts['int8_check']['n']} texts: "
                f"{100 * facts['int8_check']['accuracy_int8']:.2f} against "
                f"{100 * facts['int8_check']['accuracy_fp32']:.2f} %; largest difference of a "
                f"probability {facts['int8_check']['max_p_difference']:.4f}."
            ]
            if "int8_check" in facts
            else []
        ),
        "",
    ]


def _tuning(metrics: Mapping[str, Any]) -> list[str]:
    studies = metrics.get("tuning") or []
    lines: list[str] = []
    for study in studies:
        best = ", ".join(
            f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in study["best"].items()
        )
        weight = ", ".join(f"{k} {v:.2f}" for k, v in study["importance"].items())
        lines += [
            f"- {study['study']}: {study['trials']} trials finished, {study['pruned']} pruned; "
            f"mean AUC out of fold {study['best_mean_auc']:.4f} (median trial "
            f"{study['median_mean_auc']:.4f}). Best: {best}. Importance: {weight or 'not known'}.",
        ]
    return ["## Tuning", "", *lines, ""] if lines else []


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    return [
        "| " + " | ".join(header) + " |",
        "|" + " --- |" * len(header),
        *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows),
    ]
