# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Train and tune your own detector
#
# From labelled texts to a folder that `persona-lab score --detector` takes: tune, train, look at
# what was learnt, fine-tune an encoder, export it, check the export, read the card.
#
# It needs `pip install 'persona-lab[train,notebooks]'` (torch, transformers, optuna, onnx), and
# runs without network. On two cores it takes about a minute, so everything in it is small; the
# steps are those of a large run.

# %%
import io
import json
from contextlib import redirect_stderr
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import optuna
import pandas as pd
import torch
from IPython.display import Markdown
from matplotlib import pyplot as plt
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import RobertaConfig, RobertaModel

from persona_lab import BIG_FIVE, load_detector, read_dialogues
from persona_lab.detectors.registry import find_model
from persona_lab.encoding import Encoder
from persona_lab.frames import to_frame
from persona_lab.instruments import first_person, load_instrument
from persona_lab.reports import plots
from persona_lab.training.backbone import load_backbone
from persona_lab.training.card import write_card
from persona_lab.training.corpora import load_examples
from persona_lab.training.evaluate import evaluate, labelled
from persona_lab.training.export import export_encoder, mean_vectors
from persona_lab.training.finetune import FineTuneSettings, fine_tune
from persona_lab.training.metrics import auc
from persona_lab.training.run import train
from persona_lab.training.tune import tune

# %% [markdown]
# **The one place to change.** `DATA` is a labelled file (columns `text`, `extraversion`, ... or any
# layout that `persona-lab score` reads; some hundred texts at least), `TEST` one that is kept
# apart. `BACKBONE` may be `minilm`, `roberta-base` or a folder. `OUT` is where the models go; name
# a folder of yours to keep them.

# %%
scratch = TemporaryDirectory()
OUT = Path(scratch.name)
DATA, TEST = None, None  # <- your files here
BACKBONE = None

# %% [markdown]
# ## 1. A corpus whose answer is known
#
# Without a file of yours, texts are put together from the public-domain statements of the
# IPIP-NEO-120 ([ipip.ori.org](https://ipip.ori.org)). An author has five traits and makes twelve
# statements; three in four are in line with the author's pole, one misleads. So we know what can
# be reached at best: by somebody who knows for every statement what it is about.
#
# Half of the statements are used for training. Test authors talk in the *other* half: same
# traits, other words. That is what a new kind of text is like.

# %%
SAID, IN_LINE = 12, 0.75
items = load_instrument("ipip-120").items
# either half holds two of the four items of every facet
halves = {"train": items[:30] + items[90:], "test": items[30:90]}


def author(number: int, half: str) -> dict[str, object]:
    """One made-up author: a text, five labels, and what a perfect reader makes of it."""
    dice = Random(f"{half} {number}")
    labels = {key: dice.randint(0, 1) for key in BIG_FIVE.keys}
    text, perfect = [], dict.fromkeys(BIG_FIVE.keys, 0)
    for _ in range(SAID):
        key = dice.choice(BIG_FIVE.keys)
        pole = labels[key] if dice.random() < IN_LINE else 1 - labels[key]
        fitting = [i for i in halves[half] if i.domain == key and (i.keyed > 0) == bool(pole)]
        text.append(first_person(dice.choice(fitting).text) + ".")
        perfect[key] += 1 if pole else -1
    return {"id": f"{half}-{number}", "text": " ".join(text), "labels": labels, "perfect": perfect}


def write(half: str, n: int) -> tuple[Path, float]:
    """Write a file of authors; and the AUC of the perfect reader."""
    rows = [author(number, half) for number in range(n)]
    file = OUT / f"{half}.jsonl"
    lines = ({k: v for k, v in row.items() if k != "perfect"} for row in rows)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    best = [
        auc(
            *(np.array([r[k][key] for r in rows], float) for k in ("labels", "perfect")), np.ones(n)
        )
        for key in BIG_FIVE.keys
    ]
    return file, float(np.mean(best))


if DATA is None:
    (DATA, best_train), (TEST, best_test) = write("train", 240), write("test", 120)
    print(f"perfect reader: mean AUC {best_train:.3f} (training), {best_test:.3f} (test)")
examples = load_examples(DATA, "statements")
print(f"{len(examples)} texts, median {np.median([e.n_words for e in examples]):.0f} words. One:")
print(" ".join(examples[0].utterances))

