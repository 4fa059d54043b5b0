"""The battery finds what was planted in a bot, and nothing that was not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.instruments import Instrument
from persona_lab.interviews.bots import Bot, Persona
from persona_lab.interviews.records import Record, RecordFile
from persona_lab.llm import Budget, Client, LLMError
from persona_lab.psychometrics import battery as b
from persona_lab.psychometrics.battery_report import document, to_row, verdicts_of
from persona_lab.psychometrics.measures import Battery, measure, spread_within
from persona_lab.psychometrics.verdicts import Verdict
from tests.psychometrics.acted import DENIED, INSTRUMENT, STEADY, Actor

SMALL = b.Protocol(("standard", "question"), repeats=3)
TRAITS = [domain.key for domain in INSTRUMENT.domains]


def twins_of(instrument: Instrument) -> Instrument:
    items = tuple(replace(i, text=DENIED[i.id], keyed=-i.keyed) for i in instrument.items)
    return replace(instrument, name="twins", items=items)


Run = Callable[..., Battery]


@pytest.fixture
def battery(tmp_path: Path) -> Run:
    def go(
        actor: Actor,
        protocol: b.Protocol = SMALL,
        personas: list[Persona] | None = None,
        twins: Instrument | None = None,
    ) -> Battery:
        sittings = b.plan(
            b.respondents_of(Bot("bot", Client(actor)), personas or []), INSTRUMENT, protocol, twins
        )
        with RecordFile(tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl") as file:
            b.run(sittings, file, Client(actor))
            records = b.answers_of(sittings, file.read())
        return measure(records, INSTRUMENT, twins)

    return go


def codes(battery: Battery) -> dict[str, set[str]]:
    """Findings by trait; the bot's own under ``""``. What is steady or open is left out."""
    return {
        v.key: {f.code for f in v.findings if f.level not in ("steady", "unclear")}
        for v in verdicts_of(battery)
    }


def only(found: dict[str, set[str]], expected: dict[str, set[str]]) -> None:
    assert found == {key: expected.get(key, set()) for key in ["", *TRAITS]}


def test_a_steady_bot_has_no_fault(battery: Run) -> None:
    found = battery(replace(STEADY, noise=0.5))
    only(codes(found), {})
    scores = {t.key: t.mean.estimate for t in found.traits}
    assert scores == pytest.approx(
        {"openness": 3, "conscientiousness": 2, "extraversion": 4, "agreeableness": 4,
         "neuroticism": 2}, abs=0.15,
    )  # fmt: skip
    assert abs(found.conduct.acquiescence.estimate or 1) < 0.05
    assert found.conduct.answered.estimate == 1.0


def test_a_planted_order_effect_is_found_with_its_size(battery: Run) -> None:
    found = battery(replace(STEADY, order={"agreeableness": 1.0}))
    only(codes(found), {"agreeableness": {"moves_order", "noisy"}})
    trait = next(t for t in found.traits if t.key == "agreeableness")
    (shift,) = trait.shifts["order"]
    assert shift.difference.estimate == pytest.approx(1.0, abs=0.2)
    text = {v.key: v.text for v in verdicts_of(found)}["agreeableness"]
    assert re.match(r"This bot's Agreeableness moves (0\.[89]|1\.[012]) points", text)
    assert "with the order of the options" in text
    assert "do not compare it across prompts" in text
    # of the variance of answers, the order adds more than all else that was varied
    shares = {c.effect: c.variance for c in trait.components.components}
    assert max(shares, key=lambda e: 0 if e == "residual" else shares[e]) == "order"


def test_a_planted_wording_effect_is_found(battery: Run) -> None:
    found = battery(replace(STEADY, wording={"extraversion": 1.5}))
    assert "moves_wording" in codes(found)["extraversion"]
    assert all("moves_wording" not in codes(found)[key] for key in TRAITS if key != "extraversion")


