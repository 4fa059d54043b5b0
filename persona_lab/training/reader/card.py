"""The reader's card, generated from ``metrics.json``: never typed by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from persona_lab.detectors.store import read_config

_INTRODUCTION = """\
What does an English text **show** of its speaker's personality: what would an attentive reader
conclude from it? Not what the author would say of themselves in a questionnaire; that is the
question of `blend`, `pooled` and `lexical`.

Every turn, or two or three sentences of a longer text, goes through an encoder once; a linear
layer on the mean of its last layer gives the chances of five ratings, from clearly low over
nothing shown to clearly high, for the Big Five and three MBTI axes (there is no E-I of its own:
what is shown of it is extraversion). What the units say together is a fitted rule: what shows
nothing adds nothing, and one clear sign is not drowned by the turns beside it.

The encoder is MiniLM-L6 (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0; 22 M parameters),
fine-tuned; embeddings stayed as they were, weights are rounded to int8.

This card is generated from `metrics.json`."""

_FIXED = """\
## The ratings

Readers were a **large language model following a manual**, many independent sittings, none of
which saw another's ratings or the model's. They are not people, and people who differ from that
model in what they see will differ from this one. Text of our own was written by the same kind of
model for this purpose, and rated again by others that did not know the intent.

## Intended use

To tell which personality a chatbot's turns or a text show, to filter dialogue data by it, and to
see a character change. For research and for assessing bots.

## Known limits and biases

- It reads what is on the page. A reserved person who writes one lively text is read as lively.
- A turn is read without what it answers: "All the time." after "Do you worry a lot?" shows nothing.
- English only; other languages are left unscored.
- Ratings follow one manual, and with it one culture's idea of what is kind, orderly or open.
- Irony, quotation and role-play inside role-play are misread more often than plain speech.
- **Not for decisions about people**: not for hiring, not a diagnosis, not for profiling anybody
  without their consent.

## Licence

Apache-2.0 for the files in this folder. The corpora whose texts were rated are not included;
several state no licence. Whether weights learnt from such text carry its terms is not settled;
if that matters to you, train the model anew on our own texts alone:
`persona-lab train-reader --out my-reader`."""

_CASES = (
    ("clear", "labelled_right", "clear cases (mean rating beyond 1.5): labelled right"),
    ("clear", "right_among_labelled", "clear cases: right among those labelled"),
    ("nothing", "labelled", "nothing shown (mean rating within a third of 0): labelled"),
    ("pole", "right_side", "a pole seen (mean rating 1 or more): `p_high` on its side"),
)


def write_card(folder: Path) -> str:
    """Write ``README.md`` of a reader's folder from its config and metrics.

    Returns:
        The card.
    """
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    config = read_config(folder)
    parts = [
        f"# {config['name']}",
        "",
        f"Version {config['version']}, language: English. Measure: **shown**.",
        "",
        _INTRODUCTION,
        "",
        *_agreement(metrics),
        *_labels(metrics["test"]),
        *_training(metrics),
        _FIXED,
    ]
    card = "\n".join(parts) + "\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    return card


def _agreement(metrics: Mapping[str, Any]) -> Iterator[str]:
    yield "## Agreement with readers"
    yield ""
    yield (
        "Correlation of `level` with the mean of three ratings, mean over the Big Five, on texts "
        "of authors, scenes and a writer that were used for nothing else; 90 % interval by "
        "resampling authors. *Raters*: one rater with the mean of the two others."
    )
    yield ""
    yield "| texts | n | r | raters | O | C | E | A | N |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, group in metrics["test"]["groups"].items():
        r = group["r"]
        traits = " | ".join(
            "-" if value is None else f"{value:.2f}"
            for value in list(group["by_axis"].values())[:5]
        )
        raters = "-" if group["raters"] is None else f"{group['raters']:.2f}"
        value = f"{r['value']:.2f} [{r['low']:.2f}, {r['high']:.2f}]"
        yield f"| {name} | {group['n']} | {value} | {raters} | {traits} |"
    yield ""


def _labels(test: Mapping[str, Any]) -> Iterator[str]:
    yield "## Labels and probabilities"
    yield ""
    yield "| measure, over texts and the Big Five | n | |"
    yield "|---|---|---|"
    for group, key, name in _CASES:
        value = test[group][key]
        yield f"| {name} | {test[group]['n']} | {'-' if value is None else f'{value:.1%}'} |"
    yield f"| expected calibration error of `p_high` where a pole was seen | | {test['ece']:.3f} |"
    yield f"| mean ratings inside the 90 % interval of `level` | | {test['coverage']:.1%} |"
    yield ""


def _training(metrics: Mapping[str, Any]) -> Iterator[str]:
    settings, data, export = metrics["settings"], metrics["data"], metrics["export"]
    yield "## Training"
    yield ""
    yield (
        f"{data['train']:,} rated texts, with {metrics['texts'] - data['train']:,} further ones: "
        "items of the IPIP (public domain)"
        + (
            f", and pieces of the corpora rated by {metrics['teachers']} larger "
            f"network{'s' if metrics['teachers'] > 1 else ''} that learnt from the same ratings"
            if metrics["teachers"]
            else ""
        )
        + f". {data['valid']:,} texts fitted the rule, {data['test']:,} were kept for the figures "
        "above. Authors, scenes and situations stand on one side each."
    )
    yield ""
    yield (
        f"{settings['epochs']} epochs over {metrics['tokens']:,} tokens, "
        f"{metrics['seconds'] / 60:.0f} minutes; "
        f"`encoder.onnx` {export['bytes_int8'] / 1e6:.1f} MB, mean cosine of int8 to float vectors "
        f"{export['cosine_mean']:.4f}, {export['tokens_per_second_int8']:,.0f} tokens a second."
    )
    if metrics.get("continued"):
        yield ""
        yield "Training went on from the weights of an earlier run on a part of these texts."
    yield ""
