"""Our own JSON lines, and JSON records in general."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from persona_lab.dialogue import AUTHOR, Dialogue
from persona_lab.errors import FormatError, InputError, RowError
from persona_lab.formats import Result, read_dialogues


def read(*rows: Any, **options: Any) -> Sequence[Result]:
    lines = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    return list(read_dialogues(io.StringIO(lines), options.pop("format", "jsonl"), **options))


def one(row: Any, **options: Any) -> Dialogue:
    (result,) = read(row, **options)
    assert isinstance(result, Dialogue), str(result)
    return result


def error(row: Any, **options: Any) -> str:
    (result,) = read(row, **options)
    assert isinstance(result, RowError)
    return str(result)


class TestTexts:
    def test_text_row(self) -> None:
        row = {"id": 7, "text": "One.\n\nTwo.", "labels": {"openness": 1, "EI": 0.0}, "group": "g"}
        dialogue = one(row)
        assert (dialogue.id, dialogue.focus, dialogue.group) == ("7", AUTHOR, "g")
        assert [(u.id, u.speaker, u.text) for u in dialogue.utterances] == [
            ("0", AUTHOR, "One."),
            ("1", AUTHOR, "Two."),
        ]
        assert dialogue.speakers[AUTHOR].labels == {"openness": 1.0, "EI": 0.0}

    def test_speaker_is_the_focus(self) -> None:
        dialogue = one({"text": "Hi", "speaker": "Ann", "labels": {"neuroticism": 3.5}})
        assert (dialogue.id, dialogue.focus) == ("line-1", "Ann")
        assert dialogue.by("Ann")[0].text == "Hi"
        assert dialogue.speakers["Ann"].labels == {"neuroticism": 3.5}

    @pytest.mark.parametrize("text", ["", "  \n ", None])
    def test_empty_text_is_a_dialogue_without_utterances(self, text: str | None) -> None:
        dialogue = one({"id": "a", "text": text})
        assert (dialogue.id, dialogue.utterances, dialogue.focus) == ("a", (), AUTHOR)

    def test_halves_of_surrogate_pairs_are_replaced(self) -> None:
        dialogue = one('{"id": "\\ud83d", "text": "cut \\ud83d, whole \\ud83d\\ude00"}')
        assert dialogue.id == "\ufffd"
        assert dialogue.utterances[0].text == "cut \ufffd, whole \U0001f600"

    def test_unknown_labels_are_left_out(self) -> None:
        assert one({"text": "a", "labels": {"JP": None}}).speakers[AUTHOR].labels == {}


class TestTurns:
    def test_turns_and_labels_of_one_speaker(self) -> None:
        dialogue = one(
            {
                "id": "d",
                "turns": [{"speaker": "A", "text": "x\n\ny"}, {"speaker": "B", "text": ""}],
                "speaker": "B",
                "labels": {"TF": 1},
            }
        )
        assert [(u.id, u.speaker, u.text) for u in dialogue.utterances] == [
            ("0", "A", "x\n\ny"),
            ("1", "B", ""),
        ]
        assert dialogue.focus is None
        assert dialogue.speakers["B"].labels == {"TF": 1.0}

    def test_labels_of_the_only_speaker_need_no_name(self) -> None:
        dialogue = one({"turns": [{"speaker": "A", "text": "x"}], "labels": {"TF": 1}})
        assert dialogue.speakers["A"].labels == {"TF": 1.0}

    def test_labels_of_several_speakers_need_a_name(self) -> None:
        turns = [{"speaker": "A", "text": "x"}, {"speaker": "B", "text": "y"}]
        reader = read_dialogues(io.StringIO(json.dumps({"turns": turns, "labels": {"TF": 1}})))
        (dialogue,) = reader
        assert isinstance(dialogue, Dialogue) and not dialogue.speakers
        (note,) = reader.notes
        assert "none is named as the one described ('speaker')" in note

    def test_no_turns_is_still_a_dialogue(self) -> None:
        dialogue = one({"id": "d", "turns": []})
        assert (dialogue.id, dialogue.utterances) == ("d", ())

    def test_repeated_utterance_ids_become_positions(self) -> None:
        turns = [{"id": "d", "speaker": "A", "text": "x"}, {"id": "d", "speaker": "B", "text": "y"}]
        assert [u.id for u in one({"turns": turns}).utterances] == ["0", "1"]


class TestChosenKeys:
    def test_keys_of_a_text(self) -> None:
        row = {"body": "Hi", "key": "k", "text": "not this"}
        dialogue = one(row, columns="text=body, id=key")
        assert (dialogue.id, dialogue.utterances[0].text) == ("k", "Hi")

    def test_keys_inside_turns(self) -> None:
        row = {"no": 4, "utterances": [{"who": 0, "said": "Hi", "id": "u"}]}
        dialogue = one(row, columns={"turns": "utterances", "speaker": "who", "text": "said"})
        (utterance,) = dialogue.utterances
        assert (utterance.id, utterance.speaker, utterance.text) == ("u", "0", "Hi")

    def test_auto_takes_them_as_jsonl(self) -> None:
        assert one({"body": "Hi"}, columns="text=body", format="auto").utterances[0].text == "Hi"

    def test_a_chosen_key_that_is_missing(self) -> None:
        message = error({"text": "x", "b": 1}, columns="text=body")
        assert "neither 'text' nor 'turns'; its keys: text, b" in message

    def test_unknown_role(self) -> None:
        with pytest.raises(FormatError, match="no role 'txt' for jsonl; use id, text, turns"):
            read({"text": "x"}, columns="txt=text")


class TestBadRows:
    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ('{"text": "a"', "stdin:1: not valid JSON at column 13"),
            ("[1, 2", "not valid JSON"),
            ("3", "a record must be a JSON object, not a number"),
            ('"a"', "a record must be a JSON object, not text"),
            ({"body": "a"}, "neither 'text' nor 'turns'; its keys: body; name the right one with"),
            ({"text": 3}, "'text' must be text, not a number"),
            ({"text": "a", "id": 1.5}, "'id' must be text or a whole number"),
            ({"text": "a", "id": True}, "'id' must be text or a whole number, not true/false"),
            ('{"text": 1%s}' % ("0" * 5000), "a number is too long or it is nested too deeply"),
            ('{"text": ' + "[" * 200_000, "nested too deeply"),
            ({"turns": {}}, "'turns' must be a list, not an object"),
            ({"turns": ["a"]}, "every element of 'turns' must be an object, not text"),
            ({"turns": [{"text": "a"}]}, "turn 1 must have a 'speaker' and a 'text'"),
            ({"turns": [{"speaker": "A", "said": "a"}]}, "its keys: speaker, said; name others"),
        ],
    )
    def test_message_and_the_rows_around_it(self, row: Any, message: str) -> None:
        before, bad, after = read({"id": "x", "text": "a"}, row, {"id": "y", "text": "b"})
        assert isinstance(before, Dialogue) and before.id == "x"
        assert isinstance(after, Dialogue) and after.id == "y"
        assert isinstance(bad, RowError)
        assert message.replace("stdin:1", "stdin:2") in str(bad)
        assert bad.place == "stdin:2"

    @pytest.mark.parametrize(
        ("facts", "remark"),
        [
            ({"labels": []}, "'labels' must be an object"),
            ({"labels": {"charm": 1}}, "unknown trait; use openness, consc"),
            ({"labels": {"EI": "I"}}, "the label of 'EI' must be 0, 1 or another"),
            ({"labels": {"EI": float("nan")}}, "another finite number"),
            ({"labels": {"EI": 10**400}}, "another finite number"),
            ({"speaker": [1]}, "'speaker' must be text, not a list"),
            ({"group": [1]}, "the key 'group' is left out of some rows: it is a list"),
            ({"turns": 4}, "the key 'turns' is left out of some rows"),
            ({"dialogue": "d1", "conversation": 7}, "the key 'conversation' is left out"),
        ],
    )
    def test_keys_of_another_meaning_cost_no_text(self, facts: Any, remark: str) -> None:
        rows = "\n".join(json.dumps({"text": "Hi there", **facts}) for _ in range(2))
        reader = read_dialogues(io.StringIO(rows), "jsonl")
        texts = [d.utterances[0].text for d in reader if isinstance(d, Dialogue)]
        assert texts == ["Hi there"] * 2
        assert any(remark in note for note in reader.notes)
        assert len(set(reader.notes)) == len(reader.notes)

    @pytest.mark.parametrize(
        ("facts", "remark"),
        [
            ({"speakers": {"A": 1}}, "'speakers' must hold an object a name"),
            ({"speakers": []}, "'speakers' must be an object by name"),
            ({"options": {"a": 1}}, "it must be an object of texts"),
        ],
    )
    def test_keys_of_another_meaning_cost_no_turns(self, facts: Any, remark: str) -> None:
        row = json.dumps({"turns": [{"speaker": "A", "text": "Hi"}], **facts})
        reader = read_dialogues(io.StringIO(row), "jsonl")
        assert [d.by("A")[0].text for d in reader if isinstance(d, Dialogue)] == ["Hi"]
        (note,) = reader.notes
        assert remark in note

    def test_the_row_id_is_the_rows_own_where_it_can_be_read(self) -> None:
        first, second = read({"id": "mine", "text": 1}, {"text": 1})
        assert isinstance(first, RowError) and first.row_id == "mine"
        assert isinstance(second, RowError) and second.row_id == "line-2"

    def test_strict_raises_it(self) -> None:
        reader = read_dialogues(io.StringIO('{"text": "a"}\nnonsense\n{"text": "b"}'), strict=True)
        assert isinstance(next(reader), Dialogue)
        with pytest.raises(RowError, match="stdin:2: not valid JSON"):
            next(reader)
        assert list(reader) == []

    def test_a_broken_first_line_is_one_bad_row(self) -> None:
        first, second = read('{"id": "a",', {"id": "b", "text": "x"}, format="auto")
        assert isinstance(first, RowError) and first.place == "stdin:1"
        assert isinstance(second, Dialogue) and second.id == "b"


class TestDocuments:
    rows = ({"id": "a", "text": "One"}, {"text": "Two"})

    @pytest.mark.parametrize("indent", [None, 2])
    def test_array(self, indent: int | None) -> None:
        stream = io.StringIO("\n\n" + json.dumps(self.rows, indent=indent))
        first, second = read_dialogues(stream)
        assert isinstance(first, Dialogue) and isinstance(second, Dialogue)
        assert (first.id, second.id) == ("a", "item-2")
        lines = ("stdin:4", "stdin:8") if indent else ("stdin:3", "stdin:3")
        assert (first.place, second.place) == lines

    def test_one_pretty_printed_object(self) -> None:
        (dialogue,) = read_dialogues(io.StringIO(json.dumps(self.rows[0], indent=4)))
        assert isinstance(dialogue, Dialogue) and dialogue.id == "a"

    def test_several_pretty_printed_objects(self) -> None:
        text = "\n".join(json.dumps(row, indent=1) for row in self.rows)
        assert [d.id for d in read_dialogues(io.StringIO(text)) if isinstance(d, Dialogue)] == [
            "a",
            "item-2",
        ]

    def test_a_bad_element_loses_only_itself(self) -> None:
        results = read('[{"text": "a"},\n 5,\n {"text": "b"}]')
        assert [type(r) for r in results] == [Dialogue, RowError, Dialogue]
        assert isinstance(results[1], RowError)
        assert (results[1].row_id, results[1].place) == ("item-2", "stdin:2")

    @pytest.mark.parametrize("cut", ['{"text": ', ""])
    def test_a_document_that_breaks_off_keeps_what_came_before(self, cut: str) -> None:
        results = read(f'[{{"text": "a"}},\n{{"text": "b"}},\n{cut}')
        assert [type(r) for r in results] == [Dialogue, Dialogue, RowError]
        assert "stdin:" in str(results[2])

    def test_a_document_that_is_broken_from_the_start(self) -> None:
        with pytest.raises(FormatError, match=r"stdin:3: not valid JSON .*cannot be read"):
            read('[\n {"text": "a"\n "b"}\n]')

    def test_no_rows_at_all(self) -> None:
        with pytest.raises(InputError, match="stdin holds no rows"):
            read("[]")
