# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Score a dialogue
#
# **Which personality does a speaker show, and how sure can we be?** This notebook scores one
# speaker closely, then everybody in the file. It runs on dialogues written for persona-lab,
# without network. To look at your own, change `DATA` below and run all cells again.

# %%
from dataclasses import replace
from textwrap import shorten

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

import persona_lab
from persona_lab.detectors.base import Request
from persona_lab.frames import score_frame, to_frame
from persona_lab.reports import plots
from persona_lab.samples import sample_path

DATA = sample_path()  # <- your file here: a text, a transcript ("Name: text" lines), jsonl, csv
DIALOGUE = "strict-organiser"  # the one to look at closely; if there is no such id, the first

# %%
found = list(persona_lab.read_dialogues(DATA))
dialogues = [d for d in found if isinstance(d, persona_lab.Dialogue)]
print(f"{len(dialogues)} dialogues, {len(found) - len(dialogues)} rows that could not be read")

dialogue = next((d for d in dialogues if d.id == DIALOGUE), dialogues[0])
speaker = dialogue.focus or dialogue.speaker_names[0]
dialogue

# %% [markdown]
# ## One speaker
#
# `p` is a calibrated probability: of the speakers who get 0.70, about 70 in 100 should be on the
# high side of the trait, measured as the training data measured it. It is not *how much* of a
# trait somebody has.

# %%
detector = persona_lab.load_detector()
profile = detector.profile(dialogue, speaker, explain=True)
profile

# %%
ax = plots.profile(to_frame(profile))
plt.show()

# %% [markdown]
# Read the bars before the dots. A bar is the 90 % interval: what other turns by the same speaker,
# or another member of the model's ensemble, could have given. Where it crosses the upright
# threshold the dot is hollow, and the detector says *unsure* instead of guessing.
#
# - **Conclude:** filled dots are leanings that this text supports.
# - **Do not conclude** that a hollow dot means "average". It means that the text does not tell.

# %% [markdown]
# ## What moved it
#
# The three turns that moved each trait most, and how far, in log-odds. A score comes from many
# small pushes, so look here before you quote one: is it the content, or a turn of phrase?

# %%
said = {u.id: f"{shorten(u.text, 58, placeholder=' …')}  {u.id:>2}" for u in dialogue.by(speaker)}
pushes = pd.DataFrame(
    {"turn": e.utterance_id, "trait": e.trait, "push": e.weight} for e in profile.evidence
)
table = pushes.pivot(index="turn", columns="trait", values="push")
table = table.reindex(index=list(said), columns=list(profile.traits)).rename(index=said)

with plots.use_theme():
    fig, ax = plt.subplots(figsize=(6.4, 0.4 + 0.3 * len(table)))
    sns.heatmap(table, center=0, cmap="PuOr_r", annot=True, fmt="+.2f", linewidths=0.6, ax=ax)
    ax.collections[0].colorbar.set_label("push on the log-odds")
    ax.grid(False)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, axis="both")
    plt.setp(ax.get_xticklabels(), rotation=25, ha="right", rotation_mode="anchor")
plt.show()

# %% [markdown]
# ## How much text is enough?
#
# The same speaker, cut off after one turn, two turns, and so on.

# %%
own = dialogue.by(speaker)
parts = [replace(dialogue, utterances=own[: n + 1]) for n in range(len(own))]
growth = score_frame(detector.profile(part, speaker) for part in parts)
trait = max(profile.traits, key=lambda key: abs(profile.traits[key].p_high - 0.5))
course = growth[(growth["trait"] == trait) & (growth["status"] == "scored")]

with plots.use_theme():
    fig, ax = plt.subplots(figsize=(6.4, 3.0), layout="constrained")
    ax.fill_between(
        course["words"], course["low"], course["high"], alpha=0.2, label="90 % interval"
    )
    ax.plot(course["words"], course["p_high"], marker="", label="p")
    for sure, part in course.groupby(course["label"] != "abstain"):
        face = plots.PALETTE[0] if sure else "white"
        name = "labelled" if sure else "unsure or too short"
        ax.plot(part["words"], part["p_high"], "o", color=plots.PALETTE[0], mfc=face, label=name)
    ax.axhline(0.5, color="black", linewidth=0.8, linestyle="-", marker="")
    ax.set(ylim=(0, 1), xlabel="words read", ylabel="probability", title=f"{speaker}: {trait}")
    ax.legend(loc="lower right", ncols=2)
