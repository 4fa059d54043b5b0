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
# # Compare groups
#
# Two versions of a chatbot, two sources, two kinds of authors: what sets them apart? This notebook
# looks at words, at traits (how large is the difference, and how sure?), and at who is like whom.
# A single short answer shows little; a mean over many tells more.
#
# It needs `pip install 'persona-lab[notebooks]'` and runs without network.

# %%
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib import pyplot as plt
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score

from persona_lab import Dialogue, load_detector, read_dialogues
from persona_lab.detectors.base import Request
from persona_lab.frames import estimate_frame, marker_frame, score_frame
from persona_lab.psychometrics import cliffs_delta, hedges_g
from persona_lab.reports import plots
from persona_lab.samples import sample_path

# %% [markdown]
# **The one place to change.** One JSON object a line: `{"id", "group", "text"}`, or
# `{"id", "group", "focus", "turns"}`. The file here holds the answers of a museum's help desk bot
# before (`spring`) and after (`autumn`) a change of its prompt, to the same questions. We wrote
# both for this notebook, and to be different: a party host, and somebody who likes order and
# quiet. So there is a right answer. No model wrote them.

# %%
DATA = Path("data/groups/two_prompts.jsonl")  # <- your file here
dialogues = [d for d in read_dialogues(DATA) if isinstance(d, Dialogue)]
group_of = {d.id: d.group for d in dialogues}
ONE, OTHER = list(dict.fromkeys(group_of.values()))[:2]
print(f"{len(dialogues)} dialogues:", dict(Counter(group_of.values())))
dialogues[0]

# %% [markdown]
# ## 1. Which words?
#
# The log-odds of each word between the groups, against a prior from both together (Monroe,
# Colaresi & Quinn 2008). Beyond |z| = 1.96 a single word would be called marked; pale bars are
# within.


# %%
def said_in(group: str) -> list[str]:
    """What the speakers in focus say in one group."""
    return [
        u.text for d in dialogues if d.group == group for name in d.choose(None) for u in d.by(name)
    ]


words = marker_frame(said_in(ONE), said_in(OTHER))
plots.marker_words(words, names=(ONE, OTHER))
plt.show()
marked = (words["z"].abs() > 1.96).sum()
print(f"{marked} of {len(words)} words are beyond 1.96")

# %% [markdown]
# **Conclude:** look at the *kind* of word. One side says "come", "you", "we" and "friends", the
# other "is", "the" and numbers: an invitation and a notice.
#
# **Do not conclude** anything from one word. Of hundreds of words a few are beyond 1.96 by chance,
# and topic words come and go with the questions.

# %% [markdown]
# ## 2. Which traits, and by how much?
#
# First all answers of a group as one text. Bars are 90 % intervals, hollow marks have no label.

# %%
detector = load_detector()


def score(requests: Iterable[Request]) -> pd.DataFrame:
    """Big Five scores of speakers as a frame."""
    return score_frame(detector.profiles(requests, frameworks=("bigfive",)))


said_by = {d.id: [u for name in d.choose(None) for u in d.by(name)] for d in dialogues}
whole = score(
    Request(
        "groups", group, tuple(u for id in group_of if group_of[id] == group for u in said_by[id])
    )
    for group in (ONE, OTHER)
)
plots.profile(whole, by="speaker")
plt.show()

# %% [markdown]
# Two points have no error between them that could be tested. So now each answer on its own.
# Hedges' g is the difference of the groups' means in standard deviations of single answers, with
# its 95 % interval; a hollow mark's interval holds 0.


# %%
def values(trait: str, group: str) -> pd.Series:
    """Log-odds of a trait in one group: unlike probabilities they have no walls."""
    p = scores.loc[(scores["trait"] == trait) & (scores["group"] == group), "p_high"].dropna()
    p = p.clip(1e-9, 1 - 1e-9)
    return np.log(p / (1 - p))


scores = score(Request(id, "", tuple(said)) for id, said in said_by.items())
scores["group"] = scores["id"].map(group_of)
print(f"{(scores['label'] == 'abstain').mean():.0%} of the scores have no label. The others:")
labelled = scores[scores["label"] != "abstain"]
print(labelled.groupby(["group", "trait", "label"]).size().to_string())
traits = list(dict.fromkeys(scores["trait"]))
effects = estimate_frame({t: hedges_g(values(t, ONE), values(t, OTHER)) for t in traits}, value="g")
plots.effect_sizes(
    effects, value="g", negligible=0.2, label=f"Hedges' g: {ONE} higher to the right"
)
plt.show()
overlap = {t: cliffs_delta(values(t, ONE), values(t, OTHER)).estimate for t in traits}
effects.assign(cliffs_delta=effects["name"].map(overlap)).drop(columns=["reason", "code"]).round(2)

# %% [markdown]
# How much of it is chance? Deal the answers to two groups at random, many times, and see how large
# the largest of the five differences gets.

# %%
rng = np.random.default_rng(0)
wide = scores.pivot(index="id", columns="trait", values="p_high").dropna().clip(1e-9, 1 - 1e-9)
logits = np.log(wide / (1 - wide)).to_numpy()
is_one = wide.index.map(group_of).to_numpy() == ONE


def largest(mask: np.ndarray) -> float:
    """The largest standardised difference over the traits."""
    spread = np.sqrt((logits[mask].var(axis=0, ddof=1) + logits[~mask].var(axis=0, ddof=1)) / 2)
    return float(np.abs((logits[mask].mean(axis=0) - logits[~mask].mean(axis=0)) / spread).max())


