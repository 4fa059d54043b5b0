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
# # Interview a chatbot
#
# **Does a chatbot behave like the character that it says it is?** It filled in a questionnaire
# about itself (*say*), and answered open questions that were rated by what the answers show
# (*do*). This notebook reads the recorded interview of a small language model in two roles. Give
# your own folder, or a live bot, in the next cell, and run all cells again.

# %%
import subprocess
import sys
from pathlib import Path
from textwrap import fill

import matplotlib.pyplot as plt
import pandas as pd

from persona_lab.frames import interview_frame, record_frame
from persona_lab.interviews.summary import read_profile
from persona_lab.reports import plots

DATA = Path("data/interview")  # <- your folder here, from 'persona-lab interview --out FOLDER'
ROLE = "sunny"  # the role to look at closely; if there is no such role, the first

BOT = None  # or a live bot, such as "openai:http://localhost:8080/v1"; then also:
SYSTEM = "You are Mia, a cheerful tour guide. You love crowds, and nothing upsets you."
TARGET = "E+ A+ N-"  # what the system prompt asks for

# %%
if BOT is not None:
    DATA = Path("out/interview")
    ask = ["interview", "--bot", BOT, "--system", SYSTEM, "--target", TARGET, "--out", str(DATA)]
    how = ["--instrument", "ipip-20", "--protocol", "self-report", "--protocol", "interview"]
    often = ["--repeats", "2", "--temperature", "0.7"]
    subprocess.run([sys.executable, "-m", "persona_lab", *ask, *how, *often], check=True)

profile = read_profile(DATA)
results = interview_frame(DATA)
results["role"] = results["persona"].fillna("(system prompt)")
if ROLE not in set(results["role"]):
    ROLE = results["role"].iloc[0]
results["trait"] = results["trait"].fillna(results["domain"])
by_rater = (", by " + results["rater"]).where(results["rater"] != "closed", "")
results["method"] = results["protocol"] + by_rater

asked = profile["settings"]
print("bot:        ", ", ".join(profile["bots"]))
print("roles:      ", ", ".join(results["role"].unique()))
print("asked about:", profile["instrument"]["title"])
print("how:        ", ", ".join(results["protocol"].unique()), f"x {asked.get('repeats', 1)}")
print("judges:     ", ", ".join(asked["judges"] or ["none"]))
print("usable:     ", f"{profile['answers']['scored']} of {profile['answers']['n']} answers")

# %% [markdown]
# ## Say versus do
#
# One role. One row a trait, one colour a way of measuring. Positions run from the low pole (0) to
# the high pole (1); a star is what the role asked for. What the bot says of itself is the
# self-report; what it does is how its open answers were rated, by the trained detector or by a
# language model as judge.

# %%
mine = results[results["role"] == ROLE]
target = mine.dropna(subset="target").set_index("trait")["target"].to_dict()
ax = plots.profile(mine, value="score", by="method", target=target)
ax.set_title(ROLE, loc="left", pad=24)
plt.show()

# %%
scores = mine.pivot_table(index="trait", columns="method", values="score", sort=False)
first = mine["method"].iloc[0]
gaps = scores.drop(columns=first).sub(scores[first], axis=0)
trait, method = gaps.abs().stack().idxmax() if gaps.size else (scores.index[0], first)
print(f"largest gap, {trait}: {scores.loc[trait, first]:.2f} by {first},", end=" ")
print(f"{scores.loc[trait, method]:.2f} by {method}")
scores.round(2)

# %% [markdown]
# - **Conclude** from traits on which two methods fall on different sides of one half, with
#   intervals that do not overlap: one of them does not measure what the other does. Which one,
#   the next picture and the answers themselves must tell.
# - **Do not** read a gap as a number of points. A self-report is a place on the questionnaire's
#   scale, with an interval over items. The detector gives the probability of the high pole, which
#   stays near one half where answers tell little.

# %% [markdown]
# ## Which way of measuring tells the roles apart?
#
# The same methods, one panel each, all roles. A method that gives opposite roles the same scores
# measures something else.

# %%
methods = list(results["method"].unique())
with plots.use_theme():
    fig, axes = plt.subplots(1, len(methods), figsize=(3.3 * len(methods), 3.0), squeeze=False)
for name, ax in zip(methods, axes[0], strict=True):
    plots.profile(results[results["method"] == name], value="score", by="role", ax=ax)
    ax.set(xlabel="score", xlim=(-0.05, 1.05))
    ax.set_title(name, loc="left", pad=24)
    if ax is not axes[0, 0]:
        ax.set_yticklabels([])
plt.show()

