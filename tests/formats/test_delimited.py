"""Csv and tsv files with chosen columns."""

from __future__ import annotations

import io
from typing import Any

import pytest

from persona_lab.dialogue import AUTHOR, Dialogue
from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats import Result, read_dialogues, tables


def read(text: str, columns: str | None = None, **options: Any) -> list[Result]:
    format = options.pop("format", "csv")
    return list(read_dialogues(io.StringIO(text), format, columns=columns, **options))


def dialogues(text: str, columns: str | None = None) -> list[Dialogue]:
    results = read(text, columns)
    assert not [str(r) for r in results if isinstance(r, RowError)]
    return [r for r in results if isinstance(r, Dialogue)]


class TestRows:
    @pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
    def test_defaults_and_delimiters(self, delimiter: str) -> None:
        text = 'id^speaker^text\na^Ann^"Well, so;\nyes\tno"\n^Bob^Hi\n'.replace("^", delimiter)
        first, second = dialogues(text)
        assert (first.id, first.focus, first.place) == ("a", "Ann", "stdin:2")
        assert [u.text for u in first.utterances] == ["Well, so;\nyes\tno"]
        assert (second.id, second.focus, second.place) == ("row-2", "Bob", "stdin:4")

    def test_only_a_text_column(self) -> None:
        first, second = dialogues("text\nHello\n\nYou\n")
        assert (first.id, first.focus) == ("row-1", AUTHOR)
        assert (second.id, second.place) == ("row-2", "stdin:4")

    def test_names_may_differ_in_case(self) -> None:
        (dialogue,) = dialogues("ID,Text,Openness\na,Hi,1\n")
        assert (dialogue.id, dialogue.utterances[0].text) == ("a", "Hi")
        assert dialogue.speakers[AUTHOR].labels == {"openness": 1.0}

    def test_chosen_columns(self) -> None:
        (dialogue,) = dialogues(
            "key,who,body,g,t,ext\n7,Ann,Hi,fam,intp,4.5\n",
            "text=body,id=key,speaker=who,group=g,type=t,extraversion=ext",
        )
        assert (dialogue.id, dialogue.focus, dialogue.group) == ("7", "Ann", "fam")
        assert dialogue.speakers["Ann"].labels == {
            "EI": 0.0,
            "SN": 0.0,
            "TF": 1.0,
            "JP": 0.0,
            "extraversion": 4.5,
        }

    def test_label_spellings(self) -> None:
        text = "text,openness,neuroticism,EI\na,y,LOW,I\nb,0,stable,e\nc,,unknown,X\nd,3.5,true,1\n"
        labels = [dict(d.speakers[AUTHOR].labels) for d in dialogues(text)]
        assert labels == [
            {"openness": 1.0, "neuroticism": 0.0, "EI": 0.0},
            {"openness": 0.0, "neuroticism": 0.0, "EI": 1.0},
            {},
            {"openness": 3.5, "neuroticism": 1.0, "EI": 1.0},
        ]

    def test_serial_numbers_are_no_axis(self) -> None:
        (dialogue,) = dialogues("sn,text\n1734,Hi\n")
        assert dialogue.speakers[AUTHOR].labels == {}

    def test_empty_text_is_kept(self) -> None:
        (dialogue,) = dialogues("id,text\na,\n")
        assert (dialogue.id, dialogue.utterances, dialogue.focus) == ("a", (), AUTHOR)


class TestConversations:
    text = (
        "conv,who,body,openness\nc1,Ann,Hi,1\nc1,Bob,,\nc1,Ann,Bye,0\n"
        "c2,Ann,Hello,\nc1,Bob,Again,0\n"
    )
    columns = "text=body,speaker=who,dialogue=conv"

    def test_rows_of_a_dialogue_may_stand_apart(self) -> None:
        first, second = dialogues(self.text, self.columns)
        assert [(d.id, d.place, d.focus) for d in (first, second)] == [
            ("c1", "stdin:2", None),
            ("c2", "stdin:5", None),
        ]
        assert [(u.id, u.speaker, u.text) for u in first.utterances] == [
            ("0", "Ann", "Hi"),
            ("1", "Bob", ""),
            ("2", "Ann", "Bye"),
            ("3", "Bob", "Again"),
        ]
        assert first.speakers["Ann"].labels == {"openness": 1.0}
        assert first.speakers["Bob"].labels == {"openness": 0.0}

    def test_ids_of_turns(self) -> None:
        (dialogue,) = dialogues("id,text,c\nu7,a,x\nu9,b,x\n", "dialogue=c")
        assert [u.id for u in dialogue.utterances] == ["u7", "u9"]

    def test_bad_rows_do_not_break_the_dialogue(self) -> None:
        text = "c,text,openness\nx,a,\nx,b,very\n,c,\nx,d,\n"
        nameless, dialogue = read(text, "dialogue=c")
        assert isinstance(nameless, RowError) and nameless.place == "stdin:4"
        assert "no value in the dialogue column" in str(nameless)
        assert isinstance(dialogue, Dialogue)
        assert [u.text for u in dialogue.utterances] == ["a", "b", "d"]


