"""A run from inputs to rows: verdicts, counts that add up, reasons, rows untouched."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
import zstandard

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.filtering import filter_scores, score_dataset
from tests.filtering.conftest import (
    FILLER,
    GERMAN,
    LOUD,
    QUIET,
    Filter,
    ledger,
    reasons,
    talk,
    tree,
    write_lines,
)

# odd spacing, key order, escapes and numbers must come out as they went in
ODD = '{"text":  "The party was a party. %s", "id": "odd", "x": 1.50, "e": "\\u00e9"}' % (
    FILLER * 3
)


def counts(summary: dict[str, object]) -> tuple[int, int, int, int]:
    rows = summary["rows"]
    assert isinstance(rows, dict)
    assert rows["total"] == rows["kept"] + rows["dropped"] + rows["unscored"]
    return rows["total"], rows["kept"], rows["dropped"], rows["unscored"]


class TestJsonLines:
    def test_rows_go_where_they_belong_byte_by_byte(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        quiet = json.dumps({"id": "q", "text": QUIET})
        german = json.dumps({"id": "g", "text": GERMAN})
        path = write_lines(tmp_path / "in.jsonl", ODD, quiet, "{broken", "", german, ODD)
        summary = run_filter(path)
        assert counts(summary) == (5, 2, 1, 2)
        out = tmp_path / "out"
        assert (out / "kept/in.jsonl").read_text(encoding="utf-8") == f"{ODD}\n{ODD}\n"
        assert (out / "dropped/in.jsonl").read_text(encoding="utf-8") == f"{quiet}\n"
        unscored = (out / "unscored/in.jsonl").read_text(encoding="utf-8")
        assert unscored == f"{{broken\n\n{german}\n"
        assert summary["unscored"] == {"language": 1, "unreadable": 1}
        assert summary["repeated_ids"] == 1
        assert summary["duplicates"] == 1

    def test_reasons_name_place_clause_and_value(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(
            tmp_path / "in.jsonl",
            {"id": "q", "text": QUIET},
            "{broken",
            {"id": "g", "text": GERMAN},
        )
        run_filter(path, "extraversion.p_high >= 0.6 and words > 5")
        (dropped,) = reasons(tmp_path / "out", "dropped")
        assert dropped["source"] == "in.jsonl"
        assert (dropped["row"], dropped["line"], dropped["id"]) == (1, 1, "q")
        assert dropped["reason"].startswith("author: extraversion.p_high >= 0.6 (it is 0.0")
        bad, german = reasons(tmp_path / "out", "unscored")
        assert (
            bad["code"] == "unreadable" and bad["line"] == 2 and "not valid JSON" in bad["reason"]
        )
        assert german["code"] == "language" and "'de'" in german["reason"]

    def test_ledger_has_all_that_was_promised(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "in.jsonl", talk("a", ("Ann", LOUD), ("Bob", QUIET)))
        run_filter(path)
        ann, bob = ledger(tmp_path / "out")
        assert (ann["id"], ann["source"], ann["row"], ann["line"]) == ("a", "in.jsonl", 1, 1)
        assert (ann["speaker"], bob["speaker"]) == ("Ann", "Bob")
        assert len(ann["content"]) == 32 and ann["content"] == bob["content"]
        assert ann["extraversion.p_high"] > 0.9 > 0.1 > bob["extraversion.p_high"]
        assert ann["extraversion.label"] == "high"
        assert ann["words"] == 5 + 3 * 13
        assert ann["turns"] == 1 and ann["dialogue.turns"] == 2 == ann["dialogue.speakers"]
        assert ann["language"] == "en" and ann["status"] == "scored" and ann["type"][0] == "E"
        assert ann["model"] == "toy" and len(ann["model.sha256"]) == 64
        assert (ann["passes"], bob["passes"]) == (True, False)
        assert ann["verdict"] == bob["verdict"] == "dropped"
        assert ann["reason"] == "another speaker of the row does not pass"
        assert bob["reason"].startswith("extraversion.p_high >= 0.6 (it is ")

    def test_nothing_lost_in_a_byte_order_mark_or_a_missing_line_end(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        loud, quiet = (json.dumps({"id": i, "text": t}) for i, t in (("l", LOUD), ("q", QUIET)))
        path = tmp_path / "in.jsonl"
        path.write_bytes(b"\xef\xbb\xbf" + f"{loud}\r\n{quiet}".encode())
        run_filter(path)
        out = tmp_path / "out"
        assert (out / "kept/in.jsonl").read_bytes() == b"\xef\xbb\xbf" + f"{loud}\r\n".encode()
        assert (out / "dropped/in.jsonl").read_bytes() == b"\xef\xbb\xbf" + quiet.encode()

    def test_utf16_stays_utf16(self, run_filter: Filter, tmp_path: Path) -> None:
        loud, quiet = (json.dumps({"id": i, "text": t}) for i, t in (("l", LOUD), ("q", QUIET)))
        path = tmp_path / "in.jsonl"
        path.write_bytes(f"{loud}\n{quiet}\n".encode("utf-16"))
        run_filter(path)
        assert (tmp_path / "out/kept/in.jsonl").read_text(encoding="utf-16") == f"{loud}\n"

    @pytest.mark.parametrize("suffix", [".gz", ".zst"])
    def test_packed_in_packed_out(self, run_filter: Filter, tmp_path: Path, suffix: str) -> None:
        lines = f"{ODD}\n" + json.dumps({"id": "q", "text": QUIET}) + "\n"
        pack = gzip.compress if suffix == ".gz" else zstandard.compress
        unpack = gzip.decompress if suffix == ".gz" else _unzstd
        path = tmp_path / f"in.jsonl{suffix}"
        path.write_bytes(pack(lines.encode()))
        assert counts(run_filter(path)) == (2, 1, 1, 0)
        kept = (tmp_path / f"out/kept/in.jsonl{suffix}").read_bytes()
        assert unpack(kept).decode() == f"{ODD}\n"
        first = tree(tmp_path / "out")
        run_filter(path, overwrite=True)
        assert tree(tmp_path / "out") == first

    def test_a_json_array_gives_arrays(self, run_filter: Filter, tmp_path: Path) -> None:
        path = tmp_path / "in.json"
        path.write_text(f'[{ODD},\n {{"id": "q", "text": "{QUIET}"}}]', encoding="utf-8")
        assert counts(run_filter(path)) == (2, 1, 1, 0)
        kept = (tmp_path / "out/kept/in.json").read_text(encoding="utf-8")
        assert kept == f"[\n{ODD}\n]\n"
        assert json.loads((tmp_path / "out/unscored/in.json").read_text()) == []


def _unzstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


class TestOtherLayouts:
    def test_csv_keeps_header_and_quoting(self, run_filter: Filter, tmp_path: Path) -> None:
        path = tmp_path / "in.csv"
        loud = f'"l","{LOUD}\nsecond ""line""",7'
        quiet = f"q,{QUIET.replace(',', '')},08"
        path.write_text(f"id,text,n\n{loud}\n{quiet}\n", encoding="utf-8")
        assert counts(run_filter(path)) == (2, 1, 1, 0)
        out = tmp_path / "out"
        assert (out / "kept/in.csv").read_text(encoding="utf-8") == f"id,text,n\n{loud}\n"
        assert (out / "dropped/in.csv").read_text(encoding="utf-8") == f"id,text,n\n{quiet}\n"
        assert (out / "unscored/in.csv").read_text(encoding="utf-8") == "id,text,n\n"

    def test_a_bad_row_inside_a_conversation_leaves_it_whole(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        path = tmp_path / "in.csv"
        header = "talk,speaker,text\n"
        one = f"1,Ann,{LOUD}\n1,Ann,{LOUD}\n"
        bad = "1,Ann,a,b,c\n"
        rest = f"1,Ann,{LOUD}\n"
        two = f"2,Bob,{QUIET}\n"
        path.write_text(header + one + bad + rest + two, encoding="utf-8")
        summary = run_filter(path, columns="dialogue=talk")
        assert counts(summary) == (3, 1, 1, 1)
        out = tmp_path / "out"
        assert (out / "kept/in.csv").read_text(encoding="utf-8") == header + one + rest
        assert (out / "dropped/in.csv").read_text(encoding="utf-8") == header + two
        assert (out / "unscored/in.csv").read_text(encoding="utf-8") == header + bad

    def test_a_text_is_copied_whole(self, run_filter: Filter, tmp_path: Path) -> None:
        folder = tmp_path / "texts"
        folder.mkdir()
        (folder / "a.txt").write_bytes(LOUD.encode() + b"\r\n\r\nThe end.")
        (folder / "b.txt").write_text(f"Ann: {QUIET}\nBob: {QUIET}\nAnn: {QUIET}\n")
        (folder / "notes.md").write_text("not a dialogue")
        assert counts(run_filter(folder)) == (2, 1, 1, 0)
        assert sorted(tree(tmp_path / "out")) == [
            "dropped.reasons.jsonl",
            "dropped/b.txt",
            "kept/a.txt",
            "ledger/part-000000.parquet",
            "manifest.json",
            "summary.json",
            "unscored.reasons.jsonl",
        ]
        assert (tmp_path / "out/kept/a.txt").read_bytes() == (folder / "a.txt").read_bytes()

    def test_a_folder_of_mixed_layouts_keeps_each(self, run_filter: Filter, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        write_lines(folder / "a/x.jsonl", ODD)
        write_lines(folder / "b/x.jsonl", {"messages": [{"role": "user", "content": QUIET}]})
        (folder / "c.tsv").write_text(f"id\ttext\nl\t{LOUD}\n", encoding="utf-8")
        summary = run_filter(folder)
        assert counts(summary) == (3, 2, 1, 0)
        inputs = summary["inputs"]
        assert isinstance(inputs, list)
        assert [(i["name"], i["layout"], i["kept"]) for i in inputs] == [
            ("a/x.jsonl", "jsonl", 1),
            ("b/x.jsonl", "openai", 0),
            ("c.tsv", "csv", 1),
        ]

    def test_parquet(self, run_filter: Filter, tmp_path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table(
            {
                "id": ["a", "b", "c"],
                "messages": [[{"role": "user", "content": t}] for t in (LOUD, QUIET, LOUD)],
                "n": pa.array([1, None, 3], pa.int8()),
            }
        ).replace_schema_metadata({"made by": "a test"})
        pq.write_table(table, tmp_path / "in.parquet")
        assert counts(run_filter(tmp_path / "in.parquet")) == (3, 2, 1, 0)
        kept = pq.read_table(tmp_path / "out/kept/in.parquet")
        assert kept.equals(table.take([0, 2]))
        assert kept.schema.metadata[b"made by"] == b"a test"
        assert pq.read_table(tmp_path / "out/dropped/in.parquet").equals(table.take([1]))

    def test_dataset_folder(self, run_filter: Filter, tmp_path: Path) -> None:
        datasets = pytest.importorskip("datasets")
        given = datasets.Dataset.from_list(
            [{"id": str(i), "text": (LOUD, QUIET)[i % 2], "n": i} for i in range(5)]
        )
        datasets.DatasetDict({"train": given, "test": given.select([1, 3])}).save_to_disk(
            tmp_path / "ds"
        )
        summary = run_filter(tmp_path / "ds", duplicates="score")
        # a selection is written with its rows only
        assert counts(summary) == (7, 3, 4, 0)
        kept = datasets.load_from_disk(tmp_path / "out/kept/train")
        assert kept.to_list() == [given[i] for i in (0, 2, 4)]
        assert datasets.load_from_disk(tmp_path / "out/dropped/test").to_list() == [
            given[i] for i in (1, 3)
        ]
        assert len(datasets.load_from_disk(tmp_path / "out/kept/test")) == 0


class TestSpeakers:
    def test_all_scored_speakers_must_pass_unless_any_may(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        path = write_lines(
            tmp_path / "in.jsonl",
            talk("both", ("a", LOUD), ("b", LOUD)),
            talk("one", ("a", LOUD), ("b", QUIET)),
            talk("none", ("a", QUIET), ("b", QUIET)),
            talk("unknown", ("a", LOUD), ("b", "!!!")),
            talk("no", ("a", QUIET), ("b", "!!!")),
        )
        out = tmp_path / "out"

        def verdicts() -> list[str]:
            return list({line["id"]: line["verdict"] for line in ledger(out)}.values())

        run_filter(path)
        assert verdicts() == ["kept", "dropped", "dropped", "unscored", "dropped"]
        run_filter(path, any_speaker=True, overwrite=True)
        assert verdicts() == ["kept", "kept", "dropped", "kept", "unscored"]
        run_filter(path, speaker="b", overwrite=True)
        assert verdicts() == ["kept", "dropped", "dropped", "unscored", "unscored"]

    def test_a_speaker_who_is_missing_is_unscored(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(
            tmp_path / "in.jsonl", talk("x", ("a", LOUD)), talk("y", ("b", LOUD)), talk("z")
        )
        summary = run_filter(path, speaker="a")
        assert counts(summary) == (3, 1, 0, 2)
        assert summary["unscored"] == {"no_speaker": 1, "no_words": 1}


class TestDuplicates:
    def test_they_are_scored_once_and_counted(
        self, run_filter: Filter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from persona_lab.filtering.scorer import PersonalityScorer

        asked: list[int] = []
        score = PersonalityScorer.score
        monkeypatch.setattr(
            PersonalityScorer,
            "score",
            lambda self, dialogues: asked.append(len(dialogues)) or score(self, dialogues),
        )
        texts = [f"The party {'again ' * i} {FILLER * 3}" for i in range(300)]
        records = [{"id": f"r{i}", "text": texts[i % 300], "label": i} for i in range(700)]
        path = write_lines(tmp_path / "in.jsonl", *records)
        summary = run_filter(path)
        assert sum(asked) == 300
        assert summary["duplicates"] == 400
        lines = ledger(tmp_path / "out")
        assert [line["id"] for line in lines] == [f"r{i}" for i in range(700)]
        assert [line["row"] for line in lines] == list(range(1, 701))
        assert [line["duplicate"] for line in lines] == [False] * 300 + [True] * 400
        places = ("ordinal", "id", "row", "line", "duplicate")
        for i in range(300, 700):
            first, again = (dict(lines[j]) for j in (i % 300, i))
            for name in places:
                del first[name], again[name]
            assert first == again

    def test_they_can_be_dropped_or_scored_anew(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "in.jsonl", *({"id": i, "text": LOUD} for i in "abc"))
        assert counts(run_filter(path, duplicates="drop")) == (3, 1, 2, 0)
        assert {r["reason"] for r in reasons(tmp_path / "out", "dropped")} == {
            "author: it repeats an earlier row"
        }
        summary = run_filter(path, duplicates="score", overwrite=True)
        assert counts(summary) == (3, 3, 0, 0)
        assert summary["duplicates"] == 0

    def test_equal_turns_with_other_labels_are_no_duplicates(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        path = write_lines(
            tmp_path / "in.jsonl",
            {"text": LOUD, "labels": {"extraversion": 1}},
            {"text": LOUD, "labels": {"extraversion": 0}},
        )
        summary = run_filter(path, None, preset="induced-trait")
        assert summary["duplicates"] == 0
        assert counts(summary) == (2, 1, 1, 0)


class TestLimitAndOrder:
    def test_limit_stops_between_rows_of_files(self, run_filter: Filter, tmp_path: Path) -> None:
        records = [json.dumps({"id": i, "text": LOUD + i}) for i in "abcde"]
        one = write_lines(tmp_path / "1.jsonl", *records[:2])
        two = write_lines(tmp_path / "2.jsonl", *records[2:])
        summary = run_filter([one, two], limit=3)
        assert counts(summary) == (3, 3, 0, 0)
        assert (tmp_path / "out/kept/1.jsonl").read_text() == "\n".join(records[:2]) + "\n"
        assert (tmp_path / "out/kept/2.jsonl").read_text() == records[2] + "\n"

    def test_chunks_and_workers_make_no_difference(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        rng = np.random.default_rng(0)
        words = ["party", "alone", "worry", "calm", "dream", "bus", "plan", "kind", "them"]
        records = [
            talk(
                str(i),
                ("a", " ".join(rng.choice(words, 40))),
                ("b", " ".join(rng.choice(words, 30))),
            )
            for i in range(600)
        ]
        path = write_lines(tmp_path / "in.jsonl", *records)
        run_filter(path, out=tmp_path / "one")
        run_filter(path, out=tmp_path / "two", workers=2)
        assert tree(tmp_path / "one") == tree(tmp_path / "two")
        assert {line["id"] for line in ledger(tmp_path / "one")} == {str(i) for i in range(600)}


class TestDecideAgain:
    def test_the_same_as_a_run_of_its_own(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(
            tmp_path / "in.jsonl",
            *(talk(str(i), ("a", (LOUD, QUIET)[i % 2]), ("b", LOUD)) for i in range(10)),
            "{broken",
        )
        keep = "extraversion.p_high < 0.5 or words > 1000"
        run_filter(path, out=tmp_path / "first")
        direct = run_filter(path, keep, out=tmp_path / "direct", any_speaker=True)
        again = filter_scores(tmp_path / "first", keep, tmp_path / "again", any_speaker=True)
        assert again == direct and counts(again) == (11, 5, 5, 1)
        assert tree(tmp_path / "again") == tree(tmp_path / "direct")
        counted = filter_scores(tmp_path / "first", keep, any_speaker=True)
        assert counted["rows"] == again["rows"] and counted["clauses"] == again["clauses"]

    def test_scores_without_an_expression(self, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "in.jsonl", {"text": LOUD}, {"text": GERMAN})
        summary = score_dataset(path, tmp_path / "scores", detector="toy")
        assert counts(summary) == (2, 1, 0, 1)
        assert filter_scores(tmp_path / "scores", "words > 9000")["rows"]["dropped"] == 2

    def test_a_folder_that_is_no_run(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="is not the --out folder of a filter run"):
            filter_scores(tmp_path, "words > 1")

    def test_the_input_is_gone(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "in.jsonl", {"text": LOUD})
        run_filter(path)
        path.unlink()
        assert filter_scores(tmp_path / "out", "words > 1")["rows"]["kept"] == 1
        with pytest.raises(InputError, match="is gone"):
            filter_scores(tmp_path / "out", "words > 1", tmp_path / "two")


class TestBadInput:
    def test_a_truncated_archive_gives_what_is_there(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        rng = np.random.default_rng(0)
        records = [
            json.dumps({"id": str(i), "text": LOUD + " ".join(map(str, rng.random(200)))})
            for i in range(200)
        ]
        packed = gzip.compress("\n".join(records).encode())
        path = tmp_path / "in.jsonl.gz"
        path.write_bytes(packed[: len(packed) // 2])
        summary = run_filter(path)
        total, kept, _, unscored = counts(summary)
        assert total == kept + 1 and unscored == 1 and 50 < kept < 150
        assert summary["unscored"] == {"cut_off": 1} and summary["unreadable"] == 1
        (rest,) = reasons(tmp_path / "out", "unscored")
        assert "in.jsonl.gz is cut off or damaged" in rest["reason"]
        out = gzip.decompress((tmp_path / "out/kept/in.jsonl.gz").read_bytes()).decode()
        assert out.splitlines() == records[:kept]

    def test_a_cut_off_parquet_file(self, run_filter: Filter, tmp_path: Path) -> None:
        path = tmp_path / "in.parquet"
        path.write_bytes(b"PAR1" + b"\x00" * 100)
        with pytest.raises(InputError, match=r"in\.parquet cannot be read as a table"):
            run_filter(path)
        assert not (tmp_path / "out").exists()

    def test_files_of_no_known_layout_are_named_before_anything_runs(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        write_lines(tmp_path / "d/a.jsonl", {"text": LOUD})
        write_lines(tmp_path / "d/b.jsonl", {"what": "?"})
        (tmp_path / "d/c.csv").write_bytes(b"\x89PNG")
        with pytest.raises(InputError, match=r"b\.jsonl holds JSON of no known.*c\.csv is not a"):
            run_filter(tmp_path / "d")
        assert not (tmp_path / "out").exists()

    def test_the_expression_is_checked_before_anything_runs(
        self, run_filter: Filter, tmp_path: Path
    ) -> None:
        path = write_lines(tmp_path / "in.jsonl", {"text": LOUD})
        with pytest.raises(PersonaLabError, match="unknown field 'extravert'"):
            run_filter(path, "extravert > 1")
        assert not (tmp_path / "out").exists()

    def test_output_folder_that_holds_something(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "in.jsonl", {"text": LOUD})
        run_filter(path)
        before = tree(tmp_path / "out")
        with pytest.raises(InputError, match=r"is not empty; use --resume .* --overwrite"):
            run_filter(path, "words > 1")
        assert tree(tmp_path / "out") == before
        (tmp_path / "out/thesis.doc").write_text("!")
        for how in ({"overwrite": True}, {"resume": True}):
            with pytest.raises(InputError, match=r"'thesis\.doc', which no run wrote"):
                run_filter(path, **how)

    def test_output_that_is_the_input(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "d/in.jsonl", {"text": LOUD})
        for out in (tmp_path / "d", path, tmp_path, tmp_path / "d/sub"):
            with pytest.raises(PersonaLabError, match=r"within each other|is a file"):
                run_filter(tmp_path / "d", out=out, overwrite=True)
        with pytest.raises(PersonaLabError):
            run_filter(path, out=path, overwrite=True)
        assert path.read_text() == json.dumps({"text": LOUD}) + "\n"

    def test_ids_missing_and_nested_speakers(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(
            tmp_path / "in.jsonl",
            talk(None, ("a", LOUD)),
            {"id": "n", "turns": [{"speaker": {"name": "a"}, "text": LOUD}]},
            {"id": {"x": 1}, "text": LOUD},
            talk("n", ("a", LOUD)),
        )
        summary = run_filter(path)
        assert counts(summary) == (4, 3, 0, 1)
        (odd_id,) = reasons(tmp_path / "out", "unscored")
        assert "'id' must be text or a whole number" in odd_id["reason"]
        assert ledger(tmp_path / "out")[0]["id"] == "line-1"
        assert summary["repeated_ids"] == 1

    def test_a_file_that_grows_is_read_as_it_was(
        self, run_filter: Filter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from persona_lab.filtering import run as module

        path = write_lines(tmp_path / "in.jsonl", *({"id": i, "text": LOUD + i} for i in "abc"))
        before = path.read_text()
        score = module._score

        def grow(*args: object) -> None:
            with path.open("a") as file:
                file.write(json.dumps({"id": "d", "text": LOUD}) + "\n")
            score(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(module, "_score", grow)
        told: list[str] = []
        from persona_lab.filtering.run import Job, run
        from persona_lab.filtering.scorer import ScorerSettings

        job = Job("words > 1", scorer=ScorerSettings("toy"))
        summary = run(path, tmp_path / "out", job, warn=told.append)
        assert counts(summary) == (3, 3, 0, 0)
        assert (tmp_path / "out/kept/in.jsonl").read_text() == before
        assert len(told) == 1 and "in.jsonl grew by" in told[0]

    def test_strict_stops_at_the_first_bad_row(self, tmp_path: Path) -> None:
        from persona_lab.filtering.run import Job, run
        from persona_lab.filtering.scorer import ScorerSettings

        path = write_lines(tmp_path / "in.jsonl", {"text": LOUD}, "{", {"text": LOUD})
        job = Job("words > 1", scorer=ScorerSettings("toy"), strict=True)
        with pytest.raises(InputError, match=r"in\.jsonl:2: not valid JSON"):
            run(path, tmp_path / "out", job)


def test_real_dialogues(run_filter: Filter, data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "synthetic_persona_chat" / "Synthetic-Persona-Chat_valid.csv"
    summary = run_filter(path, "words >= 100")
    total, kept, dropped, unscored = counts(summary)
    assert total == 1000 and kept > 100 and dropped > 100
    rows = []
    for verdict in ("kept", "dropped", "unscored"):
        text = (tmp_path / "out" / verdict / path.name).read_text(encoding="utf-8")
        rows.append(list(csv.reader(io.StringIO(text))))
    assert [len(part) - 1 for part in rows] == [kept, dropped, unscored]
    with path.open(encoding="utf-8", newline="") as file:
        whole = list(csv.reader(file))
    key = "\x00".join
    assert sorted(key(r) for part in rows for r in part[1:]) == sorted(key(r) for r in whole[1:])
