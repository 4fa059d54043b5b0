"""``persona-lab score``: rows in the order of the input, and what becomes of bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from persona_lab.cli import app
from persona_lab.detectors.registry import MODELS_VARIABLE, load_detector
from persona_lab.dialogue import Dialogue
from persona_lab.samples import sample_path
from persona_lab.scoring import Scoring

FILLER = "and then we did this and that and the other thing with them. "
LOUD = "The party was a party. " + FILLER * 3
QUIET = "I was alone. " + FILLER * 3
GERMAN = "Ich habe heute lange darüber nachgedacht, was ich in den Ferien machen will. " * 2
COMMAND = [sys.executable, "-m", "persona_lab"]

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _models(toy_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(toy_model.parent))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


@pytest.fixture
def run(toy_model: Path) -> Run:
    """Run ``persona-lab score ARGS`` with the toy model."""

    def score(*args: object, input: str | None = None, code: int = 0) -> Result:
        given = ["score", *map(str, args)]
        if "--detector" not in given:
            given += ["--detector", "toy"]
        result = CliRunner().invoke(app, given, input=input, prog_name="persona-lab")
        assert result.exit_code == code, result.output
        if code:
            assert "Traceback" not in result.output
        return result

    return score


@pytest.fixture
def rows(run: Run) -> Callable[..., list[dict[str, Any]]]:
    """Run with ``--json`` and read the rows."""

    def score(*args: object, **how: Any) -> list[dict[str, Any]]:
        return [json.loads(line) for line in run(*args, "--json", **how).stdout.splitlines()]

    return score


Rows = Callable[..., list[dict[str, Any]]]


def write(path: Path, *records: object) -> Path:
    """A jsonl file; texts are written as they are."""
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def dialogue(id: str, *turns: tuple[str, str], **more: object) -> dict[str, object]:
    """A record of our own layout."""
    return {"id": id, "turns": [{"speaker": who, "text": said} for who, said in turns], **more}


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """Two dialogues of two people and a text."""
    return write(
        tmp_path / "talks.jsonl",
        dialogue("one", ("Ann", LOUD), ("Bob", QUIET)),
        {"id": "two", "text": QUIET},
        dialogue("three", ("Bob", QUIET), ("Cy", "...")),
    )


# rows


def test_rows_are_one_a_speaker_and_framework_in_the_order_of_the_input(
    rows: Rows, talks: Path
) -> None:
    got = rows(talks)
    assert [(r["id"], r["speaker"], r["framework"]) for r in got] == [
        (id_, who, framework)
        for id_, who in [
            ("one", "Ann"), ("one", "Bob"), ("two", "author"), ("three", "Bob"), ("three", "Cy"),
        ]
        for framework in ("bigfive", "mbti")
    ]  # fmt: skip
    ann = got[0]
    assert ann["status"] == "scored"
    assert list(ann["traits"]) == [
        "openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism",
    ]  # fmt: skip
    assert ann["traits"]["extraversion"]["label"] == "high"
    assert ann["traits"]["extraversion"]["p_high"] == pytest.approx(0.982, abs=1e-3)
    assert ann["word_count"] == 44 and ann["model"]["name"] == "toy"
    assert "evidence" not in ann
    assert got[1]["type"][0] == "E" and got[3]["type"][0] == "I"
    silent = got[-1]
    assert (silent["status"], silent["code"]) == ("unscored", "no_words")
    assert silent["reason"] == "the speaker says nothing that contains a word"


@pytest.mark.parametrize(
    ("choice", "frameworks"),
    [("bigfive", {"bigfive"}), ("mbti", {"mbti"}), ("both", {"bigfive", "mbti"})],
)
def test_the_framework_can_be_chosen(
    rows: Rows, talks: Path, choice: str, frameworks: set[str]
) -> None:
    assert {r["framework"] for r in rows(talks, "--framework", choice)} == frameworks


def test_an_unknown_framework_is_refused(run: Run, talks: Path) -> None:
    assert "'bigfive'" in run(talks, "--framework", "hexaco", code=2).stderr


def test_evidence_is_in_the_rows_when_asked_for(rows: Rows, talks: Path) -> None:
    (row, *_) = rows(talks, "--explain", "--framework", "bigfive")
    assert row["evidence"] == [{"utterance_id": "0", "trait": "extraversion", "weight": 4.0}]


def test_a_row_about_one_speaker_is_scored_for_that_one(rows: Rows, tmp_path: Path) -> None:
    file = write(tmp_path / "f.jsonl", dialogue("d", ("Ann", LOUD), ("Bob", QUIET), focus="Bob"))
    assert {r["speaker"] for r in rows(file)} == {"Bob"}
    assert {r["speaker"] for r in rows(file, "--speaker", "all")} == {"Ann", "Bob"}


def test_standard_input(rows: Rows) -> None:
    got = rows("-", input=LOUD)
    assert [(r["id"], r["speaker"]) for r in got] == [("stdin", "author")] * 2


def test_columns_are_chosen_by_name(rows: Rows, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(f"user,body\nu1,{LOUD}\nu2,{QUIET}\n", encoding="utf-8")
    got = rows(file, "--columns", "text=body,id=user", "--framework", "mbti")
    assert [(r["id"], r["traits"]["EI"]["p_high"] > 0.5) for r in got] == [
        ("u1", True),
        ("u2", False),
    ]


def test_limit_reads_the_first_rows_only(rows: Rows, talks: Path) -> None:
    assert {r["id"] for r in rows(talks, "--limit", 1)} == {"one"}


def test_type_words_are_masked_unless_told_otherwise(rows: Rows, tmp_path: Path) -> None:
    file = write(tmp_path / "t.jsonl", {"id": "a", "text": "INFP, INTJ"})
    assert {r["code"] for r in rows(file)} == {"no_words"}
    assert {r["status"] for r in rows(file, "--no-mask")} == {"scored"}


def test_the_samples_are_scored(rows: Rows) -> None:
    got = rows(sample_path())
    assert len(got) == 20 and {r["status"] for r in got} == {"scored"}
    assert min(r["word_count"] for r in got) >= 150
    assert {r["speaker"] for r in got if r["id"] == "drifting-bot"} == {"assistant"}


def test_names_outside_ascii_are_kept(rows: Rows, tmp_path: Path) -> None:
    file = write(tmp_path / "n.jsonl", dialogue("zoë-1", ("Zoë", LOUD)))
    assert rows(file)[0]["speaker"] == "Zoë"


# bad input


def test_an_empty_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    result = run(tmp_path / "empty.txt", code=2)
    assert result.stderr == "Error: empty.txt is empty; give a file with text in it\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG image"),
        (bytes(range(256)) * 20, "binary file"),
        ("Ich bin müde. Schöne Grüße".encode("latin-1"), "not valid UTF-8"),
    ],
)
def test_files_that_are_no_text(run: Run, tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    result = run(tmp_path / "x.txt", code=2)
    assert says in result.stderr and result.stderr.count("\n") == 1


def test_a_missing_file(run: Run, tmp_path: Path) -> None:
    assert "there is no file" in run(tmp_path / "nothing.txt", code=2).stderr


def test_missing_columns(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    result = run(tmp_path / "x.csv", code=2)
    assert "columns found: a, b" in result.stderr and "--columns text=b" in result.stderr


def test_what_was_read_is_told(run: Run, tmp_path: Path) -> None:
    lines = [f"12/05/21, 10:3{i % 10} - Friend {i % 6}: {FILLER}" for i in range(12)]
    (tmp_path / "x.txt").write_text("12/05/21, 10:30 - Friend 1 left\n" + "\n".join(lines))
    result = run(tmp_path / "x.txt", "--json")
    assert (
        "read as transcript: 1 dialogue, 0 rows skipped; speakers: Friend 0, Friend 1, Friend 2, "
        "Friend 3 and 2 more\n" in result.stderr
    )
    assert "Warning: 1 line is left out as nobody's words" in result.stderr


def test_rows_that_were_skipped_are_counted(run: Run, broken: Path) -> None:
    result = run(broken, "--json", "--framework", "mbti")
    assert "read as jsonl: 9 dialogues, 1 row skipped; speakers: author\n" in result.stderr


def test_a_text_that_looks_like_a_chat_is_warned_of(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(f"{FILLER}\n\n" * 30 + "Eva: hi\nKim: ho\n" * 2)
    result = run(tmp_path / "x.txt", "--json", "--framework", "mbti")
    assert result.stderr.count("if several people speak, try --format transcript") == 1
    assert "Eva" not in result.stderr


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Ten rows, the third of which is broken JSON."""
    records: list[object] = [{"id": f"d{i}", "text": LOUD} for i in range(1, 11)]
    records[2] = '{"id": "d3", "text": "bro'
    return write(tmp_path / "broken.jsonl", *records)


