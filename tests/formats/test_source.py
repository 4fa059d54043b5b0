"""Opening, decoding and looking ahead."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_lab.dialogue import Dialogue
from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats import read_dialogues
from persona_lab.formats.source import Source

SECRET = "Geheimnis"


def texts(path: Path, format: str = "auto") -> list[tuple[str, str]]:
    return [(u.speaker, u.text) for d in good(path, format) for u in d.utterances]


def good(path: Path, format: str = "auto") -> list[Dialogue]:
    return [d for d in read_dialogues(path, format) if isinstance(d, Dialogue)]


def numbered(source: Source) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in source.lines()]


class Slow(io.RawIOBase):
    """A stream that makes its lines on demand and counts them."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        super().__init__()
        self._lines, self.given = lines, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        line = next(self._lines, b"")
        self.given += bool(line)
        buffer[: len(line)] = line
        return len(line)


class TestFileProblems:
    def test_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"there is no file '.*nowhere\.txt'; check the path"):
            read_dialogues(tmp_path / "nowhere.txt")

    def test_impossible_path(self) -> None:
        with pytest.raises(InputError, match="not a path"):
            read_dialogues("a\x00b")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_unreadable_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_text("a")
        path.chmod(0)
        with pytest.raises(InputError, match="Permission denied"):
            read_dialogues(path)

    @pytest.mark.parametrize("layout", ["auto", "text", "jsonl", "csv", "essays", "transcript"])
    def test_folder_where_a_file_is_wanted(self, tmp_path: Path, layout: str) -> None:
        with pytest.raises(InputError, match=r"is a folder.* give one of"):
            read_dialogues(tmp_path, layout)

    @pytest.mark.parametrize("content", [b"", b" \n\t\r\n", codecs.BOM_UTF8 + b"\n"])
    @pytest.mark.parametrize("layout", ["auto", "text", "jsonl", "csv"])
    def test_empty_file(self, tmp_path: Path, content: bytes, layout: str) -> None:
        path = tmp_path / "void.txt"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"void\.txt is empty; give a file with text"):
            read_dialogues(path, layout)

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (b"PK\x03\x04rest", "zip archive or Office document"),
            (b"\x89PNG\r\n\x1a\n", "PNG image"),
            (b"%PDF-1.7\n", "PDF document; save it as text"),
            (codecs.BOM_UTF32_LE + "a".encode("utf-32-le"), "UTF-32 text; convert it to UTF-8"),
            (b"abc\n\x00\x01\x02", "is a binary file .it holds NUL bytes."),
            ("Hallo".encode("utf-16-le"), "without a byte order mark, convert it: iconv"),
        ],
    )
    def test_binary_file(self, tmp_path: Path, content: bytes, what: str) -> None:
        path = tmp_path / "data.txt"
        path.write_bytes(content)
        with pytest.raises(InputError, match=what):
            read_dialogues(path)
        with pytest.raises(InputError, match=what):
            read_dialogues(io.BytesIO(content))

    def test_unknown_format_lists_the_names(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match=r"no format 'exel'; use auto, text, transcript, js"):
            read_dialogues(tmp_path, "exel")

    def test_something_that_is_no_stream(self) -> None:
        with pytest.raises(InputError, match="neither a path nor an open"):
            read_dialogues(object())  # type: ignore[arg-type]


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_utf8_and_marked_utf16_read_the_same(
        self, tmp_path: Path, encoding: str, end: str
    ) -> None:
        path = tmp_path / "talk.txt"
        # U+0A0A and U+010A hold a 0x0A byte that is no line end in UTF-16.
        path.write_bytes(end.join(["Zoë: ਊĊ", "Bob: 再见"]).encode(encoding))
        assert texts(path) == [("Zoë", "ਊĊ"), ("Bob", "再见")]

    def test_utf16_big_endian(self, tmp_path: Path) -> None:
        path = tmp_path / "talk.txt"
        path.write_bytes(codecs.BOM_UTF16_BE + "Zoë: ਊĊ\n\nBob: Ċ\n".encode("utf-16-be"))
        assert texts(path) == [("Zoë", "ਊĊ"), ("Bob", "Ċ")]
        with Path(path).open("rb") as file:
            assert [n for n, _ in numbered(Source(file))] == [1, 2, 3]

    def test_other_separators_are_not_line_ends(self) -> None:
        source = Source(io.BytesIO("a\u2028b\x0bc\x85d\n\ne".encode()))
        assert numbered(source) == [(1, "a\u2028b\x0bc\x85d"), (2, ""), (3, "e")]

    def test_leading_blank_lines_count(self) -> None:
        assert numbered(Source(io.StringIO("\n \n\nhello\n"))) == [(4, "hello")]

    def test_wholly_latin1_text_names_the_byte_and_the_cure(self, tmp_path: Path) -> None:
        path = tmp_path / "alt.txt"
        path.write_bytes(f"{SECRET} für alle".encode("latin-1"))
        with pytest.raises(InputError) as caught:
            read_dialogues(path)
        assert str(caught.value) == (
            "alt.txt:1: not valid UTF-8 (byte 11 of the file); convert it first, "
            "for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
        )

    def test_a_bad_line_in_a_long_text_stops_it_by_line(self, tmp_path: Path) -> None:
        path = tmp_path / "alt.txt"
        path.write_bytes(b"one\ntwo\nthr\xe9e\n")
        with pytest.raises(InputError, match=r"alt\.txt:3: not valid UTF-8 \(byte 11 of"):
            read_dialogues(path)

    def test_a_bad_line_in_jsonl_loses_only_itself(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_bytes(
            b'{"id": "a", "text": "one"}\n{"id": "b", "text": "f\xfcr"}\n{"id": "c", "text": "3"}\n'
        )
        first, second, third = read_dialogues(path)
        assert isinstance(first, Dialogue) and first.id == "a"
        assert isinstance(second, RowError)
        assert (second.row_id, second.place) == ("line-2", "rows.jsonl:2")
        assert "not valid UTF-8 (byte 49 of the file)" in str(second)
        assert isinstance(third, Dialogue) and third.id == "c"

    def test_a_bad_byte_inside_a_quoted_cell_keeps_the_rows_apart(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_bytes(b'id,text\na,one\nb,"two\nf\xfcr\ntwo"\nc,three\n')
        first, second, third = read_dialogues(path)
        assert isinstance(first, Dialogue) and isinstance(third, Dialogue)
        assert (first.id, third.id, third.place) == ("a", "c", "rows.csv:6")
        assert isinstance(second, RowError)
        assert second.place == "rows.csv:3"
        assert "line 4 is not valid UTF-8" in str(second)

    def test_nul_in_a_later_line_is_a_bad_row(self) -> None:
        rows = b'{"id": "a", "text": "' + b"x" * 9000 + b'"}\n{"id": "b\x00"}\n{"text": "c"}\n'
        results = list(read_dialogues(io.BytesIO(rows)))
        assert [type(r) for r in results] == [Dialogue, RowError, Dialogue]
        assert "holds NUL bytes" in str(results[1])

    def test_bad_header_line_of_a_csv(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_bytes(b"id,t\xe9xt\n1,2\n")
        with pytest.raises(InputError, match=r"rows\.csv:1: the header line is not valid UTF-8"):
            read_dialogues(path, "csv")

    def test_text_stream_with_the_wrong_encoding(self, tmp_path: Path) -> None:
        path = tmp_path / "alt.txt"
        path.write_bytes("für".encode("latin-1"))
        with (
            path.open(encoding="utf-8") as stream,
            pytest.raises(InputError, match="does not fit the encoding the stream was opened with"),
        ):
            read_dialogues(stream)


class TestStreams:
    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Grüße".encode())))
        (dialogue,) = read_dialogues("-")
        assert isinstance(dialogue, Dialogue)
        assert (dialogue.id, dialogue.place) == ("stdin", "stdin:1")
        assert [u.text for u in dialogue.utterances] == ["Grüße"]

    def test_standard_input_that_is_text_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("\ufeffhello"))
        (dialogue,) = read_dialogues("-")
        assert isinstance(dialogue, Dialogue) and dialogue.utterances[0].text == "hello"

    @pytest.mark.parametrize(
        ("head", "row"),
        [
            (b"", b'{"text": "hello"}\n'),
            (b"id,text\n", b'1,"hello\nyou"\n'),
            (b"", b'{"messages": [{"role": "user", "content": "hi"}]}\n'),
            (b"type,posts\n", b"INFP,a|||b\n"),
        ],
    )
    def test_the_first_dialogue_comes_long_before_the_end(self, head: bytes, row: bytes) -> None:
        def endless() -> Iterator[bytes]:
            yield head + row
            while True:
                yield row

        stream = Slow(endless())
        reader = read_dialogues(stream)
        for _ in range(500):
            assert isinstance(next(reader), Dialogue)
        # A look-ahead of some lines and one buffer of the wrapper, never the whole stream.
        assert stream.given < 1100
        reader.close()
        assert not stream.closed

    def test_given_streams_stay_open_and_own_files_are_closed(self, tmp_path: Path) -> None:
        stream = io.BytesIO(b"hello")
        list(read_dialogues(stream))
        assert not stream.closed
        path = tmp_path / "a.jsonl"
        path.write_text('{"text": "a"}\n{"text": "b"}\n')
        with read_dialogues(path) as reader:
            next(reader)
        assert list(reader) == []

    def test_memory_does_not_grow_with_the_rows(self) -> None:
        import tracemalloc

        def rows(count: int) -> Iterator[bytes]:
            yield b"id,text\n"
            for i in range(count):
                yield b"%d," % (i % 50) + b"word " * 200 + b"\n"

        def peak(count: int) -> int:
            tracemalloc.start()
            for _ in read_dialogues(Slow(rows(count)), "csv"):
                pass
            _, top = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return top

        peak(10)
        # 2,000 further rows hold 2 MB of text; what grows is a hash and a number a row.
        assert peak(2200) - peak(200) < 500_000


class TestPrivacy:
    @pytest.mark.parametrize(
        ("layout", "content"),
        [
            ("jsonl", f'{{"id": "a", "text": "{SECRET}'),
            ("jsonl", f'{{"id": "a", "text": ["{SECRET}"]}}'),
            ("jsonl", f'{{"id": "a", "text": "x", "labels": {{"{SECRET}": 1}}}}'),
            ("jsonl", f'{{"id": "a", "text": "x", "labels": {{"openness": "{SECRET}"}}}}'),
            ("jsonl", f'["{SECRET}", {SECRET}]'),
            ("openai", f'{{"messages": [{{"content": "{SECRET}"}}]}}'),
            ("sharegpt", f'{{"conversations": ["{SECRET}"]}}'),
            ("csv", f'text,openness\n"{SECRET}","{SECRET}"\n'),
            ("csv", f"text,id\n{SECRET},{SECRET},{SECRET}\n"),
            ("csv", f'text\n"{SECRET} is never closed\n'),
            ("csv", f"{SECRET} went to town, and then he left. That was it.\nrow,two\n"),
            ("kaggle-mbti", f"type,posts\n{SECRET},hello\n"),
            ("essays", f"#AUTHID,TEXT,cOPN\na,hello,{SECRET}\n"),
            ("personallm", f'{{"annotation": "x", "persona_encoding": "{SECRET}"}}'),
            ("transcript", f"{SECRET} and nobody speaks"),
            ("transcript", f"{SECRET} before\nAnn: hi"),
        ],
    )
    def test_messages_never_hold_the_text(self, layout: str, content: str) -> None:
        try:
            reader = read_dialogues(io.StringIO(content), layout)
            messages = [str(r) for r in reader if isinstance(r, RowError)] + reader.notes
        except InputError as error:
            messages = [str(error)]
        assert messages
        assert all(SECRET not in message for message in messages)
