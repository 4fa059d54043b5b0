"""PsyCoT on a model whose answers are known."""

from __future__ import annotations

import re

import pytest

from persona_lab.detectors.base import Request
from persona_lab.detectors.psycot import VARIANTS, PsyCotDetector, Settings
from persona_lab.detectors.psycot.scoring import Correction
from persona_lab.dialogue import Utterance
from persona_lab.errors import ModelError
from persona_lab.instruments import load_instrument
from persona_lab.llm.budget import Budget
from persona_lab.llm.client import Client
from persona_lab.llm.errors import BudgetSpent
from persona_lab.traits import BIG_FIVE
from tests.detectors.psycot.acted import ActedModel

HIGH = "We sparkle all day and talk to everybody we meet on the way home."
LOW = "We sit at home all day and talk to nobody we meet on the way there."


@pytest.fixture(scope="module")
def mini():
    return load_instrument("ipip-20")


def detector(mini, variant="psycot", **acts):
    model = ActedModel(mini, **acts)
    return PsyCotDetector(
        model, Settings(variant=variant, concurrency=1), instruments=[mini]
    ), model


def request(text, id="a"):
    return Request(id, "author", (Utterance("0", "author", text),))


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_every_variant_tells_the_poles_apart(mini, variant):
    asked, _ = detector(mini, variant)
    high, low = asked.profiles([request(HIGH), request(LOW, "b")])
    for key in BIG_FIVE.keys:
        assert high.traits[key].p_high > 0.7
        assert low.traits[key].p_high == pytest.approx(1 - high.traits[key].p_high)
        assert low.traits[key].low <= low.traits[key].p_high <= low.traits[key].high
    assert asked.report.to_json()["failures"] == {}


def test_unanimous_answers_are_a_share_of_votes_and_no_certainty(mini):
    # four items and two choices for the high pole: (6 + 1) / (6 + 2)
    asked, _ = detector(mini, "psycot")
    assert asked.profile(HIGH).traits["openness"].p_high == pytest.approx(7 / 8)
    # two choices alone: (2 + 1) / (2 + 2), and that is too little to give a label
    asked, _ = detector(mini, "standard")
    score = asked.profile(HIGH).traits["openness"]
    assert score.p_high == pytest.approx(3 / 4)
    assert score.label == "abstain"


def test_calls_of_the_protocols(mini):
    calls = {}
    for variant in VARIANTS:
        asked, model = detector(mini, variant)
        asked.profile(HIGH)
        calls[variant] = len(model.requests)
    # five traits; two orders of the choice; four items a trait
    assert calls == {
        "standard": 10, "cot": 10, "psycot": 30, "psycot-batch": 10, "psycot-expect": 10,
    }  # fmt: skip


def test_a_forecast_counts_the_calls_that_are_made(mini):
    for variant in VARIANTS:
        asked, model = detector(mini, variant)
        forecast = asked.forecast([request(HIGH), request(LOW, "b")])
        assert not model.requests
        list(asked.profiles([request(HIGH), request(LOW, "b")]))
        assert forecast.calls == len(model.requests)


def test_all_requests_about_a_text_begin_alike(mini):
    """A server with a prefix cache reads the text once for all traits and orders."""
    asked, model = detector(mini, "psycot")
    asked.profile(HIGH)
    starts = {r.messages[1].content.partition("</text>")[0] for r in model.requests}
    assert len(starts) == 1
    assert len({r.messages[0] for r in model.requests}) == 1


def test_position_is_averaged_out_and_reported(mini):
    asked, _ = detector(mini, "standard", always_first=True)
    assert asked.profile(HIGH).traits["openness"].p_high == pytest.approx(0.5)
    report = asked.report.to_json()
    assert report["position_bias"] == pytest.approx(0.5)
    assert report["flip_rate"] == 1.0


