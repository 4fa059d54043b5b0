"""Two acted bots talk: turns, what each sees, questionnaires, convergence, alignment."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from persona_lab.conversing.report import document, sentences, to_row
from persona_lab.conversing.results import KINDS, StudyResult, summarize
from persona_lab.conversing.study import Speaker, Study, run
from persona_lab.conversing.talk import Party, Talk, Turn, talk
from persona_lab.dialogue import Dialogue
from persona_lab.errors import InputError
from persona_lab.formats import read_dialogues
from persona_lab.instruments import load_instrument
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.records import RecordFile
from persona_lab.interviews.rowfile import RowFile
from persona_lab.llm import Budget, Client, LLMError, Message
from persona_lab.llm.callable import CallableModel
from tests.conversing import acted

MINI = load_instrument("ipip-20")


def study(function: Callable[..., str], budget: Budget | None = None, **how: Any) -> Study:
    client = Client(CallableModel(function, function.__name__), budget=budget)
    a, b = (
        Speaker(p["id"], Bot(client.name, client, p["system"], temperature=0.7))
        for p in acted.PEOPLE
    )
    return Study((a, b), **{"instrument": MINI, "turns": 6, "repeats": 3, **how})


def held(given: Study, folder: Path, align: Any = None) -> StudyResult:
    with (
        closing(RecordFile(folder / "answers.jsonl")) as records,
        closing(RowFile(folder / "talks.jsonl", Talk.from_row)) as talks,
    ):
        run(given, records, talks)
        return summarize(given, talks.read(), records.read(), align)


def usage(given: Study) -> Any:
    return given.speakers[0].bot.model.usage  # type: ignore[attr-defined]


def test_each_sees_its_own_turns_as_the_assistants() -> None:
    def echo(messages: list[dict[str, str]], **settings: Any) -> str:
        return f"{messages[0]['content']}{len(messages)}"

    client = Client(CallableModel(echo, "echo"))
    parties = [
        Party(name, Bot(name, client, name).conversation(), f"open {name}") for name in ("x", "y")
    ]
    said = talk("t", parties, 4)
    assert said.turns == (Turn("x", "x2"), Turn("y", "y2"), Turn("x", "x4"), Turn("y", "y4"))
    assert said.code is None
    assert said.histories["x"] == (
        Message("user", "open x"), Message("assistant", "x2"),
        Message("user", "y2"), Message("assistant", "x4"),
    )  # fmt: skip
    assert said.histories["y"][0] == Message("user", "open y\n\nx2")
    assert Talk.from_row(json.loads(json.dumps(said.to_row()))) == said


def test_who_does_not_change_is_not_said_to(tmp_path: Path) -> None:
    given = study(acted.steady)
    found = held(given, tmp_path)
    assert found.talks == 3
    assert found.turns == 18
    assert all(s.same.estimate == 1.0 for s in found.speakers)
    assert found.convergence.estimate == 0.0
    assert sentences(given, found) == [
        "ann answers after talking as before.",
        "bob answers after talking as before.",
    ]


def test_a_planted_change_is_found_in_that_trait_of_that_speaker(tmp_path: Path) -> None:
    given = study(acted.swayed)
    found = held(given, tmp_path)
    ann, bob = found.speakers
    assert all(t.shift.difference.estimate == 0 for t in ann.traits)
    shifts = {t.key: t.shift.difference.estimate for t in bob.traits}
    assert shifts == {d.key: 2.0 if d.key == "extraversion" else 0.0 for d in MINI.domains}
    extraversion = next(t for t in bob.traits if t.key == "extraversion")
    assert (extraversion.before, extraversion.after) == (1.0, 3.0)
    assert extraversion.shift.p_holm < 0.05
    # two points closer on one of five traits
    assert found.convergence.estimate == pytest.approx(0.4)
    said = sentences(given, found)
    assert "bob answers differently after talking: Extraversion +2.0 points." in said
    assert "The speakers' scores come 0.40 points closer by talking." in said


def test_a_talk_that_breaks_off(tmp_path: Path) -> None:
    given = study(acted.silent)
    found = held(given, tmp_path)
    assert found.talks == 0
    assert found.broken == {"refusal": 3}
    assert sentences(given, found)[-1].startswith("No talk was held to the end")
    json.dumps(to_row(given, found, []), allow_nan=False)
    assert "nan" not in document(given, found, []).markdown().replace("ann and", "")
    rows = [json.loads(line) for line in (tmp_path / "talks.jsonl").read_text().splitlines()]
    assert {row["reason"] for row in rows} == {"ann gave no turn: the model declined to answer"}


def test_talks_are_dialogue_files(tmp_path: Path) -> None:
    held(study(acted.parrot, instrument=None), tmp_path)
    with read_dialogues(tmp_path / "talks.jsonl") as reader:
        dialogues = list(reader)
    assert len(dialogues) == 3
    assert all(isinstance(d, Dialogue) and set(d.speaker_names) == {"ann", "bob"}
               for d in dialogues)  # fmt: skip


def test_without_an_instrument(tmp_path: Path) -> None:
    given = study(acted.parrot, instrument=None)
    assert given.forecast().calls == 18
    found = held(given, tmp_path)
    assert usage(given).calls == 18
    assert found.speakers[0].traits == ()
    assert found.convergence.code == "no_data"
    to_row(given, found, [])


def test_alignment_is_a_mean_over_talks_that_differ(tmp_path: Path) -> None:
    gains = iter([0.1, 0.2, 0.3, 0.4])

    def align(said: Talk, name: str) -> dict[str, float] | str:
        if name == "bob":
            return "too short"
        return dict.fromkeys(KINDS, next(gains))

    found = held(study(acted.steady, repeats=4), tmp_path, align)
    ann, bob = found.speakers
    # the acted talks are one and the same
    assert ann.alignment["style"].estimate == 0.1
    assert ann.alignment["style"].n == 1
    assert bob.not_aligned == {"too short": 1}
    assert bob.alignment["style"].code == "no_data"


def test_the_forecast_is_what_is_used(tmp_path: Path) -> None:
    given = study(acted.steady)
    planned = given.forecast()
    held(given, tmp_path)
    assert planned.calls == usage(given).calls == 3 * (4 * 20 + 6)
    assert planned.tokens_in == pytest.approx(usage(given).tokens_in, rel=0.1)
    assert planned.tokens_out == pytest.approx(usage(given).tokens_out, rel=0.1)


def test_a_study_that_was_stopped_goes_on(tmp_path: Path) -> None:
    with pytest.raises(LLMError, match="100"):
        held(study(acted.swayed, Budget(max_calls=100)), tmp_path)
    given = study(acted.swayed)
    found = held(given, tmp_path)
    # turns of a talk that was cut short are said again
    assert 258 - 100 <= usage(given).calls <= 258 - 100 + 3 * 6
    assert found.talks == 3
    assert {t.key: t.shift.difference.estimate for t in found.speakers[1].traits}[
        "extraversion"
    ] == 2.0
    again = study(acted.swayed)
    held(again, tmp_path)
    assert usage(again).calls == 0


def test_another_task_is_another_talk(tmp_path: Path) -> None:
    held(study(acted.steady), tmp_path)
    other = study(acted.steady, task="Argue about tea.")
    assert "Argue about tea.\n\nYou begin." in other.openings()[0]
    held(other, tmp_path)
    # the questionnaires before are shared, talks and what is said after them are not
    assert usage(other).calls == 3 * (2 * 20 + 6)


def test_studies_that_make_no_sense() -> None:
    with pytest.raises(InputError, match="two speakers are called 'ann'"):
        one = study(acted.steady).speakers[0]
        Study((one, one))
    with pytest.raises(InputError, match="2 turns or more"):
        study(acted.steady, turns=1)