plt.show()

width = course["high"] - course["low"]
print(f"after {course['words'].iloc[0]} words: interval {width.iloc[0]:.2f} wide")
print(f"after {course['words'].iloc[-1]} words: interval {width.iloc[-1]:.2f} wide")
for warning in detector.profile(parts[0], speaker).warnings:
    print(f"on the first turn alone the detector warns: {warning.message}")

# %% [markdown]
# - **Conclude:** more words narrow the interval and bring labels. Collect all turns of a speaker
#   before you score.
# - **Do not conclude** anything from a turn or two. A label needs an interval on one side of the
#   threshold *and* a minimum of words, which depends on the kind of text; below it the detector
#   warns `too_short`. How accuracy grows with length is measured in `05_can_you_trust_it`.

# %% [markdown]
# ## The other framework
#
# The same text as MBTI axes. Each has a threshold of its own (upright lines): in the forum data
# that the model learnt from, types are far from balanced, so the line between two letters is not
# at one half.

# %%
mbti = detector.profile(dialogue, speaker, framework="mbti")
ax = plots.profile(to_frame(mbti))
plt.show()
print(f"{speaker} as MBTI: {mbti.type} (X is unsure)")

# %% [markdown]
# ## Everybody in the file

# %%
wanted = [Request.of(d, name) for d in dialogues for name in d.choose(None)]
scores = to_frame(detector.profiles(wanted, frameworks=("bigfive",)))
ax = plots.heatmap(scores, index=["id", "speaker"])
plt.show()
print(scores["label"].value_counts().to_string())

# %% [markdown]
# Brackets are *unsure*. Expect many: a detector that labels everything on a few hundred words is
# guessing. The same colour down a whole column tells about the kind of text more than about its
# speakers, so compare speakers within one file rather than with one half.
#
# For the bundled dialogues we know which pole each character was *written* to show. Did it come
# out?

# %%
MEANT = {
    "party-planner": ("extraversion", "high"),
    "worrier": ("neuroticism", "high"),
    "strict-organiser": ("conscientiousness", "high"),
    "dreamer": ("openness", "high"),
    "blunt-critic": ("agreeableness", "low"),
    "shy-reader": ("extraversion", "low"),
    "warm-helper": ("agreeableness", "high"),
    "improviser": ("conscientiousness", "low"),
}
meant = pd.DataFrame(
    {"id": id, "trait": trait, "meant": pole} for id, (trait, pole) in MEANT.items()
)
check = meant.merge(scores[["id", "speaker", "trait", "p_high", "low", "high", "label"]])
print(f"labelled as meant: {(check['label'] == check['meant']).sum()} of {len(check)}")
wrong = ~check["label"].isin(["abstain"]) & (check["label"] != check["meant"])
print(f"labelled the other way: {wrong.sum()}")
print(f"leaning the right way: {((check['p_high'] > 0.5) == (check['meant'] == 'high')).sum()}")
check.round(2)

# %% [markdown]
# - **Conclude:** leanings are mostly right, labels are few, and a character who is obvious to a
#   reader can be nothing special to the model. That is the state of the field, not of this file.
# - **Do not** use a single score to decide about a person. Compare groups, bots or versions
#   (`07_compare_groups`), and look at what moved a score.

# %% [markdown]
# ## A text of your own

# %%
TEXT = """
I had promised myself a quiet month. Then Lara called about the choir, and somebody had to find
forty chairs, and by Friday I was standing on a table in the yard telling strangers where to sit.
I sang, I danced, I talked with everybody, and when the lights went out I laughed the loudest. I
love evenings like that. At home it was so silent that I rang my sister to tell her all about it.
"""
detector.profile(TEXT)
