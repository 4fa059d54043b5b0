"""``train``, ``tune``, ``evaluate`` and ``export`` on toy files, as a user calls them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from persona_lab.cli import app
from persona_lab.traits import ALL_TRAITS, BIG_FIVE, MBTI
from tests.training.toy import toy_examples

runner = CliRunner()


def write(path, examples):
    with path.open("w") as stream:
        for e in examples:
            labels = {
                key: float(value)
                for key, value in zip(ALL_TRAITS, e.labels, strict=True)
                if not np.isnan(value)
            }
            row = {"id": e.id, "text": " ".join(e.utterances), "labels": labels, "group": e.group}
            stream.write(json.dumps(row) + "\n")
    return path


def run(*arguments: object, code: int = 0):
    result = runner.invoke(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    essays = write(folder / "essays.jsonl", toy_examples("e", BIG_FIVE.keys, 90, noise=0.15))
    forum = write(folder / "forum.jsonl", toy_examples("f", MBTI.keys, 90, noise=0.15))
    settings = folder / "settings.json"
    settings.write_text(json.dumps({"lexical": {"min_df": 2, "max_chars": 300}}))
    result = run(
        "train", "--data", f"essay={essays}", "--data", f"forum=jsonl:{forum}", "--out",
        folder / "models", "--backbone", "none", "--folds", 3, "--settings", settings, "--json",
    )  # fmt: skip
    return folder, json.loads(result.stdout)


def test_train_reports_what_it_wrote(trained):
    folder, metrics = trained
    assert metrics["lexical"]["data"]["essay"]["texts"] == 90
    assert (folder / "models" / "lexical" / "README.md").read_text().startswith("# lexical")


def test_evaluate_prints_one_object_with_intervals(trained):
    folder, _ = trained
    fresh = write(folder / "fresh.jsonl", toy_examples("g", BIG_FIVE.keys, 120, noise=0.15, seed=9))
    result = run("evaluate", fresh, "--detector", folder / "models" / "lexical", "--json")
    found = json.loads(result.stdout)
    assert found["framework"] == "bigfive"
    assert list(found["traits"]) == list(BIG_FIVE.keys)
    accuracy = found["mean"]["accuracy"]
    assert 0.6 < accuracy["low"] < accuracy["value"] < accuracy["high"] <= 1.0
    assert found["seen_in_training"] == 0
    assert len(found["traits"]["openness"]["risk_coverage"]) == 10


def test_evaluate_warns_loudly_about_seen_rows(trained):
    folder, _ = trained
    result = run(
        "evaluate", folder / "essays.jsonl", "--detector", folder / "models" / "lexical", "--json"
    )
    assert json.loads(result.stdout)["seen_in_training"] == 90
    assert "WARNING: 90 of 90 texts were in this model's training data" in result.stderr


def test_evaluate_trains_anew_on_given_folds(trained):
    folder, _ = trained
    folds = folder / "folds.csv"
    with folds.open("w", newline="") as stream:
        csv.writer(stream).writerows([["id", "fold"], *([f"e-{i}", i % 3] for i in range(90))])
    result = run(
        "evaluate", folder / "essays.jsonl", "--folds", folds, "--detector",
        folder / "models" / "lexical", "--json",
    )  # fmt: skip
    found = json.loads(result.stdout)
    assert found["folds"] == 3
    assert found["mean"]["accuracy"]["value"] > 0.65


def test_evaluate_names_a_text_without_fold(trained):
    folder, _ = trained
    folds = folder / "short.csv"
    folds.write_text("id,fold\ne-0,0\n")
    result = run(
        "evaluate", folder / "essays.jsonl", "--folds", folds, "--detector",
        folder / "models" / "lexical", code=2,
    )  # fmt: skip
    assert "names no fold for 89 texts, the first is 'e-1'" in " ".join(result.stderr.split())


def test_mbti_is_reported_with_and_without_masking(trained):
    folder, _ = trained
    result = run(
        "evaluate", folder / "forum.jsonl", "--detector", folder / "models" / "lexical", "--json"
    )
    found = json.loads(result.stdout)
    assert list(found["traits"]) == list(MBTI.keys)
    assert found["without_masking"]["macro_f1"]["value"] > 0


def test_evaluate_shows_a_table(trained):
    folder, _ = trained
    result = run(
        "evaluate", folder / "forum.jsonl", "--detector", folder / "models" / "lexical",
        "--baseline", folder / "models" / "lexical",
    )  # fmt: skip
    assert "macro-F1" in result.stdout
    assert "McNemar p = 1.000" in result.stdout


def test_unlabelled_rows_are_refused(tmp_path, trained):
    folder, _ = trained
    file = tmp_path / "plain.jsonl"
    file.write_text('{"id": "a", "text": "no labels here at all"}\n')
    result = run("evaluate", file, "--detector", folder / "models" / "lexical", code=2)
    assert "no row carries labels" in result.stderr


def test_tune_goes_on_where_the_study_stopped(tmp_path, trained):
    pytest.importorskip("optuna")
    folder, _ = trained
    common = ["tune", "--data", f"essay={folder / 'essays.jsonl'}", "--out", tmp_path / "study"]
    first = json.loads(run(*common, "--trials", 2, "--json").stdout)
    second = json.loads(run(*common, "--trials", 3, "--json").stdout)
    assert (first[0]["trials"], second[0]["trials"]) == (2, 3)
    assert second[0]["best_mean_auc"] >= first[0]["best_mean_auc"]
    settings = json.loads((tmp_path / "study" / "settings.json").read_text())
    assert settings["lexical"]["c"] == pytest.approx(second[0]["best"]["c"])


@pytest.mark.parametrize(
    ("given", "message"),
    [("essays.csv", "write REGISTER=PATH"), ("essay=nowhere.csv", "nowhere.csv")],
)
def test_bad_data_options_say_what_to_write(tmp_path, given, message):
    result = run("train", "--data", given, "--out", tmp_path / "m", "--backbone", "none", code=2)
    assert message in result.stderr


def test_columns_for_all_files_or_those_of_a_register(tmp_path):
    from persona_lab.cli.data_options import load_data

    words = "I like to plan the whole week before it has begun, and then I keep to it."
    for name, columns in (("a.csv", "body,o"), ("b.csv", "said,o")):
        (tmp_path / name).write_text(f'{columns}\n"{words}",1\n"{words} Yes.",0\n')
    data = [f"essay={tmp_path / 'a.csv'}", f"talk={tmp_path / 'b.csv'}"]
    columns = ["text=body,openness=o", "talk:text=said,openness=o"]
    examples = load_data(data, [], columns)
    assert [example.register for example in examples] == ["essay", "essay", "talk", "talk"]
    assert [example.labels[0] for example in examples] == [1.0, 0.0, 1.0, 0.0]


def test_remarks_about_the_data_are_told(tmp_path, capsys):
    from persona_lab.cli.data_options import load_data

    words = "I like to plan the whole week before it has begun, and then I keep to it."
    (tmp_path / "a.csv").write_text(f'text,openness\n"{words}",1\n"{words} Yes.",very\n')
    assert len(load_data([f"essay={tmp_path / 'a.csv'}"], [])) == 1
    assert "column 'openness' is not understood" in capsys.readouterr().err