def test_a_bot_that_prefers_the_first_option_is_found_though_keys_cancel_it(battery: Run) -> None:
    found = battery(replace(STEADY, first=1.0))
    assert codes(found)[""] == {"leaning"}
    assert found.leaning[0].difference.estimate == pytest.approx(-2, abs=0.3)
    # two items each way: the score stays where it is
    trait = next(t for t in found.traits if t.key == "extraversion")
    assert abs(trait.shifts["order"][0].difference.estimate or 0) < 0.25


def test_acquiescence_is_found(battery: Run) -> None:
    found = battery(replace(STEADY, agrees=1.0, noise=0.3))
    expected = {key: {"acquiescence"} for key in ["", *TRAITS]}
    only(codes(found), expected)
    assert found.conduct.acquiescence.estimate == pytest.approx(0.5, abs=0.06)


def test_constant_answers_are_no_measurement(battery: Run) -> None:
    found = battery(Actor(constant=3))
    only(codes(found), {key: {"straight_lining"} for key in ["", *TRAITS]})
    assert found.conduct.straight.estimate == 1.0
    for trait in found.traits:
        assert trait.components.code == "no_variance"
        assert trait.error.estimate == 0.0


def test_refusals_are_found_and_are_not_zeros(battery: Run) -> None:
    found = battery(replace(STEADY, refuses={"openness": 1.0, "neuroticism": 0.5}))
    assert codes(found)["openness"] == {"no_answers"}
    assert codes(found)["neuroticism"] >= {"refusals"}
    assert codes(found)["extraversion"] == set()
    row = to_row(found, "bot", SMALL, [])
    openness = row["traits"]["openness"]
    assert openness["score"] == {
        "estimate": None, "low": None, "high": None, "n": 0,
        "reason": "there are no scores", "code": "no_data",
    }  # fmt: skip
    assert openness["verdict"]["level"] == "unscored"
    neuroticism = row["traits"]["neuroticism"]["score"]["estimate"]
    assert neuroticism == pytest.approx(2, abs=0.3)
    assert row["conduct"]["failures"].keys() == {"refusal"}


def test_all_refused(battery: Run) -> None:
    found = battery(Actor(refuses=dict.fromkeys(TRAITS, 1.0)))
    only(codes(found), {key: {"no_answers"} for key in ["", *TRAITS]})
    json.dumps(to_row(found, "bot", SMALL, []), allow_nan=False)
    assert "nan" not in document(found, "bot", SMALL, []).markdown().lower()


def test_contradictions_of_twins_are_found(battery: Run) -> None:
    twins = twins_of(INSTRUMENT)
    honest = battery(replace(STEADY, truth=dict.fromkeys(TRAITS, 4)), twins=twins)
    assert honest.conduct.twins.estimate == 1.0
    assert honest.conduct.twins.n == 20
    only(codes(honest), {})
    crooked = replace(STEADY, truth=dict.fromkeys(TRAITS, 4), contradicts=True)
    found = battery(crooked, twins=twins)
    assert found.conduct.twins.estimate == 0.0
    assert all("contradicts" in found for found in codes(found).values())


def test_noise_is_found(battery: Run) -> None:
    found = battery(replace(STEADY, noise=3.0), replace(SMALL, temperatures=(0.7,)))
    assert all(codes(found)[key] == {"noisy"} for key in TRAITS)


def test_no_false_alarm_in_many_steady_bots(battery: Run) -> None:
    """Eight bots without a fault, five traits and two factors each."""
    for i in range(8):
        actor = Actor(f"bot {i}", dict.fromkeys(TRAITS, 4 if i % 2 else 2), noise=0.4 + i / 100)
        only(codes(battery(actor, b.Protocol(("standard", "question"), temperatures=(0.7,)))), {})


def test_one_repeat_temperature_and_respondent_is_unscored_not_nan(battery: Run) -> None:
    found = battery(STEADY, b.Protocol(("standard",), ("ascending",), (0.0,), 1))
    for trait in found.traits:
        assert trait.error.code == trait.change.code == "too_few"
        assert trait.shifts == {"wording": (), "order": (), "temperature": ()}
        assert trait.agreement.estimate is None
    assert codes(found)["extraversion"] == set()
    json.dumps(to_row(found, "bot", SMALL, []), allow_nan=False)