# %% [markdown]
# ## 2. Tune
#
# `tune` is an Optuna study: it is scored out of fold, starts with the defaults (so it is never
# worse than they are), keeps its trials in a file, and goes on where it stopped.

# %%
settings, summary = tune(examples, OUT / "study.sqlite", component="lexical", n_trials=10)
study = optuna.load_study(study_name="lexical", storage=f"sqlite:///{OUT / 'study.sqlite'}")
trials = study.trials_dataframe()
with plots.use_theme():
    _, ax = plt.subplots(figsize=(5.6, 2.8), layout="constrained")
    for chars, part in trials.groupby("params_chars"):
        ax.plot(part["number"], part["value"], linestyle="", label=f"characters: {chars}")
    best = trials["value"].cummax()
    ax.step(trials["number"], best, where="post", color="black", marker="", label="best so far")
    ax.set(xlabel="trial (0: the defaults)", ylabel="mean AUC, out of fold")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
print(f"best {summary['best_mean_auc']:.3f}, defaults {trials['value'].iloc[0]:.3f}")
print("importance:", summary["importance"])

# %% [markdown]
# **Conclude:** whether tuning is worth the time at all. A gain of a hundredth is within what other
# folds would change.
#
# **Do not conclude** that the best value is what you will get: it is the best of several, so it
# flatters. The test below has not been looked at.

# %% [markdown]
# ## 3. Train
#
# One call makes three detectors: `lexical` (words), `pooled` (the bundled encoder's vectors; it
# was trained on other texts and is used as it is) and `blend`. Every figure is out of fold.

# %%
metrics = train(examples, OUT, settings, encoder_folder=find_model("pooled"), name="my-")


def figures(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """The means that matter."""
    names = ("accuracy", "auc", "ece")
    return {"majority": found["majority"]} | {name: found[name]["value"] for name in names}


register = examples[0].register
own = {m: figures(found["validation"][register]["bigfive"]["mean"]) for m, found in metrics.items()}
pd.DataFrame(own).T.round(3)

# %% [markdown]
# And on the test file, in words that none of them has been trained on. Beside them the bundled
# detector, which was trained on some thousand texts of other kinds:

# %%
held_out, _ = labelled(read_dialogues(TEST), BIG_FIVE)
folders = {model: OUT / model for model in metrics} | {"bundled": find_model("blend")}
tested = {model: evaluate(folder, held_out, BIG_FIVE) for model, folder in folders.items()}
auc_of = pd.DataFrame(
    {"out of fold": pd.DataFrame(own).T["auc"]}
    | {"test": {model: found["mean"]["auc"]["value"] for model, found in tested.items()}}
)
rows = [
    {"name": key, "model": model, "effect": found["value"] - 0.5}
    | {end: found[end] - 0.5 for end in ("low", "high")}
    for model, result in tested.items()
    for key, found in ((key, result["traits"][key]["auc"]) for key in result["traits"])
]
plots.effect_sizes(pd.DataFrame(rows), by="model", label="AUC above a coin (0.5), test file")
plt.show()
auc_of.loc[list(folders)].round(3)

# %% [markdown]
# **Conclude:** out of fold all of them look well, for the same sixty statements occur in all
# folds: they have been learnt by heart. Of new statements our detectors know next to nothing, and a
# pretrained encoder helps only a little. What helps is variety in the training texts.
#
# **Do not conclude** from "out of fold" alone that a detector will do on *your* texts. Where
# authors, scenes or templates repeat, give them a `group`, so that folds do not part them; and keep
# a test file from elsewhere.

# %% [markdown]
# ## 4. Fine-tune an encoder
#
# `persona-lab train --unfreeze 2` does this for a pretrained encoder, best on a GPU. To keep it
# quick and offline, the encoder here is a toy with random weights, two layers of 64: it learns
# from these texts alone. Epoch 0 is a linear model on the untrained encoder.


# %%
def toy_backbone() -> tuple[RobertaModel, Tokenizer]:
    """A tiny untrained RoBERTa and a tokenizer of whole words."""
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(special_tokens=names, show_progress=False)
    tokenizer.train_from_iterator((u for e in examples for u in e.utterances), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=140,
        type_vocab_size=1,
        pad_token_id=1,
    )
    return RobertaModel(config, add_pooling_layer=False).eval(), tokenizer


model, tokenizer = load_backbone(BACKBONE) if BACKBONE else toy_backbone()
recipe = FineTuneSettings(
    unfreeze=2, epochs=8, learning_rate=1e-3, head_learning_rate=5e-3, accumulate=1, patience=3
)
tuned, facts = fine_tune(model, tokenizer, examples, recipe, folder=OUT / "work")
with plots.use_theme():
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.6), layout="constrained")
    left.plot(range(1, len(facts["loss"]) + 1), facts["loss"])
    left.set(xlabel="epoch", ylabel="training loss")
    right.plot(range(len(facts["auc"])), facts["auc"])
    right.axvline(facts["best_epoch"], color="black", linestyle=":", marker="", label="kept")
    right.set(xlabel="epoch (0: not trained)", ylabel="validation AUC")
    right.legend()
