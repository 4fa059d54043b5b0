"""Packed files, Parquet, Arrow, dataset folders, folders and globs."""

from __future__ import annotations

import gzip
import json
import os
import random
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from persona_lab.dialogue import Dialogue
from persona_lab.errors import InputError
from persona_lab.formats import read_dialogues
from persona_lab.formats.inputs import expand
from persona_lab.formats.packed import open_unpacked

RECORDS = [{"id": str(i), "text": f'one {i}\n\ntwo, "{i}"'} for i in range(40)]


def facts(source: Any, **how: Any) -> list[tuple[str, tuple[str, ...]]]:
    with read_dialogues(source, **how) as reader:
        found = [row for row in reader if isinstance(row, Dialogue)]
    return [(row.id, tuple(u.text for u in row.utterances)) for row in found]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(map(json.dumps, RECORDS)) + "\n", encoding="utf-8")
    return path


class TestPacked:
    def test_they_read_as_the_file_inside(self, plain: Path, tmp_path: Path) -> None:
        expected = facts(plain)
        data = plain.read_bytes()
        half = len(data) // 2
        packed = {
            "in.jsonl.gz": gzip.compress(data),
            "in.jsonl.zst": zstandard.compress(data),
            # parts packed one by one and joined, as parallel packers write them
            "joined.jsonl.gz": gzip.compress(data[:half]) + gzip.compress(data[half:]),
            "joined.jsonl.zst": zstandard.compress(data[:half]) + zstandard.compress(data[half:]),
            "no_extension": gzip.compress(data),
        }
        for name, content in packed.items():
            (tmp_path / name).write_bytes(content)
            assert facts(tmp_path / name) == expected, name

    @pytest.mark.parametrize("exponent", [28, 31])
    def test_a_long_window(self, tmp_path: Path, exponent: int) -> None:
        data = b'{"text": "one"}\n{"text": "two"}\n'
        # a frame as zstd --long=31 begins it, made by hand: packing so needs gigabytes
        head = b"\x28\xb5\x2f\xfd\x00" + bytes([(exponent - 10) << 3])
        frame = head + (len(data) << 3 | 1).to_bytes(3, "little") + data
        path = tmp_path / "dump.zst"
        path.write_bytes(frame)
        assert [d.utterances[0].text for d in read_dialogues(path)] == ["one", "two"]  # type: ignore[union-attr]
        path.write_bytes(frame + frame[:-9])
        with pytest.raises(InputError, match=r"dump\.zst is cut off or damaged"):
            list(read_dialogues(path))

    def test_places_name_the_file_inside(self, plain: Path, tmp_path: Path) -> None:
        path = tmp_path / "x.jsonl.gz"
        path.write_bytes(gzip.compress(plain.read_bytes()))
        assert [d.place for d in read_dialogues(path)][:2] == ["x.jsonl:1", "x.jsonl:2"]  # type: ignore[union-attr]

    @pytest.mark.parametrize("suffix", ["gz", "zst"])
    @pytest.mark.parametrize("harm", ["cut", "damage"])
    def test_the_rows_before_a_break_are_read(
        self, plain: Path, tmp_path: Path, suffix: str, harm: str
    ) -> None:
        texts = [random.Random(i).randbytes(3000).hex() for i in range(60)]
        data = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
        # with the check sum that the zstd program writes: without it damage may go unseen
        zstd = zstandard.ZstdCompressor(write_checksum=True)
        packed = gzip.compress(data) if suffix == "gz" else zstd.compress(data)
        at = len(packed) * 2 // 3
        packed = packed[:at] if harm == "cut" else packed[:at] + b"\x00" * 99 + packed[at + 99 :]
        path = tmp_path / f"in.jsonl.{suffix}"
        path.write_bytes(packed)
        read: list[str] = []
        with pytest.raises(InputError, match=rf"in\.jsonl\.{suffix} is cut off or damaged"):
            for row in read_dialogues(path):
                if isinstance(row, Dialogue):
                    read.append(row.utterances[0].text)
        if harm == "cut":
            assert 20 <= len(read) <= 40
            assert read == texts[: len(read)]

    def test_a_limit_is_of_bytes_on_disk(self, plain: Path) -> None:
        first = plain.read_bytes().index(b"\n") + 1
        with open_unpacked(plain, limit=first) as stream:
            assert stream.read() == plain.read_bytes()[:first]

    def test_a_pipe_is_not_looked_into(self, plain: Path, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=lambda: pipe.write_bytes(plain.read_bytes()))
        writer.start()
        assert facts(pipe, format="jsonl") == facts(plain)
        writer.join()


