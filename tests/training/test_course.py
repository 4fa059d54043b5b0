"""Our own dialogues and pairs are what their card says, and what is counted on them is right."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest

from persona_lab.detectors.reader.detector import ReaderDetector
from persona_lab.detectors.registry import load_detector
from persona_lab.training.nli_own import PAIRS, own_pairs, talk_pairs
from persona_lab.training.reader.course import SPEAKER, fit_signs, read_known
from persona_lab.training.reader.labels import DIALOGUES
from persona_lab.traits import BIG_FIVE

TOLD = {
    "stable": {"trait", "pole"},
    "moody": {"trait", "pole"},
    "switched": {"trait", "before", "after", "turn"},
    "contradicting": {"pair", "way"},
    "near_miss": {"near", "why"},
    "breaks_persona": {"statement", "turn"},
    "off_persona": set(),
    "plain": set(),
}


def test_the_dialogues_are_what_their_card_says() -> None:
    rows = [json.loads(line) for line in DIALOGUES.read_text("utf-8").splitlines()]
    card = (DIALOGUES.parent / "README.md").read_text("utf-8")
    counts = {kind: int(n) for kind, n in re.findall(r"^\| `(\w+)` \| (\d+) \|", card, re.M)}
    assert counts == Counter(row["kind"] for row in rows)
    splits = defaultdict(set)
    for row in rows:
        own = [turn["text"] for turn in row["turns"] if turn["speaker"] == SPEAKER]
        assert 5 <= len(own) <= 13, row["id"]
        speakers = [turn["speaker"] for turn in row["turns"]]
        assert all(a != b for a, b in pairwise(speakers)), row["id"]
        truth = row["truth"]
        assert set(truth) == TOLD[row["kind"]], row["id"]
        assert truth.get("trait", "openness") in BIG_FIVE.keys
        assert {truth.get(key, "high") for key in ("pole", "before", "after")} <= {"high", "low"}
        assert 0 <= truth.get("turn", 0) < len(own)
        assert truth.get("statement", -1) < len(row.get("persona", ()))
        for earlier, later in filter(None, (truth.get("pair"), truth.get("near"))):
            assert 0 <= earlier < later < len(own), row["id"]
        splits[row["writer"]].add(row["split"])
    assert {len(split) for split in splits.values()} == {1}
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_pairs_are_whole_and_no_group_is_on_two_sides() -> None:
    rows = [json.loads(line) for line in PAIRS.read_text("utf-8").splitlines()]
    assert {row["label"] for row in rows} == {"contradiction", "neutral", "consistent", "agrees"}
    assert len({row["id"] for row in rows}) == len(rows)
    sides = defaultdict(set)
    for split, pair in own_pairs():
        sides[pair.group].add(split)
    assert {len(side) for side in sides.values()} == {1}
    assert set.union(*sides.values()) == {"train", "validation", "test"}


def test_a_contradicting_dialogue_gives_one_contradiction_in_context() -> None:
    found = list(talk_pairs())
    wrong = [pair for _, pair in found if pair.label == "contradiction"]
    n = sum(one.kind == "contradicting" for one in read_known())
    assert len(wrong) == n
    assert len({pair.group for pair in wrong}) == n
    assert any(" / " in pair.premise for pair in wrong)
    assert {split for split, _ in found} == {"train", "test"}


def test_where_a_pole_should_be_shown() -> None:
    one = next(one for one in read_known() if one.kind == "switched")
    n = sum(u.speaker == SPEAKER for u in one.dialogue.utterances)
    poles = one.poles(n)
    column = BIG_FIVE.keys.index(one.truth["trait"])
    turn = one.truth["turn"]
    assert set(poles[:turn, column]) | set(poles[turn:, column]) == {1, -1}
    assert poles[turn - 1, column] == -poles[turn, column]
    assert not np.delete(poles, column, axis=1).any()


def test_signs_are_counted_and_calibrated() -> None:
    reader = load_detector("reader")
    assert isinstance(reader, ReaderDetector)
    signs = fit_signs(reader, [one for one in read_known() if one.split == "train"])
    assert signs.own.sum() == pytest.approx(1.0)
    assert signs.nothing == pytest.approx(signs.nothing[::-1])
    # a character's turns show its own pole far more often than the other
    assert signs.own[-3:].sum() > 5 * signs.own[:3].sum()
    assert signs.slope > 0