def test_personas_are_told_apart(battery: Run) -> None:
    personas = [Persona(f"p{i}", f"extraversion={1 + i % 5} agreeableness=3") for i in range(6)]
    found = battery(replace(STEADY, noise=0.5), replace(SMALL, repeats=1), personas=personas)
    traits = {t.key: t for t in found.traits}
    assert (traits["extraversion"].dependability.estimate or 0) > 0.9
    assert (traits["extraversion"].alpha.estimate or 0) > 0.9
    assert (traits["agreeableness"].dependability.estimate or 0) < 0.3
    assert traits["extraversion"].by_respondent["p0"] == pytest.approx(1.1, abs=0.2)
    assert "of these personas" in "".join(
        v.text
        for v in verdicts_of(battery(replace(STEADY, order={"extraversion": 1.0}), SMALL,
                                     personas[:2]))
    )  # fmt: skip


def test_one_item_a_scale(tmp_path: Path) -> None:
    short = replace(INSTRUMENT.subset(1), name="one", domains=INSTRUMENT.subset(1).domains)
    sittings = b.plan(b.respondents_of(Bot("bot", Client(STEADY)), []), short, SMALL)
    with RecordFile(tmp_path / "a.jsonl") as file:
        b.run(sittings, file, Client(STEADY))
        found = measure(file.read(), short)
    for trait in found.traits:
        assert trait.alpha.code == "one_item"
        assert trait.conduct.straight.code == trait.conduct.acquiescence.code == "one_keying"


def test_the_forecast_is_what_is_used(tmp_path: Path) -> None:
    with Client(STEADY) as client:
        sittings = b.plan(b.respondents_of(Bot("bot", client), []), INSTRUMENT, b.Protocol())
        planned = b.forecast(sittings)
        assert planned.calls == 3 * 2 * 2 * 2 * 20
        with RecordFile(tmp_path / "a.jsonl") as file:
            b.run(sittings, file, client)
            assert client.usage.calls == planned.calls
            assert client.usage.tokens_in == pytest.approx(planned.tokens_in, rel=0.1)
            assert client.usage.tokens_out == pytest.approx(planned.tokens_out, rel=0.1)
            assert b.forecast(sittings, file.ids()).calls == 0


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with Client(STEADY, budget=Budget(max_calls=33)) as client, RecordFile(path) as file:
        sittings = b.plan(b.respondents_of(Bot("bot", client), []), INSTRUMENT, SMALL)
        with pytest.raises(LLMError, match="33"):
            b.run(sittings, file, client)
        assert len(file.ids()) == 33
    path.write_bytes(path.read_bytes()[:-7])  # the last line is torn
    with Client(STEADY) as client, RecordFile(path) as file:
        sittings = b.plan(b.respondents_of(Bot("bot", client), []), INSTRUMENT, SMALL)
        left = b.forecast(sittings, file.ids()).calls
        assert left == 2 * 2 * 2 * 3 * 20 - 32
        b.run(sittings, file, client)
        assert client.usage.calls == left
        assert len(b.answers_of(sittings, file.read())) == 480


def test_records_of_other_protocols_are_left_out(tmp_path: Path) -> None:
    with Client(STEADY) as client, RecordFile(tmp_path / "a.jsonl") as file:
        who = b.respondents_of(Bot("bot", client), [])
        many = b.plan(who, INSTRUMENT, SMALL)
        few = b.plan(who, INSTRUMENT, b.Protocol(("standard",), ("descending",), (0.0,), 1))
        b.run(many, file, client)
        assert len(b.answers_of(few, file.read())) == 20


def test_a_folder_is_of_one_bot(tmp_path: Path) -> None:
    client = Client(STEADY)

    def sittings(system: str) -> list[b.Sitting]:
        return b.plan(b.respondents_of(Bot("bot", client, system), []), INSTRUMENT, SMALL)

    b.claim_folder(tmp_path / "run", sittings("Be kind."))
    b.claim_folder(tmp_path / "run", sittings("Be kind."))
    with pytest.raises(InputError, match="another respondent bot"):
        b.claim_folder(tmp_path / "run", sittings("Be rude."))
    (tmp_path / "run" / b.RUN).write_text("[]")
    with pytest.raises(InputError, match="not written by persona-lab"):
        b.claim_folder(tmp_path / "run", sittings("Be kind."))


