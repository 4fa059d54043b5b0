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
# # Can you trust it?
#
# A score is easy to get. This notebook asks what it is worth, from two sides: the detectors
# that read text (are they right, do they know when they are not, how much text do they need?),
# and the questionnaires that chatbots fill in (does the score survive another wording, and does
# the bot do what it says?).
#
# It needs `pip install 'persona-lab[notebooks]'` and runs without network.

# %%
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pandas as pd
from matplotlib import pyplot as plt

from persona_lab import BIG_FIVE, Dialogue, load_detector, read_dialogues
from persona_lab.detectors.base import Request
from persona_lab.detectors.registry import find_model
from persona_lab.frames import (
    estimate_frame,
    interview_frame,
    label_frame,
    length_frame,
    mtmm_frame,
    risk_frame,
    score_frame,
)
from persona_lab.instruments import load_instrument
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.records import RecordFile
from persona_lab.interviews.self_report import WORDINGS
from persona_lab.llm import Client
from persona_lab.llm.callable import CallableModel
from persona_lab.psychometrics import battery, multitrait_multimethod
from persona_lab.psychometrics.battery_report import verdicts_of
from persona_lab.psychometrics.measures import Battery, measure
from persona_lab.psychometrics.verdicts import LEVELS, MARGIN
from persona_lab.reports import plots

# %% [markdown]
# **The one place to change.** `MODEL` is a bundled model or the folder that `persona-lab train`
# wrote. `DATA` is a file with labels; without one, recorded figures of the bundled model are
# shown.

# %%
MODEL = "blend"
DATA = None  # <- your file here, with labels: "held_out.csv" (columns text, extraversion, ...)

# %% [markdown]
# ## 1. Better than guessing?
#
# Every trained model carries `metrics.json`: what it said about texts that no part of it had
# seen. The line at 0 is somebody who always says the commoner label.

# %%
folder = find_model(MODEL)
metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
means = [
    {"name": register, "framework": framework} | found["mean"]
    for register, frameworks in metrics["validation"].items()
    for framework, found in frameworks.items()
]
gains = pd.DataFrame(
    {
        "name": mean["name"],
        "framework": mean["framework"],
        "texts": mean["n"],
        "majority": 100 * mean["majority"],
        "accuracy": 100 * mean["accuracy"]["value"],
        "gain": 100 * (mean["accuracy"]["value"] - mean["majority"]),
        "low": 100 * (mean["accuracy"]["low"] - mean["majority"]),
        "high": 100 * (mean["accuracy"]["high"] - mean["majority"]),
        "ECE": mean["ece"]["value"],
    }
    for mean in means
)
plots.effect_sizes(gains, value="gain", label="points of accuracy above the commoner label")
plt.show()
gains.drop(columns=["low", "high"]).round({"majority": 1, "accuracy": 1, "gain": 1, "ECE": 3})

# %% [markdown]
# **Conclude:** where somebody acts a trait out on purpose (one-line statements, stories by a
# language model) it can be read. Where people just write (essays, posts, vlogs) a little can.
#
# **Do not conclude** that "accuracy" is a property of the detector. It is one of the detector
# *and* the kind of text. A figure without its majority class tells nothing.

# %% [markdown]
# ## 2. Does 70 % mean 70 %?
#
# A weak detector is still useful if it says how weak it is. Of the texts that got 0.7, are
# seven in ten really high? Points are tenths of the cases, on the diagonal all is well. Without a
# file of yours these are recorded out-of-fold probabilities of the bundled `blend`
# (`data/trust/record.py` measured them; counts only, no texts).


# %%
def judged(file: str) -> pd.DataFrame:
    """Probabilities beside the labels of a file."""
    dialogues = [d for d in read_dialogues(file) if isinstance(d, Dialogue)]
    requests = (Request.of(d, name) for d in dialogues for name in d.choose(None))
    scores = score_frame(load_detector(MODEL).profiles(requests))
    cases = scores.merge(label_frame(dialogues), on=["id", "speaker", "trait"])
    return cases.assign(register="your file")


def recorded() -> pd.DataFrame:
    """The same for the bundled model, from counts."""
    counts = pd.read_csv("data/trust/out_of_fold.csv")
    return counts.loc[counts.index.repeat(counts["n"])]


