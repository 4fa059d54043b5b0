"""The bundled models on the bundled dialogues: a golden file, and what must hold of any model.

After training anew: ``python -m tests.test_bundled_models`` writes the golden file; look at
the difference before committing it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from persona_lab.detectors.base import Request
from persona_lab.detectors.registry import find_model, list_models, load_detector
from persona_lab.detectors.store import fingerprint, read_config
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.formats import read_dialogues
from persona_lab.profile import Profile
from persona_lab.samples import sample_path
from persona_lab.training.card import write_card
from persona_lab.training.reader.card import write_card as write_reader_card

GOLDEN = Path(__file__).parent / "golden" / "sample_scores.json"
MAIN_SPEAKER = {
    "party-planner": "Dana",
    "worrier": "Tom",
    "strict-organiser": "Ingrid",
    "dreamer": "Elio",
    "blunt-critic": "Victor",
    "shy-reader": "Miriam",
    "warm-helper": "Rosa",
    "improviser": "Jaz",
    "drifting-bot": "assistant",
    "souring-bot": "assistant",
}


def requests() -> list[Request]:
    return [
        Request.of(dialogue, MAIN_SPEAKER[dialogue.id])
        for dialogue in read_dialogues(sample_path())
        if isinstance(dialogue, Dialogue)
    ]


def scores(name: str) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {}
    for result in load_detector(name).profiles(requests()):
        assert isinstance(result, Profile)
        found.setdefault(result.id, {}).update(
            {
                k: [round(s.p_high, 4), round(s.low, 4), round(s.high, 4)]
                for k, s in result.traits.items()
            }
        )
    return found


@pytest.fixture(scope="module")
def default():
    return load_detector()


OBVIOUS = [
    json.loads(line)
    for line in (Path(__file__).parent / "golden" / "obvious.jsonl").read_text("utf-8").splitlines()
]
"""Ten people who each show one trait as plainly as can be, and four texts that show nothing."""


@pytest.mark.parametrize("case", OBVIOUS, ids=[case["id"] for case in OBVIOUS])
def test_what_any_reader_sees_is_seen(default, case):
    profile = default.profile(case["text"])
    labels = {k: s.label for k, s in profile.traits.items() if s.label != "abstain"}
    for trait, pole in case["expect"].items():
        assert labels.get(trait) == pole
    if not case["expect"]:
        assert labels == {}


@pytest.mark.parametrize("name", ["lexical", "pooled", "blend", "reader"])
def test_scores_of_the_sample_are_those_in_the_golden_file(name):
    golden = json.loads(GOLDEN.read_text())[name]
    now = scores(name)
    assert now.keys() == golden.keys()
    for dialogue, traits in golden.items():
        for trait, expected in traits.items():
            # other processors round a little differently
            assert now[dialogue][trait] == pytest.approx(expected, abs=0.01), (dialogue, trait)


def test_a_score_depends_on_nothing_else_in_the_batch(default):
    asked = requests()
    together = list(default.profiles(asked, frameworks=("bigfive",)))
    backwards = list(default.profiles(asked[::-1], frameworks=("bigfive",)))[::-1]
    alone = [next(default.profiles([r], frameworks=("bigfive",))) for r in asked]
    for first, *others in zip(together, backwards, alone, strict=True):
        for other in others:
            for key, score in first.traits.items():
                assert other.traits[key].p_high == pytest.approx(score.p_high, abs=1e-4)
                assert other.traits[key].low == pytest.approx(score.low, abs=1e-4)


def test_explaining_changes_no_score(default):
    (asked, *_) = requests()
    plain = next(default.profiles([asked]))
    explained = next(default.profiles([asked], explain=True))
    assert explained.traits == plain.traits
    said = {u.id for u in asked.utterances}
    assert explained.evidence and {e.utterance_id for e in explained.evidence} <= said


def test_type_words_and_trait_words_move_nothing(default):
    text = "I went to town with my brother and we looked at old books for an hour or two. " * 6
    plain = default.profile(text)
    named = default.profile(f"{text} As an INFP introvert I am neurotic. MBTI ENTJ ENTJ!")
    rest = default.profile(f"{text} As an I am. !")
    for key, score in rest.traits.items():
        assert named.traits[key].p_high == pytest.approx(score.p_high, abs=0.02)
    assert plain.traits.keys() == named.traits.keys()


def test_people_who_differ_differ(default):
    found = {r.id: r for r in default.profiles(requests(), frameworks=("bigfive",))}
    for id, trait, label in (
        ("party-planner", "extraversion", "high"),
        ("shy-reader", "extraversion", "low"),
        ("worrier", "neuroticism", "high"),
        ("strict-organiser", "conscientiousness", "high"),
        ("improviser", "conscientiousness", "low"),
        ("warm-helper", "agreeableness", "high"),
        ("blunt-critic", "agreeableness", "low"),
        ("dreamer", "openness", "high"),
    ):
        assert found[id].traits[trait].label == label, (id, trait)


def test_a_megabyte_is_read_whole(default):
    text = "We talked about the weather and then about the old house by the river. " * 14_000
    profile = default.profile(Dialogue("long", (Utterance("0", "x", text),)))
    assert profile.word_count == 14 * 14_000
    assert profile.n_segments > 1_500


def test_one_model_is_the_default_and_the_files_are_what_the_config_says():
    entries = {entry.name: entry for entry in list_models()}
    assert {"lexical", "pooled", "blend", "reader"} <= entries.keys()
    defaults = [entry for entry in entries.values() if entry.default]
    assert {e.measure: e.name for e in defaults} == {"shown": "reader", "self-report": "blend"}
    for entry in entries.values():
        config = read_config(entry.folder)
        assert fingerprint(entry.folder, config) == config["sha256"]


def test_cards_are_what_the_metrics_say(tmp_path):
    for name in ("lexical", "pooled", "blend"):
        folder = find_model(name)
        for file in ("config.json", "metrics.json"):
            (tmp_path / file).write_text((folder / file).read_text("utf-8"), "utf-8")
        assert write_card(tmp_path) == (folder / "README.md").read_text("utf-8")
    folder = find_model("reader")
    for file in ("config.json", "metrics.json"):
        (tmp_path / file).write_text((folder / file).read_text("utf-8"), "utf-8")
    assert write_reader_card(tmp_path) == (folder / "README.md").read_text("utf-8")


def test_scoring_never_imports_torch():
    code = """
import sys, persona_lab
persona_lab.load_detector().profile("I like it here. " * 9)
bad = {"torch", "transformers", "optuna", "onnx"} & set(sys.modules)
sys.exit(str(bad) if bad else 0)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


if __name__ == "__main__":
    GOLDEN.write_text(
        json.dumps(
            {name: scores(name) for name in ("lexical", "pooled", "blend", "reader")}, indent=1
        )
        + "\n"
    )
