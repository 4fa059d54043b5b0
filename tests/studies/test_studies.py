"""The studies on their public data, and on small data of the same layout."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from persona_lab.errors import FormatError, InputError
from persona_lab.studies import STUDIES, StudyResult, run_study
from persona_lab.studies.result import Row


def figures(result: StudyResult) -> dict[str, float | None]:
    return {row.measure: row.here for row in result.rows}


def published(data_dir: Path, name: str, folder: str) -> StudyResult:
    if not (data_dir / folder).is_dir():
        pytest.skip(f"{folder} is not among the corpora here")
    result = run_study(name, data_dir / folder)
    assert all(row.difference in (None, 0) for row in result.rows)
    json.dumps(result.to_json(), allow_nan=False)
    return result


def test_chatharuhi_as_published(data_dir: Path) -> None:
    result = published(data_dir, "chatharuhi", "chatharuhi_personality")
    protocols = result.details["protocols"]
    if result.details["characters"] == 32:
        expected = {"closed": (85, 116), "open": (93, 116), "multigroup": (96, 116)}
    else:
        expected = {"closed": (38, 54), "open": (41, 54), "multigroup": (40, 54)}
    assert {name: (p["correct"], p["total"]) for name, p in protocols.items()} == expected
    # judges' scores written as text made the authors' own means null
    domains = [d for of in result.details["big_five"].values() for d in of.values()]
    stored = [d for d in domains if d["stored"] is not None]
    assert all(d["mean"] == pytest.approx(d["stored"]) for d in stored)
    assert all(-5 <= d["mean"] <= 5 for d in domains)
    assert result.details["big_five_nulls"] == sum(d["nulls"] for d in domains) > 1000


def test_incharacter_as_published(data_dir: Path) -> None:
    result = published(data_dir, "incharacter", "incharacter")
    bfi = result.details["questionnaires"]["BFI"]
    types = result.details["questionnaires"]["16Personalities"]
    # counted independently of the code
    assert (bfi["dimension_accuracy"]["correct"], bfi["dimension_accuracy"]["total"]) == (63, 77)
    assert (types["dimension_accuracy"]["correct"], types["full_accuracy"]["correct"]) == (50, 8)
    assert (bfi["three_way_accuracy"]["correct"], bfi["decided_accuracy"]["total"]) == (56, 67)
    assert bfi["mae"]["estimate"] == pytest.approx(0.22603, abs=5e-5)
    checks = result.details["label_types"]
    assert (checks["pdb"]["checked"], checks["pdb"]["exceptions"]) == (144, [])
    assert {e["place"] for e in checks["annotation"]["exceptions"]} == {0.4, 0.6}


def test_human_items_as_published(data_dir: Path) -> None:
    result = published(data_dir, "human-items", "human_item_answers")
    assert [row.paper for row in result.rows if row.paper] == [0.70, 0.73, 0.76, 0.81, 0.60]
    scales = result.details["scales"]
    # items load about alike on their scale, so omega is little above alpha
    assert all(0 < s["omega"]["estimate"] - s["alpha"]["estimate"] < 0.01 for s in scales.values())
    assert all(s["alpha"]["n"] < 2800 for s in scales.values())


def test_personallm_as_published(data_dir: Path) -> None:
    result = published(data_dir, "personallm", "personallm")
    assert sum(row.paper is not None and "Cohen" in row.measure for row in result.rows) == 15
    models = result.details["models"]
    for model in ("gpt4_0613", "gpt3.5_turbo_0613"):
        assert models[model]["rescored"] == {"compared": 1600, "differ": [], "without_csv_row": 0}
    against = models["gpt4_0613"]["against_assignment"]
    assert (against["count"], against["reversed"], against["of"]) == (16, 13, 320)
    # all are introverted, antagonistic and closed
    assert all(
        {"intr", "anta", "clos"} < set(persona.rpartition("_")[0].split("_"))
        for persona in against["ids"]
    )
    assert "rescored" not in models["llama-2"]


def test_interaction_llms_as_published(data_dir: Path) -> None:
    result = published(data_dir, "interaction-llms", "interaction_llms")
    assert [row.paper for row in result.rows if row.paper is not None] == [98.5, 66.15]
    groups = result.details["conditions"]["0_CONTROL"]["groups"]
    analytic, creative = groups["Analytic"]["Openness"], groups["Creative"]["Openness"]
    assert (analytic["mean_before"], analytic["mean_after"]) == (14.5846, 29.0615)
    # creative agents stay as they were, analytic ones drift
    assert analytic["icc"]["high"] < 0.2 < 0.8 < creative["icc"]["estimate"]


def lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")


AXES = ("E/I", "S/N", "T/F", "P/J")


def haruhi(folder: Path, n: int) -> Path:
    """Interviews of ``n`` characters, under names that the code has never seen."""
    names = [f"character {i}" for i in range(n)]
    lines(folder / "people.jsonl", ({"character": c, "label": "ENTJ"} for c in names))
    lines(
        folder / "ticked.txt",
        ({"character": c, "0": {"label": "agree"}, "label": "ISTJ"} for c in names),
    )
    lines(
        folder / "judged.jsonl",
        ({"character": c} | {a: {"result": a[0]} for a in AXES} for c in names),
    )
    half = {a: {a[0]: 50, a[2]: 50} for a in AXES}
    groups = [half, {"E/I": {"E": 60, "I": 40}} | {a: half[a] for a in AXES[1:]}]
    lines(
        folder / "grouped.jsonl",
        (
            {"character": c} | {a: [{"results": {"result": g[a]}} for g in groups] for a in AXES}
            for c in names
        ),
    )
    table = {"N1": [-5, "null", "null"], "N2": ["-2", 4, None]}
    domains = {f"{d}_table": table for d in "OCEAN"} | {d: {"score": None} for d in "OCEAN"}
    lines(folder / "scores.txt", ({"role_name": c} | domains for c in names))
    return folder


def test_chatharuhi_reads_whatever_characters_the_files_hold(tmp_path: Path) -> None:
    result = run_study("chatharuhi", haruhi(tmp_path, 32))
    protocols = result.details["protocols"]
    correct = {name: (p["correct"], p["total"]) for name, p in protocols.items()}
    # grouped: E wins; S, T and P are ties that go to the first letter, N, F and J otherwise
    assert correct == {"closed": (64, 128), "open": (64, 128), "multigroup": (64, 128)}
    assert protocols["multigroup"]["ties"]["count"] == 96
    assert protocols["multigroup"]["ties"]["to_second_letter"]["correct"] == 96
    # with all 32 characters the paper's figure is about the same data
    (row,) = (row for row in result.rows if row.paper is not None)
    assert (row.measure, row.here, row.difference) == ("multigroup: letters right, %", 50.0, -32.8)
    domain = result.details["big_five"]["character 7"]["N"]
    # groups have means -3.5 and 4; the third is empty
    assert domain == {
        "mean": 0.25,
        "mean_of_cells": -1.0,
        "facets": {"N1": -5.0, "N2": 1.0},
        "scores": 3,
        "nulls": 3,
        "stored": None,
    }


def test_the_papers_figure_stays_out_where_characters_are_missing(tmp_path: Path) -> None:
    result = run_study("chatharuhi", haruhi(tmp_path, 5))
    assert all(row.paper is None for row in result.rows)
    assert any("here are 5" in note for note in result.notes)


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        ("people.jsonl", "mbti_labels.jsonl"),
        ("ticked.txt", "mbti_results_closed.jsonl"),
        ("judged.jsonl", "mbti_results_open.jsonl"),
        ("grouped.jsonl", "mbti_results_open_multigroup"),
        ("scores.txt", "psy_score_openai.jsonl"),
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, gone: str, named: str) -> None:
    (haruhi(tmp_path, 2) / gone).unlink()
    with pytest.raises(InputError, match=named):
        run_study("chatharuhi", tmp_path)


def test_a_broken_record_is_named(tmp_path: Path) -> None:
    haruhi(tmp_path, 2)
    lines(tmp_path / "people.jsonl", [{"character": "a", "label": "ENTJ"}, {"character": "b"}])
    with pytest.raises(FormatError, match=r"people\.jsonl:2: 'label' is missing"):
        run_study("chatharuhi", tmp_path)
    (tmp_path / "people.jsonl").write_text('{"character": "a", "label": "NOPE"}\n{"char')
    with pytest.raises(FormatError, match=r"people\.jsonl:1: not an MBTI type"):
        run_study("chatharuhi", tmp_path)


def test_incharacter_on_made_up_labels(tmp_path: Path) -> None:
    (tmp_path / "questionnaires").mkdir()
    (tmp_path / "questionnaires" / "BFI.json").write_text(json.dumps({"range": [1, 5]}))
    label = {"score": 4.6, "type": "H"}
    labels: dict[str, Any] = {
        "annotation": {
            "Ann": {"BFI": {"E": {"score": 3.4, "type": "H"}}},
            "Bo": {"BFI": {"E": {"score": "X", "type": "X"}}},
        },
        "pdb": {"Ann": {"BFI": {"E": label}}, "Bo": {"BFI": {"E": label}}},
    }
    (tmp_path / "characters_labels.json").write_text(json.dumps(labels))
    result = run_study("incharacter", tmp_path)
    bfi = result.details["questionnaires"]["BFI"]
    assert (bfi["dimension_accuracy"]["correct"], bfi["dimension_accuracy"]["total"]) == (1, 1)
    assert bfi["missing"] == 1 and bfi["mae"]["estimate"] == 0.3
    check = result.details["label_types"]["annotation"]
    assert (check["checked"], check["without_score"]) == (1, 1)
    assert check["exceptions"][0]["by_rule"] == "X"
    (tmp_path / "questionnaires" / "BFI.json").unlink()
    with pytest.raises(InputError, match=r"needs the file questionnaires/BFI\.json"):
        run_study("incharacter", tmp_path)
    labels["pdb"]["Ann"]["BFI"]["E"] = {"score": 4.6}
    (tmp_path / "characters_labels.json").write_text(json.dumps(labels))
    with pytest.raises(FormatError, match=r"characters_labels\.json: pdb, Ann: expected a 'score'"):
        run_study("incharacter", tmp_path)


ENCODINGS = ("extr_agre_cons_neur_open", "intr_anta_unco_emot_clos")


def personallm(folder: Path, answers: dict[str, list[int]]) -> Path:
    """Two persona types with two runs each; the first run's raw answers by type."""
    (folder / "scores").mkdir()
    rows = [",trait,run,personality_type,sum_score,mean_score"]
    sums = {"Extraversion": 8, "Agreeableness": 9, "Conscientiousness": 9, "Neuroticism": 8}
    for encoding, answer in zip(ENCODINGS, (5, 1), strict=True):
        for trait, n in (sums | {"Openness": 10}).items():
            for run in (1, 2):
                rows.append(f"0,{trait},{run},{encoding},{n * answer - (run - 1)},0")
    (folder / "scores" / "my-model.1_all_scores.csv").write_text("\n".join(rows) + "\n")
    letters = [chr(97 + i) if i < 26 else "a" + chr(97 + i - 26) for i in range(44)]
    lines(
        folder / "my_model1_bfi_answers.jsonl",
        (
            {
                "persona_encoding": encoding,
                "iteration": 1,
                # a reply that first repeats an item
                "annotation": "(u) 3\n"
                + "\n".join(f"({x}) {a}" for x, a in zip(letters, given, strict=True)),
                "file": f"{encoding}_p1",
            }
            for encoding, given in answers.items()
        ),
    )
    return folder