class TestTables:
    def test_plain_columns_read_as_csv(self, plain: Path, tmp_path: Path) -> None:
        table = pa.Table.from_pylist([{**r, "extraversion": i % 2} for i, r in enumerate(RECORDS)])
        pq.write_table(table, tmp_path / "in.parquet", row_group_size=7)
        with pa.ipc.new_file(tmp_path / "in.arrow", table.schema) as writer:
            writer.write_table(table)
        for name in ("in.parquet", "in.arrow"):
            assert facts(tmp_path / name) == facts(plain)
            rows = list(read_dialogues(tmp_path / name))
            assert [row.place for row in rows][:2] == [f"{name}:1", f"{name}:2"]  # type: ignore[union-attr]
            assert rows[1].speakers["author"].labels == {"extraversion": 1.0}  # type: ignore[union-attr]

    def test_nested_columns_read_as_json(self, tmp_path: Path) -> None:
        talk = [{"role": "user", "content": "Hi\nthere"}, {"role": "assistant", "content": "Yes"}]
        pq.write_table(pa.Table.from_pylist([{"id": 7, "messages": talk}]), tmp_path / "in.parquet")
        assert facts(tmp_path / "in.parquet") == [("7", ("Hi\nthere", "Yes"))]

    def test_columns_can_be_chosen(self, tmp_path: Path) -> None:
        table = pa.Table.from_pylist([{"key": "k", "body": "words", "blob": b"\x00", "no": None}])
        pq.write_table(table, tmp_path / "in.parquet")
        assert facts(tmp_path / "in.parquet", columns="text=body,id=key") == [("k", ("words",))]

    def test_dataset_folder(self, plain: Path, tmp_path: Path) -> None:
        datasets = pytest.importorskip("datasets")
        datasets.disable_progress_bars()
        given = datasets.Dataset.from_list(RECORDS)
        given.save_to_disk(tmp_path / "ds", num_shards=3)
        assert facts(tmp_path / "ds") == facts(plain)
        given.select([3, 1]).save_to_disk(tmp_path / "some")
        assert [i for i, _ in facts(tmp_path / "some")] == ["3", "1"]
        datasets.DatasetDict(train=given, test=given).save_to_disk(tmp_path / "all")
        names = [file.name for file in expand([tmp_path / "all"]).files]
        assert names == ["train", "test"]

    def test_a_table_that_is_cut_off(self, tmp_path: Path) -> None:
        pq.write_table(pa.Table.from_pylist(RECORDS), tmp_path / "in.parquet")
        data = (tmp_path / "in.parquet").read_bytes()
        (tmp_path / "in.parquet").write_bytes(data[:-50])
        with pytest.raises(InputError, match=r"in\.parquet cannot be read as a table to its end"):
            read_dialogues(tmp_path / "in.parquet")


class TestExpand:
    def test_folders_and_globs(self, tmp_path: Path) -> None:
        for name in ("b.jsonl", "a.csv.gz", "sub/b.jsonl", ".hidden.jsonl", "sub/x.doc", "c.txt"):
            (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "d" / name).write_text("x")
        found = expand([tmp_path / "d"])
        assert [file.name for file in found.files] == [
            "a.csv.gz",
            "b.jsonl",
            "c.txt",
            "sub/b.jsonl",
        ]
        assert [path.name for path in found.skipped] == ["x.doc"]
        globbed = expand([f"{tmp_path}/d/**/*.jsonl"])
        assert [file.name for file in globbed.files] == ["b.jsonl", "2-b.jsonl"]
        twice = expand([tmp_path / "d/b.jsonl", f"{tmp_path}/d/*.jsonl", tmp_path / "d/b.jsonl"])
        assert [file.name for file in twice.files] == ["b.jsonl"]

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"the folder .* has no file to read"):
            expand([tmp_path])
        with pytest.raises(InputError, match=r"the pattern .* has no file to read"):
            expand([f"{tmp_path}/*.jsonl"])
