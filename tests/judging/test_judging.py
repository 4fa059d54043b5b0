"""Rubrics, votes, agreement, and conversations that are judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from persona_lab.errors import FormatError, InputError, PersonaLabError, RowError
from persona_lab.interviews.bots import Bot
from persona_lab.judging.cases import Case, load_cases
from persona_lab.judging.panel import Players, Vote
from persona_lab.judging.report import document, sentences, to_row
from persona_lab.judging.results import Judgement
from persona_lab.judging.rouge import rouge_l_recall
from persona_lab.judging.rubrics import Rubric, load_rubrics
from persona_lab.judging.running import ANSWERS, VOTES, Trial
from persona_lab.llm import Budget, ChatReply, Client, LLMError, ParseFailure
from persona_lab.llm.callable import CallableModel
from tests.judging import acted

TEMPLATE = """Rate how well this fits.

Score = 1: not at all
Score = 2: a little
Score = 3: somewhat
Score = 4: mostly
Score = 5: {response} fits fully

Examples: {score_example}
Persona: {persona}
Question: {question}
Response: {response}

Say "Therefore, the final score is ..." in the end.
"""


def bot(function: Callable[..., Any], **how: Any) -> Bot:
    client = Client(CallableModel(function, function.__name__), **how)
    return Bot(function.__name__, client, temperature=0.7)


@pytest.fixture
def rubric(tmp_path: Path) -> Rubric:
    path = tmp_path / "Fit.txt"
    path.write_text(TEMPLATE, encoding="utf-8")
    return load_rubrics([path])[0]


CASES = [
    Case(f"c{i}", "a baker", "What do you do?", f"I bake, quality {i % 5 + 1}.") for i in range(20)
]


def held(tmp_path: Path, rubric: Rubric, *judges: Bot, **how: Any) -> Judgement:
    return Trial(how.pop("cases", CASES), [rubric], judges, **how).run(tmp_path / "run")


def reply(text: str) -> ChatReply:
    return ChatReply(text, "stop", 1, 1, 0, None, "m", 0.0)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Good. Therefore, the final score is 4.", 4),
        ("Therefore, the final score is **4**", 4),
        ("Score 1 would be too low, score 2 too. Therefore, the final score is: 5/5.", 5),
        ("The final score for the response is 3 out of 5.", 3),
        ("At first the final score is 2. No: the final score is 3.", 3),
        ("Some reasons, with 3 of them.\n\nRating: 2", 2),
    ],
)
def test_final_scores(rubric: Rubric, text: str, score: int) -> None:
    assert rubric.read(reply(text)) == score


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Therefore, the final score is 6.", "off_scale"),
        ("Therefore, the final score is 0.", "off_scale"),
        ("Therefore, the final score is 3.5.", "off_scale"),
        ("Therefore, the final score is excellent.", "no_number"),
        ("It is somewhere between 3 and 4.", "ambiguous"),
        ("I'm sorry, but I can't rate this.", "refusal"),
    ],
)
def test_replies_without_a_score_are_unscored(rubric: Rubric, text: str, code: str) -> None:
    with pytest.raises(ParseFailure) as failed:
        rubric.read(reply(text))
    assert failed.value.code == code


def test_blanks_are_filled_once(rubric: Rubric) -> None:
    text = rubric.prompt({"persona": "p", "question": "q", "response": "I say {persona} {x}"})
    assert "Response: I say {persona} {x}" in text
    assert "Examples: (There are no examples" in text
    assert (rubric.low, rubric.high, rubric.name) == (1, 5, "Fit")


def test_a_plain_rubric_gets_a_form(tmp_path: Path) -> None:
    path = tmp_path / "plain.txt"
    path.write_text("Is it kind?\nScore 0: no\nScore 1: yes\n")
    (rubric,) = load_rubrics([path])
    prompt = rubric.prompt({"persona": "my P", "question": "my Q", "response": "my R"})
    assert prompt.index("my P") < prompt.index("my Q") < prompt.index("my R")
    assert 'End with one sentence: "Therefore, the final score is N."' in prompt
    assert list(rubric.levels) == [0, 1]


def test_rubrics_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    for text in ("no scores", "Score = 1: one", "Score = 1: one\nScore = 3: three"):
        path.write_text(text)
        with pytest.raises(FormatError, match="must describe each score"):
            load_rubrics([path])
    with pytest.raises(InputError, match="cannot read the rubric"):
        load_rubrics([tmp_path / "none.txt"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no rubric"):
        load_rubrics([tmp_path / "empty"])
    path.write_text(TEMPLATE)
    with pytest.raises(FormatError, match="two rubrics are called 'bad'"):
        load_rubrics([path, path])


def test_a_fair_judge(tmp_path: Path, rubric: Rubric) -> None:
    (result,) = held(tmp_path, rubric, bot(acted.fair)).rubrics
    assert result.mean.estimate == 3.0
    assert result.scores["c4"] == 5.0
    assert result.judges[0].votes_alpha.estimate == 1.0
    assert result.judges[0].always is None
    assert result.alpha.code == "one_column"


def test_a_judge_that_always_answers_5_is_told(tmp_path: Path, rubric: Rubric) -> None:
    judgement = held(tmp_path, rubric, bot(acted.five), bot(acted.fair))
    (result,) = judgement.rubrics
    five, fair = result.judges
    assert five.always == 5.0
    assert fair.always is None
    assert five.votes_alpha.code == "one_value"
    assert five.mean.estimate == 5.0
    assert result.kappa["five", "fair"].estimate == pytest.approx(0.0)
    assert any("five gives every case 5 on Fit" in s for s in sentences(judgement))
    json.dumps(to_row(judgement, []), allow_nan=False)


def test_dice_are_told_from_a_noisy_judge(tmp_path: Path, rubric: Rubric) -> None:
    judgement = held(tmp_path, rubric, bot(acted.dice), bot(acted.noisy), votes=5)
    dice, noisy = judgement.rubrics[0].judges
    assert dice.votes_alpha.estimate < 0.3
    assert noisy.votes_alpha.estimate > 0.7
    said = " ".join(sentences(judgement))
    assert "dice contradicts itself on Fit" in said
    assert "noisy contradicts itself" not in said
    assert "The judges do not agree on Fit" in said


def test_unread_votes_are_unscored_never_0(tmp_path: Path, rubric: Rubric) -> None:
    judgement = held(tmp_path, rubric, bot(acted.mumbles))
    (result,) = judgement.rubrics
    # 4 and 5 are never said
    assert result.mean.estimate == 2.0
    assert len(result.scores) == 12
    assert result.unscored["c3"] == "no vote could be read (no_number)"
    assert result.judges[0].read.estimate == pytest.approx(0.6)
    assert result.judges[0].failures == {"no_number": 24}
    assert any("8 of 20 cases are unscored; they do not count as 0" in s
               for s in sentences(judgement))  # fmt: skip


def test_nothing_can_be_read(tmp_path: Path, rubric: Rubric) -> None:
    judgement = held(tmp_path, rubric, bot(acted.mute))
    (result,) = judgement.rubrics
    assert result.mean.code == "no_data"
    assert sentences(judgement) == ["Fit is unscored: none of 20 cases has a readable vote."]
    json.dumps(to_row(judgement, []), allow_nan=False)
    assert "nan" not in document(judgement, []).markdown()


def test_the_bot_answers_and_is_judged(tmp_path: Path, rubric: Rubric) -> None:
    cases = [Case("a", "a quality 5 baker", "Who are you?"), Case("b", "a smith", "Who?")]
    players = Players(bot(acted.player))
    judgement = held(tmp_path, rubric, bot(acted.fair), cases=cases, players=players)
    assert judgement.rubrics[0].scores == {"a": 5.0, "b": 3.0}
    row = json.loads((tmp_path / "run" / ANSWERS).read_text().splitlines()[0])
    assert [turn["speaker"] for turn in row["turns"]] == ["user", "player"]


def test_a_bot_that_declines_is_unscored(tmp_path: Path, rubric: Rubric) -> None:
    judgement = held(
        tmp_path,
        rubric,
        bot(acted.fair),
        cases=[Case("a", "p", "q")],
        players=Players(bot(acted.mute)),
    )
    (result,) = judgement.rubrics
    assert "the bot gave no answer: the model declined" in result.unscored["a"]


def test_player_interrogator_and_judge(tmp_path: Path, rubric: Rubric) -> None:
    cases = [Case("a", "a quality 4 baker", "", situation="You want bread.")]
    players = Players(bot(acted.player), bot(acted.parrot_user), turns=6)
    trial = Trial(cases, [rubric], [bot(acted.fair)], votes=1, players=players)
    judgement = trial.run(tmp_path / "run")
    assert judgement.rubrics[0].scores == {"a": 4.0}
    row = json.loads((tmp_path / "run" / ANSWERS).read_text())
    assert [turn["speaker"] for turn in row["turns"]] == ["user", "player"] * 3
    # each hears the other one's last turn, and the interrogator knows the situation
    assert row["turns"][0]["text"] == "1: You want bread. / Begin the conversation."
    assert row["turns"][2]["text"].startswith("2: You want bread. / As a quality 4 baker I say (0)")


def test_a_situation_needs_an_interrogator(tmp_path: Path, rubric: Rubric) -> None:
    trial = Trial(
        [Case("a", "p", "", situation="s")],
        [rubric],
        [bot(acted.fair)],
        1,
        Players(bot(acted.player)),
    )
    with pytest.raises(PersonaLabError, match="--interrogator"):
        trial.run(tmp_path / "run")


def test_the_forecast_is_what_is_used(tmp_path: Path, rubric: Rubric) -> None:
    cases = [
        *CASES[:3],
        Case("q", "a baker of bread", "Who are you?"),
        Case("s", "a baker of bread", "", situation="You want bread."),
    ]
    player, judge = bot(acted.player), bot(acted.fair)
    trial = Trial(cases, [rubric], [judge], 3, Players(player, player, turns=6))
    planned = trial.forecast()
    trial.run(tmp_path / "run")
    used = [b.model.usage for b in (player, judge)]  # type: ignore[attr-defined]
    assert planned.calls == sum(u.calls for u in used) == 1 + 6 + 5 * 3
    assert planned.tokens_in == pytest.approx(sum(u.tokens_in for u in used), rel=0.1)
    assert planned.tokens_out == pytest.approx(sum(u.tokens_out for u in used), rel=0.1)


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, rubric: Rubric) -> None:
    with pytest.raises(LLMError):
        held(tmp_path, rubric, bot(acted.fair, budget=Budget(max_calls=7)))
    votes = tmp_path / "run" / VOTES
    assert len(votes.read_text().splitlines()) == 7
    votes.write_bytes(votes.read_bytes()[:-3])
    judge = bot(acted.fair)
    judgement = held(tmp_path, rubric, judge)
    assert judge.model.usage.calls == 54  # type: ignore[attr-defined]
    assert judgement.rubrics[0].mean.estimate == 3.0
    rows = [Vote.from_row(json.loads(line)) for line in votes.read_text().splitlines()]
    assert len({row.id for row in rows}) == 60


def test_a_folder_is_of_one_text(tmp_path: Path, rubric: Rubric) -> None:
    held(tmp_path, rubric, bot(acted.fair))
    changed = [Case("c0", "a baker", "What do you do?", "something else")]
    with pytest.raises(InputError, match="another case c0"):
        held(tmp_path, rubric, bot(acted.fair), cases=changed)


def test_votes_are_about_one_response(tmp_path: Path, rubric: Rubric) -> None:
    """A second bot in the same folder is not judged by what the first one said."""
    cases = [Case("a", "a quality 2 baker", "Who?")]
    first = held(tmp_path, rubric, bot(acted.fair), cases=cases, players=Players(bot(acted.player)))
    other = held(
        tmp_path, rubric, bot(acted.fair), cases=cases, players=Players(bot(acted.parrot_user))
    )
    assert first.rubrics[0].scores == {"a": 2.0}
    assert other.rubrics[0].judges[0].read.n == 3
    assert len((tmp_path / "run" / VOTES).read_text().splitlines()) == 6


def test_trials_that_make_no_sense(rubric: Rubric) -> None:
    with pytest.raises(InputError, match="one judge or more"):
        Trial(CASES, [rubric], [])
    with pytest.raises(InputError, match="different models"):
        Trial(CASES, [rubric], [bot(acted.fair), bot(acted.fair)])
    with pytest.raises(InputError, match="'x' has no response"):
        Trial([Case("x", "p", "q")], [rubric], [bot(acted.fair)])


def test_cases_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(
        '{"id": "a", "persona": "p", "question": "q", "response": "r", "reference": "ref"}\n'
        '{"id": "a", "persona": "p", "question": "q"}\n'
        '{"id": "b", "persona": "p"}\n'
        "nonsense\n"
        '{"id": "s", "persona": "p", "situation": "it rains", "rubrics": ["Fit"]}\n'
        '{"id": "g", "persona": "p", "questions": {"Fit": ["one?", "two?"]}}\n'
    )
    a, twice, empty, broken, s, one, two = load_cases(path)
    assert a == Case("a", "p", "q", "r", reference="ref")
    assert [type(x) for x in (twice, empty, broken)] == [RowError] * 3
    assert "cases.jsonl:2" in str(twice) and "occurs twice" in str(twice)
    assert "'question'" in str(empty)
    assert s == Case("s", "p", "", situation="it rains", rubrics=("Fit",))
    assert [one.id, two.id, two.question] == ["g:Fit:1", "g:Fit:2", "two?"]


@pytest.mark.parametrize(
    ("answer", "recall"),
    [
        # the examples of Lin (2004), section 3.1
        ("police kill the gunman", 3 / 4),
        ("the gunman kill police", 2 / 4),
        ("the gunman police killed", 2 / 4),
        ("", 0.0),
        ("Police: KILLED - the gunman, yesterday!", 1.0),
    ],
)
def test_rouge_l_recall(answer: str, recall: float) -> None:
    assert rouge_l_recall(answer, "police killed the gunman") == recall


def test_rouge_of_ideographs_and_of_nothing() -> None:
    assert rouge_l_recall("我喜欢茶", "我很喜欢喝茶") == pytest.approx(4 / 6)
    assert rouge_l_recall("x", "...") is None


def test_rouge_stands_beside_the_judge(tmp_path: Path, rubric: Rubric) -> None:
    cases = [
        Case(f"c{i}", "p", "q", f"quality {i + 1} " + "bread " * i, reference="bread " * 4)
        for i in range(5)
    ]
    judgement = held(tmp_path, rubric, bot(acted.fair), cases=cases)
    assert list(judgement.rouge.values()) == [0, 0.25, 0.5, 0.75, 1]
    assert judgement.rouge_follows.estimate == pytest.approx(1.0)


@pytest.mark.data
def test_personagym(data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "personagym"
    if not folder.is_dir():
        pytest.skip("personagym is not among the corpora here")
    rubrics = load_rubrics([folder / "rubrics"])
    assert [r.name for r in rubrics] == [
        "Action Justification", "Expected Action", "Linguistic Habits", "Persona Consistency",
        "Toxicity",
    ]  # fmt: skip
    assert all(list(r.levels) == [1, 2, 3, 4, 5] for r in rubrics)
    assert all("{" not in r.prompt(dict.fromkeys(["persona", "question", "response"], "x"))
               for r in rubrics)  # fmt: skip
    cases = load_cases(folder / "questions.jsonl")
    assert len(cases) == 40 * 50
    names = {r.name for r in rubrics}
    assert all(isinstance(c, Case) and set(c.rubrics) < names for c in cases)
