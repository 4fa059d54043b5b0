"""Frames: every result has its row, what is unscored stays, numbers are those of the results."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from persona_lab.consistency.drift import Drift
from persona_lab.consistency.judge import ConsistencyJudge
from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.report import Report, Unread
from persona_lab.consistency.turns import Turns
from persona_lab.consistency.turntraits import LinearTraits
from persona_lab.detectors.calibration import Calibration
from persona_lab.detectors.registry import load_detector
from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.errors import InputError, MissingExtraError, RowError
from persona_lab.filtering.api import filter_dialogues
from persona_lab.instruments import load_instrument
from persona_lab.interviews.raters.rating import Rating
from persona_lab.interviews.records import Record
from persona_lab.interviews.result import measurements
from persona_lab.interviews.summary import Findings, summarize
from persona_lab.profile import ModelInfo, Profile, TraitScore, Unscored, Warning_
from persona_lab.psychometrics.effects import cohens_d
from persona_lab.psychometrics.mtmm import multitrait_multimethod
from persona_lab.traits import BIG_FIVE, MBTI, Framework

pandas = pytest.importorskip("pandas")

from persona_lab import frames  # noqa: E402

MODEL = ModelInfo("toy", "1.2", "ab" * 32)
BLEND = Path(__file__).resolve().parents[1] / "models" / "blend"


def profile(framework: Framework = BIG_FIVE, **changes: Any) -> Profile:
    scores = {
        key: TraitScore(
            round(0.123456 + i / 10, 6), round(0.1 + i / 10, 2), round(0.3 + i / 10, 2), "low", 0.4
        )
        for i, key in enumerate(framework.keys)
    }
    fields: dict[str, Any] = {
        "id": "d1",
        "speaker": "Ann",
        "framework": framework,
        "traits": scores,
        "word_count": 120,
        "n_segments": 2,
        "model": MODEL,
    }
    return Profile(**(fields | changes))


# scores


def test_a_row_a_trait_with_the_unrounded_scores() -> None:
    frame = frames.score_frame([profile(), profile(MBTI)])
    assert list(frame.trait) == [*BIG_FIVE.keys, *MBTI.keys]
    assert frame.p_high[2] == 0.323456
    assert (frame.low[3], frame.high[3], frame.threshold[3]) == (0.4, 0.6, 0.4)
    assert set(frame.words) == {120} and set(frame.model) == {"toy"}
    assert set(frame.status) == {"scored"} and frame.reason.isna().all()


def test_rows_of_the_command_line_make_the_same_frame() -> None:
    exact, read = frames.score_frame(profile()), frames.score_frame(profile().to_row())
    assert read.p_high[0] == 0.1235
    assert exact.drop(columns="p_high").equals(read.drop(columns="p_high"))


def test_what_is_unscored_stays_with_its_reason() -> None:
    silent = Unscored("d2", "Bob", MBTI, "there are no words", "no_words", 0)
    lost = Unscored("line-3", None, None, "no JSON", "unreadable")
    broken = RowError("no JSON", row_id="line-4", place="x.jsonl:4")
    frame = frames.to_frame([profile(), silent, lost, broken])
    assert len(frame) == 5 + 4 + 1 + 1
    mine = frame[frame.id == "d2"]
    assert list(mine.trait) == list(MBTI.keys)
    assert mine.p_high.isna().all() and set(mine.reason) == {"there are no words"}
    assert set(mine.status) == {"unscored"} and set(mine.code) == {"no_words"}
    last = frame.tail(2)
    assert last.trait.isna().all() and last.speaker.isna().all()
    assert list(last.id) == ["line-3", "line-4"] and set(last.code) == {"unreadable"}


def test_a_trait_without_a_score_says_why() -> None:
    traits = dict(profile().traits)
    del traits["openness"]
    warning = Warning_("trait_unscored", "openness: no usable answer (refusal)")
    frame = frames.score_frame(profile(traits=traits, warnings=(warning,)))
    row = frame[frame.trait == "openness"].iloc[0]
    assert (row.status, row.code) == ("unscored", "trait_unscored")
    assert row.reason == "openness: no usable answer (refusal)" and math.isnan(row.p_high)
    assert (frame.status == "scored").sum() == 4


def test_wide_has_the_ledgers_names() -> None:
    silent = Unscored("d2", "Bob", MBTI, "there are no words", "no_words")
    frame = frames.score_frame([profile(MBTI), silent], wide=True)
    assert list(frame.id) == ["d1", "d2"]
    assert frame["SN.p_high"][0] == 0.223456 and math.isnan(frame["SN.p_high"][1])
    assert frame["JP.label"][0] == "low" and frame.type[0] == "INFP"
    assert frame.type.isna()[1] and frame.reason[1] == "there are no words"


def test_an_empty_frame_has_its_columns_and_kinds() -> None:
    empty, full = frames.score_frame([]), frames.score_frame(profile())
    assert len(empty) == 0 and list(empty.dtypes) == list(full.dtypes)


def test_labels_join_with_scores() -> None:
    talk = Dialogue(
        "d1",
        (Utterance("0", "Ann", "Hi."),),
        {"Ann": Speaker("Ann", {"openness": 1.0, "neuroticism": 0.0})},
    )
    broken = RowError("no JSON", row_id="line-4", place="x.jsonl:4")
    labels = frames.label_frame([talk, broken])
    merged = frames.score_frame(profile()).merge(labels, on=["id", "speaker", "trait"], how="left")
    assert list(merged.actual.fillna(-1)) == [1, -1, -1, -1, 0]


# to_frame


def test_files_of_results(tmp_path: Path) -> None:
    file = tmp_path / "scores.jsonl"
    rows = [profile().to_row(), profile(id="d2").to_row()]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    assert list(frames.to_frame(file).id.unique()) == ["d1", "d2"]
    assert len(frames.to_frame(str(file), wide=True)) == 2
    file.write_text(json.dumps(rows[1]), encoding="utf-8")
    assert list(frames.to_frame(file).id.unique()) == ["d2"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "nothing to make a frame of"),
        ([3], "of a int"),
        ([{"a": 1}], "give profiles"),
        ([profile(), {"protocol": "x", "item": "y"}], "records and scores"),
        ([{"traits": {}, "status": "scored"}], "row 1 .* lacks 'id'"),
        (Path("nowhere.jsonl"), "cannot read nowhere.jsonl"),
    ],
)
def test_errors_say_what_was_given(given: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        frames.to_frame(given)


def test_a_file_that_is_no_result_is_named(tmp_path: Path) -> None:
    file = tmp_path / "talk.txt"
    file.write_text("Ann: hello\nBob: hi\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"talk\.txt:1 is not JSON"):
        frames.to_frame(file)


def test_without_pandas_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'persona-lab\[notebooks\]'"):
        frames.to_frame(profile())


def test_importing_frames_imports_neither_pandas_nor_models() -> None:
    code = (
        "import sys, persona_lab.frames, persona_lab.reports; "
        "print([m for m in ('pandas', 'matplotlib', 'seaborn', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# interviews


def record(item: str, code: str | None = None) -> Record:
    return Record(
        f"r{item}", "bot", None, "ipip-20", "self-report", "rule", "up", 0.5, 0, item, "openness",
        None, "How much?", None if code else "4", None if code else 4.0,
        "unscored" if code else "scored", code and "it refused", code, ("hedged", "long"),
    )  # fmt: skip


def rating(domain: str, score: float | None, **more: Any) -> Rating:
    given: dict[str, Any] = {
        "id": f"{domain}{more}", "rater": "llm", "judge": "j", "bot": "b", "persona": "p",
        "protocol": "interview", "domain": domain, "facet": None, "unit": "1", "repeat": 0,
        "score": score, "code": None if score is not None else "refusal",
        "reason": "" if score is not None else "it refused",
    }  # fmt: skip
    return Rating(**given | more)


def test_records_keep_what_was_not_answered(tmp_path: Path) -> None:
    records = [record("1"), record("2", "refusal")]
    frame = frames.to_frame(records)
    assert list(frame.status) == ["scored", "unscored"]
    assert frame.rating[0] == 4.0 and math.isnan(frame.rating[1]) and frame.answer.isna()[1]
    assert frame["flags"][0] == "hedged, long" and frame.persona.isna().all()
    file = tmp_path / "transcript.jsonl"
    file.write_text("".join(json.dumps(r.to_row()) + "\n" for r in records), encoding="utf-8")
    assert frames.record_frame(file).equals(frame) and frames.to_frame(file).equals(frame)


def interview() -> dict[str, Any]:
    instrument = load_instrument("ipip-20")
    ratings = [
        rating("extraversion", 0.9),
        rating("extraversion", 0.7, unit="2"),
        rating("openness", None),
    ]
    return summarize(
        Findings(
            instrument,
            {},
            [],
            measurements(ratings, instrument),
            targets={"p": {"extraversion": 1.0}},
        )
    )


def test_results_of_interviews_with_targets(tmp_path: Path) -> None:
    found = interview()
    frame = frames.to_frame(found).set_index("domain")
    assert len(frame) == 5
    assert frame.score["extraversion"] == pytest.approx(0.8)
    assert frame.target["extraversion"] == 1.0 and math.isnan(frame.target["openness"])
    assert frame.trait["extraversion"] == "extraversion"
    assert (frame.status["openness"], frame.reason["openness"]) == ("unscored", "it refused")
    assert math.isnan(frame.score["openness"])
    (tmp_path / "profile.json").write_text(json.dumps(found), encoding="utf-8")
    assert frames.to_frame(tmp_path).set_index("domain").equals(frame)
    assert frames.to_frame(tmp_path / "profile.json").set_index("domain").equals(frame)


def test_results_of_interviews_wide() -> None:
    frame = frames.to_frame([interview(), interview()], wide=True)
    assert len(frame) == 1 and frame["extraversion.score"][0] == pytest.approx(0.8)
    assert math.isnan(frame["openness.score"][0]) and frame["openness.reason"][0] == "it refused"


# ledgers


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, toy_model: Path) -> Path:
    folder = tmp_path_factory.mktemp("run")
    texts = {"fun": "party " * 30, "sad": "worry alone " * 15, "none": "..."}
    data = folder / "in.jsonl"
    rows = (json.dumps({"id": key, "text": text}) + "\n" for key, text in texts.items())
    data.write_text("".join(rows), encoding="utf-8")
    filter_dialogues(
        [data], folder / "out", keep="extraversion.p_high >= 0.5", detector=str(toy_model)
    )
    return folder / "out"


def test_a_ledger_has_a_line_a_speaker(ledger: Path) -> None:
    frame = frames.to_frame(ledger)
    assert list(frame.id) == ["fun", "sad", "none"]
    assert list(frame.verdict) == ["kept", "dropped", "unscored"]
    assert frame["extraversion.p_high"].isna().tolist() == [False, False, True]
    assert frame["unscored_reason"].notna().tolist() == [False, False, True]


def test_only_the_columns_asked_for_are_read(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    asked = []
    read = pq.ParquetFile.read_row_group

    def spy(self: Any, i: int, columns: Any = None, **more: Any) -> Any:
        asked.append(columns)
        return read(self, i, columns=columns, **more)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", spy)
    frame = frames.ledger_frame(ledger / "ledger", ["verdict", "id"])
    assert list(frame.columns) == ["verdict", "id"] and asked == [["verdict", "id"]]


def test_a_long_ledger_is_a_score_frame(ledger: Path) -> None:
    wide, long = frames.ledger_frame(ledger), frames.ledger_frame(ledger, long=True)
    assert len(long) == 3 * 9 and list(long.trait[:5]) == list(BIG_FIVE.keys)
    mine = long[(long.id == "sad") & (long.trait == "neuroticism")].iloc[0]
    assert mine.p_high == wide["neuroticism.p_high"][1] and mine.framework == "bigfive"
    assert (long[long.id == "none"].status == "unscored").all()
    assert long[long.id == "none"].reason.notna().all()


def test_errors_of_ledgers(ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'verdict'"):
        frames.ledger_frame(ledger, ["verdit"])
    with pytest.raises(InputError, match="there is no ledger"):
        frames.ledger_frame(tmp_path)
    with pytest.raises(InputError, match="its own columns"):
        frames.ledger_frame(ledger, ["id"], long=True)


# consistency


@pytest.fixture(scope="module")
def judge(toy_model: Path) -> ConsistencyJudge:
    return ConsistencyJudge(load_detector(str(toy_model)), nli=NotScored("not here", "no_model"))


def talk(n: int = 8) -> Dialogue:
    words = ["party plan kind"] * (n // 2) + ["alone whatever worry"] * (n - n // 2)
    turns = tuple(
        u
        for i, word in enumerate(words)
        for u in (
            Utterance(str(2 * i), "Ann", f"{word} and so on it goes here {i}"),
            Utterance(str(2 * i + 1), "Bob", "yes"),
        )
    )
    return Dialogue("talk", turns)


def test_reports_become_courses(judge: ConsistencyJudge) -> None:
    ann, bob = judge.reports(talk())
    assert isinstance(ann, Report)
    frame = frames.to_frame([ann, bob, Unread("d2", None, NotScored("no turns", "no_words"))])
    mine = frame[(frame.speaker == "Ann") & (frame.trait == "extraversion")]
    stability = ann.stability
    assert not isinstance(stability, NotScored)
    assert list(mine["first"]) == [w.first for w in stability.windows]
    assert list(mine.turn) == [(w.first + w.last) / 2 for w in stability.windows]
    assert list(mine.p_high) == [round(w.traits["extraversion"], 4) for w in stability.windows]
    assert isinstance(ann.drift, Drift)
    assert set(mine.change_turn) == {ann.drift.change_point.turn}
    theirs = frame[frame.speaker == "Bob"]
    assert len(theirs) == 5 and theirs.p_high.isna().all() and theirs.reason.notna().all()
    assert frame.tail(1).reason.item() == "no turns"
    rows = [ann.to_row(), bob.to_row()]
    assert frames.turn_frame(rows).equals(frames.turn_frame([ann, bob]))


def test_courses_wide(judge: ConsistencyJudge) -> None:
    reports = list(judge.reports(talk()))
    long, wide = frames.turn_frame(reports), frames.to_frame(reports, wide=True)
    mine = long[(long.speaker == "Ann") & (long.trait == "openness")]
    assert list(wide[wide.speaker == "Ann"].openness) == list(mine.p_high)
    assert len(wide) == len(mine) + 1


def test_parts_of_the_score(judge: ConsistencyJudge) -> None:
    ann, bob = judge.reports(talk())
    frame = frames.consistency_frame([ann, bob])
    mine = frame[frame.speaker == "Ann"].set_index("part")
    row = ann.to_row()
    assert mine.score["consistency"] == row["score"] and mine.low["consistency"] == row["low"]
    assert mine.low["drift"] == row["details"]["drift"]["interval"][0]
    assert mine.cost["drift"] == row["costs"]["drift"]
    assert (mine.status["target"], mine.reason["target"]) == ("unscored", "no target was given")
    assert mine.reason["contradiction"] == "not here"
    assert (frame[frame.speaker == "Bob"].status == "unscored").any()


@pytest.fixture
def turns(make_calibration: Callable[..., Calibration]) -> Turns:
    """Ann, whose log-odds of all traits are 1, 2, ... 8, in turns of ten words; and Bob."""
    calibration = make_calibration()
    z = np.r_[np.arange(1.0, 9.0), 0.0]
    values = np.zeros((1, 9, len(calibration.rows)), np.float32)
    values[0] = z[:, None]
    words = np.full(9, 10.0, np.float32)
    bias = np.zeros((1, len(calibration.rows)), np.float32)
    return Turns(
        texts=("some words",) * 9,
        speakers=("Ann",) * 8 + ("Bob",),
        words=words,
        vectors=np.eye(9, dtype=np.float32),
        traits=LinearTraits(words, values, bias, np.ones(1, np.float32), calibration),
        framework=BIG_FIVE,
    )


def test_read_turns_have_intervals(turns: Turns) -> None:
    frame = frames.turn_frame(turns, id="t", window=1)
    mine = frame[(frame.speaker == "Ann") & (frame.trait == "neuroticism")]
    z = np.log(mine.p_high / (1 - mine.p_high))
    assert z.to_numpy() == pytest.approx(np.arange(1.0, 9.0), abs=1e-4)
    # 100 words vary by 1 in the toy calibration, so ten words by the root of ten
    reach = z - np.log(mine.low / (1 - mine.low))
    assert reach.to_numpy() == pytest.approx(1.6449 * math.sqrt(10), abs=1e-2)
    assert set(frame.id) == {"t"}
    bob = frame[frame.speaker == "Bob"]
    assert len(bob) == 5 and bob.p_high.isna().all() and set(bob.code) == {"too_short"}


def test_wider_windows_have_narrower_intervals(turns: Turns) -> None:
    one, two = (
        frames.turn_frame(turns, window=w).query("speaker == 'Ann' and trait == 'openness'")
        for w in (1, 2)
    )
    assert (len(one), len(two)) == (8, 7)
    assert list(two["first"]) == list(range(7)) and list(two["last"]) == list(range(1, 8))

    def reach(frame: Any) -> float:
        first = frame.iloc[0]
        return float(np.log(first.high / (1 - first.high)) - np.log(first.low / (1 - first.low)))

    assert reach(one) / reach(two) == pytest.approx(math.sqrt(2), abs=1e-3)


# measures


def test_correlations_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 30))
    matrix = multitrait_multimethod(
        {("E", "form"): a, ("N", "form"): b, ("E", "talk"): a + c, ("N", "talk"): np.ones(30)}
    )
    frame = frames.mtmm_frame(matrix)
    cell = frame[(frame.trait_1 == "E") & (frame.trait_2 == "E")].iloc[0]
    assert cell.r == pytest.approx(np.corrcoef(a, a + c)[0, 1]) and cell.kind == "convergent"
    constant = frame[frame.method_2.eq("talk") & frame.trait_2.eq("N")]
    assert constant.r.isna().all() and set(constant.code) == {"no_variance"}


def test_estimates_by_name() -> None:
    d = cohens_d([3.0, 4.0, 5.0], [1.0, 2.0, 3.0])
    frame = frames.estimate_frame({"E": d, "N": cohens_d([], [])})
    assert frame.effect[0] == pytest.approx(2.0) and frame.low[0] == d.low
    assert (frame.status[1], frame.reason[1]) == ("unscored", "there are no scores")


def test_marker_words_by_hand() -> None:
    frame = frames.marker_frame(["sun sun sea"], ["rain sea"]).set_index("word")
    # counts of both sides 2, 2, 1, of which each word gets one more, of 8; the prior counts 500
    prior = {"sun": 187.5, "sea": 187.5, "rain": 125.0}
    odds = (2 + prior["sun"]) / (3 + 500 - 2 - prior["sun"])
    other = prior["sun"] / (2 + 500 - prior["sun"])
    assert frame.log_odds["sun"] == pytest.approx(math.log(odds / other))
    error = math.sqrt(1 / (2 + prior["sun"]) + 1 / prior["sun"])
    assert frame.z["sun"] == pytest.approx(math.log(odds / other) / error)
    assert frame.log_odds["rain"] < 0 < frame.log_odds["sun"]
    assert list(frame.index) == ["sun", "sea", "rain"] and frame.n_one["sun"] == 2


def test_what_models_are_worth() -> None:
    metrics = json.loads((BLEND / "metrics.json").read_text(encoding="utf-8"))
    risk, length = frames.risk_frame(BLEND), frames.length_frame(BLEND / "metrics.json")
    essay = risk[(risk.register == "essay") & (risk.framework == "bigfive")]
    known = metrics["validation"]["essay"]["bigfive"]["risk_coverage"]
    assert list(essay.risk) == [point["risk"] for point in known]
    assert len(length) == len(metrics["length_curve"])
    first = metrics["length_curve"][0]
    assert [length.words_low[0], length.words_high[0]] == first["words"]
    assert length.accuracy[0] == first["accuracy"] and set(length.detector) == {"blend"}
    assert length[length.words_low == 1000].words_high.isna().all()


def test_other_metrics_are_refused() -> None:
    with pytest.raises(InputError, match="no validation"):
        frames.risk_frame({"validation": [{"decode_auc": 0.7}]})
    with pytest.raises(InputError, match="no length_curve"):
        frames.length_frame({})
    with pytest.raises(InputError, match="cannot be read"):
        frames.risk_frame(Path("nowhere"))