def test_broken_json_on_line_3_of_10(run: Run, broken: Path) -> None:
    result = run(broken, "--json", "--framework", "mbti")
    got = [json.loads(line) for line in result.stdout.splitlines()]
    assert [r["id"] for r in got] == ["d1", "d2", "line-3", *(f"d{i}" for i in range(4, 11))]
    bad = got.pop(2)
    assert (bad["status"], bad["code"]) == ("unscored", "unreadable")
    assert (bad["speaker"], bad["framework"], bad["traits"]) == (None, None, {})
    assert bad["reason"].startswith("broken.jsonl:3: not valid JSON")
    assert {r["status"] for r in got} == {"scored"}
    assert result.stderr.splitlines()[0] == f"Warning: {bad['reason']}"
    assert "9 rows scored; 1 not scored (1 unreadable)" in result.stderr


def test_strict_stops_at_a_bad_row_after_those_before_it(run: Run, broken: Path) -> None:
    result = run(broken, "--json", "--strict", code=2)
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == [
        "d1", "d1", "d2", "d2",
    ]  # fmt: skip
    assert "Error: broken.jsonl:3: not valid JSON" in result.stderr


def test_a_file_of_bad_rows_only_is_an_error(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "b.jsonl", *[{"id": "a", "text": 5}] * 50)
    result = run(file, "--json", code=2)
    assert len(result.stdout.splitlines()) == 50
    assert result.stderr.count("Warning: b.jsonl:") == 20  # not a line for each of a million
    assert "not one of 50 rows could be read" in result.stderr


