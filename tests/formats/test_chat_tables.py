"""Chats in csv, Parquet and dataset folders, and tables that hold none."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from persona_lab.dialogue import AUTHOR, Dialogue
from persona_lab.errors import FormatError, RowError
from persona_lab.formats import read_dialogues
from persona_lab.formats.inputs import expand
from persona_lab.traits import mbti_labels

SAID = [("user", "Is the bakery open?"), ("assistant", "Until six, with rye bread today.")]
MESSAGES = [{"role": role, "content": text} for role, text in SAID]

Kind = str


def write(folder: Path, kind: Kind, rows: list[dict[str, Any]]) -> Path:
    """The rows as a table of one of the kinds that hold plain cells."""
    path = folder / f"in.{kind}"
    table = pa.Table.from_pylist(rows)
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind == "arrow":
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    else:
        with path.open("w", newline="") as file:
            csv_writer = csv.DictWriter(file, list(rows[0]))
            csv_writer.writeheader()
            csv_writer.writerows(rows)
    return path


def said(path: Path, columns: str | None = None) -> list[tuple[str, list[tuple[str, str]]]]:
    found = list(read_dialogues(path, columns=columns))
    assert not [str(row) for row in found if isinstance(row, RowError)]
    return [
        (d.id, [(u.speaker, u.text) for u in d.utterances])
        for d in found
        if isinstance(d, Dialogue)
    ]


@pytest.fixture(params=["csv", "parquet", "arrow"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return str(request.param)


class TestChats:
    @pytest.mark.parametrize("as_text", [json.dumps, repr])
    def test_messages_as_text_in_a_cell(self, tmp_path: Path, kind: Kind, as_text: Any) -> None:
        path = write(tmp_path, kind, [{"id": "a", "messages": as_text(MESSAGES)}] * 2)
        assert said(path) == [("a", SAID), ("a#2", SAID)]
        assert said(path, "text=messages") == said(path)

    @pytest.mark.parametrize("names", [("prompt", "response"), ("instruction", "output")])
    def test_question_and_answer(self, tmp_path: Path, kind: Kind, names: tuple[str, str]) -> None:
        path = write(tmp_path, kind, [dict(zip(names, (t for _, t in SAID), strict=True))])
        assert said(path) == [("row-1", SAID)]

    def test_replies(self, tmp_path: Path, kind: Kind) -> None:
        row = {"id": "r", "prompt": SAID[0][1], "chosen": SAID[1][1], "rejected": "No."}
        chosen, rejected = said(write(tmp_path, kind, [row]))
        assert chosen == ("r:chosen", SAID)
        assert rejected == ("r:rejected", [SAID[0], ("assistant", "No.")])

    def test_rows_that_are_turns(self, tmp_path: Path, kind: Kind) -> None:
        rows = [
            {"conversation_id": dialogue, "role": role, "content": f"{dialogue}: {text}"}
            for role, text in (("human", "Hi."), ("tool", "{}"), ("bot", "Hello."))
            for dialogue in ("x", "y")
        ]
        expected = [
            (name, [("user", f"{name}: Hi."), ("assistant", f"{name}: Hello.")]) for name in "xy"
        ]
        assert said(write(tmp_path, kind, rows)) == expected

    def test_chosen_columns(self, tmp_path: Path, kind: Kind) -> None:
        rows = [
            {"talk": 1.0, "by": role, "said": text, "who": "I bake.", "n": i + 7}
            for i, (role, text) in enumerate(SAID)
        ]
        path = write(tmp_path, kind, rows)
        columns = "dialogue=talk,speaker=by,text=said,id=n,persona=who"
        assert said(path, columns) == [("1", SAID)]
        (dialogue,) = read_dialogues(path, columns=columns)
        assert isinstance(dialogue, Dialogue)
        assert [u.id for u in dialogue.utterances] == ["7", "8"]
        assert dialogue.speakers["assistant"].persona == ("I bake.",)

    def test_turns_in_a_chosen_column(self, tmp_path: Path, kind: Kind) -> None:
        turns = json.dumps([{"by": role, "said": text} for role, text in SAID])
        path = write(tmp_path, kind, [{"no": 3, "talk": turns}])
        assert said(path, "turns=talk,speaker=by,text=said,id=no") == [("3", SAID)]


class TestTablesWithoutTexts:
    rows = ({"writer": "Mira", "body": "A long day by the sea."},)

    def test_they_are_refused_with_the_line_that_works(self, tmp_path: Path, kind: Kind) -> None:
        path = write(tmp_path, kind, list(self.rows))
        with pytest.raises(FormatError) as caught:
            read_dialogues(path)
        assert str(caught.value) == (
            f"in.{kind} has no column 'text'; columns found: writer, body; "
            "name the column that holds the text with --columns text=body"
        )
        assert said(path, "text=body,speaker=writer") == [
            ("row-1", [("Mira", self.rows[0]["body"])])
        ]

    def test_a_saved_data_set(self, tmp_path: Path) -> None:
        datasets = pytest.importorskip("datasets")
        datasets.disable_progress_bars()
        datasets.Dataset.from_list(list(self.rows)).save_to_disk(tmp_path / "ds")
        with pytest.raises(FormatError, match=r"columns found: writer, body.*text=body"):
            read_dialogues(tmp_path / "ds")

    def test_nested_cells(self, tmp_path: Path) -> None:
        rows = [{"no": 1, "lines": [{"by": "Mira", "said": "Good morning to you."}]}]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
        with pytest.raises(FormatError, match="--columns turns=lines,speaker=by,text=said"):
            read_dialogues(tmp_path / "in.parquet")
        columns = "turns=lines,speaker=by,text=said"
        assert said(tmp_path / "in.parquet", columns)[0][1] == [("Mira", "Good morning to you.")]


class TestDelimiters:
    @pytest.mark.parametrize("mark", [";", ",", "\t", "|"])
    @pytest.mark.parametrize(
        "names",
        [
            ("dialogue_id", "speaker", "utterance"),
            ("Conversation ID", "Speaker", "Text"),
            ("THREAD_ID", "author", "body"),
        ],
    )
    def test_tables_of_turns_whatever_their_file_is_called(
        self, tmp_path: Path, mark: str, names: tuple[str, str, str]
    ) -> None:
        rows = [names, ("1", "Mira", "A long day."), ("2", "Jon", "So?"), ("1", "Ida", "Yes.")]
        for name in ("in.txt", "in.csv"):
            path = tmp_path / name
            path.write_text("".join(mark.join(row) + "\n" for row in rows))
            assert said(path) == [
                ("1", [("Mira", "A long day."), ("Ida", "Yes.")]),
                ("2", [("Jon", "So?")]),
            ]

    @pytest.mark.parametrize("mark", [";", ",", "\t", "|"])
    @pytest.mark.parametrize("quoted", [True, False])
    def test_the_line_that_names_the_delimiter(self, mark: str, quoted: bool) -> None:
        first = f'"sep={mark}"' if quoted else f"sep={mark}"
        text = f'{first}\r\ntext{mark}speaker\r\n"A; b, c"{mark}Mira\r\n'
        reader = read_dialogues(io.StringIO(text))
        (dialogue,) = reader
        assert isinstance(dialogue, Dialogue) and reader.format == "csv"
        assert (dialogue.focus, dialogue.utterances[0].text) == ("Mira", "A; b, c")
        assert dialogue.place == "stdin:3"

    def test_ids_that_a_program_made_fractions_of(self, tmp_path: Path) -> None:
        rows = [{"id": 4.0, "text": "Hi"}, {"id": None, "text": "Ho"}, {"id": 2.5, "text": "Hm"}]
        for kind in ("csv", "parquet"):
            names = [name for name, _ in said(write(tmp_path, kind, rows))]
            assert names == ["4", "row-2", "2.5"]


class TestStrayFiles:
    chats = json.dumps({"messages": MESSAGES}) + "\n"

    def test_a_description_beside_the_data_is_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "toy.jsonl").write_text(self.chats)
        (tmp_path / "talk.json").write_text(json.dumps([{"messages": MESSAGES}], indent=1))
        (tmp_path / "dataset_info.json").write_text('{"toy": {"file_name": "toy.jsonl"}}')
        found = expand([tmp_path])
        assert [file.name for file in found.files] == ["talk.json", "toy.jsonl"]
        assert [path.name for path in found.stray] == ["dataset_info.json"]
        named = expand([tmp_path / "dataset_info.json"])
        assert [file.name for file in named.files] == ["dataset_info.json"]

    @pytest.mark.parametrize("content", ["", " \n\n", "[]", "[\n]\n"])
    def test_an_empty_file_is_left_out(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "toy.jsonl").write_text(self.chats)
        (tmp_path / "none.json").write_text(content)
        found = expand([tmp_path])
        assert [file.name for file in found.files] == ["toy.jsonl"]
        assert list(found.remarks()) == ["none.json left out: it is empty"]
        (tmp_path / "toy.jsonl").unlink()
        assert [file.name for file in expand([tmp_path]).files] == ["none.json"]

    def test_columns_make_a_file_readable(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text(self.chats)
        (tmp_path / "odd.json").write_text('[{"body": "Good morning."}]')
        assert [path.name for path in expand([tmp_path]).stray] == ["odd.json"]
        assert not expand([tmp_path], "text=body").stray


def test_labels_come_along(tmp_path: Path) -> None:
    path = write(tmp_path, "csv", [{"text": "Hi", "openness": "y", "type": "ESFJ"}])
    (dialogue,) = read_dialogues(path, columns="text=text,type=type")
    assert isinstance(dialogue, Dialogue)
    assert dialogue.speakers[AUTHOR].labels == {"openness": 1.0, **mbti_labels("ESFJ")}
