"""Pairs of turns of our own, and those of our own dialogues, for the contradiction model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

from persona_lab.consistency.pairs import in_context
from persona_lab.training.nli_decode import turn_in_context
from persona_lab.training.nli_pairs import Pair, split_of
from persona_lab.training.reader.course import KnownDialogue, read_known

PAIRS = Path(__file__).resolve().parent / "data" / "contradictions.jsonl"
"""One pair a line, in groups about the same facts."""

_SHARES = (0.10, 0.15)
"""Of validation and test, by group."""

_OTHERS = 8
"""Pairs of a dialogue that do not contradict, at most."""

_CLAIMED = {"contradicting": "pair", "near_miss": "near"}
"""Kinds of dialogues whose truth names two turns, and under what name."""

Split = str


def own_pairs(seed: int = 0) -> Iterator[tuple[Split, Pair]]:
    """Our own pairs with their splits; all of a group are in one."""
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        earlier, later = (in_context(row[k]["a"], row[k]["q"]) for k in ("earlier", "later"))
        label = "contradiction" if row["label"] == "contradiction" else "not_contradiction"
        group = f"own-{row['group']}"
        yield split_of(group, _SHARES, seed), Pair(earlier, later, label, "own pairs", group)


def talk_pairs(seed: int = 0) -> Iterator[tuple[Split, Pair]]:
    """Pairs of turns of our own dialogues; each dialogue keeps its split."""
    for one in read_known():
        for pair in _of_talk(one, seed):
            yield one.split, pair


def _of_talk(one: KnownDialogue, seed: int) -> Iterator[Pair]:
    turns = [(u.speaker, u.text) for u in one.dialogue.utterances]
    own = one.own
    named = one.truth.get(_CLAIMED.get(one.kind, ""))
    chosen = {tuple(named)} if named else set()
    others = [pair for pair in combinations(range(len(own)), 2) if pair not in chosen]
    dice = np.random.default_rng([seed, len(turns)])
    picked = dice.permutation(len(others))[:_OTHERS]
    for i, j in [*chosen, *(others[k] for k in picked)]:
        wrong = one.kind == "contradicting" and (i, j) in chosen
        yield Pair(
            turn_in_context(turns, own[i]),
            turn_in_context(turns, own[j]),
            "contradiction" if wrong else "not_contradiction",
            "own dialogues",
            f"talk-{one.dialogue.id}",
        )