REVERSED = {6, 21, 31, 2, 12, 27, 37, 8, 18, 23, 43, 9, 24, 34, 35, 41}
HIGH = [1 if i in REVERSED else 5 for i in range(1, 45)]
LOW = [6 - a for a in HIGH]


def test_personallm_finds_who_answers_against_the_assignment(tmp_path: Path) -> None:
    # both types answer as the first one should
    personallm(tmp_path, dict(zip(ENCODINGS, (HIGH, HIGH), strict=True)))
    result = run_study("personallm", tmp_path)
    model = result.details["models"]["my-model.1"]
    # 8 * 5 or 8 * 5 - 1 against 8 or 7, variances of 1/4 over n
    assert model["cohens_d"]["Extraversion"]["estimate"] == pytest.approx(32 / 0.5)
    against = model["against_assignment"]
    assert (against["ids"], against["reversed"]) == (["intr_anta_unco_emot_clos_p1"], 1)
    assert against["personas"][0]["match"] == -1
    assert len(against["personas"][0]["opposite_traits"]) == 5
    differ = model["rescored"]["differ"]
    assert model["rescored"]["compared"] == 10 and len(differ) == 5
    assert differ[0] == {
        "id": "intr_anta_unco_emot_clos_p1",
        "trait": "Extraversion",
        "answers": 40,
        "csv": 8.0,
    }