plt.show()
print(f"{facts['texts']}; kept epoch {facts['best_epoch']} of {facts['epochs']}")

# %% [markdown]
# **Conclude:** read the right picture, not the left. The loss on what is trained on falls anyway;
# the epoch with the best validation AUC is kept. With so few validation texts, ups and downs of a
# hundredth are noise.
#
# **Do not conclude** anything about transformers from a toy. With `BACKBONE` set this cell is the
# real thing.

# %% [markdown]
# ## 5. Export, and check that it computes the same
#
# Scoring needs no torch: the encoder becomes an ONNX graph, on 8-bit integers. The export refuses
# to write a graph that differs from torch. See for yourself, on texts it was not calibrated on:

# %%
texts = ["\n".join(e.utterances) for e in examples]
with redirect_stderr(io.StringIO()):  # one line with the size
    exported = export_encoder(
        tuned, tokenizer, OUT / "encoder", calibration_texts=texts[:120], keep_fp32=True
    )
encoders = {p: Encoder.load(OUT / "encoder", precision=p) for p in ("fp32", "int8")}
segments = [s.token_ids for s in encoders["fp32"].segmenter.segments(texts[120:])]
reference = mean_vectors(tuned, segments)
with plots.use_theme():
    _, ax = plt.subplots(figsize=(5.6, 2.6), layout="constrained")
    for name, encoder in encoders.items():
        off = np.abs(encoder.encode(segments) - reference).ravel()
        ax.hist(np.log10(off + 1e-9), bins=60, alpha=0.7, label=f"{name}: at most {off.max():.1g}")
    ax.axvline(np.log10(np.abs(reference).mean()), color="black", marker="", label="mean value")
    ax.set(xlabel="log10 of the difference to torch (\u22129: none)", ylabel="vector elements")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
keys = ("parameters", "bytes_fp32", "bytes_int8", "max_difference_torch", "cosine_min")
pd.DataFrame([{key: exported[key] for key in keys}], index=["measured at export"])

# %% [markdown]
# **Conclude:** the float graph is torch up to rounding. The 8-bit graph is coarser by orders of
# magnitude, and still far below the size of the values; what it costs in accuracy is in the card of
# a real model.
#
# **Do not conclude** from the cosine alone. What counts is whether scores change.

# %% [markdown]
# ## 6. The card, and a first score
#
# Every model writes its own card from `metrics.json`; nobody types a figure into it.

# %%
card = write_card(OUT / "blend")
Markdown(card[: card.index("## Accuracy against length")].replace("\n#", "\n##"))

# %%
text = """I like to be where people are. I talk to everybody at a party and hardly ever want to
leave. I keep my desk in order, finish what I begin, and I am seldom worried by anything."""
both = {"my-blend": load_detector(str(OUT / "blend")), "bundled": load_detector("blend")}
profiles = pd.concat(to_frame(d.profile(text)).assign(detector=name) for name, d in both.items())
plots.profile(profiles, by="detector", target="E+ C+ N-")
plt.show()

# %% [markdown]
# Stars are what the text was written to say. Narrow bars are no proof: an interval tells how far
# the members of a detector and the pieces of a text differ, not what none of them has seen. The
# test above tells whom to believe.
#
# On the command line all of this is
#
#     persona-lab tune  --data statements=DATA.csv --out study
#     persona-lab train --data statements=DATA.csv --settings study/settings.json --out my-models
#     persona-lab evaluate TEST.csv --detector my-models/blend --baseline my-models/lexical
#     persona-lab score talk.txt --detector my-models/blend

# %%
scratch.cleanup()