cases = judged(DATA) if DATA else recorded()
shown = [r for r in ("essay", "story", "statement", "your file") if r in set(cases["register"])]
plots.reliability_diagram(cases[cases["register"].isin(shown)], by="register")
plt.show()
cases.groupby("register", sort=False)["p_high"].describe()[["count", "min", "50%", "max"]].round(2)

# %% [markdown]
# **Conclude:** the probabilities can be read as they stand, give or take the error (ECE) in the
# legend. On essays most stay near the middle, and that is right: there is not more to know.
#
# **Do not conclude** that this holds for your kind of text. Calibration is the first thing to
# break on another kind; a few hundred labels of your own (`DATA`) tell.
#
# If the file was trained on, use `persona-lab evaluate`: it judges such texts by the part of the
# model that never saw them.

# %% [markdown]
# ## 3. Does it know when it does not know?
#
# Label only the surest tenth, then the surest two tenths, and so on. A detector that knows when
# it knows makes few errors on the left.

# %%
risk = risk_frame(folder)
plots.risk_coverage(risk, by="register")
plt.show()
risk.assign(coverage=risk["coverage"].round(1)).pivot(
    index="register", columns="coverage", values="risk"
)[[0.1, 0.3, 0.5, 1.0]].rename(columns="{:.0%} labelled".format).round(2)

# %% [markdown]
# **Conclude:** abstaining buys a lot on essays and posts. That is what `label: abstain` is for:
# keep the surest third and leave the others out.
#
# **Do not conclude** that the sure ones are a fair sample. They are the outspoken ones; a mean
# over them is not the mean of the corpus.

# %% [markdown]
# ## 4. How much text is enough?

# %%
lengths = length_frame(folder)
long = lengths[lengths["register"].isin(["essay", "forum", "vlog"])]
plots.length_curve(long, by="register")
plt.show()
shortest = json.loads((folder / "config.json").read_text(encoding="utf-8"))["calibration"]
pd.DataFrame([shortest["min_words"]], index=["too_short below so many words"])

# %% [markdown]
# **Conclude:** with less than the words in the table a score of a human text is a guess, and the
# detector says so. A chat message is no essay: put a speaker's messages together first.

# %% [markdown]
# ## 5. A leak that looks like skill
#
# Posts in MBTI forums name the answer: "as an INFP I ...". A model that may read such words looks
# good and has learnt to read type names. Below: the same recipe (words and pairs of words, linear
# models), cross-validated twice on the public forum set, with type words masked and left in.