class TestProblems:
    def test_missing_text_column_names_found_and_wanted(self) -> None:
        with pytest.raises(FormatError) as caught:
            read("key,body\n1,Hi\n")
        assert str(caught.value) == (
            "stdin has no column 'text'; columns found: key, body; "
            "name the column that holds the text with --columns text=body"
        )

    def test_a_chosen_column_must_exist(self) -> None:
        with pytest.raises(FormatError, match="has no column 'who'; columns found: text"):
            read("text\nHi\n", "speaker=who")

    def test_a_first_line_of_prose_is_not_repeated(self) -> None:
        with pytest.raises(FormatError, match=r"2 that do not look like names .is the header li"):
            read("1,I went to the shop and bought some bread\n")

    @pytest.mark.parametrize(
        "first",
        [
            ("I like plums", "You too"),
            ("Hi Bo", "Yes"),
            ("Bo Lindqvist", "yes"),
            ("Nice name", "your text"),
            ("Well.", "id"),
            ("0612345678", "id"),
            ("2024-01-01", "id"),
            ("明日は早く起きる", "id"),
        ],
    )
    @pytest.mark.parametrize("mark", ["\t", ","])
    def test_short_sentences_are_not_repeated(self, first: tuple[str, str], mark: str) -> None:
        with pytest.raises(FormatError) as caught:
            read(mark.join(first) + "\n" + mark.join(first) + "\n", "text=body")
        assert "2 that do not look like names" in str(caught.value)
        assert not any(cell in str(caught.value) for cell in first if cell != "id")

    @pytest.mark.parametrize(
        "names", ["key,Message_Body", "Message Body,User ID", "#key,user.name", "発話,話者"]
    )
    def test_names_and_titles_are_shown(self, names: str) -> None:
        with pytest.raises(FormatError) as caught:
            read(f"{names}\n1,Hi\n", "text=missing")
        assert f"columns found: {names.replace(',', ', ')}" in str(caught.value)

    def test_unknown_role(self) -> None:
        with pytest.raises(FormatError, match="no role 'txet'; use text, id, speaker, dialogue"):
            read("text\nHi\n", "txet=text")

    @pytest.mark.parametrize("columns", ["text", "text=", "=a", "text=a,text=b"])
    def test_columns_that_cannot_be_read(self, columns: str) -> None:
        with pytest.raises(FormatError, match="in --columns; write ROLE=COLUMN once a role"):
            read("text\nHi\n", columns)

    def test_rows_with_too_few_or_too_many_cells(self) -> None:
        few, many, good = read("id,text\na\nb,Hi, there\nc,Hi\n")
        assert isinstance(few, RowError) and (few.row_id, few.place) == ("row-1", "stdin:2")
        assert "1 cells where the header names 2 columns; quote" in str(few)
        assert isinstance(many, RowError) and "3 cells where the header" in str(many)
        assert isinstance(good, Dialogue) and good.id == "c"

    def test_a_quote_that_is_never_closed(self) -> None:
        good, bad = read('id,text\na,Hi\nb,"open\nc,Hi\nd,Hi\n')
        assert isinstance(good, Dialogue) and good.id == "a"
        assert isinstance(bad, RowError) and bad.place == "stdin:3"
        assert "never closed" in str(bad)

    def test_a_cell_beyond_the_limit_loses_only_its_row(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import csv

        before = csv.field_size_limit(1000)
        monkeypatch.setattr(tables, "FIELD_LIMIT", 1000)
        try:
            results = read(f"id,text\na,{'x' * 1001}\nb,{'x' * 1000}\n")
        finally:
            csv.field_size_limit(before)
        assert isinstance(results[0], RowError)
        assert "a cell beyond 1000 characters" in str(results[0])
        assert isinstance(results[1], Dialogue) and results[1].id == "b"

    def test_cells_may_be_longer_than_the_module_allows_by_default(self) -> None:
        (dialogue,) = dialogues("text\n" + "x" * 200_000)
        assert len(dialogue.utterances[0].text) == 200_000

    @pytest.mark.parametrize(
        ("text", "columns", "remark"),
        [
            ("text,openness\nHi,very\nHo,inf\n", None, "label in column 'openness' is not underst"),
            ("text,t\nHi,INFQ\nHo,who knows\n", "type=t", "column 't' does not hold an MBTI type"),
        ],
    )
    def test_an_unusable_label_costs_the_label_only(
        self, text: str, columns: str | None, remark: str
    ) -> None:
        reader = read_dialogues(io.StringIO(text), "csv", columns=columns)
        rows = list(reader)
        assert [row.utterances[0].text for row in rows if isinstance(row, Dialogue)] == ["Hi", "Ho"]
        assert all(not row.speakers[AUTHOR].labels for row in rows if isinstance(row, Dialogue))
        (note,) = reader.notes
        assert remark in note

    @pytest.mark.parametrize("code", ["intp", "INTP-T", "Intp-a", " INTP "])
    def test_types_in_other_spellings(self, code: str) -> None:
        (dialogue,) = dialogues(f"text,t\nHi,{code}\n", "type=t")
        assert dialogue.speakers[AUTHOR].labels == {"EI": 0.0, "SN": 0.0, "TF": 1.0, "JP": 0.0}

    def test_columns_are_refused_where_the_layout_is_fixed(self) -> None:
        with pytest.raises(FormatError, match="--columns works with jsonl and csv, but this is"):
            read("type,posts\nINFP,a\n", "text=posts", format="kaggle-mbti")
        (dialogue,) = read("type,posts\nINFP,a|||b\n", "text=posts", format="auto")
        assert isinstance(dialogue, Dialogue) and dialogue.utterances[0].text == "a|||b"

    def test_a_header_without_rows(self) -> None:
        with pytest.raises(InputError, match="stdin holds no rows"):
            read("id,text\n")
