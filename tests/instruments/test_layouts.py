"""Users' files: the real ones, and what is said of broken ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from persona_lab.errors import InputError
from persona_lab.instruments import InstrumentError, load_instrument

N_ITEMS = {
    "16Personalities": 60,
    "BFI": 44,
    "BSRI": 40,
    "CABIN": 164,
    "DTDD": 12,
    "ECR-R": 36,
    "EIS": 33,
    "EPQ-R": 100,
    "Empathy": 10,
    "GSE": 10,
    "ICB": 8,
    "LMS": 9,
    "LOT-R": 6,
    "WLEIS": 16,
}


def real(data_dir: Path, *parts: str) -> Path:
    path = data_dir.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path.name} is not among the corpora here")
    return path


def questionnaire(data_dir: Path, name: str) -> Path:
    return real(data_dir, "incharacter", "questionnaires", f"{name}.json")


@pytest.mark.data
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", N_ITEMS)
def test_all_questionnaires_load(data_dir: Path, name: str, language: str) -> None:
    instrument = load_instrument(questionnaire(data_dir, name), language=language)
    assert instrument.name == name and instrument.language == language
    assert len(instrument.items) == N_ITEMS[name]
    assert all(item.question for item in instrument.items)
    assert instrument.licence == "not stated"
    anchored = [rating for rating, _ in instrument.scale.labelled]
    assert instrument.scale.low in anchored and instrument.scale.high in anchored
    chinese = [i for i in instrument.items if any("\u4e00" <= c <= "\u9fff" for c in i.text)]
    assert len(chinese) == (len(instrument.items) if language == "zh" else 0)


@pytest.mark.data
def test_bfi_keys_are_the_published_ones(data_dir: Path) -> None:
    # John & Srivastava 1999: E 6R 21R 31R, A 2R 12R 27R 37R, C 8R 18R 23R 43R, N 9R 24R 34R,
    # O 35R 41R
    bfi = load_instrument(questionnaire(data_dir, "BFI"))
    reverse = {d.key: [int(i.id) for i in bfi.of(d.key) if i.keyed < 0] for d in bfi.domains}
    assert reverse == {
        "extraversion": [6, 21, 31],
        "agreeableness": [2, 12, 27, 37],
        "conscientiousness": [8, 18, 23, 43],
        "neuroticism": [9, 24, 34],
        "openness": [35, 41],
    }
    assert bfi.framework == "bigfive"
    assert bfi.scale.anchors[0] == "strongly disagree"
    assert bfi.item("1").question == "Are you talkative?"


@pytest.mark.data
def test_16p_is_keyed_by_letter_and_its_scale_falls(data_dir: Path) -> None:
    path = questionnaire(data_dir, "16Personalities")
    sixteen = load_instrument(path)
    assert sixteen.framework == "mbti" and sixteen.scale.descending
    letters = {id: q["category"] for id, q in json.loads(path.read_text())["questions"].items()}
    for item in sixteen.items:
        domain = sixteen.domain(item.domain)
        assert domain.trait is not None
        assert letters[item.id] == domain.trait[0 if item.keyed > 0 else 1]
    # the file calls the axis P/J and counts towards P; ours is JP and counts towards J
    assert sixteen.domain("JP").name == "P/J" and sixteen.domain("JP").high == "judging"
    assert "item 25" in sixteen.notes[0]  # listed as reversed (F), called T
    # 1 is "strongly agree": agreeing with all E items is extraverted
    ratings = {i.id: 1 if i.keyed > 0 else 7 for i in sixteen.of("EI")}
    assert sixteen.score(ratings)["EI"].mean == 7.0


@pytest.mark.data
def test_items_of_no_category_are_fillers(data_dir: Path) -> None:
    lot = load_instrument(questionnaire(data_dir, "LOT-R"))
    assert lot.fillers == ("2", "5", "6", "8") and "2, 5, 6, 8" in lot.notes[0]
    # Scheier et al. 1994: 3, 7 and 9 reversed
    assert [i.id for i in lot.items if i.keyed < 0] == ["3", "7", "9"]
    assert lot.scale.low == 0
    gse = load_instrument(questionnaire(data_dir, "GSE"))
    assert gse.domains[0].one_sided == "all its items in the file have the same key"
    assert gse.domains[0].high == "high Self-efficacy" and gse.domains[0].trait is None


@pytest.mark.data
@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "ja", "ko", "zh-cn", "zh-hk"])
def test_the_neo_in_eight_languages(data_dir: Path, language: str) -> None:
    path = real(data_dir, "ipip", "ipip_neo_120", language, "questions.json")
    mine, theirs = load_instrument("ipip-120"), load_instrument(path)
    assert theirs.language == language
    assert [(i.domain, i.keyed, i.facet) for i in theirs.items] == [
        (i.domain, i.keyed, i.facet) for i in mine.items
    ]
    assert bool(theirs.notes) == (language != "en")


@pytest.mark.data
@pytest.mark.parametrize(("name", "n"), [("20", 20), ("50", 50), ("100", 100), ("300", 300)])
def test_ipip_lists(data_dir: Path, name: str, n: int) -> None:
    pool = load_instrument(real(data_dir, "ipip", "english", f"ipip_{name}.json"))
    assert len(pool.items) == n and pool.framework == "bigfive"
    if name in ("20", "50"):
        bundled = {i.text: (i.domain, i.keyed) for i in load_instrument(f"ipip-{name}").items}
        assert {i.text: (i.domain, i.keyed) for i in pool.items} == bundled


@pytest.mark.data
def test_hexaco_is_not_the_big_five(data_dir: Path) -> None:
    pool = load_instrument(real(data_dir, "ipip", "english", "ipip_hexaco.json"))
    traits = {d.name: d.trait for d in pool.domains}
    assert traits == {
        "Honesty-Humility": None,
        "Emotionality": None,
        "Extraversion": "extraversion",
        "HEXACO Agreeableness": None,
        "Conscientiousness": "conscientiousness",
        "Openness": "openness",
    }
    assert pool.framework is None and len(pool.items) == 240


@pytest.mark.data
def test_the_mpi_table(data_dir: Path) -> None:
    pool = load_instrument(real(data_dir, "ipip", "mpi", "mpi_1k.csv"))
    assert len(pool.items) == 988 and pool.fillers == ("986",)  # one row has the key 0
    assert pool.item("1").facet == "Gregariousness"


def own(**changes: Any) -> dict[str, Any]:
    item = {"id": "1", "text": "Talk a lot", "domain": "E", "keyed": 1}
    return {
        "name": "mine",
        "title": "Mine",
        "language": "en",
        "licence": "own",
        "source": "here",
        "citation": "nobody",
        "framework": None,
        "scale": {"low": 1, "high": 3, "anchors": ["no", "", "yes"]},
        "domains": [{"key": "E", "name": "E", "trait": None, "high": "loud", "low": "quiet"}],
        "items": [item, item | {"id": "2", "text": "Say little", "keyed": -1}],
    } | changes


def load(tmp_path: Path, content: Any, name: str = "mine.json", **how: Any) -> Any:
    path = tmp_path / name
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return load_instrument(path, **how)


def changed(part: str, index: int, **changes: Any) -> dict[str, Any]:
    """Our layout with one domain or item changed."""
    record = own()
    record[part] = [e | changes if i == index else e for i, e in enumerate(record[part])]
    return record


BROKEN = [
    (own(scale={"low": 3, "high": 1, "anchors": []}), ["'low' must be below 'high'"]),
    (own(scale={"low": 1, "high": 5, "anchors": ["no", "yes"]}), ["5 points and 2 anchors"]),
    (own(framework="zodiac"), ["'zodiac'", "bigfive, mbti"]),
    (own(items=own()["items"][:1]), ["domain 'E'", "all 1 items", "one_sided"]),
    (own(domains=[]), ["item '1'", "domain 'E'"]),
    (changed("items", 1, id="1"), ["item '1' occurs twice"]),
    (changed("items", 1, text="  "), ["item '2'", "'text' is empty"]),
    (changed("items", 1, text=7), ["item '2'", "'text' must be text, not a number"]),
    (changed("items", 1, domain="Q"), ["item '2'", "'Q'", "declared are: E"]),
    (changed("items", 1, keyed=0), ["item '2'", "key 0", "write 1 where"]),
    (changed("items", 1, keyed="minus"), ["item '2'", "'keyed' must be a whole number"]),
    (changed("domains", 0, trait="charm"), ["domain 'E'", "'charm'", "openness"]),
    ({k: v for k, v in own().items() if k != "licence"}, ["lacks the field 'licence'"]),
    (own(items={"1": "Talk"}), ["'items' must be a list, not an object"]),
    (own(items=["Talk"]), ["item 1 must be a JSON object, not text"]),
    ([{"text": "Talk", "keyed": "yes", "domain": "E"}], ["item '1'", "'plus' or 'minus'"]),
    ([{"text": "Talk", "keyed": "plus", "domain": "Z"}], ["item '1'", "'Z'", "O, C, E, A, N"]),
    ([{"keyed": "plus", "domain": "E"}], ["item '1' lacks the field 'text'"]),
    ({"a": 1}, ["is no instrument", "'questions' and 'categories'"]),
    ([], ["is no instrument"]),
    ('{"name": "x",\n  oops}', ["mine.json:2", "not valid JSON"]),
]


@pytest.mark.parametrize(("content", "words"), BROKEN)
def test_broken_files_are_refused_with_the_place(
    tmp_path: Path, content: Any, words: list[str]
) -> None:
    with pytest.raises(InstrumentError) as caught:
        load(tmp_path, content)
    message = str(caught.value)
    assert message.startswith("mine.json") and all(word in message for word in words), message


def test_one_sided_domains_pass_with_a_reason(tmp_path: Path) -> None:
    record = own(items=own()["items"][:1])
    record["domains"][0]["one_sided"] = "a single question"
    assert load(tmp_path, record).domains[0].one_sided == "a single question"


def test_a_zero_and_a_falling_scale_survive_the_round_trip(tmp_path: Path) -> None:
    scale = {"low": 0, "high": 1, "anchors": ["yes", "no"], "descending": True}
    instrument = load(tmp_path, own(scale=scale, fillers=["9"], notes=["mind"]))
    assert instrument.scale.low == 0 and instrument.scale.descending
    assert load(tmp_path, instrument.to_json(), "copy.json") == instrument


INTERVIEW = {
    "name": "mini",
    "full_name": "Mini scale",
    "psychobench_prompt_choice_instruction": "1 denotes 'no', 2 means 'well', '3' denotes 'yes'.",
    "range": [1, 3],
    "reverse": [2],
    "categories": [{"cat_name": "Charm", "cat_questions": [1, 2]}],
    "questions": {
        "1": {"origin_en": "Is  charming.", "rewritten_en": "Are you charming?"},
        "2": {"origin_en": "Is dull.", "rewritten_en": "", "category": "negative"},
    },
}


def test_interview_layout(tmp_path: Path) -> None:
    mini = load(tmp_path, INTERVIEW)
    assert mini.scale.anchors == ("no", "well", "yes")
    assert [(i.text, i.keyed, i.question) for i in mini.items] == [
        ("Is charming.", 1, "Are you charming?"),
        ("Is dull.", -1, None),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"categories": [{"cat_name": "Charm", "cat_questions": [1, 7]}]}, ["'7'", "questions"]),
        ({"categories": [{"cat_name": "A", "cat_questions": [1, 1]}]}, ["'1'", "'A'"]),
        ({"range": [1]}, ["two whole numbers"]),
        ({"questions": {"1": {}, "2": {}}}, ["item '1'", "origin_en"]),
        ({"questions": []}, ["must be a JSON object, not a list"]),
    ],
)
def test_broken_interview_files(tmp_path: Path, changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InstrumentError) as caught:
        load(tmp_path, INTERVIEW | changes)
    assert all(word in str(caught.value) for word in ["mine.json", *words]), caught.value


def test_a_language_that_the_file_lacks(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match="language 'fr'; use en, zh"):
        load(tmp_path, INTERVIEW, language="fr")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("label_raw,text,label_ocean,key\nx,Talk,E,2\n", ["t.csv:2", "1, -1 or 0"]),
        ("label_raw,text,label_ocean,key\nx,Talk,Z,1\n", ["t.csv:2", "'Z'"]),
        ("label_raw,text,label_ocean,key\nx,Talk,E\n", ["t.csv:2", "3 cells"]),
        ("a,b\n1,2\n", ["t.csv is no instrument"]),
    ],
)
def test_broken_mpi_tables(tmp_path: Path, table: str, words: list[str]) -> None:
    with pytest.raises(InstrumentError) as caught:
        load(tmp_path, table, "t.csv")
    assert all(word in str(caught.value) for word in words), caught.value


def test_unknown_names_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match="no instrument 'ipip-21'; bundled are ipip-120"):
        load_instrument("ipip-21")
    with pytest.raises(InstrumentError, match="is a folder"):
        load_instrument(tmp_path)
    with pytest.raises(InputError, match="no file"):
        load_instrument(tmp_path / "gone.json")


PSYCHOBENCH = {
    "name": "Fairs",
    "prompt": "You can only reply numbers from 1 to 7. 1 denotes 'strongly disagree', and 7 "
    "denotes 'strongly agree'.",
    "scale": 8,
    "reverse": [2],
    "questions": {"1": "Loves fairs", "2": "Stays home", "3": "Counts for nothing"},
    "categories": [{"cat_name": "Extraversion", "cat_questions": [1, 2], "crowd": []}],
}


@pytest.mark.parametrize(
    ("changes", "low", "high"),
    [
        ({}, 1, 7),
        ({"prompt": "You can only reply numbers from 0 to 4."}, 0, 4),
        ({"prompt": "Reply.", "scale": 6}, 1, 5),
        ({"prompt": "Reply.", "scale": 1}, 0, 1),
    ],
)
def test_psychobench(tmp_path: Path, changes: dict[str, Any], low: int, high: int) -> None:
    path = tmp_path / "questionnaires.json"
    path.write_text(json.dumps([PSYCHOBENCH | changes]))
    found = load_instrument(path)
    assert (found.name, found.scale.low, found.scale.high) == ("Fairs", low, high)
    assert [(i.text, i.domain, i.keyed) for i in found.items] == [
        ("Loves fairs", "extraversion", 1),
        ("Stays home", "extraversion", -1),
    ]
    assert found.fillers == ("3",)


def test_one_of_several_of_psychobench(tmp_path: Path) -> None:
    path = tmp_path / "questionnaires.json"
    path.write_text(json.dumps([PSYCHOBENCH, PSYCHOBENCH | {"name": "Moods"}]))
    assert load_instrument(f"{path}#Moods").name == "Moods"
    for given in (str(path), f"{path}#Other"):
        with pytest.raises(
            InstrumentError, match=r"2 questionnaires: Fairs, Moods; name one .*#NAME"
        ):
            load_instrument(given)
