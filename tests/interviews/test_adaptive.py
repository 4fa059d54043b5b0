"""Adaptive length: the rule, and what it saves on recorded answers."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from persona_lab.errors import InputError
from persona_lab.instruments import load_instrument
from persona_lab.interviews.adaptive import next_item, replay, savings, standard_error
from persona_lab.interviews.recorded import read_recorded
from persona_lab.interviews.self_report import ratings_of

FULL = load_instrument("ipip-50")


def test_the_standard_error_by_hand() -> None:
    items = FULL.of("extraversion")
    assert standard_error(FULL, "extraversion", {}) == math.inf
    one = {items[0].id: 3.0}
    assert standard_error(FULL, "extraversion", one) == pytest.approx(1.0)
    # two answers at both ends: s^2 = (4 * 1 + 8) / 5
    two = {i.id: i.reflect(v, FULL.scale) for i, v in zip(items, (1.0, 5.0), strict=False)}
    assert standard_error(FULL, "extraversion", two) == pytest.approx(math.sqrt(12 / 5 / 2))


def test_all_domains_first_then_the_least_certain_with_keys_in_balance() -> None:
    given: dict[str, float] = {}
    tried: list[str] = []
    for _ in range(10):
        item = next_item(FULL, given, tried, 0.1)
        assert item is not None
        tried.append(item.id)
        given[item.id] = 3.0
    chosen = [FULL.item(id) for id in tried]
    assert {i.domain for i in chosen[:5]} == {d.key for d in FULL.domains}
    assert Counter((i.domain, i.keyed) for i in chosen) == {
        (d.key, keyed): 1 for d in FULL.domains for keyed in (1, -1)
    }
    # one domain whose answers contradict each other is asked about next
    asked = [item for item in chosen if item.domain == "openness"]
    given |= {i.id: i.reflect(v, FULL.scale) for i, v in zip(asked, (1.0, 5.0), strict=True)}
    following = next_item(FULL, given, tried, 0.1)
    assert following is not None and following.domain == "openness"


def test_consistent_answers_end_early_and_refusals_do_not_loop() -> None:
    agreeing = {i.id: i.reflect(4.0, FULL.scale) for i in FULL.items}
    short = replay(FULL, agreeing, 0.5)
    assert 15 <= len(short.asked) < 25
    assert short.short_scores == pytest.approx(short.full_scores)
    assert len(set(short.asked)) == len(short.asked)
    silent = replay(FULL, {}, 0.5)
    assert len(silent.asked) == 50 and set(silent.short_scores.values()) == {None}
    with pytest.raises(InputError, match="above 0"):
        next_item(FULL, {}, [], 0.0)


def test_what_it_saves_on_recorded_chatbots(data_dir: Path) -> None:
    answers = data_dir / "personallm" / "gpt-4-0613_bfi_answers.jsonl"
    questionnaire = data_dir / "incharacter" / "questionnaires" / "BFI.json"
    if not answers.is_file() or not questionnaire.is_file():
        pytest.skip("the recorded answers are not among the corpora here")
    instrument = load_instrument(questionnaire)
    by_persona: dict[str | None, list] = {}
    for record in read_recorded(answers, instrument).records:
        by_persona.setdefault(record.persona, []).append(record)
    runs = [replay(instrument, ratings_of(r), 0.4) for r in list(by_persona.values())[:60]]
    saved = savings(runs)
    assert saved["items_full"] == 44 and saved["respondents"] == 60
    assert saved["saved"] > 0.35
    assert saved["correlation"] > 0.98 and saved["mean_difference"] < 0.15