dealt = np.array([largest(rng.permutation(is_one)) for _ in range(2000)])
seen = largest(is_one)
print(f"largest difference: {seen:.2f} standard deviations")
print(f"dealt at random: median {np.median(dealt):.2f}, 95 % below {np.quantile(dealt, 0.95):.2f}")
print(f"as large or larger in {(dealt >= seen).sum()} of {len(dealt)} deals")

# %% [markdown]
# **Conclude:** the groups differ, beyond chance, and mostly in what was written into the file. The
# party host is found in every single answer. The lover of order is found in the whole text, but
# hardly in single answers: two of twelve are labelled, and the difference's interval holds 0.
#
# **Do not conclude** that all of it was planned, or that all of it is sure. Agreeableness differs,
# too: the host was not written to be kind, but sounds so. Neuroticism differs although no answer
# has a label for it. The quiet of the autumn bot is faint: one answer is labelled introverted, and
# the whole text with a wide interval. And a test says only
# that the groups differ; which trait that is, is the detector's opinion.

# %% [markdown]
# ## 3. Who is like whom?
#
# Many speakers on one plane: the speakers of the bundled dialogues, and the two groups as one
# point each. Neighbours are alike; an arrow shows where its trait is higher.

# %%
sample = [d for d in read_dialogues(sample_path()) if isinstance(d, Dialogue)]
everybody = score(Request.of(d, name) for d in sample for name in d.speaker_names)
everybody = pd.concat([everybody, whole], ignore_index=True)
shared = everybody.groupby("speaker")["id"].transform("nunique") > 1  # a name in two dialogues
everybody.loc[shared, "speaker"] += " of " + everybody["id"]
everybody["kind"] = np.where(everybody["id"] == "groups", "your groups", "bundled speakers")
plots.trait_space(everybody, by="kind")
plt.show()

# %% [markdown]
# The plane leaves out what the axes do not explain. Nearest in *all* five traits, and how sure is
# that? Draw every profile anew from its own interval, many times, and count how often the
# neighbour stays the nearest.

# %%
Z90 = 1.645  # the intervals are 90 %
names = everybody["speaker"].unique()
grid = everybody.set_index(["speaker", "trait"])[["p_high", "low", "high"]].clip(0.01, 0.99)
odds = np.log(grid / (1 - grid))


def table(column: pd.Series) -> np.ndarray:
    """Speakers by traits."""
    return column.unstack().loc[names].to_numpy(float)


middle, spread = table(odds["p_high"]), table((odds["high"] - odds["low"]) / (2 * Z90))


def nearest(points: np.ndarray) -> np.ndarray:
    """For each speaker the place of the nearest other one."""
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return distance.argmin(axis=1)


best = nearest(middle)
draws = np.array([nearest(rng.normal(middle, spread)) for _ in range(1000)])
neighbours = pd.DataFrame(
    {"nearest": names[best], "stays nearest": (draws == best).mean(axis=0)}, index=names
)
neighbours.sort_values("stays nearest", ascending=False).round(2)

# %% [markdown]
# **Conclude:** "speaks like" is a weak statement here: only one neighbour stays the nearest in more
# than half of the draws, and barely.
#
# **Do not conclude** from one nearest name. Most traits of most speakers are not shown, and their
# intervals are so wide that several could be the nearest. Log-odds are cut off at .01 and .99:
# who shows a trait clearly counts as equal in it.

# %% [markdown]
# ## 4. Are there kinds of speakers?
#
# Every clustering finds clusters. The question is whether they are tighter than in data that
# have none. Compare with profiles whose traits were shuffled among the speakers: same values,
# no kinds.

# %%


def tightness(points: np.ndarray, k: int) -> float:
    """Mean silhouette of k clusters (Rousseeuw 1987): 1 apart, 0 none."""
    return float(silhouette_score(points, AgglomerativeClustering(k).fit_predict(points)))


standard = (middle - middle.mean(axis=0)) / middle.std(axis=0)
rows = []
for k in range(2, 6):
    shuffled = [
        tightness(np.column_stack([rng.permutation(column) for column in standard.T]), k)
        for _ in range(200)
    ]
    found = tightness(standard, k)
    rows.append(
        (
            k,
            found,
            np.median(shuffled),
            np.quantile(shuffled, 0.95),
            (np.array(shuffled) >= found).mean(),
        )
    )
kinds = pd.DataFrame(
    rows, columns=["k", "silhouette", "shuffled", "shuffled, 95 % below", "share above"]
)
display(kinds.set_index("k").round(2))
k = int(kinds.loc[kinds["share above"].idxmin(), "k"])
community = AgglomerativeClustering(k).fit_predict(standard)
everybody["community"] = everybody["speaker"].map(
    {name: f"community {c + 1}" for name, c in zip(names, community, strict=True)}
)
plots.trait_space(everybody.sort_values("community"), by="community")
plt.show()

# %% [markdown]
# **Conclude:** "share above" is how often data without kinds cluster at least as tightly. Four
# numbers of clusters were tried, so the smallest share should be taken four times before it is
# believed. Here it is .10, and four times that is .40: no kinds beyond chance. The colours show
# the best of the four all the same.
#
# **Do not conclude** that a community is a type of person. With some twenty speakers and five
# traits some grouping always looks natural, and names for its members come to mind much too easily.
#
# ## To take away
#
# - Words first: they show *what* differs, and need no detector.
# - Give effect sizes with intervals, and deal the groups at random to see what chance does.
# - Whether a difference is the trait that its name says is a question about the detector.
