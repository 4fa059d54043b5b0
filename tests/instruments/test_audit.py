"""Key claims, odd keys, repeated items; straight-lining and acquiescence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from persona_lab.instruments import (
    Instrument,
    Item,
    acquiescence,
    audit,
    hint,
    load_instrument,
    straight_lined,
)


def with_items(*items: Item) -> Instrument:
    mini = load_instrument("ipip-20")
    return replace(mini, items=(*mini.items, *items))


def test_hints_say_what_the_key_claims() -> None:
    mini, own = load_instrument("ipip-20"), load_instrument("jungian-48")
    item = mini.item("6")
    assert hint(item, mini.domain(item.domain)) == (
        'Agreeing with "Don\'t talk a lot" points to introverted (low extraversion)'
    )
    item = mini.item("4")
    assert hint(item, mini.domain(item.domain)).endswith("points to neurotic (high neuroticism)")
    assert hint(own.item("2"), own.domain("SN")).endswith("points to intuitive (N)")


def test_balance() -> None:
    found = audit(load_instrument("ipip-20"))
    assert [(d.plus, d.minus) for d in found.domains] == [(1, 3), (2, 2), (2, 2), (2, 2), (2, 2)]
    assert not found.to_look_at and not found.duplicates


def test_denials_that_are_keyed_plus_are_to_be_looked_at() -> None:
    looks = {i.id for i in audit(load_instrument("ipip-120")).to_look_at}
    assert looks == {"16", "38", "41", "58", "86"}


def test_a_key_turned_by_mistake_shows() -> None:
    mini = load_instrument("ipip-20")
    turned = replace(
        mini, items=tuple(replace(i, keyed=1) if i.id in ("6", "10") else i for i in mini.items)
    )
    looks = audit(turned).to_look_at
    assert [item.id for item in looks] == ["6", "10"]
    assert looks[0].status == "look" and "n't" in looks[0].reasons[0]


def test_a_named_pole_against_the_key() -> None:
    found = audit(with_items(Item("x", "Am rather introverted", "extraversion", 1)))
    assert [i.id for i in found.to_look_at] == ["x"]


def test_duplicates_by_kind() -> None:
    found = audit(
        with_items(
            Item("same", "like  order.", "conscientiousness", 1),
            Item("conflict", "Get upset easily!", "neuroticism", -1),
            Item("shared", "Am the life of the party", "openness", 1),
            Item("negated", "Talk a lot", "extraversion", -1),
        )
    )
    kinds = {d.ids: d.kind for d in found.duplicates}
    assert kinds == {
        ("1", "shared"): "shared",
        ("13", "same"): "same",
        ("14", "conflict"): "conflict",
        ("6", "negated"): "negated",
    }


def test_other_languages_are_not_searched_for_english_denials() -> None:
    spanish = replace(
        with_items(Item("x", "No me gusta", "extraversion", 1)), language="es", notes=()
    )
    found = audit(spanish)
    assert not found.to_look_at and "not in English" in found.notes[0]


@pytest.mark.data
def test_the_repeated_items_of_the_mpi_table(data_dir: Path) -> None:
    path = data_dir / "ipip" / "mpi" / "mpi_1k.csv"
    if not path.exists():
        pytest.skip("the MPI table is not among the corpora here")
    found = audit(load_instrument(path))
    # 88 texts count in several domains; one is keyed both ways within its domain
    kinds = Counter(d.kind for d in found.duplicates)
    assert kinds["shared"] == 88 and kinds["conflict"] == 1
    (conflict,) = [d for d in found.duplicates if d.kind == "conflict"]
    assert conflict.domains == ("conscientiousness",) and conflict.ids == ("140", "284")


def test_straight_lining() -> None:
    assert straight_lined([3, 3, 3]) and straight_lined([4.0, 4])
    assert not straight_lined([3, 3, 4])
    assert not straight_lined([3]) and not straight_lined([])


def test_acquiescence_cancels_the_trait_out() -> None:
    mini = load_instrument("ipip-20")
    # a consistent extravert: agrees with plus, disagrees with minus items
    consistent = {i.id: 5.0 if i.keyed > 0 else 1.0 for i in mini.items}
    yes_sayer = {i.id: 5.0 for i in mini.items}
    assert acquiescence(consistent, mini.items, mini.scale) == 0.0
    assert acquiescence(yes_sayer, mini.items, mini.scale) == 1.0
    descending = replace(mini.scale, descending=True)
    assert acquiescence(yes_sayer, mini.items, descending) == -1.0
    # openness has one plus and three minus items; the sides count alike
    some = {"5": 5.0, "10": 2.0, "15": 3.0, "20": None}
    assert acquiescence(some, mini.items, mini.scale) == ((5.0 + 2.5) / 2 - 3.0) / 2
    assert acquiescence({"1": 5.0}, mini.items, mini.scale) is None
