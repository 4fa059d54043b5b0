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
# # Consistency and drift
#
# **Does a character stay the same, and if not, where does it break?** Six chatbot roles answered
# the same twelve questions (written for persona-lab, with persona statements). That makes fair
# tests possible: any answer can be swapped for another role's answer *to the same question*.

# %%
from dataclasses import replace
from itertools import islice, permutations, product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

import persona_lab
from persona_lab.consistency.judge import ConsistencyJudge
from persona_lab.consistency.parts import Score
from persona_lab.frames import consistency_frame, turn_frame
from persona_lab.reports import plots
from persona_lab.samples import sample_path

DATA = Path("data/roles.jsonl")  # <- your file here: dialogues in which the same speaker occurs
SPEAKER = "assistant"  # whose consistency is measured
MOST = 6  # dialogues that are read; all pairs of them are tried below
ROLE, STRANGER = "Max", "Lena"  # ids of two dialogues that are spliced; else the first two
LIE = "I have never met any of my neighbours, I hate parties, and I never talk on the phone."

# %%
found = persona_lab.read_dialogues(DATA)
spoken = (d for d in found if isinstance(d, persona_lab.Dialogue) and d.by(SPEAKER))
chats = {d.id: d for d in islice(spoken, MOST)}
if not {ROLE, STRANGER} <= set(chats):
    ROLE, STRANGER, *_ = chats
judge = ConsistencyJudge(persona_lab.load_detector())


def report_on(chat):
    """The one report about SPEAKER."""
    return next(judge.reports(chat, SPEAKER))


reports = {name: report_on(chat) for name, chat in chats.items()}
reports[ROLE]

# %% [markdown]
# ## All roles, intact

# %%
parts = consistency_frame(reports.values())
overall = parts[parts["part"] == "consistency"]
plots.profile(overall, value="score", trait="id", label="consistency, with 90 % interval")
plt.show()
plots.heatmap(parts, value="score", index="id", trait="part", label="score")
plt.show()

# %% [markdown]
# - **Conclude** from the parts, not from the overall score alone: *accommodation* (how well an
#   answer fits the questions around it) and *contradiction* (agreement with the persona and
#   earlier turns) vary most, and they are about different things. *Stability* is how far the signs
#   of a trait agree, *drift* is near 1 where no turn starts a new character.
# - **Do not conclude** that 0.6 is bad. Nothing was broken here: this is what intact chats get.
#   The score compares chats of one kind; it has no absolute pass mark. Hatched parts were not
#   asked for (there is no target).

# %% [markdown]
# ## Where does it break?
#
# One role's first half with another role's second half: a bot that forgets who it is. The curve
# is read in windows of a few turns. The upright line is the likeliest change, found from what each
# turn shows.


# %%
def spliced(first, second):
    """The first half of one chat, the second half of another."""
    half = len(chats[first].utterances) // 4 * 2
    turns = chats[first].utterances[:half] + chats[second].utterances[half:]
    return replace(chats[first], id=f"{first} > {second}", utterances=turns), half


def course_of(chat):
    """Traits over the turns of SPEAKER, with intervals."""
    read = judge.reader.read(chat, persona_lab.BIG_FIVE)
    frame = turn_frame(read, id=chat.id)
    return frame[frame["speaker"] == SPEAKER]


broken, half = spliced(ROLE, STRANGER)
said = {i: u.text for i, u in enumerate(broken.utterances) if u.speaker == SPEAKER}
around = {turn: said[turn] for turn in sorted(said, key=lambda turn: abs(turn - half))[:2]}

ax = plots.trajectory(course_of(broken), traits="extraversion", quotes=around)
plt.show()
ax = plots.trajectory(course_of(chats[ROLE]), traits="extraversion")
ax.set_title(f"{ROLE}, intact: extraversion", loc="left")
plt.show()
print(f"the chats were joined before turn {half + 1}, the first answer of {STRANGER}")

# %% [markdown]
# How often does that work? All pairs of roles, each against its intact first half's owner.

# %%
rows = [{"chat": name, "spliced": False, "report": r} for name, r in reports.items()]
for first, second in permutations(chats, 2):
    chat, _ = spliced(first, second)
    rows.append({"chat": chat.id, "spliced": True, "report": report_on(chat)})
