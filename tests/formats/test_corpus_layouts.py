"""Public corpus layouts, each in a small file of its own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from persona_lab.dialogue import AUTHOR, Dialogue
from persona_lab.errors import FormatError, RowError
from persona_lab.formats import Result, read_dialogues
from persona_lab.formats.friends_persona import match_name, normal_scene
from persona_lab.formats.kaggle_mbti import split_posts


def table(*rows: Sequence[str]) -> io.StringIO:
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    stream.seek(0)
    return stream


def json_lines(*rows: Any) -> io.StringIO:
    return io.StringIO("".join(json.dumps(row) + "\n" for row in rows))


def read(stream: io.StringIO | Path, format: str) -> list[Dialogue]:
    """All dialogues; the layout must also be told from the content."""
    reader = read_dialogues(stream)
    assert reader.format == format
    results = list(reader)
    assert not [str(r) for r in results if isinstance(r, RowError)]
    return [r for r in results if isinstance(r, Dialogue)]


def turns(dialogue: Dialogue) -> list[tuple[str, str, str]]:
    return [(u.id, u.speaker, u.text) for u in dialogue.utterances]


class TestEssays:
    header = ("#AUTHID", "TEXT", "cEXT", "cNEU", "cAGR", "cCON", "cOPN")

    def test_row(self) -> None:
        text = 'Well, "here" I am.\nStill here.'
        (essay,) = read(
            table(self.header, ("1997_504851.txt", text, "n", "y", "y", "n", "y")), "essays"
        )
        assert (essay.id, essay.group, essay.focus) == ("1997_504851.txt",) * 2 + (AUTHOR,)
        assert turns(essay) == [("0", AUTHOR, text)]
        assert essay.speakers[AUTHOR].labels == {
            "openness": 1.0,
            "conscientiousness": 0.0,
            "extraversion": 0.0,
            "agreeableness": 1.0,
            "neuroticism": 1.0,
        }

    def test_empty_essay_and_bad_label(self) -> None:
        stream = table(
            self.header, ("a", "", *"nnnnn"), ("b", "Hi", *"yyyyz"), ("c", "Hi", *"yyyy", "")
        )
        reader = read_dialogues(stream)
        empty, bad, unknown = reader
        assert isinstance(empty, Dialogue) and (empty.id, empty.utterances) == ("a", ())
        assert isinstance(bad, Dialogue) and "openness" not in bad.speakers[AUTHOR].labels
        assert "column 'cOPN'" in reader.notes[0]
        assert isinstance(unknown, Dialogue)
        assert "openness" not in unknown.speakers[AUTHOR].labels

    def test_missing_columns(self) -> None:
        with pytest.raises(FormatError, match="no column '#AUTHID'; columns found: id, TEXT"):
            read_dialogues(io.StringIO("id,TEXT\na,b\n"), "essays")


class TestKaggle:
    def test_row(self) -> None:
        stream = table(
            ("type", "posts"),
            ("INFJ", "'http://a.b|||||| |||It's me, \"I\" said.'"),
            ("ESTP", "Don't|||say 'no'"),
        )
        first, second = read(stream, "kaggle-mbti")
        assert (first.id, first.group, first.options) == ("row-1", "row-1", {"type": "INFJ"})
        assert turns(first) == [
            ("0", AUTHOR, "http://a.b"),
            ("3", AUTHOR, 'It\'s me, "I" said.'),
        ]
        assert first.speakers[AUTHOR].labels == {"EI": 0.0, "SN": 0.0, "TF": 0.0, "JP": 1.0}
        assert [u.text for u in second.utterances] == ["Don't", "say 'no'"]

    def test_only_a_pair_of_outer_quotes_is_taken_off(self) -> None:
        assert split_posts("''a' b'") == ["'a' b"]
        assert split_posts("'a b") == ["'a b"]
        assert split_posts("'") == ["'"]
        assert split_posts("") == [""]

    def test_bad_type(self) -> None:
        reader = read_dialogues(io.StringIO("type,posts\nABCD,hi\nINTJ-t,ho\n"))
        bad, good = reader
        assert isinstance(bad, Dialogue) and not bad.speakers[AUTHOR].labels
        assert isinstance(good, Dialogue) and good.speakers[AUTHOR].labels["JP"] == 1.0
        assert "'type' does not hold an MBTI type" in reader.notes[0]


class TestFriends:
    header = ("", "scene_id", "text", "character", "cAGR", "cCON", "cEXT", "cOPN", "cNEU")
    text = (
        "<b>s01_e01_c01(1) for Joey Tribbiani</b><br><br><b>Ross Geller</b>: Hi. (sad)<br><br>"
        "(Ross sits.)<br><br><b>Joey Tribbiani</b>: (kind) C&#39;mon!<br>Now.<br><br>"
    )

    def test_row(self) -> None:
        stream = table(self.header, ("0", "01_e01_c01", self.text, "Joey Tribbiani", *"11001"))
        (scene,) = read(stream, "friends-persona")
        assert (scene.id, scene.group) == ("s01_e01_c01(1):Joey Tribbiani", "s01_e01_c01")
        assert scene.focus == "Joey Tribbiani"
        assert turns(scene) == [
            ("0", "Ross Geller", "Hi. (sad)"),
            ("2", "Joey Tribbiani", "(kind) C'mon!\nNow."),
        ]
        assert set(scene.speakers) == {"Joey Tribbiani"}
        assert scene.speakers["Joey Tribbiani"].labels == {
            "agreeableness": 1.0,
            "conscientiousness": 1.0,
            "extraversion": 0.0,
            "openness": 0.0,
            "neuroticism": 1.0,
        }

    def test_first_name_and_no_row_numbers(self) -> None:
        stream = table(self.header[1:], ("s1_e1_c1", self.text, "Joey", *"11001"))
        (scene,) = read(stream, "friends-persona")
        assert (scene.focus, scene.group) == ("Joey Tribbiani", "s01_e01_c01")

    def test_two_cuts_of_one_scene_share_the_group(self) -> None:
        other = self.text.replace("(1) for Joey Tribbiani", "(0) for Ross")
        rows = (
            ("0", "01_e01_c01", self.text, "Joey", *"11001"),
            ("1", "s01_e01_c01", other, "Ross", *"11001"),
        )
        first, second = read(table(self.header, *rows), "friends-persona")
        assert (first.group, second.group) == ("s01_e01_c01",) * 2
        assert (first.id, second.id) == (
            "s01_e01_c01(1):Joey Tribbiani",
            "s01_e01_c01(0):Ross Geller",
        )

    def test_a_character_who_says_nothing_is_kept(self) -> None:
        (scene,) = read(
            table(self.header, ("0", "01_e01_c01", self.text, "Janice", *"11001")),
            "friends-persona",
        )
        assert scene.focus == "Janice"
        assert scene.choose(None) == ("Janice",)
        assert scene.by("Janice") == ()

    def test_names(self) -> None:
        names = ["Ross", "Phoebe", "Phoebe Sr.", "Mrs. Green", "Mrs. Geller", "Rachel Green"]
        assert match_name("Phoebe", names) == "Phoebe"
        assert match_name("Ross Geller", names) == "Ross"
        assert match_name("rachel", names) == "Rachel Green"
        assert match_name("Mrs.", names) == "Mrs."
        assert match_name("Green", names) == "Green"

    @pytest.mark.parametrize("scene", ["01_e09_c03", "s01_e09_c03", "s1_e9_c3", "s01_e09_c03(2)"])
    def test_scenes(self, scene: str) -> None:
        assert normal_scene(scene) == "s01_e09_c03"

    def test_an_unknown_spelling_of_a_scene_stays(self) -> None:
        assert normal_scene(" pilot ") == "pilot"


class TestPersonaLLM:
    row: ClassVar[dict[str, object]] = {
        "persona_encoding": "extr_anta_cons_emot_clos",
        "iteration": 9,
        "annotation": "I met (a) friend.\n\nWe (b) talked.",
        "model": "gpt-4",
        "file": "extr_anta_cons_emot_clos_p9",
    }

    def test_row(self) -> None:
        (story,) = read(json_lines(self.row), "personallm")
        assert (story.id, story.group) == (self.row["file"], "extr_anta_cons_emot_clos")
        assert story.options == {"run": "9", "model": "gpt-4"}
        assert [u.text for u in story.utterances] == ["I met (a) friend.", "We (b) talked."]
        assert story.speakers[AUTHOR].labels == {
            "extraversion": 1.0,
            "agreeableness": 0.0,
            "conscientiousness": 1.0,
            "neuroticism": 0.0,
            "openness": 0.0,
        }

    def test_neurotic_and_open(self) -> None:
        row = {**self.row, "persona_encoding": "intr_agre_unco_neur_open", "file": None}
        (story,) = read(json_lines(row), "personallm")
        assert story.id == "intr_agre_unco_neur_open_p9"
        assert story.speakers[AUTHOR].labels == {
            "extraversion": 0.0,
            "agreeableness": 1.0,
            "conscientiousness": 0.0,
            "neuroticism": 1.0,
            "openness": 1.0,
        }

    @pytest.mark.parametrize("lead", ["", "Here are my responses:\n\n"])
    def test_answers_are_not_stories(self, lead: str) -> None:
        answers = {**self.row, "annotation": lead + "\n".join(f"({c}) 4" for c in "abcdefgh")}
        with pytest.raises(FormatError, match=r"holds questionnaire answers .*stories\.jsonl file"):
            read_dialogues(json_lines(answers, answers))
        story, bad = read_dialogues(json_lines(self.row, answers))
        assert isinstance(story, Dialogue)
        assert isinstance(bad, RowError) and bad.place == "stdin:2"

    @pytest.mark.parametrize("encoding", ["", "extr_intr", "extr_kind", 3])
    def test_bad_encoding(self, encoding: object) -> None:
        bad, good = read_dialogues(json_lines({**self.row, "persona_encoding": encoding}, self.row))
        assert isinstance(bad, RowError) and "persona_encoding" in str(bad)
        assert isinstance(good, Dialogue)


class TestStatements:
    rows = (
        {"statement": "I dream", "answer_matching_behavior": " Yes"},
        {"statement": "I nap", "answer_matching_behavior": " No"},
    )

    def write(self, folder: Path, stem: str, *rows: Any) -> Path:
        path = folder / f"{stem}.jsonl"
        path.write_text(json_lines(*(rows or self.rows)).getvalue())
        return path

    def test_file(self, tmp_path: Path) -> None:
        first, second = read(self.write(tmp_path, "Openness_dev"), "persona-statements")
        assert (first.id, first.group, second.id) == ("openness-1", "openness-1", "openness-2")
        assert turns(first) == [("0", AUTHOR, "I dream")]
        assert first.speakers[AUTHOR].labels == {"openness": 1.0}
        assert second.speakers[AUTHOR].labels == {"openness": 0.0}

    def test_folder_in_the_order_of_the_traits(self, tmp_path: Path) -> None:
        for stem in ("agreeableness", "neuroticism", "openness"):
            self.write(tmp_path, stem)
        self.write(tmp_path, "narcissism")
        assert [d.id for d in read(tmp_path, "persona-statements")] == [
            "openness-1",
            "openness-2",
            "agreeableness-1",
            "agreeableness-2",
            "neuroticism-1",
            "neuroticism-2",
        ]

    def test_bad_rows(self, tmp_path: Path) -> None:
        path = self.write(
            tmp_path, "openness", {**self.rows[0], "answer_matching_behavior": "Maybe"}, {"a": 1}
        )
        answer, keys = read_dialogues(path, "persona-statements")
        assert isinstance(answer, RowError) and "must be ' Yes' or ' No'" in str(answer)
        assert isinstance(keys, RowError) and "needs 'statement' and" in str(keys)

    def test_the_name_must_tell_the_trait(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match="the trait is the name of the file; name it after"):
            read_dialogues(self.write(tmp_path, "statements"))
        with pytest.raises(FormatError, match="stdin: the trait is the name of the file"):
            read_dialogues(json_lines(*self.rows))
        with pytest.raises(FormatError, match="holds no statement files"):
            read_dialogues(tmp_path, "persona-statements")


class TestMultiSessionChat:
    def test_session_1(self) -> None:
        row = {
            "dialog": [{"id": "bot_1", "text": "Hi"}, {"id": "bot_0", "text": "Hey"}],
            "initial_data_id": "valid_3",
            "init_personachat": {"init_personas": [["I am zero.", "I nap."], ["I am one."]]},
        }
        (chat,) = read(json_lines(row), "msc")
        assert (chat.id, chat.group, chat.focus) == ("valid_3", "valid_3", None)
        assert turns(chat) == [("0", "bot_1", "Hi"), ("1", "bot_0", "Hey")]
        assert chat.speakers["bot_0"].persona == ("I am zero.", "I nap.")
        assert chat.speakers["bot_1"].persona == ("I am one.",)

    def test_later_session(self) -> None:
        row = {
            "personas": [["I am one."], ["I am two."]],
            "dialog": [{"id": "Speaker 2", "text": "Hi"}, {"id": "Speaker 1", "text": "Hey"}],
            "metadata": {"initial_data_id": "train_0", "session_id": 2},
        }
        (chat,) = read(json_lines(row), "msc")
        assert (chat.id, chat.group) == ("train_0:session-2", "train_0")
        assert chat.speakers["Speaker 1"].persona == ("I am one.",)
        assert chat.speakers["Speaker 2"].persona == ("I am two.",)

    def test_bad_rows(self) -> None:
        rows = [
            {"init_personachat": {}},
            {"dialog": [{"text": "who?"}]},
            {"dialog": [{"id": "bot_0", "text": "x"}], "init_personachat": {"init_personas": [3]}},
        ]
        messages = [str(r) for r in read_dialogues(json_lines(*rows), "msc")]
        assert "no 'dialog'" in messages[0]
        assert "has no 'id'" in messages[1]
        assert "must be a list, not a number" in messages[2]


class TestSyntheticPersonaChat:
    header = ("user 1 personas", "user 2 personas", "Best Generated Conversation")

    def talk(self, text: str) -> Dialogue:
        (dialogue,) = read(
            table(self.header, ("I bake.\n I nap. \n", "I run.", text)), "synthetic-persona-chat"
        )
        return dialogue

    def test_row(self) -> None:
        chat = self.talk("User 1: Hi!\nUser 2: A list:\n\n1. rice\n2. User 1: no\nUser 1: Bye.")
        assert chat.id == "row-1"
        assert turns(chat) == [
            ("0", "User 1", "Hi!"),
            ("1", "User 2", "A list:\n1. rice\n2. User 1: no"),
            ("2", "User 1", "Bye."),
        ]
        assert chat.speakers["User 1"].persona == ("I bake.", "I nap.")
        assert chat.speakers["User 2"].persona == ("I run.",)

    def test_marked_up_generations(self) -> None:
        expected = [("0", "User 1", "Hi! *waves*"), ("1", "User 2", "Hey.")]
        assert turns(self.talk("* * *\nUser 1: Hi! *waves*\nUser 2: Hey.\n")) == expected
        assert turns(self.talk("*User 1:* Hi! *waves*\n\n*User 2: Hey.*")) == expected
        assert turns(self.talk("* User 1: Hi! *\n* User 2: Hey. *")) == [
            ("0", "User 1", "Hi!"),
            ("1", "User 2", "Hey."),
        ]

    def test_no_conversation(self) -> None:
        assert self.talk("").utterances == ()


class TestCPED:
    header = (
        *("TV_ID", "Dialogue_ID", "Utterance_ID", "Speaker", "Neuroticism", "Extraversion"),
        *("Openness", "Agreeableness", "Conscientiousness", "Utterance"),
    )

    def test_rows_become_dialogues(self, tmp_path: Path) -> None:
        low_high = ("low", "high", "unknown", "high", "low")
        unknown = ("unknown",) * 5
        path = tmp_path / "valid.csv"
        stream = table(
            self.header,
            ("32", "32_000", "32_000_000", "于春晓", *low_high, "怎么了"),
            ("32", "32_000", "32_000_001", "其他", *unknown, "好"),
            ("32", "32_001", "32_001_000", "其他", *unknown, "是"),
        )
        path.write_text(stream.getvalue(), encoding="utf-8-sig")
        first, second = read(path, "cped")
        assert (first.id, first.group, second.id) == ("32_000", "32", "32_001")
        assert (first.place, second.place) == ("valid.csv:2", "valid.csv:4")
        assert turns(first) == [("32_000_000", "于春晓", "怎么了"), ("32_000_001", "其他", "好")]
        assert first.speakers["于春晓"].labels == {
            "neuroticism": 0.0,
            "extraversion": 1.0,
            "agreeableness": 1.0,
            "conscientiousness": 0.0,
        }
        assert first.speakers["其他"].labels == {}

    def test_bad_rows(self) -> None:
        stream = table(
            self.header,
            ("32", "32_000", "u0", "A", *["low"] * 5, "a"),
            ("32", "32_000", "u1", "A", *["lowish"] * 5, "b"),
            ("32", "32_000", "u2", "", *["low"] * 5, "c"),
        )
        reader = read_dialogues(stream)
        name, dialogue = reader
        assert isinstance(name, RowError) and "no name in column 'Speaker'" in str(name)
        assert isinstance(dialogue, Dialogue) and len(dialogue.utterances) == 2
        assert len(reader.notes) == 5


class TestYouTube:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "transcripts").mkdir()
        (tmp_path / "impression_scores.csv").write_text(
            "vlogId Extr Agr Cons Emot Open\nVLOG1 4.9 3.7 3.6 3.2 5.5\n"
            "VLOG9 5 5 4.6 9.3 4.4\nVLOG10 5.9 5.3 5.3 5.8 5.5\nVLOG11 1 2 3\nVLOG12 1 2 3 4 x\n"
        )
        for vlog, text in (("VLOG10", "Ten."), ("VLOG2", "Two.\n\nDos."), ("VLOG1", "One: 1")):
            (tmp_path / "transcripts" / f"{vlog}.txt").write_text(text)
        return tmp_path

    def test_folder(self, folder: Path) -> None:
        (folder / "transcripts" / "VLOG3.txt").write_text(" \n")
        (folder / "transcripts" / "VLOG4.txt").write_bytes(b"f\xfcr")
        reader = read_dialogues(folder)
        assert reader.format == "youtube-personality"
        results = list(reader)
        bad = [r for r in results if isinstance(r, RowError)]
        assert [(r.row_id, r.place) for r in bad] == [
            ("line-3", "impression_scores.csv:3"),
            ("line-5", "impression_scores.csv:5"),
            ("line-6", "impression_scores.csv:6"),
            ("VLOG4", "VLOG4.txt:1"),
        ]
        vlogs = {r.id: r for r in results if isinstance(r, Dialogue)}
        assert list(vlogs) == ["VLOG1", "VLOG2", "VLOG3", "VLOG10"]
        assert vlogs["VLOG1"].speakers[AUTHOR].labels == {
            "openness": 5.5,
            "conscientiousness": 3.6,
            "extraversion": 4.9,
            "agreeableness": 3.7,
            "neuroticism": 4.8,
        }
        assert vlogs["VLOG2"].speakers[AUTHOR].labels == {}
        assert [u.text for u in vlogs["VLOG2"].utterances] == ["Two.", "Dos."]
        assert vlogs["VLOG3"].utterances == ()

    def test_single_transcript(self, folder: Path) -> None:
        results: list[Result] = list(read_dialogues(folder / "transcripts" / "VLOG10.txt"))
        (vlog,) = [r for r in results if isinstance(r, Dialogue)]
        assert (vlog.id, vlog.group) == ("VLOG10", "VLOG10")
        assert vlog.speakers[AUTHOR].labels["neuroticism"] == 2.2

    def test_problems_name_the_folder_as_the_cure(self, folder: Path) -> None:
        with pytest.raises(FormatError, match="give the folder that holds impression_scores"):
            read_dialogues(folder / "impression_scores.csv")
        with pytest.raises(FormatError, match="the labels are in a file of their own"):
            read_dialogues(io.StringIO("Hi"), "youtube-personality")
        with pytest.raises(FormatError, match="the folder transcripts is not complete"):
            read_dialogues(folder / "transcripts", "youtube-personality")
        (folder / "impression_scores.csv").write_text("vlogId Extr\nVLOG1 3\n")
        with pytest.raises(FormatError, match="has no column Open, Cons, Agr, Emot"):
            read_dialogues(folder)