# %%
leak = json.loads(Path("data/trust/leak.json").read_text(encoding="utf-8"))
print(
    f"{leak['users']:,} users; {leak['name_their_own_type']:.0%} name their own type, "
    f"{leak['hold_a_type_word']:.0%} use some word that names a type, an axis or a function."
)
f1 = pd.DataFrame(
    {"axis": axis, "type words": kind} | found["macro_f1"]
    for kind in ("masked", "left in")
    for axis, found in [*leak[kind]["traits"].items(), ("mean", leak[kind]["mean"])]
)
with plots.use_theme():
    _, ax = plt.subplots(figsize=(5.6, 2.9), layout="constrained")
    for i, (kind, part) in enumerate(f1.groupby("type words", sort=False)):
        ends = [part["value"] - part["low"], part["high"] - part["value"]]
        at = [place + 0.2 * i - 0.1 for place in range(len(part))]
        ax.errorbar(at, part["value"], ends, linestyle="", marker="os"[i], label=kind)
    ax.set_xticks(range(f1["axis"].nunique()), f1["axis"].unique())
    ax.set(ylabel="macro-F1, out of fold", ylim=(0.5, 1.0))
    ax.legend(title="type words", loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
f1.pivot(index="type words", columns="axis", values="value").loc[["masked", "left in"]].round(3)

# %% [markdown]
# **Conclude:** the distance between the two is the leak. Mask before you train and before you
# measure (persona-lab does both unless it is told otherwise), and ask of any published MBTI figure
# which of the two it is.
#
# **Do not conclude** that masking makes the rest clean: topics of a forum (its members talk about
# personality) stay in.

# %% [markdown]
# ## 6. Does a chatbot's questionnaire score depend on how it is asked?
#
# `persona-lab reliability` asks one questionnaire in every way that should not matter: three
# wordings, two orders of the options, two temperatures, two repeats. Here four scripted bots take
# it, so that we know what is wrong with each. All have the same character; three have a fault.

# %%
QUESTIONNAIRE = load_instrument("ipip-20")
ASKED = {ask(item.text): item for item in QUESTIONNAIRE.items for ask in WORDINGS.values()}
CHARACTER = dict.fromkeys(BIG_FIVE.keys, 4) | {"neuroticism": 2}


@dataclass
class Scripted:
    """Answers as a character would, but for one planted fault, in points of the scale."""

    to_first: float = 0.0  # towards the option that stands first
    to_agreement: float = 0.0
    shy_in_questions: float = 0.0  # extraversion lost where the item is a question

    def __call__(
        self, messages: list[dict[str, str]], *, temperature: float, seed: int, **_: object
    ) -> str:
        """Find the item in what is asked, and answer with a number."""
        said = messages[-1]["content"]
        item = ASKED[said.split("\n\n")[-1]]
        score = CHARACTER[item.domain]
        if item.domain == "extraversion" and said.endswith("?"):
            score -= self.shy_in_questions
        rating = 3 + item.keyed * (score - 3) + self.to_agreement
        rating += self.to_first if said.index("5 =") < said.index("1 =") else -self.to_first
        rating += Random(f"{said}{seed}").gauss(0, 0.25 if temperature else 0)
        return str(min(5, max(1, round(rating))))


def take(name: str, bot: Scripted) -> Battery:
    """Ask one bot in all ways, and work its answers out."""
    client = Client(CallableModel(bot, name))
    ways = battery.plan([battery.Respondent(Bot(name, client))], QUESTIONNAIRE, battery.Protocol())
    with TemporaryDirectory() as run, RecordFile(Path(run) / battery.TRANSCRIPT) as file:
        battery.run(ways, file, client)
        return measure(file.read(), QUESTIONNAIRE)


bots = {
    "steady": Scripted(),
    "likes the first option": Scripted(to_first=1.0),
    "agrees with all": Scripted(to_agreement=1.0),
    "shy in questions": Scripted(shy_in_questions=1.5),
}
taken = {name: take(name, bot) for name, bot in bots.items()}
verdicts = {name: verdicts_of(result) for name, result in taken.items()}
pd.DataFrame.from_dict(
    {
        name: {"answers": result.conduct.asked, "the bot": whole.level}
        | {t.name: v.level for t, v in zip(result.traits, each, strict=True)}
        for (name, result), (whole, *each) in zip(taken.items(), verdicts.values(), strict=True)
    },
    orient="index",
)

# %% [markdown]
# What is behind the verdicts, worst first, one sentence a bot:

# %%
for name, (whole, *each) in verdicts.items():
    worst = max((whole, *each), key=lambda v: LEVELS.index(v.level))
    print(f"{name}: {worst.level}. {worst.text}".rstrip(), end="\n\n")

# %% [markdown]
# And in a picture: by how much does each trait move between the printed wording and the question?


# %%
def as_question(result: Battery) -> pd.DataFrame:
    """Shift of each trait from question to printed wording."""
    pairs = {
        trait.name: shift.difference
        for trait in result.traits
        for shift in trait.shifts["wording"]
        if {shift.first, shift.second} == {"standard", "question"}
    }
    return estimate_frame(pairs, value="shift")


shifts = pd.concat(as_question(result).assign(bot=name) for name, result in taken.items())
margin = MARGIN * (QUESTIONNAIRE.scale.high - QUESTIONNAIRE.scale.low)
plots.effect_sizes(
    shifts,
    value="shift",
    by="bot",
    negligible=margin,
    label="points by which the question moves it",
)
plt.show()

# %% [markdown]
# **Conclude:** look at the verdict before the score. A shift beyond the grey band means that two
# bots may only be compared if they were asked in the very same way.
#
# Mind the bot that likes the first option: most of its *scores* stay in place, because half of the
# items are keyed the other way and cancel it (openness has three items of four keyed alike, and
# gives it away). Read the bot's own verdict before those of its traits.
#
# **Do not conclude** that "steady" means true. A bot can say the same wrong thing in every wording,
# which is the next question.
#
# Your own bot: `persona-lab reliability --bot openai:http://localhost:8080/v1 --out runs/bot`.

# %% [markdown]
# ## 7. Does it do what it says?
#
# Campbell & Fiske (1959) ask of any test: do different *methods* agree on the same trait, and
# more than different traits agree by one method? The PersonaLLM study (Jiang et al. 2024,
# [arXiv 2305.02547](https://arxiv.org/abs/2305.02547)) allows it for a chatbot: each persona of
# GPT-3.5 was given five traits, filled in a questionnaire, and wrote a story. Three methods:
# what was **assigned**, what it **says** (the study's scores), what its **story** shows (our
# detector, out of fold). Framed cells are the same trait by two methods.

# %%
personas = pd.read_csv("data/trust/personallm.csv")
NAMES = {"assigned": "assigned", "questionnaire": "says", "story": "story"}
measures = {
    (trait, NAMES[method]): personas[f"{method}.{trait}"]
    for method in NAMES
    for trait in BIG_FIVE.keys
}
matrix = multitrait_multimethod(measures)
pairs = mtmm_frame(matrix)
plots.mtmm(pairs)
plt.show()
same = pairs[pairs["kind"] == "convergent"]
same = same.assign(methods=same["method_1"] + " and " + same["method_2"])
print(f"{len(personas)} personas; correlations of one trait by two methods:")
same.pivot(index="trait_1", columns="methods", values="r").round(2)

# %%
for kind, mean in matrix.means.items():
    print(f"{kind.replace('_', ' '):28} mean r = {mean.estimate:+.2f}")
print(f"same trait beats other traits by other methods in {matrix.heteromethod.estimate:.0%}")
print(f"same trait beats other traits by the same method in {matrix.monomethod.estimate:.0%}")

# %% [markdown]
# **Conclude:** what the personas *say* follows what was assigned, for the assignment stands in
# the prompt. What they *write* follows it for extraversion and agreeableness; of the other three
# traits a questionnaire score tells little about the stories. And look at the triangle of "says":
# traits that were assigned independently are not independent in the answers. Pleasant answers go
# together.
#
# **Do not conclude** that the stories lack those traits. Where questionnaire and detector
# disagree, either the bot does not do what it says or the detector cannot see it; only people
# who read the stories can tell. And the detector learnt from other runs of the same 32 combinations
# of traits, so its good cells are on the kind side.

# %% [markdown]
# ### A small bot, interviewed
#
# The same question for a recorded interview (`persona-lab interview`) in two opposite roles: the
# questionnaire (`closed`) beside how the detector and a language model rate its open answers.
# Stars are what the role asked for.

# %%
INTERVIEW = Path("data/interview")
said = interview_frame(INTERVIEW)
said["how"] = said["protocol"] + ", " + said["rater"]
roles = said.groupby(said["persona"].fillna("as it is"), sort=False)
with plots.use_theme():
    fig, axes = plt.subplots(1, len(roles), figsize=(9, 3.4), layout="constrained", squeeze=False)
for ax, (role, part) in zip(axes[0], roles, strict=True):
    wanted = part.dropna(subset="target").set_index("domain")["target"].to_dict()
    plots.profile(part, value="score", trait="domain", by="how", target=wanted or None, ax=ax)
    ax.set_xlabel(f"role: {role}")
    ax.get_legend().remove()
fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
plt.show()
print("bot:", ", ".join(said["bot"].unique()))
said.pivot(index="domain", columns=["how", "persona"], values="score").round(2)

# %% [markdown]
# **Conclude:** how far the two roles are apart by each method. A method that puts both in the same
# place either meets a bot that cannot play the roles, or cannot see that it does.
#
# **Do not conclude** more from two roles. For a matrix as above, interview a dozen or more
# (`--personas`): the report and `profile["method_agreement"]` then have one.

# %% [markdown]
# ## To take away
#
# - Ask for the majority class, the kind of text and the length before you believe an accuracy.
# - Calibrated probabilities and abstention make a weak detector usable for aggregates; nothing
#   makes it usable for judging a person.
# - A chatbot's questionnaire score is a fact about a prompt. Test it in several wordings, and hold
#   it against what the bot does.
#
# More: `docs/reliability.md`, and the cards in `models/*/README.md`.