def test_expected_ratings_come_from_token_probabilities(mini):
    asked, _ = detector(mini, "psycot-expect", logprobs=True)
    item = asked.profile(HIGH).items[0]
    # 5 with .8 and 4 with .2, or 1 with .8 and 2 with .2
    assert item.rating == pytest.approx(4.8) or item.rating == pytest.approx(1.2)
    assert item.sd == pytest.approx(0.4)
    assert item.position == pytest.approx(0.95)
    # the plain batch reads the numbers that were said
    asked, _ = detector(mini, "psycot-batch", logprobs=True)
    item = asked.profile(HIGH).items[0]
    assert item.rating in (1.0, 5.0) and item.sd is None


def test_both_batch_variants_send_the_same_requests(mini):
    sent = []
    for variant in ("psycot-batch", "psycot-expect"):
        asked, model = detector(mini, variant)
        asked.profile(HIGH)
        sent.append([r.key("m") for r in model.requests])
    assert sent[0] == sent[1]


@pytest.mark.parametrize(("variant", "told"), [("psycot", 5 * 2), ("psycot-batch", 0)])
def test_what_items_point_to_is_told_after_the_ratings_or_not_at_all(mini, variant, told):
    asked, model = detector(mini, variant)
    asked.profile(HIGH)
    hints = [re.search(r"points? to:", r.messages[-1].content) for r in model.requests]
    assert sum(map(bool, hints)) == told
    for r, hint in zip(model.requests, hints, strict=True):
        assert not (hint and re.search(r"Statement \d|JSON", r.messages[-1].content))


def test_a_batch_pays_for_items_once_and_asks_the_other_order_without_the_first_choice(mini):
    asked, model = detector(mini, "psycot-batch")
    asked.profile(HIGH)
    first, second = model.requests[:2]
    assert [m.role for m in second.messages] == ["system", "user", "assistant", "user"]
    assert second.messages[:2] == first.messages
    assert re.fullmatch(r'\{"ratings": \{("\d+": [15],? ?){4}\}\}', second.messages[2].content)
    assert second.max_tokens < 10
    asked, _ = detector(mini, "psycot-batch", always_first=True)
    asked.profile(HIGH)
    assert asked.report.to_json()["flip_rate"] == 1.0


def test_a_batch_that_cannot_be_read_is_asked_in_the_other_order(mini):
    # the first batch and its repair fail, the other order's batch is whole
    asked, _ = detector(mini, "psycot-batch", slip=lambda n, said: "?" if n <= 2 else said)
    profile = asked.profile(HIGH)
    assert len([item for item in profile.items if item.trait == "openness"]) == 4
    assert profile.traits["openness"].p_high == pytest.approx(6 / 7)
    assert sum(asked.report.failures.values()) == 1


def test_a_slip_is_repaired_once(mini):
    asked, model = detector(mini, "psycot", slip=lambda n, said: "about 4 or 5" if n == 2 else said)
    profile = asked.profile(HIGH)
    assert len(model.requests) == 31
    assert asked.report.repaired == 1
    assert profile.traits["openness"].p_high == pytest.approx(7 / 8)
    # the slip is not shown to the model again
    assert not any("4 or 5" in m.content for m in model.requests[5].messages)


def test_an_item_that_stays_unreadable_is_left_out_and_counted(mini):
    def slip(n, said):
        return "6" if n in (2, 3) else said  # off the scale, also after the repair

    asked, _ = detector(mini, "psycot", slip=slip)
    profile = asked.profile(HIGH)
    assert asked.report.failures == {"off_scale": 1}
    assert len(profile.items) == 19
    # three items and two choices
    lowest = min(score.p_high for score in profile.traits.values())
    assert lowest == pytest.approx(6 / 7)


def test_refusals_leave_the_text_unscored_with_the_reason(mini):
    asked, _ = detector(mini, "psycot-batch", slip=lambda n, said: "I cannot judge people.")
    result = asked.profile(HIGH)
    assert result.code == "no_answer"
    assert "no answer of the model could be read" in result.reason
    assert sum(asked.report.failures.values()) == 10


