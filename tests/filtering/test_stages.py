"""Recipes, sweep, cascade, targets: planted truth and counts by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from persona_lab.errors import ModelError, PersonaLabError
from persona_lab.filtering import filter_scores, score_dataset, sweep
from persona_lab.filtering.fields import FieldError
from persona_lab.filtering.presets import find_preset
from persona_lab.filtering.sweep import parse_vary
from tests.filtering.conftest import (
    FILLER,
    LOUD,
    QUIET,
    Filter,
    ledger,
    reasons,
    talk,
    write_lines,
)


def kept_ids(out: Path) -> list[str]:
    return [line["id"] for line in ledger(out) if line["verdict"] == "kept"]


class TestPresets:
    def test_induced_trait_keeps_what_shows_the_prompted_pole(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        given = [("E+ shown", LOUD, 1), ("E+ not", QUIET, 1), ("E- shown", QUIET, 0)]
        path = write_lines(
            tmp_path / "in.jsonl",
            *({"id": i, "text": t, "labels": {"extraversion": e}} for i, t, e in given),
            {"id": "no prompt", "text": LOUD},
        )
        summary = run_filter(path, None, preset="induced-trait")
        assert kept_ids(tmp_path / "out") == ["E+ shown", "E- shown"]
        assert summary["unscored"] == {"unknown_field": 1}
        (line,) = reasons(tmp_path / "out", "unscored")
        assert line["reason"] == "author: target.hits = 1 (it is unknown)"

    def test_persona_as_target(self, run_filter: Filter, tmp_path: Path) -> None:
        def record(id: str, persona: str) -> dict[str, Any]:
            return talk(id, ("a", LOUD), speakers={"a": {"persona": [persona]}})

        path = write_lines(
            tmp_path / "in.jsonl",
            record("same", "I go to every party."),
            record("other", "I am always alone."),
        )
        run_filter(path, "target.match > 0.5", target_field="persona", frameworks=["bigfive"])
        lines = {line["id"]: line for line in ledger(tmp_path / "out")}
        assert lines["same"]["target.match"] > lines["other"]["target.match"]
        assert lines["same"]["target.traits"] == 9

    def test_balance_drops_as_few_as_possible(self, run_filter: Filter, tmp_path: Path) -> None:
        records = [{"id": f"l{i}", "text": f"{LOUD} {i}"} for i in range(30)]
        records += [{"id": f"q{i}", "text": f"{QUIET} {i}"} for i in range(10)]
        path = write_lines(tmp_path / "in.jsonl", *records)
        summary = run_filter(path, None, preset="balance:extraversion=0.5")
        assert summary["rows"]["kept"] == 20
        kept = kept_ids(tmp_path / "out")
        assert sum(i.startswith("l") for i in kept) == 10
        # the choice depends on content, not on place: reversing the input keeps the same rows
        path = write_lines(tmp_path / "in.jsonl", *reversed(records))
        run_filter(path, None, preset="balance:extraversion=0.5", overwrite=True)
        assert set(kept_ids(tmp_path / "out")) == set(kept)
        run_filter(path, None, preset="balance:extraversion=0.75", overwrite=True)
        assert len(kept_ids(tmp_path / "out")) == 40
        (reason,) = {r["reason"] for r in reasons(tmp_path / "out", "dropped")} or {""}
        assert reason == ""

    def test_representative_keeps_an_authors_nearest_entries(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        records = [
            {"id": f"{author}{i}", "text": text, "group": author}
            for author, usual, odd in (("x", LOUD, QUIET), ("y", QUIET, LOUD))
            for i, text in enumerate([usual, usual + " them", odd, usual + " this"])
        ]
        path = write_lines(tmp_path / "in.jsonl", *records)
        run_filter(path, None, preset="representative:0.75")
        assert kept_ids(tmp_path / "out") == ["x0", "x1", "x3", "y0", "y1", "y3"]
        dropped = reasons(tmp_path / "out", "dropped")
        assert [d["id"] for d in dropped] == ["x2", "y2"]
        assert "4 of 4 by distance from the author's mean" in dropped[0]["reason"]

    def test_with_an_expression_both_hold(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(
            tmp_path / "in.jsonl",
            {"id": "a", "text": LOUD, "labels": {"extraversion": 1}},
            {"id": "b", "text": LOUD + FILLER, "labels": {"extraversion": 1}},
        )
        summary = run_filter(path, "words < 50", preset="induced-trait")
        assert kept_ids(tmp_path / "out") == ["a"]
        assert [c["clause"] for c in summary["clauses"]] == ["target.hits = 1", "words < 50"]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("best", "there is no preset 'best'; presets: induced-trait, faithful"),
            ("balance", "needs traits: balance:extraversion=0.5"),
            ("balance:charm=0.5", "names no trait 'charm'"),
            ("balance:extraversion=2", "a share is a number in 0..1"),
            ("representative:many", "a share is a number in 0..1"),
            ("induced-trait:x", "takes no argument"),
        ],
    )
    def test_mistakes(self, given: str, message: str) -> None:
        with pytest.raises(PersonaLabError) as caught:
            find_preset(given)
        assert message in str(caught.value)


class TestSweep:
    @pytest.fixture
    def scores(self, tmp_path: Path) -> Path:
        texts = ["party " * i + FILLER for i in range(1, 11)]
        path = write_lines(tmp_path / "in.jsonl", *({"text": text} for text in texts), "{broken")
        score_dataset(path, tmp_path / "scores", detector="toy")
        return tmp_path / "scores"

    def test_a_grid_counts_what_a_run_would_keep(self, scores: Path) -> None:
        grid = {"words": [14.0, 18.0, 99.0], "turns": [1.0, 2.0]}
        rows = sweep(scores, "words >= 0 and turns >= 1", grid)
        assert [(dict(r.values), r.kept) for r in rows] == [
            ({"words": 14, "turns": 1}, 10),
            ({"words": 14, "turns": 2}, 0),
            ({"words": 18, "turns": 1}, 6),
            ({"words": 18, "turns": 2}, 0),
            ({"words": 99, "turns": 1}, 0),
            ({"words": 99, "turns": 2}, 0),
        ]
        assert all(row.kept + row.dropped + row.unscored == 11 for row in rows)
        assert rows[2].share == pytest.approx(6 / 11)
        for row in rows:
            assert filter_scores(scores, row.keep)["rows"]["kept"] == row.kept

    def test_deciles_of_each_field_alone(self, scores: Path) -> None:
        rows = sweep(scores, "words > 20 and extraversion.p_high > 0.5")
        assert {tuple(row.values) for row in rows} == {("words",), ("extraversion.p_high",)}
        words = [row.values["words"] for row in rows if "words" in row.values]
        assert words == sorted(words) and words[0] >= 14 and words[-1] <= 23

    def test_alternatives_keep_their_brackets(self, scores: Path) -> None:
        (row,) = sweep(scores, "(words > 90 or turns = 1) and words > 5", {"turns": [2.0]})
        assert row.keep == "(words > 90 OR turns = 2) AND words > 5" and row.kept == 0

    def test_mistakes(self, scores: Path) -> None:
        with pytest.raises(FieldError, match=r"--keep does not compare it .* it compares: words"):
            sweep(scores, "words > 5", {"turns": [1.0]})
        with pytest.raises(FieldError, match="unknown field 'word'"):
            sweep(scores, "words > 5", {"word": [1.0]})
        with pytest.raises(FieldError, match="nothing to vary"):
            sweep(scores, "speaker = 'a'")
        with pytest.raises(FieldError, match="2,500 combinations"):
            many = list(map(float, range(50)))
            sweep(scores, "words > 5 and turns > 1", {"words": many, "turns": many})

    def test_vary(self) -> None:
        assert parse_vary(["a.p_high=0.5:0.9:0.1", "words=1,2"]) == {
            "a.p_high": [0.5, 0.6, 0.7, 0.8, 0.9],
            "words": [1.0, 2.0],
        }
        assert parse_vary([]) is None
        for wrong in ("a", "a=", "=1", "a=1:2", "a=1:2:0", "a=x", "a=2:1:1", "a=nan"):
            with pytest.raises(FieldError, match="cannot read --vary"):
                parse_vary([wrong])


def test_cascade(run_filter: Filter, make_model: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """The lexical model decides the plain cases, the detector the others; both are sampled."""
    models = tmp_path / "models"
    make_model(models / "lexical")
    make_model(models / "careful")
    monkeypatch.setenv("PERSONA_LAB_MODELS", str(models))
    texts = [LOUD, QUIET, FILLER * 4] * 40
    path = write_lines(
        tmp_path / "in.jsonl", *({"id": i, "text": f"{t} {i}"} for i, t in enumerate(texts))
    )
    keep = "extraversion.p_high >= 0.6"
    alone = run_filter(path, keep, detector="careful", out=tmp_path / "alone")
    both = run_filter(path, keep, detector="careful", cascade=True)
    assert both["rows"] == alone["rows"]
    # a text without a known word has an interval that reaches over any threshold
    assert both["models"] == {"careful": 40, "lexical": 80}
    assert both["cascade"]["agreement"] == 1.0
    checked = [line for line in ledger(tmp_path / "out") if line["cascade.agrees"] is not None]
    assert 0 < len(checked) == both["cascade"]["checked"] < 20
    assert {line["model"] for line in checked} == {"lexical"}


def test_consistency_is_computed_where_it_is_asked_for(run_filter: Filter, tmp_path: Path) -> None:
    turns = [(who, said) for said in (LOUD, FILLER, QUIET) * 3 for who in "ab"]
    path = write_lines(tmp_path / "in.jsonl", talk("x", *turns), talk("short", ("a", "Hi.")))
    run_filter(path, "words > 1", out=tmp_path / "plain")
    assert "consistency" not in ledger(tmp_path / "plain")[0]
    summary = run_filter(path, "consistency >= 0 and words > 0", workers=1)
    lines = ledger(tmp_path / "out")
    assert "stability" not in lines[0]
    assert [0 <= (line["consistency"] or math.nan) <= 1 for line in lines] == [True, True, False]
    assert summary["unscored"] == {"unknown_field": 1}
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert len(manifest["models"]) == 2


def test_contradictions_without_a_model(
    run_filter: Filter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from persona_lab.consistency.parts import NotScored
    from persona_lab.filtering import consistency

    missing = NotScored("no contradiction model is installed", "no_model")
    monkeypatch.setattr(consistency, "load_nli", lambda: missing)
    path = write_lines(tmp_path / "in.jsonl", talk("x", ("a", LOUD)))
    with pytest.raises(ModelError, match="'contradictions' cannot be computed: no contradiction"):
        run_filter(path, None, preset="faithful")
    assert not (tmp_path / "out").exists()
