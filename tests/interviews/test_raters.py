"""Raters: by the key, by a judge, by a detector; evidence that was really said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from persona_lab.detectors.store import open_folder
from persona_lab.errors import InputError, ModelError
from persona_lab.instruments import Domain, load_instrument
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.open_answers import Sitting
from persona_lab.interviews.questions import in_turn, interview_questions, story_questions
from persona_lab.interviews.raters.detector import framework_for, sentences
from persona_lab.interviews.raters.evidence import verified
from persona_lab.interviews.raters.prompts import group_question, option_question
from persona_lab.interviews.raters.rate import RatingSettings, forecast_rating, rate
from persona_lab.interviews.raters.rating import Rating, RatingFile, groups
from persona_lab.interviews.records import Record
from persona_lab.interviews.self_report import Administration, self_report
from persona_lab.llm.client import Client
from tests.interviews.acted import TELLS, ActedBot

MINI = load_instrument("ipip-20")
LIVELY = "You are extraverted and stable."


def interview(protocol: str = "interview", repeats: int = 1) -> list[Record]:
    questions = {"interview": in_turn(interview_questions(MINI)), "story": story_questions(2)}
    found: list[Record] = []
    for repeat in range(repeats):
        bot = Bot("b", ActedBot(MINI), LIVELY)
        sitting = Sitting(
            bot,
            MINI.name,
            protocol,
            questions[protocol],
            repeat=repeat,
            one_conversation=protocol == "interview",
        )
        found += sitting.ask()
    return found


def closed() -> list[Record]:
    return list(self_report(Bot("b", ActedBot(MINI), LIVELY), MINI, Administration()))


@pytest.fixture
def judge() -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(name: str = "judge", **how: object) -> Client:
        made.append(Client(ActedBot(MINI, name=name, **how)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client in made:
        client.close()


def scores(ratings: list[Rating]) -> dict[str, set[float | None]]:
    return {d.key: {r.score for r in ratings if r.domain == d.key} for d in MINI.domains}


def test_closed_by_the_key() -> None:
    ratings = rate(closed(), MINI, RatingSettings(("closed",)))
    found = scores(ratings)
    assert found["extraversion"] <= {1.0, 0.75} and found["neuroticism"] <= {0.0, 0.25}
    assert ratings[0].reason == '5 (very accurate) to "Am the life of the party"'
    lost = replace(closed()[0], rating=None, status="unscored", code="refusal", reason="declined")
    (bad,) = rate([lost], MINI, RatingSettings(("closed",)))
    assert (bad.score, bad.code, bad.reason) == (None, "refusal", "declined")


def test_option_maps_open_answers_and_scores_by_key(judge: Callable[..., Client]) -> None:
    ratings = rate(interview(), MINI, RatingSettings(("option",)), judges=[judge()])
    assert scores(ratings)["extraversion"] == {1.0} and scores(ratings)["openness"] == {0.0}
    assert len(ratings) == 20 and {r.judge for r in ratings} == {"judge"}
    assert all(r.quotes[0].text for r in ratings)


def test_judges_give_reasons_and_quotes_that_were_said(judge: Callable[..., Client]) -> None:
    records = interview()
    ratings = rate(records, MINI, RatingSettings(("llm",)), judges=[judge()])
    assert {k: v for k, v in scores(ratings).items()} == {
        "openness": {0.0}, "conscientiousness": {0.0}, "extraversion": {1.0},
        "agreeableness": {0.0}, "neuroticism": {0.0},
    }  # fmt: skip
    by_id = {r.id: r.answer for r in records}
    assert all(q.text in by_id[q.record] for r in ratings for q in r.quotes)
    assert all(r.reason.startswith("The speaker seems") and r.quotes for r in ratings)


def test_batch_and_collective(judge: Callable[..., Client]) -> None:
    def units(batch: int | None) -> list[tuple[str, int]]:
        ratings = rate(interview(), MINI, RatingSettings(("llm",), batch), judges=[judge()])
        return [(r.unit, r.n_answers) for r in ratings if r.domain == "openness"]

    assert units(None) == [("openness 1", 4)]
    assert units(3) == [("openness 1", 2), ("openness 2", 2)]


def test_a_story_is_rated_on_every_domain(judge: Callable[..., Client]) -> None:
    ratings = rate(interview("story"), MINI, RatingSettings(("llm",)), judges=[judge()])
    assert len(ratings) == 10 and scores(ratings)["extraversion"] == {1.0}


BAD = {
    "prose": (lambda asked, said: "Rather lively.", "no_json"),
    "refusal": (lambda asked, said: "I'm sorry, I can't rate that.", "refusal"),
    "off the scale": (lambda asked, said: said.replace('"score": 5', '"score": 9')
                      .replace('"score": 1', '"score": 9'), "schema"),
    "not shown": (lambda asked, said: '{"quotes": [], "reason": "?", "score": null}', "not_shown"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_what_a_judge_cannot_say_is_unscored(kind: str, judge: Callable[..., Client]) -> None:
    slip, code = BAD[kind]
    ratings = rate(interview(), MINI, RatingSettings(("llm",)), judges=[judge(slip=slip)])
    assert {r.code for r in ratings} == {code} and {r.score for r in ratings} == {None}
    assert all(r.reason for r in ratings)


def test_an_invented_quote_is_asked_for_again_and_then_left_out(
    judge: Callable[..., Client],
) -> None:
    def invent(asked: str, said: str) -> str:
        return json.dumps(json.loads(said) | {"quotes": ["I never said these words at all"]})

    client = judge(slip=invent)
    ratings = rate(interview(), MINI, RatingSettings(("llm",)), judges=[client])
    assert {r.flags for r in ratings} == {("no_verified_quote",)}
    assert all(r.score in (0.0, 1.0) and not r.quotes for r in ratings)
    assert client.usage.calls == 10


def test_evidence() -> None:
    said = interview()[0]
    record = replace(
        said, answer="Well\u2014I\u2019d say \u201cyes\u201d.  I love  parties,\nreally."
    )

    def found(*quotes: str) -> list[str]:
        return [q.text for q in verified(quotes, [record])]

    assert found('i\'d say "yes"') == ["I\u2019d say \u201cyes"]
    assert found("I love parties, really!") == ["I love  parties,\nreally"]
    assert found("I'd say ... I love parties") == ["I\u2019d say \u201cyes\u201d.  I love  parties"]
    assert found("I love parties ... I'd say") == []
    assert found("I hate parties", "I", "", "...") == []
    assert found("I love parties", "i LOVE parties") == ["I love  parties"]


def test_prompts_come_from_the_key_and_fence_the_answers() -> None:
    records = [r for r in interview() if r.domain == "neuroticism"]
    domain = MINI.domain("neuroticism")
    asked = group_question(MINI, domain, records)
    high, low = asked.split("5 = neurotic", 1)[1].split("1 = stable", 1)
    assert "The speaker has frequent mood swings" in high
    assert "The speaker is relaxed most of the time" in low
    assert asked.count("<answer>") == 4
    item = MINI.items[0]
    record = next(r for r in interview() if r.item == item.id)
    assert "Statement: The speaker is the life of the party." in option_question(MINI, item, record)


def test_ratings_are_kept_and_not_paid_for_again(
    tmp_path: Path, judge: Callable[..., Client]
) -> None:
    records, settings = interview(), RatingSettings(("llm", "option"))
    first, second = judge(), judge()
    with RatingFile(tmp_path / "r.jsonl") as file:
        before = rate(records, MINI, settings, judges=[first], file=file)
    whole = (tmp_path / "r.jsonl").read_bytes()
    (tmp_path / "r.jsonl").write_bytes(whole[: len(whole) // 2])
    with RatingFile(tmp_path / "r.jsonl") as file:
        kept = len(file.read())
        after = rate(records, MINI, settings, judges=[second], file=file)
    assert after == before and 0 < kept < 25
    assert (first.usage.calls, second.usage.calls) == (25, 25 - kept)
    # another answer is another rating
    changed = [replace(records[0], answer="I paint odd dreams, and more."), *records[1:]]
    third = judge()
    with RatingFile(tmp_path / "r.jsonl") as file:
        rate(changed, MINI, settings, judges=[third], file=file)
    assert third.usage.calls == 2


def test_the_forecast_counts_what_the_judges_are_asked(judge: Callable[..., Client]) -> None:
    client = judge()
    settings = RatingSettings(("llm", "option"))
    assert forecast_rating(interview(), MINI, settings, [client]).calls == 25
    assert client.usage.calls == 0


def test_unusable_answers_are_left_out_of_their_group(judge: Callable[..., Client]) -> None:
    records = [
        replace(r, status="unscored", code="refusal") if r.domain == "openness" else r
        for r in interview()
    ]
    records = [records[0], *records[1:]]
    ratings = rate(records, MINI, RatingSettings(("llm",)), judges=[judge()])
    lost = next(r for r in ratings if r.domain == "openness")
    assert (lost.code, lost.n_answers, lost.n_unusable) == ("no_answers", 0, 4)
    assert "refusal" in lost.reason


def test_a_missing_judge_or_rater_is_named() -> None:
    with pytest.raises(InputError, match="--judge"):
        rate(interview(), MINI, RatingSettings(("llm",)))
    with pytest.raises(InputError, match="--detector"):
        rate(interview(), MINI, RatingSettings(("detector",)))
    with pytest.raises(InputError, match="no rater 'mind'"):
        RatingSettings(("mind",))


def talk(answer: str, item: str = "1", domain: str = "extraversion") -> Record:
    return replace(interview()[0], id=f"b/{item}", item=item, domain=domain, answer=answer)


def test_the_detector_reads_the_words(toy_model: Path) -> None:
    detector = open_folder(toy_model)
    filler = " Then we went on and on and it was late and all of us had a lot to say about it."
    records = [
        talk("I went to a party, a big party with everybody I know." + filler),
        talk("我喜欢聚会因为我喜欢和朋友们在一起", "2"),
        talk("I worry." + filler, "3", "neuroticism"),
        talk("我总是很平静。", "4", "openness"),
    ]
    by_domain = {
        r.domain: r for r in rate(records, MINI, RatingSettings(("detector",)), detector=detector)
    }
    lively = by_domain["extraversion"]
    assert lively.score is not None and lively.score > 0.6
    assert lively.low is not None and lively.low < lively.score < (lively.high or 0)
    # the Chinese answer of the group is left out, not read as if it were English
    assert (lively.n_answers, lively.n_unusable) == (1, 1)
    assert lively.quotes[0].text.startswith("I went to a party")
    assert by_domain["openness"].code == "language"
    assert "conscientiousness" not in by_domain


def test_a_detector_does_not_know_every_questionnaire() -> None:
    other = Domain("grit", "Grit", None, "high grit", "low grit")
    with pytest.raises(ModelError, match="neither"):
        framework_for(replace(MINI, domains=(other,)))


def test_sentences_cover_the_whole_text() -> None:
    text = "Yes! I love to go out with all of my friends. Why?\n\nBecause it is fun and good for me"
    parts = [text[a:b] for a, b in sentences(text)]
    assert "".join(parts) == text and len(parts) == 2
    assert sentences("Short.") == [(0, 6)] and sentences("") == []


def test_groups_are_of_equal_size() -> None:
    assert [len(g.records) for g in groups(interview(), MINI, 3)] == [2] * 10
    assert TELLS.keys() == {d.key for d in MINI.domains}
