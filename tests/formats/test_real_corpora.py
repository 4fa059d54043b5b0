"""Counts on the real corpora, worked out independently of the readers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from persona_lab.dialogue import Dialogue
from persona_lab.errors import FormatError
from persona_lab.formats import read_dialogues


def read(path: Path, layout: str) -> list[Dialogue]:
    """Every row must become a dialogue, and the layout be told from the content."""
    if not path.exists():
        pytest.skip(f"{path.name} is not among the corpora here")
    reader = read_dialogues(path, strict=True)
    assert reader.format == layout
    dialogues = [row for row in reader if isinstance(row, Dialogue)]
    assert len({d.id for d in dialogues}) == len(dialogues)
    assert not [d.id for d in dialogues if "duplicate_of" in d.options]
    return dialogues


def high_low(dialogues: list[Dialogue]) -> dict[str, tuple[int, int]]:
    """How often each trait is labelled high and low."""
    counts = Counter(
        (trait, value)
        for dialogue in dialogues
        for speaker in dialogue.speakers.values()
        for trait, value in speaker.labels.items()
    )
    return {trait: (counts[trait, 1.0], counts[trait, 0.0]) for trait, _ in counts}


def test_essays(data_dir: Path) -> None:
    essays = read(data_dir / "essays" / "essays.csv", "essays")
    assert len(essays) == len({e.group for e in essays}) == 2220
    assert all(e.utterances for e in essays)
    assert high_low(essays) == {
        "openness": (1138, 1082),
        "conscientiousness": (1140, 1080),
        "extraversion": (1141, 1079),
        "agreeableness": (1183, 1037),
        "neuroticism": (1106, 1114),
    }


def test_kaggle_mbti(data_dir: Path) -> None:
    users = read(data_dir / "kaggle_mbti" / "mbti_1.csv", "kaggle-mbti")
    assert len(users) == 2071
    assert high_low(users) == {
        "EI": (728, 1343),
        "SN": (1170, 901),
        "TF": (1089, 982),
        "JP": (1015, 1056),
    }
    # 100,591 posts, 221 of them empty.
    assert sum(len(u.utterances) for u in users) == 100_370
    assert Counter(u.options["type"] for u in users)["ESTJ"] == 37
    assert not [u.id for u in users if u.utterances[0].text.startswith("'http")]


def test_friends_persona(data_dir: Path) -> None:
    path = data_dir / "friends_persona" / "friends-personality.csv"
    scenes = read(path, "friends-persona")
    assert len(scenes) == 615
    assert len({s.group for s in scenes}) == 419
    assert sum(len(s.utterances) for s in scenes) == 6945
    assert not [s.id for s in scenes if s.focus is None or not s.by(s.focus)]
    assert high_low(scenes) == {
        "agreeableness": (343, 272),
        "conscientiousness": (288, 327),
        "extraversion": (266, 349),
        "openness": (397, 218),
        "neuroticism": (278, 337),
    }


def test_personallm(data_dir: Path) -> None:
    path = data_dir / "personallm" / "gpt-3.5-turbo-0613_stories.jsonl"
    stories = read(path, "personallm")
    assert len(stories) == 320
    assert len({s.group for s in stories}) == 32
    assert Counter(s.options["run"] for s in stories) == {str(i): 32 for i in range(1, 11)}
    assert set(high_low(stories).values()) == {(160, 160)}
    with pytest.raises(FormatError, match="questionnaire answers"):
        read_dialogues(path.with_name("gpt-4-0613_bfi_answers.jsonl"))


def test_persona_statements(data_dir: Path) -> None:
    statements = read(data_dir / "persona_statements", "persona-statements")
    assert len(statements) == 4008
    assert high_low(statements) == {
        "openness": (394, 400),
        "conscientiousness": (392, 402),
        "extraversion": (407, 395),
        "agreeableness": (416, 393),
        "neuroticism": (399, 410),
    }
    alone = read(data_dir / "persona_statements" / "extraversion.jsonl", "persona-statements")
    assert [s.id for s in alone] == [f"extraversion-{i}" for i in range(1, 803)]


def test_youtube_personality(data_dir: Path) -> None:
    vlogs = read(data_dir / "youtube_personality", "youtube-personality")
    assert len(vlogs) == 310
    assert all(len(v.speakers["author"].labels) == 5 and v.utterances for v in vlogs)
    assert all(1 <= x <= 7 for v in vlogs for x in v.speakers["author"].labels.values())
    assert [v.id for v in vlogs[:1]] == ["VLOG1"]
    assert vlogs[0].speakers["author"].labels["neuroticism"] == 4.8


def test_msc(data_dir: Path) -> None:
    chats = read(data_dir / "msc" / "session_1_valid.jsonl", "msc")
    assert len(chats) == 500
    assert sum(len(c.utterances) for c in chats) == 7768
    assert all(c.speaker_names == ("bot_0", "bot_1") for c in chats)
    assert all(c.speakers[name].persona for c in chats for name in c.speaker_names)
    assert chats[0].speakers["bot_1"].persona[0] == "I read twenty books a year."


def test_synthetic_persona_chat(data_dir: Path) -> None:
    path = data_dir / "synthetic_persona_chat" / "Synthetic-Persona-Chat_valid.csv"
    chats = read(path, "synthetic-persona-chat")
    assert len(chats) == 1000
    # 27,704 plain lines "User N: " and 73 that are marked up as lists or in italics.
    assert sum(len(c.utterances) for c in chats) == 27_777
    assert {name for c in chats for name in c.speaker_names} == {"User 1", "User 2"}
    assert Counter(len(c.speakers["User 1"].persona) for c in chats) == {4: 505, 5: 495}


def test_cped(data_dir: Path) -> None:
    dialogues = read(data_dir / "cped" / "valid_split.csv", "cped")
    assert len(dialogues) == 934
    assert sum(len(d.utterances) for d in dialogues) == 11_137
    assert sum(len(d.speakers) for d in dialogues) == 1877
    assert {d.group for d in dialogues} == {"32", "39", "40", "44", "45"}
    assert not [d.id for d in dialogues if "其他" in d.speakers and d.speakers["其他"].labels]


def test_files_of_others_are_told_apart_or_refused_with_their_keys(data_dir: Path) -> None:
    samples = data_dir / "format_samples"
    path = samples / "real_persona_chat_ja.jsonl"
    if not path.exists():
        pytest.skip("no format samples here")
    with pytest.raises(FormatError, match="keys found: dialogue_id, interlocutors, utterances"):
        read_dialogues(path)
    columns = "turns=utterances,speaker=interlocutor_id,id=dialogue_id"
    talks = [t for t in read_dialogues(path, columns=columns, strict=True)]
    with path.open(encoding="utf-8") as file:
        raw = [json.loads(line) for line in file]
    assert [len(t.utterances) for t in talks if isinstance(t, Dialogue)] == [
        len(r["utterances"]) for r in raw
    ]
    with pytest.raises(FormatError, match=r"peld\.tsv has no column 'text'; columns found: Speak"):
        read_dialogues(samples / "peld.tsv")
