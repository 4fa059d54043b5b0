"""Scores by hand, what missing answers can change, short forms."""

from __future__ import annotations

from collections import Counter
from math import sqrt
from random import Random

import pytest

from persona_lab.instruments import Domain, Instrument, InstrumentError, Item, Scale
from persona_lab.instruments.loading import load_instrument

SCALE = Scale(0, 4, ("never", "", "sometimes", "", "always"))


def toy(scale: Scale = SCALE) -> Instrument:
    return Instrument(
        name="toy",
        title="A toy",
        language="en",
        licence="own",
        source="here",
        citation="nobody",
        framework=None,
        scale=scale,
        domains=(
            Domain("extraversion", "Extraversion", "extraversion", "loud", "quiet"),
            Domain("order", "Order", None, "tidy", "messy"),
        ),
        items=(
            Item("a", "Talk", "extraversion", 1, "Talk"),
            Item("b", "Don't talk", "extraversion", -1, "Talk"),
            Item("c", "Sing", "extraversion", 1, "Song"),
            Item("d", "Hum", "extraversion", 1, "Song"),
            Item("e", "Tidy up", "order", 1),
            Item("f", "Make a mess", "order", -1),
        ),
        fillers=("x",),
    )


def test_reverse_keyed_items_are_reflected() -> None:
    # keyed ratings: 4, 4 - 1 = 3, 2; mean 3, sd 1; with d at 0 or 4: 9/4 and 13/4
    score = toy().score({"a": 4, "b": 1, "c": 2})["extraversion"]
    assert (score.mean, score.sd, score.n_items, score.n_answered) == (3.0, 1.0, 4, 3)
    assert score.se == pytest.approx(1 / sqrt(3))
    assert (score.low_bound, score.high_bound) == (2.25, 3.25)
    assert score.facets == {"Talk": 3.5, "Song": 2.0}
    assert score.reason is None


def test_a_descending_scale_turns_everything_round() -> None:
    falling = toy(Scale(0, 4, ("agree", "", "", "", "disagree"), descending=True))
    score = falling.score({"a": 4, "b": 1, "c": 2})["extraversion"]
    assert score.mean == pytest.approx((0 + 1 + 2) / 3)


def test_no_answer_is_not_a_zero() -> None:
    scores = toy().score({"a": 4, "e": None})
    order = scores["order"]
    assert order.mean is None and order.sd is None and order.se is None
    assert (order.low_bound, order.high_bound, order.n_answered) == (0.0, 4.0, 0)
    assert order.reason == "none of its 2 items was answered"
    assert scores["extraversion"].facets == {"Talk": 4.0, "Song": None}
    assert scores["extraversion"].sd is None  # one answer has no spread


def test_bounds_hold_whatever_the_missing_answers_are() -> None:
    neo, random = load_instrument("ipip-120"), Random(0)
    full = {item.id: float(random.randint(1, 5)) for item in neo.items}
    part = {id: rating for id, rating in full.items() if random.random() < 0.6}
    whole, partial = neo.score(full), neo.score(part)
    for key, score in partial.items():
        mean = whole[key].mean
        assert mean is not None and score.low_bound <= mean <= score.high_bound
        assert whole[key].low_bound == whole[key].high_bound == pytest.approx(mean)


def test_agreeing_with_everything_is_the_middle_of_a_balanced_domain() -> None:
    fifty = load_instrument("ipip-50")
    yes = fifty.score({item.id: 5 for item in fifty.items})
    assert {score.mean for score in yes.values()} == {3.0}


@pytest.mark.parametrize(
    ("ratings", "words"),
    [
        ({"zz": 1}, ["'zz'", "persona-lab instruments show toy"]),
        ({"a": 5}, ["'a'", "5", "from 0 to 4"]),
        ({"a": float("nan")}, ["'a'", "nan"]),
        ({"a": -1}, ["'a'", "-1"]),
    ],
)
def test_bad_ratings_name_the_item(ratings: dict[str, float], words: list[str]) -> None:
    with pytest.raises(InstrumentError) as caught:
        toy().score(ratings)
    assert all(word in str(caught.value) for word in words)


def test_ratings_of_fillers_are_ignored() -> None:
    assert toy().score({"a": 4, "x": 99}) == toy().score({"a": 4})


def test_items_by_domain_and_trait() -> None:
    assert [i.id for i in toy().of("order")] == ["e", "f"]
    assert [i.id for i in toy().for_trait("extraversion")] == ["a", "b", "c", "d"]
    assert toy().for_trait("openness") == ()
    with pytest.raises(InstrumentError, match=r"no domain 'chaos'.*extraversion, order"):
        toy().of("chaos")


def test_the_scale_in_words() -> None:
    expected = "Answer with a whole number from 0 to 4: 0 = never, 2 = sometimes, 4 = always."
    assert toy().prompt_scale() == expected
    assert SCALE.middle == 2.0


@pytest.mark.parametrize("n", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_short_forms_balance_keys_and_spread_over_facets(n: int, seed: int) -> None:
    neo = load_instrument("ipip-120")
    short = neo.subset(n, seed)
    assert short == neo.subset(n, seed)
    for domain in short.domains:
        items = short.of(domain.key)
        plus = sum(item.keyed > 0 for item in items)
        assert len(items) == n and abs(2 * plus - n) <= n % 2
        assert (domain.one_sided is not None) == (n == 1)
        # where one key has two facets only, a facet can come twice while others wait
        assert max(Counter(item.facet for item in items).values()) <= max(2, n // 2)
    order = [item.id for item in neo.items]
    assert [i.id for i in short.items] == sorted((i.id for i in short.items), key=order.index)


def test_short_forms_differ_by_seed_and_fill_up_from_the_other_key() -> None:
    neo, mini = load_instrument("ipip-120"), load_instrument("ipip-20")
    assert len({neo.subset(4, seed).items for seed in range(10)}) == 10
    # Mini-IPIP has one plus and three minus items of openness
    assert sorted(i.keyed for i in mini.subset(4).of("openness")) == [-1, -1, -1, 1]
    with pytest.raises(InstrumentError, match="5 items for 'openness'; choose from 1 to 4"):
        mini.subset(5)
    with pytest.raises(InstrumentError, match="0 items"):
        mini.subset(0)
