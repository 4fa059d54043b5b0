"""Pairs made by rule, and how given pairs are varied while training.

Chat turns are not like the single sentences of most inference corpora: they hold a statement
among greetings, thanks and questions, and contradict each other about the speaker. So
first-person statements are negated by rule, and pairs get sentences around them that change
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from persona_lab.training.nli_pairs import Pair

_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\bi (?:do not|don'?t) (like|have|eat|drink|work|want|know|own|play|read|care)\b",
     (r"i \1",)),
    (r"\bi(?:'m| am) not\b", ("i am", "i'm")),
    (r"\bi (?:can'?t|cannot|can not)\b", ("i can",)),
    (r"\bi have never\b|\bi'?ve never\b", ("i have often", "i have")),
    (r"\bi never\b", ("i always", "i often")),
    (r"\bi (?:really )?(?:love|like|enjoy|adore)\b", ("i hate", "i don't like", "i can't stand")),
    (r"\bi (?:hate|dislike|can'?t stand)\b", ("i love", "i really like")),
    (r"\bmy favou?rite\b", ("my least favorite",)),
    (r"\bi(?:'m| am) (?=an? |from |in |very |so |the |married|single|tall|short|afraid|allergic)",
     ("i am not ", "i'm not ", "i have never been ")),
    (r"\bi(?:'ve| have) (?=an? |two |three |four |five |\d)",
     ("i don't have ", "i have never had ")),
    (r"\bi(?:'ve| have) (?=been )", ("i have never ", "i haven't ")),
    (r"\bi (work|live|play|drive|own|eat|drink|read|go|speak|want|watch|collect|study|know)\b",
     (r"i don't \1", r"i never \1")),
    (r"\bi can (?!not\b)", ("i can't ", "i am not able to ")),
    (r"\bi was (?!not\b|n't\b)", ("i was never ", "i wasn't ")),
    (r"\bi used to\b", ("i never used to",)),
    (r"\bmy (\w+) (is|was) (?!not\b)", (r"my \1 \2 not ",)),
    (r"\b(it|that|they) (is|was|are|were) (?!not\b)", (r"\1 \2 not ",)),
    (r"\b(it|that)'s (?!not\b)", (r"\1 isn't ",)),
)  # fmt: skip
"""Statements and what contradicts them; the first rule that fits is used."""

_COMPILED = tuple((re.compile(rule, re.IGNORECASE), turned) for rule, turned in _RULES)
_SHOUTS_I, _WHISPERS_I = re.compile(r"\bI\b"), re.compile(r"\bi\b")
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


def sentences(text: str) -> list[str]:
    """The sentences of a chat turn, roughly: cut after full stops, ``!`` and ``?``."""
    return [part.strip() for part in _SENTENCE.findall(text) if part.strip(" .!?")]


def negate(statement: str, dice: np.random.Generator) -> str | None:
    """A statement that contradicts the given one, by rule; None where no rule fits."""
    if "?" in statement:
        return None
    for rule, turned in _COMPILED:
        if rule.search(statement):
            found = rule.sub(turned[dice.integers(len(turned))], statement, count=1)
            if _SHOUTS_I.search(statement):
                found = _WHISPERS_I.sub("I", found)
            return found if statement[:1].islower() else found[:1].upper() + found[1:]
    return None


def made_pairs(statements: Sequence[tuple[str, str]], source: str, seed: int = 0) -> list[Pair]:
    """Contradictions by rule, and pairs that only look like some.

    Args:
        statements: first-person sentences, each with its group.
        source: name of the pairs' source.
        seed: of the choices.

    Returns:
        For each statement that a rule fits: it and its negation (a contradiction), it and
        the negation of another one, and it and itself (neither is one).
    """
    dice = np.random.default_rng(seed)
    turned = [(text, group, negate(text, dice)) for text, group in statements]
    fit = [(text, group, other) for text, group, other in turned if other is not None]
    pairs = []
    for text, group, other in fit:
        pairs.append(Pair(text, other, "contradiction", source, group))
        stranger, its_group, its_other = fit[dice.integers(len(fit))]
        if its_group != group and stranger != text:
            pairs.append(Pair(text, its_other, "not_contradiction", source, group))
        if dice.random() < 0.3:
            same = other if dice.random() < 0.5 else text
            pairs.append(Pair(same, same, "entailment", source, group))
    return pairs


def swapped(pair: Pair) -> Pair:
    """The pair the other way round: only a contradiction is sure to stay what it is."""
    label = pair.label if pair.label == "contradiction" else "not_contradiction"
    if pair.label == "not_entailment":  # the other way round it could be anything
        return pair
    return replace(pair, premise=pair.hypothesis, hypothesis=pair.premise, label=label)


def padded(pair: Pair, fillers: Sequence[str], dice: np.random.Generator) -> Pair:
    """The pair with a sentence that says nothing about it before or after either text."""
    premise, hypothesis, label = pair.premise, pair.hypothesis, pair.label
    if dice.random() < 0.6:
        premise = _beside(premise, fillers, dice)
    if dice.random() < 0.6:
        hypothesis = _beside(hypothesis, fillers, dice)
        # the sentence that was added does not follow from the premise
        label = "not_contradiction" if label == "entailment" else label
    return replace(pair, premise=premise, hypothesis=hypothesis, label=label)


def _beside(text: str, fillers: Sequence[str], dice: np.random.Generator) -> str:
    filler = fillers[int(dice.integers(len(fillers)))]
    return f"{filler} {text}" if dice.random() < 0.5 else f"{text} {filler}"
