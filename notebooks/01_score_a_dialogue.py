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
# The default detector, the reader, tells what a text *shows*: what an attentive reader would
# conclude about the speaker from these words alone. `level` is *how much*, on the scale on which
# readers rate: -2 clearly low, 0 nothing shown or evenly mixed, 2 clearly high. The label is
# `high` or `low`, or there is none, and why: *nothing shown*, *mixed* (signs of both poles) or
# *too short*.

# %%
detector = persona_lab.load_detector()
profile = detector.profile(dialogue, speaker, explain=True)
profile

# %%
ax = plots.profile(to_frame(profile))
plt.show()

# %% [markdown]
# The picture shows `p_high`, *which side*: the probability that readers would call the speaker
# high rather than low, near .5 where nothing is shown. Bars are its 90 % intervals. A dot is
# filled where there is a label, and that is decided by the level. So a hollow dot can lie well
# off .5, and a filled one's bar can still cross it.
#
# - **Conclude:** Ingrid shows conscientiousness, clearly. Nothing in this talk about boxes and
#   meters tells about the other four traits.
# - **Do not conclude** that a hollow dot means "average". It means that the text does not show it.

# %% [markdown]
# ## Which sentences show it
#
# Up to three sentences for each trait, and what each adds to the log-odds of the high pole.
# Sentences that show next to nothing are left out, and a trait may have none.

# %%
texts = {u.id: u.text for u in dialogue.by(speaker)}
pushes = pd.DataFrame(
    [
        (e.utterance_id, e.start or 0, e.trait, e.weight, e.quote(texts[e.utterance_id]))
        for e in profile.evidence
    ],
    columns=["turn", "start", "trait", "push", "sentence"],
)
places = {turn: n for n, turn in enumerate(texts)}
pushes = pushes.assign(place=pushes["turn"].map(places)).sort_values(["place", "start"])
pushes["says"] = [
    f"{shorten(s, 58, placeholder=' …')}  {t:>2}"
    for s, t in zip(pushes["sentence"], pushes["turn"], strict=True)
]
table = pushes.pivot_table(index="says", columns="trait", values="push", sort=False)
table = table.reindex(columns=list(profile.traits))

with plots.use_theme():
    fig, ax = plt.subplots(figsize=(6.4, 0.8 + 0.3 * len(table)))
    sns.heatmap(table, center=0, cmap="PuOr_r", annot=True, fmt="+.2f", linewidths=0.6, ax=ax)
    ax.collections[0].colorbar.set_label("push on the log-odds")
    ax.grid(False)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, axis="both")
    plt.setp(ax.get_xticklabels(), rotation=25, ha="right", rotation_mode="anchor")
plt.show()

# %% [markdown]
# - **Conclude:** the strong pushes are all conscientiousness, and a person would point to the same
#   sentences: two coats and clean brushes, meters read every evening, two reminders.
# - **Do not** make much of the pale one. It adds up to no label. Read the sentence before you
#   quote a score: is it the content, or a turn of phrase?

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
        name = "labelled" if sure else "no label"
        ax.plot(part["words"], part["p_high"], "o", color=plots.PALETTE[0], mfc=face, label=name)
    ax.axhline(0.5, color="black", linewidth=0.8, linestyle="-", marker="")
    ax.set(ylim=(0, 1), xlabel="words read", ylabel="probability", title=f"{speaker}: {trait}")
    ax.legend(loc="lower right", ncols=2)
plt.show()

width = course["high"] - course["low"]
print(f"after {course['words'].iloc[0]} words: interval {width.iloc[0]:.2f} wide")
print(f"after {course['words'].iloc[-1]} words: interval {width.iloc[-1]:.2f} wide")
first = growth[growth["words"] == growth["words"].min()]
print(f"traits with a label after the first turn: {(first['label'] != 'abstain').sum()} of 5")
last = growth[growth["words"] == growth["words"].max()]
print(f"traits with a label after the last turn: {(last['label'] != 'abstain').sum()} of 5")

# %% [markdown]
# - **Conclude:** one clear turn can be enough for a label; the next ones narrow the interval. Most
#   short turns of most speakers show nothing, so collect a speaker's turns before you score.
# - **Do not conclude** that more words must bring more labels. What a speaker never shows stays
#   *nothing shown*, however much they say.

# %% [markdown]
# ## The other framework
#
# The same text as MBTI axes, read in the same way; E or I is extraversion. A letter that is not
# shown is X. Ingrid's T is a leaning: its interval crosses .5.

# %%
mbti = detector.profile(dialogue, speaker, framework="mbti")
ax = plots.profile(to_frame(mbti))
plt.show()
print(f"{speaker} as MBTI: {mbti.type} (X is not shown)")

# %% [markdown]
# ## Everybody in the file

# %%
wanted = [Request.of(d, name) for d in dialogues for name in d.choose(None)]
scores = to_frame(detector.profiles(wanted, frameworks=("bigfive",)))
ax = plots.heatmap(scores, index=["id", "speaker"])
plt.show()
print(scores["label"].value_counts().to_string())

# %% [markdown]
# Brackets have no label. Expect many: most speakers here show one or two traits. Two bots
# change on the way. The drifting one starts as a party animal and ends in a corner, and as a whole
# it is labelled extraverted, not mixed. The souring one gets no label at all
# (`03_consistency_and_drift` looks at the turns of the first).
#
# Not every label is sure. These have an interval that holds 0, so take them as leanings:

# %%
faint = scores[
    scores["label"].ne("abstain") & (scores["level_low"] < 0) & (scores["level_high"] > 0)
]
faint[["id", "speaker", "trait", "level", "level_low", "level_high", "label"]].round(2)

# %% [markdown]
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
columns = ["id", "speaker", "trait", "level", "level_low", "level_high", "label"]
check = meant.merge(scores[columns])
print(f"labelled as meant: {(check['label'] == check['meant']).sum()} of {len(check)}")
wrong = ~check["label"].isin(["abstain"]) & (check["label"] != check["meant"])
print(f"labelled the other way: {wrong.sum()}")
check.round(2)

# %% [markdown]
# - **Conclude:** a character who is obvious to a reader is obvious to the model.
# - **Do not conclude** that it is right so often elsewhere: these eight were written to be plain.
#   `docs/reader.md` says how well it agrees with readers on other texts, and what it does not see.
#   What a text shows is not what its author is like. Do not use a score to decide about a person.

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
