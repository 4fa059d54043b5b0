"""All parts together: rows, what changes nothing, and input that is bad."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace

import pytest

from persona_lab.consistency.judge import ConsistencyJudge
from persona_lab.consistency.overall import WEIGHTS
from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.personas import AUTO, PersonaFile
from persona_lab.consistency.report import Report, Unread
from persona_lab.dialogue import Speaker, Utterance
from persona_lab.errors import SpeakerError, TargetError
from persona_lab.traits import BIG_FIVE, Target

NO_MODEL = NotScored("no contradiction model: none is installed", "no_model")
FILLER = "and then we did this and that with them again"
KEYS = {
    "id", "speaker", "status", "score", "low", "high", "parts", "change_point",
    "contradictions", "suspect", "explanation", "model", "unscored", "framework", "costs",
    "details", "word_count", "warnings",
}  # fmt: skip


@pytest.fixture
def judge(toy, nli) -> ConsistencyJudge:
    return ConsistencyJudge(toy, nli=nli, target=Target.parse("E+ N-"))


@pytest.fixture
def chat(talk):
    """Ann loves parties and dogs, Bob answers."""
    turns = []
    for i in range(6):
        turns.append(("Ann", f"The party number {i} was kind, {FILLER}."))
        turns.append(("Bob", f"I was alone at party {i}, {FILLER}."))
    turns.append(("Ann", "I have two dogs."))
    turns.append(("Bob", "I never saw your dogs."))
    turns.append(("Ann", "I never had dogs."))
    return talk(*turns, id="chat")


def rows(judge: ConsistencyJudge, dialogue, speaker: str | None = None) -> list[dict]:
    return [found.to_row() for found in judge.reports(dialogue, speaker)]


def test_a_row(judge, chat) -> None:
    ann, bob = rows(judge, chat)
    assert set(ann) == set(bob) == KEYS
    assert json.loads(json.dumps(ann)) == ann
    assert (ann["id"], ann["speaker"], ann["status"]) == ("chat", "Ann", "scored")
    assert set(ann["parts"]) == set(WEIGHTS)
    assert all(0.0 <= value <= 1.0 for value in ann["parts"].values())
    assert ann["unscored"] == {}
    assert 0.0 <= ann["low"] <= ann["score"] <= ann["high"] <= 1.0
    expected = math.prod(1 - cost for cost in ann["costs"].values())
    assert ann["score"] == pytest.approx(expected, abs=1e-3)
    assert ann["contradictions"] == [
        {"a": "I have two dogs.", "b": "I never had dogs.", "p": 0.95, "a_turn": 12, "b_turn": 14}
    ]
    assert bob["contradictions"] == []
    assert ann["change_point"]["turn"] in range(0, 15, 2)
    assert ann["parts"]["target"] > bob["parts"]["target"]
    assert len(ann["model"]["sha256"]) == 64
    assert "contradicting pair" in ann["explanation"]


def test_layout_changes_nothing(judge, chat) -> None:
    persona = ("I own dogs.", "I sail boats.")
    chat = replace(chat, speakers={"Ann": Speaker("Ann", {}, persona)})
    names = {"Ann": "zoe", "Bob": "Agent 7"}
    changed = replace(
        chat,
        id="elsewhere",
        utterances=tuple(
            Utterance(f"u{99 - i}", names[u.speaker], f"\n {u.text.replace(' ', '   ')}\t")
            for i, u in enumerate(chat.utterances)
        ),
        speakers={"zoe": Speaker("zoe", {}, tuple(f" {s} " for s in persona))},
    )
    for before, after in zip(rows(judge, chat), rows(judge, changed), strict=True):
        assert before.pop("id") != after.pop("id")
        assert before.pop("speaker") != after.pop("speaker")
        assert before == after


def test_without_a_contradiction_model_all_else_works(toy, chat) -> None:
    found = rows(ConsistencyJudge(toy, nli=NO_MODEL), chat)[0]
    assert found["status"] == "scored"
    assert found["parts"]["contradiction"] is None
    assert found["unscored"]["contradiction"] == NO_MODEL.reason
    assert found["parts"]["target"] is None
    assert found["unscored"]["target"] == "no target was given"
    assert found["parts"]["stability"] is not None


def test_personas_of_the_file_are_used_unless_others_are_given(toy, nli, chat) -> None:
    known = {"Ann": Speaker("Ann", {}, ("I own dogs.",))}
    chat = replace(chat, speakers=known)
    ann, bob = rows(ConsistencyJudge(toy, nli=nli), chat)
    assert [s["statement"] for s in ann["details"]["contradiction"]["statements"]] == [
        "I own dogs."
    ]
    assert bob["details"]["contradiction"]["statements"] == []
    given = ConsistencyJudge(toy, nli=nli, persona=PersonaFile(("I fly planes.",)))
    ann = rows(given, chat)[0]
    assert [s["statement"] for s in ann["details"]["contradiction"]["statements"]] == [
        "I fly planes."
    ]


def test_persona_from_the_own_turns(toy, nli, chat) -> None:
    ann = rows(ConsistencyJudge(toy, nli=nli, persona=AUTO), chat)[0]
    found = ann["details"]["contradiction"]
    assert [s["statement"] for s in found["statements"]] == [
        "I have two dogs.",
        "I never had dogs.",
    ]
    assert found["persona_match"] is None


def test_settings_are_part_of_the_identity(toy, nli) -> None:
    made = [
        ConsistencyJudge(toy, nli=nli),
        ConsistencyJudge(toy, nli=NO_MODEL),
        ConsistencyJudge(toy, nli=nli, window=7),
        ConsistencyJudge(toy, nli=nli, target=Target.parse("E+")),
        ConsistencyJudge(toy, nli=nli, persona=AUTO),
        ConsistencyJudge(toy, nli=nli, persona=PersonaFile(("I ski.",))),
    ]
    assert len({judge.info.sha256 for judge in made}) == len(made)
    assert made[0].info.name == "toy+rule"
    assert ConsistencyJudge(toy, nli=nli).info == made[0].info


def test_one_turn(judge, talk) -> None:
    found = rows(judge, talk(("Ann", f"What a party, {FILLER}.")))[0]
    assert found["status"] == "scored"  # the target can be matched, and nothing else
    assert [name for name, value in found["parts"].items() if value is not None] == ["target"]
    assert found["change_point"] is None
    assert found["unscored"]["stability"].startswith("1 turn with")


def test_one_turn_and_no_target(toy, talk) -> None:
    found = rows(ConsistencyJudge(toy, nli=NO_MODEL), talk(("Ann", "Hello.")))[0]
    assert (found["status"], found["score"]) == ("unscored", None)
    assert found["code"] == "too_short"
    assert all(value is None for value in found["parts"].values())
    assert set(found["unscored"]) == set(WEIGHTS)


def test_one_name_for_everybody(judge, talk) -> None:
    turns = [("Ann", f"The party {i} was kind, {FILLER}.") for i in range(8)]
    found = rows(judge, talk(*turns))[0]
    assert found["warnings"][0]["code"] == "one_speaker"
    assert found["unscored"] == {"accommodation": "there is no partner to answer"}
    assert found["details"]["stability"]["chance"] == "order"


@pytest.mark.parametrize("text", ["", "   ", "🙂🙂", "...", "!?"])
def test_turns_without_words(judge, talk, text: str) -> None:
    found = list(judge.reports(talk(("Ann", text), ("Ann", text))))
    assert len(found) == 1
    assert isinstance(found[0], Unread)
    row = found[0].to_row()
    assert (row["status"], row["code"]) == ("unscored", "no_words")
    assert set(row) - {"reason", "code"} == KEYS


def test_empty_turns_among_others_keep_the_places(judge, chat) -> None:
    gap = Utterance("gap", "Ann", "🙂")
    found = rows(judge, replace(chat, utterances=(gap, *chat.utterances)))[0]
    conflict = found["contradictions"][0]
    assert (conflict["a_turn"], conflict["b_turn"]) == (13, 15)


def test_a_dialogue_without_turns(judge, talk) -> None:
    assert rows(judge, talk())[0]["code"] == "no_words"


def test_a_foreign_language(judge, talk) -> None:
    german = "Ich habe heute lange darüber nachgedacht, was ich in den Ferien machen will."
    found = rows(judge, talk(*[("Ann", german)] * 5))[0]
    assert (found["code"], found["status"]) == ("language", "unscored")
    assert "'de'" in found["reason"]


def test_a_persona_in_a_foreign_language_is_left_out(toy, nli, chat) -> None:
    german = "Ich habe heute lange darüber nachgedacht, was ich in den Ferien machen will."
    persona = PersonaFile((german,))
    found = rows(ConsistencyJudge(toy, nli=nli, persona=persona), chat)[0]
    assert found["warnings"][0]["code"] == "persona_language"
    assert found["details"]["contradiction"]["statements"] == []
    assert found["parts"]["contradiction"] is not None


def test_a_target_that_the_detector_cannot_score(toy) -> None:
    toy_big_five = type(toy)(toy.info, toy.components, toy.calibration)
    toy_big_five.frameworks = (BIG_FIVE,)
    with pytest.raises(TargetError, match="scores Big Five"):
        ConsistencyJudge(toy_big_five, nli=NO_MODEL, target=Target.parse("INFP"))


def test_a_target_of_the_other_framework(toy, nli, chat) -> None:
    found = rows(ConsistencyJudge(toy, nli=nli, target=Target.parse("ESFX")), chat)[0]
    assert found["framework"] == "bigfive"
    assert set(found["details"]["target"]["traits"]) == {"EI", "SN", "TF"}


def test_an_unknown_speaker(judge, chat) -> None:
    with pytest.raises(SpeakerError, match="no speaker 'Cy'"):
        rows(judge, chat, "Cy")
    assert [row["speaker"] for row in rows(judge, chat, "bob")] == ["Bob"]


def test_two_thousand_turns(judge, talk) -> None:
    turns = [("Ann" if i % 2 else "Bob", f"The party {i} was kind.") for i in range(2000)]
    began = time.perf_counter()
    ann = next(judge.reports(talk(*turns), "Ann"))
    assert time.perf_counter() - began < 60
    assert isinstance(ann, Report)
    assert ann.to_row()["status"] == "scored"
