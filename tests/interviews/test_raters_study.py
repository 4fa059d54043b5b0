"""Our raters on the recorded answers of published studies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from persona_lab.detectors.store import open_folder
from persona_lab.errors import InputError
from persona_lab.studies.raters import rate_chatharuhi, run


def test_chinese_answers_are_unscored_and_say_so(tmp_path: Path, toy_model: Path) -> None:
    rows = [
        {"id": str(i), "question": "?", "response_open": text, "factor": axis, "character": who}
        for who, text in (("Penny", "I went to the party and I will go to the party again."),
                          ("Li", "我喜欢和朋友们在一起聊天因为那样很开心"))
        for i, axis in enumerate(("E/I", "S/N", "T/F", "P/J"))
    ]  # fmt: skip
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    table, details = rate_chatharuhi(
        tmp_path, {"Penny": "EXXX", "Li": "ISTJ"}, open_folder(toy_model)
    )
    found = details["detector"]
    assert (found["groups"], found["scored"], found["unscored"]) == (8, 4, {"language": 4})
    assert (found["types"]["correct"], found["types"]["total"]) == (1, 1)
    assert found["types"]["missing"] == ["Li"]
    assert details["option"]["code"] == "no_judge" and "--judge" in details["option"]["reason"]
    assert [row.here for row in table] == [4, 4, 1]


def test_without_answers_nothing_is_claimed(tmp_path: Path, toy_model: Path) -> None:
    table, details = rate_chatharuhi(tmp_path, {}, open_folder(toy_model))
    assert details["detector"]["code"] == "no_answers" and [row.here for row in table] == [0]


def test_stories_are_judged_by_members_that_have_not_seen_them(
    data_dir: Path, tmp_path: Path
) -> None:
    source = data_dir / "personallm" / "gpt-3.5-turbo-0613_stories.jsonl"
    if not source.is_file():
        pytest.skip("the stories are not among the corpora here")
    # every 23rd story: personas and runs take turns
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)[::23]
    (tmp_path / source.name).write_text("".join(lines), encoding="utf-8")
    found = run(tmp_path).details["models"]["gpt-3.5-turbo-0613"]
    assert found["stories"] == found["seen_in_training"] == len(lines) == 14
    # the bundled model's own card says 98.8 and 91.6 %; all members together would score 100
    assert found["traits"]["extraversion"]["correct"] >= 13
    assert found["traits"]["agreeableness"]["correct"] >= 11
    assert 0.55 < found["all"]["accuracy"] < 0.95


def test_no_stories(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="MODEL_stories"):
        run(tmp_path)