splices = pd.DataFrame(rows)
points = [report.to_row()["change_point"] or {} for report in splices["report"]]
splices["probability"] = [point.get("probability") for point in points]
splices["turn"] = [point.get("turn") for point in points]

with plots.use_theme():
    fig, ax = plt.subplots(figsize=(6.4, 2.0))
    sns.stripplot(splices, x="probability", y="spliced", orient="h", hue="spliced",
                  palette=plots.PALETTE[:2], legend=False, size=6, alpha=0.7, ax=ax)  # fmt: skip
    ax.axvline(0.5, color="black", linewidth=0.8, linestyle="-", marker="")
    ax.set(xlim=(-0.02, 1.02), xlabel="probability of a change", ylabel="")
    ax.set_yticks([0, 1], ["intact", "spliced"])
plt.show()

called = splices[splices["probability"] >= 0.5]
print(f"changes called: {called['spliced'].sum()} of {splices['spliced'].sum()} spliced,", end=" ")
print(f"{(~called['spliced']).sum()} of {(~splices['spliced']).sum()} intact")
near = called[called["spliced"]]["turn"].sub(half + 1).abs() <= 2
print(f"of those, {near.sum()} of {len(near)} within one answer of the true place")

# %% [markdown]
# - **Conclude:** when a change is called, there is one: no intact chat is called, and 22 of the 30
#   spliced ones are, each at the true place: all 18 between an extravert and an introvert, and 4
#   between the blunt Rocco and another extravert.
# - **Do not conclude** that no call means no change: the 8 that are missed join two introverts, or
#   Max and Bea, who show the same poles. Nor that it is so exact elsewhere: these roles were
#   written to differ. `docs/consistency.md` has figures on stories and natural chats.
#
# Another change: the bundled bot that starts as a party animal and ends in a corner. The place is
# its first "Oh." (turn 7); scored as a whole the same bot is labelled extraverted
# (`01_score_a_dialogue`).

# %%
(drifting,) = (d for d in persona_lab.read_dialogues(sample_path()) if d.id == "drifting-bot")
changed = next(judge.reports(drifting, "assistant"))
print(changed.explanation)

# %% [markdown]
# ## Contradictions
#
# A planted one: the role's own chat, whose last answer is replaced by one that denies its
# persona.


# %%
def conflicts(report):
    """The pairs that the model lists."""
    pairs = pd.DataFrame(
        report.to_row()["contradictions"], columns=["p", "a_turn", "a", "b_turn", "b"]
    )
    return pairs.astype({"a_turn": "Int64", "b_turn": "Int64"})


pd.options.display.max_colwidth = 90
turns = [
    u if i != max(said) else replace(u, text=LIE) for i, u in enumerate(chats[ROLE].utterances)
]
lying = report_on(replace(chats[ROLE], utterances=tuple(turns)))
for name, report in {"intact": reports[ROLE], "with the lie": lying}.items():
    value = report.parts["contradiction"]
    print(
        f"{name}: contradiction part {value.value:.2f}"
        if isinstance(value, Score)
        else value.reason
    )
conflicts(lying)

# %%
false = pd.concat([conflicts(r).assign(chat=name) for name, r in reports.items()])
print(f"pairs listed in the {len(reports)} intact chats: {len(false)}")
false

# %% [markdown]
# - **Conclude:** nothing is listed in the intact chats, so the list raises no false alarm here.
# - **Do not conclude** that an empty list means no contradiction. The planted denial is missed: no
#   pair is listed, and the part hardly moves (.85 to .84). A lie among many answers can stay
#   unseen, so read the answers, too. Where a pair is listed, a missing `a_turn` means a persona
#   statement.

# %% [markdown]
# ## The mixing experiment
#
# Replace more and more answers by a stranger's. If the score measures consistency, it must fall.
# The stranger's answers are taken in two ways: from the *same* questions, so that only the
# character is wrong, and from *other* questions, as when turns of two chats are mixed up.