def test_a_trait_without_an_answer_is_named_and_the_others_stand(mini):
    # the batches of the first trait are requests 1-2 and, repaired, 3-4
    asked, _ = detector(mini, "psycot-batch", slip=lambda n, said: "?" if n <= 4 else said)
    profile = asked.profile(HIGH)
    assert list(profile.traits) == list(BIG_FIVE.keys[1:])
    assert [w.code for w in profile.warnings] == ["trait_unscored", "uncalibrated"]
    assert "openness" in profile.warnings[0].message


def test_a_straight_line_is_flagged_and_abstained_from(mini):
    def slip(n, said):
        return re.sub(r": [15]", ": 3", said) if "ratings" in said else said

    asked, _ = detector(mini, "psycot-batch", slip=slip)
    profile = asked.profile(HIGH)
    assert {score.label for score in profile.traits.values()} == {"abstain"}
    assert sum(w.code == "straight_lining" for w in profile.warnings) == 5
    assert asked.report.straight_lined == 5


def test_long_texts_are_read_in_parts_and_pooled(mini):
    text = "\n\n".join([HIGH] * 30 + [LOW] * 30)
    said = tuple(Utterance(str(i), "author", line) for i, line in enumerate(text.split("\n\n")))
    model = ActedModel(mini)
    asked = PsyCotDetector(
        model, Settings(variant="standard", concurrency=1, part_tokens=300), instruments=[mini]
    )
    profile = next(asked.profiles([Request("a", "author", said)]))
    assert profile.n_segments >= 3
    # half of the text speaks for each pole; parts count by their length
    assert profile.traits["openness"].p_high == pytest.approx(0.5, abs=0.1)
    shown = [r.messages[1].content for r in model.requests[:: 2 * 5]]
    assert len(shown) == profile.n_segments or len(set(shown)) > 1


def test_an_overflow_halves_the_text(mini):
    asked, model = detector(mini, "standard", context=250)
    profile = asked.profile(" ".join([HIGH] * 30))
    assert profile.traits["openness"].p_high > 0.6
    # every word was shown in some part
    parts = {m.messages[1].content for m in model.requests}
    assert len(parts) > 2


def test_type_words_are_hidden(mini):
    asked, model = detector(mini, "standard")
    asked.profile("As an INFP I sparkle, and my friends are extraverts.")
    assert not any("INFP" in r.messages[1].content for r in model.requests)


def test_nothing_to_read(mini):
    asked, model = detector(mini, "standard")
    assert asked.profile("!!!").code == "no_words"
    assert not model.requests


def test_the_budget_ends_the_run_after_what_it_paid_for(mini):
    model = ActedModel(mini)
    client = Client(model, budget=Budget(max_calls=25))
    asked = PsyCotDetector(client, Settings(variant="standard", concurrency=1), instruments=[mini])
    results = []
    with pytest.raises(BudgetSpent):
        for result in asked.profiles(request(HIGH, str(i)) for i in range(9)):
            results.append(result)
    assert [r.id for r in results] == ["0", "1"]
    assert len(model.requests) == 25


def test_corrections_move_scores_and_end_the_warning(mini):
    model = ActedModel(mini)
    corrections = dict.fromkeys(BIG_FIVE.keys, Correction(slope=0.5, intercept=0.0))
    asked = PsyCotDetector(
        model, Settings(variant="standard", concurrency=1), instruments=[mini],
        corrections=corrections,
    )  # fmt: skip
    profile = asked.profile(HIGH)
    # odds of 3 to 1 shrink to their square root
    assert profile.traits["openness"].p_high == pytest.approx(3**0.5 / (1 + 3**0.5))
    assert not profile.warnings


def test_rows_keep_item_ratings(mini):
    from persona_lab.profile import Profile

    asked, _ = detector(mini, "psycot")
    profile = asked.profile(HIGH)
    row = profile.to_row(explain=True)
    assert len(row["items"]) == 20
    assert Profile.from_row(row).items[0].item == profile.items[0].item


def test_bad_settings(mini):
    with pytest.raises(ModelError, match="psycot-batch"):
        PsyCotDetector(ActedModel(mini), Settings(variant="psychic"))
    with pytest.raises(ModelError, match="two instruments for bigfive"):
        PsyCotDetector(ActedModel(mini), instruments=[mini, load_instrument("ipip-50")])