def test_two_personas_with_one_id() -> None:
    bot = Bot("bot", Client(STEADY))
    with pytest.raises(InputError, match="'p'"):
        b.respondents_of(bot, [Persona("p", "x"), Persona("p", "y")])
    with pytest.raises(InputError, match="'bot'"):
        b.respondents_of(bot, [Persona("bot", "x")])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((0, 2, [0.0], 1), "3 wordings"),
        ((4, 2, [0.0], 1), "3 wordings"),
        ((1, 0, [0.0], 1), "orders is 0"),
        ((1, 1, [0.0, 0.0], 1), "temperatures must be different"),
        ((1, 1, [], 1), "at least one"),
        ((1, 1, [0.0], 0), "repeats is 0"),
    ],
)
def test_protocols_that_make_no_sense(given: tuple[Any, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        b.Protocol.of_size(*given)


def test_more_orders_are_shuffled_ones() -> None:
    assert b.Protocol.of_size(1, 4, [0.0], 1).orders == (
        "ascending", "descending", "shuffled:1", "shuffled:2",
    )  # fmt: skip


def test_wordings_are_for_english_items() -> None:
    german = replace(INSTRUMENT, language="de")
    who = b.respondents_of(Bot("bot", Client(STEADY)), [])
    with pytest.raises(InputError, match="--wordings 1"):
        b.plan(who, german, SMALL)
    assert b.plan(who, german, b.Protocol(("standard",)))


def test_a_dead_model_is_an_error(tmp_path: Path) -> None:
    from persona_lab.llm.errors import LLMBadRequest

    class Dead(Actor):
        def answer(self, request: Any) -> str:
            raise LLMBadRequest("no such model")

    with Client(Dead()) as client, RecordFile(tmp_path / "a.jsonl") as file:
        sittings = b.plan(b.respondents_of(Bot("bot", client), []), INSTRUMENT, SMALL)
        with pytest.raises(PersonaLabError, match="none of 480 questions was answered"):
            b.run(sittings, file, client)


def test_descending_scales_keep_their_meaning(battery: Run) -> None:
    """Where 1 is the most agreement, agreeing with all is acquiescence above 0, too."""
    turned = replace(INSTRUMENT, scale=replace(INSTRUMENT.scale, descending=True))
    records = [
        Record(f"{i.id}{r}", "bot", None, turned.name, "self-report", "standard", "ascending", 0.0,
               r, i.id, i.domain, None, "", "1", 1.0)
        for i in turned.items
        for r in (0, 1)
    ]  # fmt: skip
    assert measure(records, turned).conduct.acquiescence.estimate == 1.0


def test_spread_within_groups_is_the_pooled_standard_deviation() -> None:
    found = spread_within(["a", "a", "b", "b", "b", "c"], [1.0, 3.0, 2.0, 2.0, 5.0, 9.0])
    assert found.estimate == pytest.approx(np.sqrt((2 + 6) / 3))
    assert found.n == 5
    assert spread_within(["a", "b"], [1.0, 2.0]).code == "too_few"
    assert spread_within([], []).code == "no_data"


def test_the_report_is_the_same_for_people(battery: Run) -> None:
    found = battery(replace(STEADY, order={"agreeableness": 1.0}))
    page = document(found, "a <b>|bot", SMALL, ["a note"])
    assert "do not compare it across prompts" in page.markdown()
    html = page.html()
    assert "&lt;b&gt;|bot" in html
    assert "<b>" not in html
    assert html.count("<table>") == html.count("</table>") == 5
    assert "http" not in html.replace("<!doctype html>", "")


def test_verdicts_rank_findings(battery: Run) -> None:
    found = battery(replace(STEADY, order={"agreeableness": 1.0}))
    verdict: Verdict = {v.key: v for v in verdicts_of(found)}["agreeableness"]
    assert verdict.level == "fragile"
    assert [f.level for f in verdict.findings][:2] == ["fragile", "fragile"]