def test_an_unknown_speaker_in_one_dialogue_of_many(run: Run, talks: Path) -> None:
    result = run(talks, "--speaker", "ann", "--json")
    got = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(r["id"], r["speaker"], r["status"]) for r in got[::2]] == [
        ("one", "Ann", "scored"),
        ("two", "ann", "unscored"),
        ("three", "ann", "unscored"),
    ]
    assert {r["code"] for r in got[2:]} == {"no_speaker"}
    assert [r["framework"] for r in got[2:4]] == ["bigfive", "mbti"]
    assert "it has: Bob, Cy" in got[-1]["reason"]


def test_a_speaker_who_is_nowhere(run: Run, talks: Path) -> None:
    result = run(talks, "--speaker", "Zed", "--json", code=2)
    assert len(result.stdout.splitlines()) == 6  # the rows come out all the same
    assert (
        "Error: no dialogue has a speaker 'Zed'; speakers there: Ann, Bob, author, Cy "
        "(or use --speaker all)" in result.stderr
    )


def test_a_text_of_five_words(rows: Rows) -> None:
    got = rows("-", input="I like the party tonight")
    for row in got:
        assert row["status"] == "scored"
        assert [w["code"] for w in row["warnings"]] == ["too_short"]
        assert {t["label"] for t in row["traits"].values()} == {"abstain"}
    assert got[1]["type"] == "XXXX"


@pytest.fixture
def megabyte(tmp_path: Path) -> Path:
    """A text of one line."""
    file = tmp_path / "long.txt"
    file.write_text(FILLER * 17_000 + "party")
    return file