# %%
def mixed(first, second, count, way, rng):
    """One chat with some answers from another."""
    own, other = (
        [i for i, u in enumerate(chats[n].utterances) if u.speaker == SPEAKER]
        for n in (first, second)
    )
    places = rng.permutation([i for i in own if i in other])[:count].tolist()
    sources = places if way == "same questions" else rng.permutation(list(set(other) - set(places)))
    taken = dict(zip(places, (chats[second].utterances[i] for i in sources), strict=False))
    turns = (taken.get(i, u) for i, u in enumerate(chats[first].utterances))
    return replace(chats[first], utterances=tuple(turns))


rng = np.random.default_rng(0)
frames = []
for way in ("same questions", "other questions"):
    frames.append(parts.assign(way=way, replaced=0))
    for (first, second), count in product(permutations(chats, 2), (3, 6)):
        report = report_on(mixed(first, second, count, way, rng))
        frames.append(consistency_frame(report).assign(way=way, replaced=count))
mixes = pd.concat(frames)
shown = mixes[mixes["status"] == "scored"]

with plots.use_theme():
    names = [
        n
        for n in ("consistency", "accommodation", "contradiction", "drift")
        if n in set(shown["part"])
    ]
    fig, axes = plt.subplots(1, len(names), figsize=(2.1 * len(names), 2.8), sharey=True)
    for name, ax in zip(names, axes, strict=True):
        sns.lineplot(shown[shown["part"] == name], x="replaced", y="score", hue="way", style="way",
                     markers=["o", "s"], dashes=False, palette=plots.PALETTE[:2], seed=0,
                     legend=name == names[-1], ax=ax)  # fmt: skip
        ax.set(title=name, xlabel="", ylim=(0, 1.02), xticks=[0, 3, 6], ylabel="mean score")
    fig.supxlabel("answers replaced, with 95 % interval of the mean", y=-0.06, size=9)
    axes[-1].legend(title="", loc="center left", bbox_to_anchor=(1.02, 0.5))
plt.show()

overall = shown[shown["part"] == "consistency"]
intact = overall.loc[overall["replaced"] == 0, "score"].to_numpy()
for way, part in overall[overall["replaced"] > 0].groupby("way", sort=False):
    for count, scores in part.groupby("replaced")["score"]:
        below = (scores.to_numpy() < intact[:, None]).mean()
        print(
            f"{count} answers to {way}: below an intact chat in {below:.0%} of pairs (chance 50 %)"
        )

# %% [markdown]
# - **Conclude:** turns that do not belong pull the score down. *Drift* falls whichever questions
#   they answer; *accommodation*, the fit between an answer and what it answers, falls only for
#   other questions.
# - **Do not conclude** that every part notices: *contradiction* hardly moves. And these roles were
#   written to differ; strangers who are alike are missed more. `docs/consistency.md` has the
#   figures on natural chats.

# %% [markdown]
# ## Whose persona is it?
#
# Every chat against every role's persona statements. If the match means something, the diagonal
# is the largest of its row.

# %%
owners = [n for n, c in chats.items() if SPEAKER in c.speakers and c.speakers[SPEAKER].persona]
cells = []
for name, other in product(owners, owners):
    speakers = {SPEAKER: chats[other].speakers[SPEAKER]}
    details = report_on(replace(chats[name], speakers=speakers)).to_row()["details"]
    match = details.get("contradiction", {}).get("persona_match")
    cells.append({"chat": f"chat of {name}", "persona": other, "match": match})

if cells:
    matches = pd.DataFrame(cells)
    ax = plots.heatmap(matches, value="match", index="chat", trait="persona", label="match")
    ax.set_xlabel("persona statements of")
    plt.show()
    best = matches.loc[matches.groupby("chat")["match"].idxmax()]
    right = (best["chat"] == "chat of " + best["persona"]).sum()
    print(f"own persona matches best in {right} of {len(best)} chats (chance: 1 in {len(owners)})")
else:
    print("there are no persona statements in this file")

# %% [markdown]
# - **Conclude:** to find out *which* of several personas a bot is playing, compare matches within
#   a row.
# - **Do not** compare across rows, and do not read a match as agreement in every statement. In
#   the bundled file the chat of *Lena* matches the persona of *Max* well, who loves the telephone
#   that she avoids: the same topics go a long way.