def test_personallm_that_fits(tmp_path: Path) -> None:
    personallm(tmp_path, dict(zip(ENCODINGS, (HIGH, LOW), strict=True)))
    model = run_study("personallm", tmp_path).details["models"]["my-model.1"]
    assert model["rescored"]["differ"] == [] == model["against_assignment"]["ids"]


def test_answers_that_are_incomplete_are_named(tmp_path: Path) -> None:
    personallm(tmp_path, {ENCODINGS[0]: [*HIGH[:-1], 9]})
    with pytest.raises(FormatError, match=r"bfi_answers\.jsonl:1: expected 44 answers of 1 to 5"):
        run_study("personallm", tmp_path)


def test_unknown_studies_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the studies are: chatharuhi"):
        run_study("mine", tmp_path)
    for name in STUDIES:
        with pytest.raises(InputError, match=f"{name} needs "):
            run_study(name, tmp_path)
        with pytest.raises(InputError, match="there is no folder"):
            run_study(name, tmp_path / "gone")


def test_differences_are_taken_at_the_papers_precision() -> None:
    assert Row("d", 5.47, 5.4654, 2).difference == 0
    assert Row("d", 6.305, 6.3045, 3).difference == 0
    assert Row("d", 82.8, 82.7586, 1).difference == 0
    assert Row("d", 0.81, 0.804, 2).difference == -0.01
    assert Row("d", None, 1.0).difference is None and Row("d", 1.0, None).difference is None
