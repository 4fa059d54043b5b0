"""The bundled instruments against what their publications say."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from persona_lab.instruments import Instrument, list_instruments, load_instrument
from persona_lab.traits import BIG_FIVE, MBTI

NAMES = ("ipip-20", "ipip-50", "ipip-120", "jungian-48")


def keys(instrument: Instrument) -> dict[str, tuple[int, int]]:
    """Number of plus and minus items by domain."""
    return {
        d.key: (
            sum(i.keyed > 0 for i in instrument.of(d.key)),
            sum(i.keyed < 0 for i in instrument.of(d.key)),
        )
        for d in instrument.domains
    }


def test_all_are_listed_with_a_licence_that_lets_us_ship_them() -> None:
    infos = {info.name: info for info in list_instruments()}
    assert set(infos) == set(NAMES)
    assert {infos[name].licence for name in NAMES if name.startswith("ipip")} == {"public domain"}
    assert "CC0" in infos["jungian-48"].licence
    assert {name: infos[name].n_items for name in NAMES} == {
        "ipip-20": 20,
        "ipip-50": 50,
        "ipip-120": 120,
        "jungian-48": 48,
    }
    assert infos["ipip-20"].domains == BIG_FIVE.keys and infos["jungian-48"].domains == MBTI.keys


def test_mini_ipip_has_the_numbers_and_reverse_keys_of_the_publication() -> None:
    # Donnellan et al. 2006, appendix: E 1 6 11 16, A 2 7 12 17, C 3 8 13 18, N 4 9 14 19,
    # I 5 10 15 20; reversed 6-10 and 15-20.
    mini = load_instrument("ipip-20")
    order = ("extraversion", "agreeableness", "conscientiousness", "neuroticism", "openness")
    for start, domain in enumerate(order, 1):
        assert [int(i.id) for i in mini.of(domain)] == [start, start + 5, start + 10, start + 15]
    reverse = {int(i.id) for i in mini.items if i.keyed < 0}
    assert reverse == {6, 7, 8, 9, 10, 15, 16, 17, 18, 19, 20}


def test_ipip_50_is_balanced_and_keyed_towards_neuroticism() -> None:
    fifty = load_instrument("ipip-50")
    assert set(keys(fifty).values()) == {(5, 5)}
    keyed = {i.text: (i.domain, i.keyed) for i in fifty.items}
    assert keyed["Often feel blue"] == ("neuroticism", 1)
    assert keyed["Seldom feel blue"] == ("neuroticism", -1)
    assert "Cut others to pieces" in keyed  # the source list carries a stray quotation mark


def test_ipip_neo_120_has_thirty_facets_of_four_items() -> None:
    # Johnson 2014: the facets come in rounds N1 E1 O1 A1 C1 N2 ..., four rounds of thirty.
    neo = load_instrument("ipip-120")
    letters = {"N": "neuroticism", "E": "extraversion", "O": "openness"}
    letters |= {"A": "agreeableness", "C": "conscientiousness"}
    facets = [item.facet for item in neo.items]
    assert facets[:30] * 4 == facets and len(set(facets)) == 30
    assert [i.domain for i in neo.items] == [letters[c] for c in "NEOAC"] * 24
    assert facets[:10] == [
        "Anxiety",
        "Friendliness",
        "Imagination",
        "Trust",
        "Self-Efficacy",
        "Anger",
        "Gregariousness",
        "Artistic Interests",
        "Morality",
        "Orderliness",
    ]
    assert keys(neo) == {
        "openness": (12, 12),
        "conscientiousness": (11, 13),
        "extraversion": (18, 6),
        "agreeableness": (7, 17),
        "neuroticism": (17, 7),
    }


@pytest.mark.data
def test_ipip_neo_120_has_the_keys_of_the_mpi_table(data_dir: Path) -> None:
    path = data_dir / "ipip" / "mpi" / "mpi_120.csv"
    if not path.exists():
        pytest.skip("the MPI table is not among the corpora here")
    neo = {
        re.sub(r"\W", "", i.text.lower()): (i.domain[0].upper(), str(i.keyed), i.facet)
        for i in load_instrument("ipip-120").items
    }
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = [(row, neo.get(re.sub(r"\W", "", row["text"].lower()))) for row in rows]
    same = [(row, mine) for row, mine in found if mine is not None]
    assert len(same) > 75  # the others are worded with "you"
    for row, (domain, key, facet) in same:
        assert (row["label_ocean"], row["key"]) == (domain, key)
        assert row["label_raw"].lower() == (facet or "").lower()


def test_our_own_set_is_balanced_and_says_what_it_is_not() -> None:
    own = load_instrument("jungian-48")
    assert set(keys(own).values()) == {(6, 6)}
    assert "no norms" in own.source and "not been validated" in own.source
    # neighbours ask for different axes, and an axis asks for its poles in turn
    assert [i.domain for i in own.items] == list(MBTI.keys) * 12
    for axis in MBTI.keys:
        signs = [i.keyed for i in own.of(axis)]
        assert signs == [signs[0], -signs[0]] * 6


@pytest.mark.data
def test_our_own_items_resemble_no_inventory_here(data_dir: Path) -> None:
    folder = data_dir / "incharacter" / "questionnaires"
    if not folder.is_dir():
        pytest.skip("the questionnaires are not among the corpora here")
    stop = {"a", "an", "and", "at", "for", "i", "in", "is", "my", "of", "the", "to", "with", "you"}

    def words(text: str) -> set[str]:
        return set(re.findall("[a-z]+", text.lower())) - stop

    theirs = [i.text for path in folder.glob("*.json") for i in load_instrument(path).items]
    for item in load_instrument("jungian-48").items:
        for text in theirs:
            shared = words(item.text) & words(text)
            assert len(shared) / len(words(item.text) | words(text)) < 0.34, (item.text, text)


@pytest.mark.parametrize("name", NAMES)
def test_json_round_trip(name: str, tmp_path: Path) -> None:
    for instrument in (load_instrument(name), load_instrument(name).subset(3, seed=1)):
        path = tmp_path / "copy.json"
        path.write_text(instrument.to_json(), encoding="utf-8")
        assert load_instrument(path) == instrument