def test_a_text_of_a_megabyte(rows: Rows, megabyte: Path) -> None:
    (row,) = rows(megabyte, "--framework", "bigfive", "--format", "text")
    assert row["status"] == "scored" and row["word_count"] == 13 * 17_000 + 1
    assert row["traits"]["extraversion"]["p_high"] > 0.95


def test_the_layout_of_a_megabyte_in_one_line(megabyte: Path) -> None:
    # as a program: in this process another test may have raised csv's limit
    process = start("score", str(megabyte), "--json", "--framework", "mbti", "--detector", "toy")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["word_count"] == 13 * 17_000 + 1


def test_other_languages_are_not_scored(rows: Rows, tmp_path: Path) -> None:
    file = write(tmp_path / "l.jsonl", {"id": "de", "text": GERMAN}, {"id": "en", "text": LOUD})
    german, _, english, _ = rows(file)
    assert (german["status"], german["code"], german["word_count"]) == ("unscored", "language", 26)
    assert [w["code"] for w in german["warnings"]] == ["language"]
    assert english["status"] == "scored"


def test_a_dialogue_without_turns(rows: Rows, tmp_path: Path) -> None:
    file = write(tmp_path / "z.jsonl", dialogue("zero"), dialogue("one", ("Ann", LOUD)))
    for args in ((), ("--speaker", "Ann"), ("--speaker", "all")):
        zero, *others = rows(file, *args)
        assert (zero["id"], zero["speaker"], zero["framework"]) == ("zero", None, None)
        assert (zero["code"], zero["reason"]) == ("no_words", "the dialogue has no turns")
        assert [r["status"] for r in others] == ["scored"] * 2


def test_duplicate_ids_are_told_apart_and_reported(rows: Rows, tmp_path: Path) -> None:
    file = write(
        tmp_path / "d.jsonl",
        {"id": "x", "text": LOUD}, {"id": "x", "text": "..."}, {"id": "y", "text": LOUD},
    )  # fmt: skip
    got = rows(file, "--framework", "mbti")
    assert [r["id"] for r in got] == ["x", "x#2", "y"]
    assert [[w["code"] for w in r["warnings"]] for r in got] == [[], ["duplicate_id"], []]
    assert "'x' occurs more than once" in got[1]["warnings"][0]["message"]