asked_high, asked_low = results[results["target"] > 0.5], results[results["target"] < 0.5]
means = {
    "asked for the high pole": asked_high.groupby("method", sort=False)["score"].mean(),
    "asked for the low pole": asked_low.groupby("method", sort=False)["score"].mean(),
}
print("mean score over roles and traits")
print(
    pd.DataFrame(means)
    .eval("apart = `asked for the high pole` - `asked for the low pole`")
    .round(2)
)

# %% [markdown]
# In the recorded interview the two roles were asked for opposite poles of every trait.
#
# - **Conclude:** self-reports of this small model hardly differ between opposite roles. They
#   measure its habit with numbers more than the role. Detector and judge, who read the answers,
#   tell the roles apart. But the judge, the same small model, gives the cheerful role the top on
#   *every* trait, neuroticism included: it hears the tone and not the trait.
# - **Do not conclude** that one method is better as such. These are two roles, the intervals are
#   wide, and larger models do better. The check is what carries over: always interview an
#   opposite role, too (many at once: `persona-lab populations`).

# %% [markdown]
# ## Against the target, at a glance

# %%
ax = plots.radar(mine, value="score", by="method", target=target)
plt.show()

if target:
    wanted = pd.Series(target)
    found = scores.reindex(wanted.index)
    right = (found > 0.5).eq(wanted > 0.5, axis=0) & found.notna()
    print("on the side that the role asked for:")
    print((right.sum().astype(str) + f" of {len(wanted)} traits").to_string())

# %% [markdown]
# Read the corners only: the area grows with the square of the scores and depends on the order of
# the traits. And mind that being on the right side is cheap: a method that says *high* to
# everything is right wherever the role asks for high.

# %% [markdown]
# ## Would it say the same again?
#
# Agreement of repeats (ICC: 1 is the same every time, 0 or less is noise), and answering styles
# that can make a questionnaire worthless.

# %%
rows = [
    {"role": m["persona"], "method": f"{m['protocol']}, by {m['rater']}", "figure": name, **found}
    for m in profile["measurements"]
    for name, found in m["reliability"].items()
]
columns = ["role", "method", "figure", "estimate", "low", "high", "n", "reason"]
style = pd.DataFrame(profile["answers"]["response_style"])
print(style.drop(columns="bot").to_string(index=False) if len(style) else "no closed answers")
pd.DataFrame(rows).reindex(columns=columns).round(2)

# %% [markdown]
# - `acquiescence` is the tendency to agree with statements and their opposites alike: 0 is none,
#   at 1 the bot agrees with whatever is said. `straight_lined` means one rating for everything.
#   Either makes the *say* column empty words.
# - **Do not conclude** that a high ICC means a valid score. A bot that repeats the same text
#   every time is perfectly reliable, and can be wrong every time. Other wordings and orders are
#   the harder test, in `05_can_you_trust_it`.

# %% [markdown]
# ## Read the answers
#
# The role's trait with the largest gap: how the bot rated itself, and what it tells.

# %%
records = record_frame(DATA / "transcript.jsonl")
records["role"] = records["persona"].fillna("(system prompt)")
domain = mine.loc[mine["trait"] == trait, "domain"].iloc[0]
sitting = (records["role"] == ROLE) & (records["domain"] == domain) & (records["repeat"] == 0)
said, told = (
    records[sitting & (records["protocol"].eq("self-report") == yes)] for yes in (True, False)
)

statement = said["question"].str.split("\n").str[-1].str.strip('"')
print(pd.DataFrame({"rating": said["rating"], "statement": statement}).to_string(index=False))

# %%
for _, record in told.head(4).iterrows():
    print(fill(f"Q: {record['question']}", 96, subsequent_indent="   "))
    answer = record["answer"] if record["status"] == "scored" else f"({record['reason']})"
    print(fill(f"A: {answer}", 96, subsequent_indent="   "), end="\n\n")

# %% [markdown]
# Ratings are as given: agreement with a statement of the low pole speaks for the low pole. Are
# both poles agreed with? Does a story show the trait, or only mention it? If answers do not touch
# the trait at all, ask again with scenarios (`--protocol situational`) before you conclude.

# %% [markdown]
# ## What could not be used, and what it cost

# %%
columns = ["persona", "protocol", "item", "reason"]
unscored = pd.DataFrame(profile["answers"]["listed"]).reindex(columns=columns)
print(unscored.to_string(index=False) if len(unscored) else "every answer could be used")
cost = pd.DataFrame(profile["cost"])
cost.reindex(columns=["role", "model", "calls", "replayed", "tokens_in", "tokens_out", "price"])

# %% [markdown]
# Unusable answers are left out, never counted as 0. `replayed` replies came from a cassette:
# rating a recorded interview again, with another judge or detector, costs only what is new.