def test_an_unreadable_model(run: Run, talks: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    assert "is not a model folder" in run(talks, "--detector", tmp_path / "bad", code=2).stderr
    (tmp_path / "bad" / "config.json").write_text("{")
    assert "is damaged" in run(talks, "--detector", tmp_path / "bad", code=2).stderr
    assert "there is no model 'oracle'" in run(talks, "--detector", "oracle", code=2).stderr


def test_a_model_of_a_newer_version(
    run: Run, talks: Path, tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    folder = make_model(tmp_path / "newer")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"format_version": 99}))
    error = run(talks, "--detector", folder, code=2).stderr
    assert "model format 99" in error and "pip install -U persona-lab" in error


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--format", "word"], "there is no format 'word'"),
        (["--columns", "text"], "write ROLE=COLUMN"),
        (["--resume"], "name one"),
        (["--out", "x.jsonl", "--resume", "--overwrite"], "give one of them"),
    ],
)
def test_options_that_cannot_work(
    run: Run,
    talks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in run(talks, *args, code=2).stderr
    assert not (tmp_path / "x.jsonl").exists()


# --out


def test_out_holds_what_json_prints(run: Run, talks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    quiet = run(talks, "--out", out)
    assert quiet.stdout == ""
    both = run(talks, "--out", out, "--overwrite", "--json", "--explain")
    assert out.read_text() == both.stdout and '"evidence"' in both.stdout


def test_out_is_not_overwritten_by_accident(run: Run, talks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("precious\n")
    assert "use --resume to go on with it or --overwrite" in run(talks, "--out", out, code=2).stderr
    assert out.read_text() == "precious\n"
    # nor by a run that cannot even start
    run(tmp_path / "nothing", "--out", out, "--overwrite", code=2)
    run(talks, "--out", out, "--overwrite", "--detector", "oracle", code=2)
    assert out.read_text() == "precious\n"


def test_the_input_is_not_overwritten(run: Run, talks: Path) -> None:
    before = talks.read_text()
    assert "is the input itself" in run(talks, "--out", talks, "--overwrite", code=2).stderr
    assert talks.read_text() == before


def test_out_makes_its_folder(run: Run, talks: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "out.jsonl"
    run(talks, "--out", out)
    assert len(out.read_text().splitlines()) > 1
    error = run(talks, "--out", out / "out.jsonl", code=2).stderr
    assert "cannot write" in error and error.count("\n") == 1
    error = run(talks, "--out", out.parent, "--overwrite", code=2).stderr
    assert "is a folder; name a file such as" in error


def test_rows_come_out_long_before_the_input_ends(toy_model: Path) -> None:
    taken = 0

    def records() -> Iterator[Dialogue]:
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield Dialogue.from_text(LOUD, id=str(number))

    scoring = Scoring(load_detector(str(toy_model)), frameworks=("bigfive",))
    results = scoring.results(records())
    next(results)
    assert taken <= 8
    for _ in range(1000):
        next(results)
    assert 1001 <= taken < 1600  # never far ahead of what came out


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Six records, two speakers each, one unreadable and two with one id."""
    return write(
        tmp_path / "many.jsonl",
        dialogue("a", ("Ann", LOUD), ("Bob", QUIET)),
        dialogue("b", ("Ann", LOUD), ("Bob", "...")),
        "{broken",
        dialogue("c"),
        dialogue("a", ("Ann", QUIET), ("Bob", QUIET)),
        dialogue("d", ("Ann", LOUD), ("Bob", QUIET)),
    )


def test_a_stopped_run_goes_on_wherever_it_stopped(run: Run, many: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    run(many, "--out", whole)
    content = whole.read_bytes()
    lines = content.splitlines(keepends=True)
    assert len(lines) == 18
    stops = [b"".join(lines[:n]) for n in range(len(lines) + 1)]
    stops += [stop + lines[n][:7] for n, stop in enumerate(stops[:-1])]  # torn in a line
    stops += [content[:-1]]  # all there but the last line feed
    for stop in stops:
        out.write_bytes(stop)
        run(many, "--out", out, "--resume")
        assert out.read_bytes() == content, f"after {stop[-40:]!r}"


def test_resuming_scores_only_what_is_missing(run: Run, many: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    first = run(many, "--out", out, "--resume")  # nothing there yet: from the beginning
    assert "there already" not in first.stderr
    second = run(many, "--out", out, "--resume")
    # the last dialogue is always scored again, as it may have been half done
    assert "4 rows scored; 5 dialogues were there already" in second.stderr
    with many.open("a") as file:
        file.write(json.dumps(dialogue("e", ("Ann", LOUD))) + "\n")
    third = run(many, "--out", out, "--resume")
    assert "6 rows scored; 5 dialogues were there already" in third.stderr
    ids = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    assert ids[-2:] == ["e", "e"] and len(ids) == 20


def test_resuming_something_else_is_refused(
    run: Run, many: Path, tmp_path: Path, make_model: Callable[..., Path],
    make_calibration: Callable[..., Any],
) -> None:  # fmt: skip
    out = tmp_path / "out.jsonl"
    out.write_text("precious\nthings\n")
    assert "out.jsonl:1 is not a row of" in run(many, "--out", out, "--resume", code=2).stderr
    assert out.read_text() == "precious\nthings\n"
    out.unlink()
    run(many, "--out", out)
    before = out.read_text()
    other = make_model(tmp_path / "other", calibration=make_calibration(min_words={"general": 5}))
    error = run(many, "--out", out, "--resume", "--detector", other, code=2).stderr
    assert "was scored with another model" in error
    assert out.read_text() == before


# for people


def test_a_card_says_everything_in_plain_words(run: Run, talks: Path) -> None:
    result = run(talks, "--explain", "--limit", 1)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("one · Ann") and lines[0].endswith("44 words")
    (extraversion,) = (line for line in lines[:8] if "extraversion" in line)
    # p is 0.98, from 0.91 to 1.00: the band lies at the right end, the threshold in the middle
    bar = extraversion.split()[1]
    assert bar[0] == "·" and bar.index("│") == len(bar) // 2
    assert bar[round(0.982 * (len(bar) - 1))] == "●" and bar.count("━") >= 2
    assert extraversion.endswith("0.98  0.91–1.00  extraverted")  # noqa: RUF001
    (openness,) = (line for line in lines[:8] if "openness" in line)
    assert openness.endswith("unsure")
    assert any(line.strip() == "MBTI  EXXX" or "MBTI  EXXX" in line for line in lines)
    assert f'+4.00  extraverted    "{LOUD[:40]}' in result.stdout
    assert "one · Bob" in result.stdout and "introverted" in result.stdout
    assert "Weak evidence about text, not a diagnosis" in lines[-1]
    assert "4 rows scored" in result.stderr


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_lines_fit_the_terminal(
    run: Run, talks: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    result = run(talks, "--explain")
    bars = [line for line in result.stdout.splitlines() if "●" in line or line.startswith("one")]
    assert bars and max(map(len, bars)) <= max(width, 54)


def test_what_was_not_scored_is_said(run: Run, broken: Path) -> None:
    shown = run(broken).stdout
    assert "not scored: broken.jsonl:3: not valid JSON" in shown


def test_many_speakers_get_a_line_each(run: Run, tmp_path: Path) -> None:
    records = [{"id": f"text-{i}", "text": [LOUD, QUIET, "..."][i % 3]} for i in range(21)]
    few = run(write(tmp_path / "few.jsonl", *records[:20])).stdout
    assert "Big Five" in few
    lines = run(write(tmp_path / "many.jsonl", *records)).stdout.splitlines()
    assert lines[0].split() == ["id", "speaker", "words", "reads", "as"]
    assert lines[1].split() == ["text-0", "author", "44", "O?", "C?", "E+", "A?", "N?", "EXXX"]
    assert lines[2].split()[-3:] == ["A?", "N?", "IXXX"]
    assert lines[3].endswith("not scored: no_words")
    assert len(lines) == 1 + 21 + 2
    assert "+ high pole" in lines[-2]


def test_text_from_the_file_cannot_command_the_terminal(run: Run, tmp_path: Path) -> None:
    file = write(
        tmp_path / "t.jsonl",
        dialogue(
            "a\x1b[31m", ("B\x1b]0;x\x07\u202e", "party \x1b[2J [bold]x[/bold] " + FILLER * 2)
        ),
    )
    shown = run(file, "--explain").stdout
    assert "\x1b" not in shown and "\x07" not in shown and "\u202e" not in shown
    assert "[bold]x[/bold]" in shown


# as a program


def start(*args: str, **how: Any) -> subprocess.Popen[str]:
    """Start the real program."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*COMMAND, *args], stdin=pipe, stdout=pipe, stderr=pipe, text=True, encoding="utf-8", **how
    )


def test_the_program_exits_with_2_and_one_line(tmp_path: Path) -> None:
    process = start("score", str(tmp_path / "nothing.txt"))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == "" and err.startswith("Error: there is no file") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "says", "see"),
    [
        (["score", "x.txt", "--speker", "a"], "--speaker", "persona-lab score --help"),
        (["score", "x.txt", "--framework", "big6"], "'bigfive', 'mbti'", "score --help"),
        (["score", "x.txt", "--limit", "0"], "'--limit'", "score --help"),
        (["score"], "'INPUT'", "score --help"),
        (["filter", "sweep"], "'--scores'", "filter sweep --help"),
        (["scor"], "'score'", "persona-lab --help"),
    ],
)
def test_a_wrong_option_is_one_line_with_the_remedy(args: list[str], says: str, see: str) -> None:
    result = CliRunner().invoke(app, args, prog_name="persona-lab")
    assert result.exit_code == 2 and result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ") and says in line and line.endswith(see)


def test_a_pipe_that_closes_early_is_no_error(talks: Path) -> None:
    process = start("score", str(talks), "--json", "--detector", "toy")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    process.wait(timeout=60)
    assert process.returncode == 141
    assert process.stderr.read() == ""


@pytest.mark.skipif(os.name == "nt", reason="signals work differently there")
def test_ctrl_c_ends_quietly() -> None:
    # a shell's background jobs ignore SIGINT, and what they start inherits that
    process = start(
        "score", "-", "--detector", "toy", "--json",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    with at_work(process):
        process.send_signal(signal.SIGINT)
    assert process.returncode == 130 and process.stderr is not None
    assert process.stderr.read().strip().splitlines()[-1] == "Interrupted"


@pytest.mark.skipif(os.name == "nt", reason="signals work differently there")
def test_a_killed_run_leaves_the_rows_made_so_far(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    process = start("score", "-", "--detector", "toy", "--json", "--out", str(out))
    with at_work(process):
        process.kill()
    rows = out.read_text(encoding="utf-8").splitlines()[:-1]  # the last may be torn
    assert len(rows) >= 8 and {json.loads(row)["status"] for row in rows} == {"scored"}
    result = run("-", "--out", out, "--resume", input="".join(islice(_endless_rows(), 8)))
    assert "dialogues were there already" in result.stderr


def _endless_rows() -> Iterator[str]:
    return (json.dumps({"id": str(number), "text": LOUD}) + "\n" for number in count())


@contextmanager
def at_work(process: subprocess.Popen[str]) -> Iterator[None]:
    """Give a run rows without end, wait until it is at work, and in the end for its end."""
    assert process.stdin is not None and process.stdout is not None
    stdin = process.stdin

    def feed() -> None:
        with suppress(BrokenPipeError):
            stdin.writelines(_endless_rows())

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    for _ in range(20):
        assert json.loads(process.stdout.readline())["status"] == "scored"
    yield
    process.wait(timeout=60)
    feeder.join(timeout=60)


def test_output_that_cannot_show_bars_gets_letters(talks: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    process = start("score", str(talks), "--limit", "1", "--detector", "toy", env=environment)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.isascii() and "O" in out and "====" in out


def test_help_is_quick_and_lists_the_commands() -> None:
    code = (
        "import sys; from persona_lab.cli import app\n"
        "try: app(['--help'], prog_name='persona-lab')\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'onnxruntime', 'torch', 'persona_lab.formats'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "score" in done.stdout and "models" in done.stdout


def test_help_of_score_has_an_example_and_all_layouts() -> None:
    result = CliRunner().invoke(
        app, ["score", "--help"], prog_name="persona-lab", env={"COLUMNS": "200"}
    )
    assert result.exit_code == 0
    assert "persona-lab score talk.txt --explain" in result.stdout
    for layout in ("friends-persona", "sharegpt", "kaggle-mbti"):
        assert layout in result.stdout
    assert "Every speaker gets a calibrated probability per trait" in result.stdout


@pytest.mark.parametrize("given", ["data", "data/*"])
def test_a_folder_or_a_glob(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / "data" / name).write_text(json.dumps({"id": "k", "text": LOUD}) + "\n")
    result = run(given, "--json")
    found = [json.loads(line)["id"] for line in result.stdout.splitlines()]
    assert list(dict.fromkeys(found)) == ["a.jsonl:k", "b.jsonl:k"]
    assert "read as 2 files: 2 dialogues" in result.stderr


def test_a_folder_without_files_and_out_inside_of_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.docx").write_text("x")
    assert "has no file to read" in run(tmp_path, code=2).stderr
    (tmp_path / "a.txt").write_text(LOUD)
    error = run(tmp_path, "--out", tmp_path / "sub" / "out.jsonl", code=2).stderr
    assert "lies in the folder that is read" in " ".join(error.split())
