"""Chats written as text: messengers, captions, plays, chat templates; and what stays prose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from persona_lab.dialogue import AUTHOR, Dialogue
from persona_lab.errors import FormatError, RowError
from persona_lab.formats import detect_format, read_dialogues
from persona_lab.formats.chat_text import split_chat

SAID = (
    ("Ida", "I bake bread when it rains."),
    ("Otto", "I dance: every day, and I sing too!"),
    ("Ida", "Nobody rang me."),
    ("Otto", "Ring them, then!"),
)


def talk(line: Callable[[str, str, int], str], *, end: str = "\n") -> str:
    """The four turns, each written by ``line(name, text, position)``."""
    return "".join(line(name, text, i) + end for i, (name, text) in enumerate(SAID))


def read(tmp_path: Path, content: str, name: str = "talk.txt") -> list[list[tuple[str, str]]]:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    found = list(read_dialogues(path))
    dialogues = [row for row in found if isinstance(row, Dialogue)]
    assert len(dialogues) == len(found)
    return [[(u.speaker, u.text) for u in dialogue.utterances] for dialogue in dialogues]


ANDROID = "12/05/21, 10:3{} - {}: {}"
IOS = "[12.05.21, 10:3{}:07] {}: {}"

MESSENGERS = {
    "android": talk(lambda n, t, i: ANDROID.format(i, n, t)),
    "ios": talk(lambda n, t, i: IOS.format(i, n, t)),
    "ios with marks": talk(lambda n, t, i: "\u200e" + IOS.format(i, f"~\u202f{n}", t)),
    "p. m.": talk(lambda n, t, i: f"12/5/21, 10:3{i}\u202fp.\u00a0m. - {n}: {t}"),
    "dots for the time": talk(lambda n, t, i: f"12.5.2021 klo 10.3{i} - {n}: {t}"),
    "Chinese": talk(lambda n, t, i: f"2021/5/12 \u4e0b\u534810:3{i} - {n}: {t}"),
    "Signal": talk(lambda n, t, i: f"[2021-05-12 10:3{i}] {n}: {t}"),
    "Telegram": talk(lambda n, t, i: f"{n}, [12.05.21 10:3{i}]\n{t}\n"),
    "Telegram on a telephone": talk(
        lambda n, t, i: f"{n}, [May 12, 2021 at 10:31:0{i} AM]:\n{t}\n"
    ),
    "Discord": talk(lambda n, t, i: f"{n} \u2014 05/12/2021 10:3{i} AM\n{t}"),
    "Discord of today": talk(lambda n, t, i: f"{n} \u2014 Today at 10:3{i} AM\n{t}\n"),
    "Discord on three lines": talk(lambda n, t, i: f"{n}\n \u2014 \nToday at 10:3{i} AM\n{t}"),
    "Discord, compact": talk(lambda n, t, i: f"[10:3{i} AM]{n}: {t}"),
    "Arabic": talk(lambda n, t, i: f"\u200f12/5/2021\u060c 10:3{i} \u0645 - \u200f{n}: {t}"),
    "Greek": talk(lambda n, t, i: f"12/5/21, 10:3{i} \u03c0.\u03bc. - {n}: {t}"),
    "Discord, exported": talk(lambda n, t, i: f"[12-May-21 10:3{i} AM] {n}\n{t}\n"),
    "iMessage": talk(
        lambda n, t, i: f"May 12, 2021  10:31:0{i} AM (Read by you after 1 minute)\n{n}\n{t}\n"
    ),
    "Slack, copied": talk(lambda n, t, i: f"{n}\n:cat:  10:3{i} AM\n{t}"),
    "Slack": talk(lambda n, t, i: f"{n}  10:3{i} AM\n{t}"),
    "Zoom chat": talk(lambda n, t, i: f"10:31:0{i} From {n} to Everyone: {t}"),
    "Zoom chat of old": talk(lambda n, t, i: f"10:31:0{i}\t From  {n} : {t}"),
    "time in brackets": talk(lambda n, t, i: f"{n} (10:3{i} AM): {t}"),
    "seconds": talk(lambda n, t, i: f"[{i}.0s - {i}.9s] {n}: {t}"),
    "name, then time below": talk(lambda n, t, i: f"{n}\n10:3{i} AM\n{t}"),
    "time before the name": talk(lambda n, t, i: f"00:0{i} {n}\n{t}\n"),
    "name and colon, then time": talk(lambda n, t, i: f"{n}: (00:0{i})\n{t}\n"),
    "IRC": talk(lambda n, t, i: f"<{n}> {t}"),
    "IRC with times": talk(lambda n, t, i: f"10:3{i} <@{n}> {t}"),
    "LINE": talk(lambda n, t, i: f"10:3{i}\t{n}\t{t}"),
    "KakaoTalk": talk(lambda n, t, i: f"[{n}] [\uc624\uc804 10:3{i}] {t}"),
    "WeChat": talk(lambda n, t, i: f"{n} 2021-05-12 10:31:0{i}\n{t}\n"),
    "Teams": talk(lambda n, t, i: f"[Yesterday 10:3{i} AM] {n}\n{t}\n"),
    "a list": talk(lambda n, t, i: f"- {n}: {t}"),
    "a numbered list": talk(lambda n, t, i: f"{i + 1}. {n}: {t}"),
    "bold names and times": talk(lambda n, t, i: f"**{n}** [00:0{i}]: {t}\n"),
    "times between": talk(lambda n, t, i: f"00:0{i}:00\n\n{n}: {t}\n"),
    "parts": talk(lambda n, t, i: f"## Part {i}\n\n{n}: {t}\n\n---\n"),
    "scenes": talk(lambda n, t, i: f"INT. MILL\n\nIt rains.\n\n{n}: {t}\n\nCUT TO:\n"),
    "name in brackets": talk(lambda n, t, i: f"[{n}]: {t}"),
    "name on its own line": talk(lambda n, t, i: f"{n}\n{t}\n"),
    "name on its own line, no gaps": talk(lambda n, t, i: f"{n}\n{t}"),
}


@pytest.mark.parametrize("layout", MESSENGERS)
def test_chats_of_messengers_are_read_by_speaker(tmp_path: Path, layout: str) -> None:
    assert read(tmp_path, MESSENGERS[layout]) == [list(SAID)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("~ Ida", "+44 7700 900123"),
        ("Ida from the big bakery \U0001f33b", "\U0001f98a"),
        ("Mum & Dad (new)", "Otto | Work"),
    ],
)
@pytest.mark.parametrize("line", [ANDROID, IOS])
def test_names_as_address_books_hold_them(
    tmp_path: Path, first: str, second: str, line: str
) -> None:
    content = talk(lambda n, t, i: line.format(i, first if n == "Ida" else second, t))
    (turns,) = read(tmp_path, content)
    assert [name for name, _ in turns] == [first.lstrip("~ "), second] * 2


NOTICES = (
    "12/05/21, 10:29 - Messages and calls are end-to-end encrypted. No one outside can read.",
    '12/05/21, 10:29 - Ida created group "Rye: and more"',
    "12/05/21, 10:29 - Ida added Otto",
    '12/05/21, 10:29 - Ida changed the subject from "Rye" to "Bread: all kinds"',
    "12/05/21, 10:29 - Ida changed the description: we bake",
    "12/05/21, 10:29 - Ida: <Media omitted>",
    "12/05/21, 10:29 - Ida: This message was deleted",
    "12/05/21, 10:29 - Otto: Diese Nachricht wurde gel\u00f6scht.",
    "12/05/21, 10:29 - Otto: Bu mesaj silindi",
    "12/05/21, 10:29 - Otto: Dit bericht is verwijderd",
    "12/05/21, 10:29 - Ida: IMG-2021.jpg (file attached)",
    "[12/05/21, 10:29:00] Bakers: \u200eMessages and calls are end-to-end encrypted.",
    "[12/05/21, 10:29:00] Otto: \u200eimage omitted",
    "[12/05/21, 10:29:00] Otto: \u200e<attached: 0001-PHOTO.jpg>",
)


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("first", [True, False])
def test_notices_and_placeholders_are_nobodys_words(
    tmp_path: Path, notice: str, first: bool
) -> None:
    chat = talk(lambda n, t, i: ANDROID.format(i, n, t))
    content = f"{notice}\n{chat}" if first else f"{chat}{notice}\n"
    assert read(tmp_path, content) == [list(SAID)]
    reader = read_dialogues(tmp_path / "talk.txt")
    assert reader.notes == ["1 line is left out as nobody's words (titles, notices, placeholders)"]


def test_the_words_below_a_picture_are_words(tmp_path: Path) -> None:
    content = talk(lambda n, t, i: ANDROID.format(i, n, t))
    content += "12/05/21, 10:40 - Ida: <Media omitted>\nmy first loaf\n"
    assert read(tmp_path, content)[0][-1] == ("Ida", "my first loaf")


@pytest.mark.parametrize("line", [ANDROID, IOS, "{1} (10:3{0} AM): {2}", "10:3{0} <{1}> {2}"])
def test_a_line_without_a_time_goes_on_where_all_turns_have_one(tmp_path: Path, line: str) -> None:
    content = talk(lambda n, t, i: line.format(i, n, t)) + "Rye: a pound\n\nSalt: some\n"
    (turns,) = read(tmp_path, content)
    assert {name for name, _ in turns} == {"Ida", "Otto"}
    assert turns[-1][1] == "Ring them, then!\nRye: a pound\nSalt: some"


def test_a_line_with_another_kind_of_time_goes_on(tmp_path: Path) -> None:
    content = talk(lambda n, t, i: ANDROID.format(i, n, t)) + "10:31 Bus: late\n11:00 Bus: gone\n"
    (turns,) = read(tmp_path, content)
    assert turns[-1] == ("Otto", "Ring them, then!\n10:31 Bus: late\n11:00 Bus: gone")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("[SPEAKER_0{0}]: {1}", ("SPEAKER_00", "SPEAKER_01")),
        ("SPEAKER_0{0} [00:00:01]: {1}", ("SPEAKER_00", "SPEAKER_01")),
        ("(speaker {0}) {1}", ("speaker 0", "speaker 1")),
        ("[Speaker {0}] {1}", ("Speaker 0", "Speaker 1")),
        ("[00:00:01.000 --> 00:00:02.000]  (speaker {0}) {1}", ("speaker 0", "speaker 1")),
    ],
)
def test_speakers_of_speech_recognition(tmp_path: Path, line: str, names: tuple[str, str]) -> None:
    (turns,) = read(tmp_path, talk(lambda n, t, i: line.format(i % 2, t)))
    assert turns == [(names[i % 2], text) for i, (_, text) in enumerate(SAID)]


PLAIN = talk(lambda n, t, i: f"{n}: {t}")


@pytest.mark.parametrize(
    "preface",
    [
        "Talk at the mill",
        "# Talk",
        "Talk at the mill\n\nIt was raining, and both had come by train.",
        "---\ntitle: Talk\nrecorder: old\nday: one\n---",
        "[Scene: the mill, at night.]",
        "(Both are in the mill.)",
        "Date: 3 May\nPlace: the mill\nParticipants: Ida, Otto",
        "**Interview: part one**",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\n\n"])
def test_what_stands_before_the_first_turn_is_a_preface(
    tmp_path: Path, preface: str, end: str
) -> None:
    content = f"{preface}\n\n" + talk(lambda n, t, i: f"{n}: {t}", end=end)
    assert read(tmp_path, content) == [list(SAID)]


def test_lines_in_square_brackets_are_nobodys(tmp_path: Path) -> None:
    assert read(tmp_path, PLAIN.replace("\n", "\n[They eat.]\n")) == [list(SAID)]


def test_an_assistants_lists_are_no_speakers(tmp_path: Path) -> None:
    steps = "".join(f"Step {i}: knead it\nRye: a pound\n" for i in range(9))
    content = f"User: how?\nAssistant: So:\n{steps}User: thanks\nAssistant: Sure.\n"
    (turns,) = read(tmp_path, content)
    assert [name for name, _ in turns] == ["User", "Assistant"] * 2


CUES = "{0}\n00:00:0{0}{1}000 --> 00:00:0{0}{1}900{2}\n{3}\n\n"


def captions(line: Callable[[str, str, int], str], *, comma: bool = True, more: str = "") -> str:
    """The four turns as cues."""
    head = "" if comma else "WEBVTT - talk\n\nNOTE\nby hand\n\nSTYLE\n::cue { color: red }\n\n"
    return head + talk(
        lambda n, t, i: CUES.format(i + 1, "," if comma else ".", more, line(n, t, i)), end=""
    )


@pytest.mark.parametrize(
    "content",
    [
        captions(lambda n, t, i: f"{n}: {t}"),
        captions(lambda n, t, i: f"- {n}: {t}"),
        captions(lambda n, t, i: f"<i>{n}: {t}</i>"),
        captions(lambda n, t, i: f"{n}: {t}", comma=False),
        captions(lambda n, t, i: f"<v {n}>{t}</v>", comma=False, more=" align:start position:0%"),
        captions(lambda n, t, i: f"<v.loud {n}>{t.replace(' ', ' <c>', 1)}</c>", comma=False),
        captions(lambda n, t, i: f"{n}\n{t}"),
        captions(lambda n, t, i: f"{n}: {t}\n[DOOR SLAMS]"),
        captions(lambda n, t, i: f"[{n}] {t}"),
        captions(lambda n, t, i: f"<v {n}>{t}</v>", comma=False),
        captions(lambda n, t, i: f"{n}: {t.replace(' ', chr(10), 1)}"),
    ],
)
@pytest.mark.parametrize("name", ["talk.srt", "talk.vtt", "talk.txt"])
def test_captions_with_names(tmp_path: Path, content: str, name: str) -> None:
    assert read(tmp_path, content, name) == [list(SAID)]
    assert detect_format(tmp_path / name) == "subtitles"


@pytest.mark.parametrize(
    "content",
    [
        captions(lambda n, t, i: t),
        captions(lambda n, t, i: f"- {t}"),
        captions(lambda n, t, i: t, comma=False),
        talk(lambda n, t, i: f"[00:00:0{i}.000 --> 00:00:0{i}.900]  {t}"),
    ],
)
def test_captions_without_names_are_one_text(tmp_path: Path, content: str) -> None:
    words = "\n".join(text for _, text in SAID)
    assert read(tmp_path, content, "film.srt") == [[(AUTHOR, words)]]
    (note,) = read_dialogues(tmp_path / "film.srt").notes
    assert "do not name who speaks" in note


def test_two_voices_in_a_cue(tmp_path: Path) -> None:
    content = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ida>Rye?</v> <v Otto>Rye.</v>\n"
    assert read(tmp_path, content) == [[("Ida", "Rye?"), ("Otto", "Rye.")]]


def test_captions_that_roll_up_are_read_once(tmp_path: Path) -> None:
    cue = "00:00:0{}.000 --> 00:00:0{}.900 align:start\n{}\n{}\n\n"
    content = "WEBVTT\nKind: captions\n\n" + "".join(
        cue.format(*part)
        for part in (
            (1, 1, " ", "I<00:00:01.200><c> bake</c><00:00:01.400><c> bread</c>"),
            (2, 2, "I bake bread", " "),
            (3, 3, "I bake bread", "when<00:00:03.200><c> it</c><00:00:03.400><c> rains</c>"),
        )
    )
    assert read(tmp_path, content) == [[(AUTHOR, "I bake bread\nwhen it rains")]]


@pytest.mark.parametrize(
    "content",
    [
        "INT. MILL - NIGHT\n\nRain.\n\n" + talk(lambda n, t, i: f"{n.upper()}\n{t}\n"),
        talk(lambda n, t, i: f"{n.upper()} (CONT'D)\n(smiling)\n{t}\n\nThe door opens.\n"),
        "ACT I. A mill.\n\n Enter both.\n\n" + talk(lambda n, t, i: f"{n.upper()}.\n{t}\n"),
        "FADE IN:\n\nEXT. ROAD - DAY\n\n"
        + talk(lambda n, t, i: f"{' ' * 20}{n.upper()} (V.O.)\n{' ' * 9}{t}\n")
        + "\n          CUT TO:\n",
        talk(lambda n, t, i: f"{n.upper()}. {t}\n"),
    ],
)
def test_plays(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == [[(name.upper(), text) for name, text in SAID]]


ROLES = {"Ida": "user", "Otto": "assistant"}
TEMPLATES = {
    "HH-RLHF": ("\n\nHuman: {}", "\n\nAssistant: {}"),
    "chatml": ("<|im_start|>user\n{}<|im_end|>\n", "<|im_start|>assistant\n{}<|im_end|>\n"),
    "guanaco": ("### Human: {}", "### Assistant: {}"),
    "alpaca": ("### Instruction:\n{}\n\n", "### Response:\n{}\n\n"),
    "inst": ("<s>[INST] {} [/INST]", " {} </s>"),
    "zephyr": ("<|user|>\n{}</s>\n", "<|assistant|>\n{}</s>\n"),
    "prompter": ("<|prompter|>{}<|endoftext|>", "<|assistant|>{}<|endoftext|>"),
    "llama 3": (
        "<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n{}<|eot_id|>",
    ),
    "gemma": ("<start_of_turn>user\n{}<end_of_turn>\n", "<start_of_turn>model\n{}<end_of_turn>\n"),
    "saved from a page": ("## Prompt:\n{}\n\n", "## Response:\n{}\n\n"),
    "copied from a page": ("**You**\n{}\n\n", "**ChatGPT said:**\n{}\n\n"),
    "vicuna": ("USER: {} ", "ASSISTANT: {}</s>"),
    "harmony": (
        "<|start|>user<|message|>{}<|end|>",
        "<|start|>assistant<|channel|>analysis<|message|>hm<|end|>"
        "<|start|>assistant<|channel|>final<|message|>{}<|return|>",
    ),
}


def in_template(name: str) -> str:
    user, assistant = TEMPLATES[name]
    return talk(lambda n, t, i: (user if n == "Ida" else assistant).format(t), end="")


@pytest.mark.parametrize("template", TEMPLATES)
def test_chat_templates(tmp_path: Path, template: str) -> None:
    expected = [(ROLES[name], text) for name, text in SAID]
    assert read(tmp_path, in_template(template)) == [expected]
    found = split_chat(in_template(template))
    assert found is not None and [(u.speaker, u.text) for u in found] == expected


@pytest.mark.parametrize(
    "content",
    [
        "<|im_start|>system\nYou are calm.<|im_end|>\n" + in_template("chatml"),
        "<|system|>\nYou are calm.</s>\n" + in_template("zephyr"),
        in_template("inst").replace("[INST] ", "[INST] <<SYS>>\nYou are calm.\n<</SYS>>\n\n", 1),
    ],
)
def test_what_a_template_gives_to_the_system_is_the_assistants_persona(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "talk.txt").write_text(content)
    (dialogue,) = read_dialogues(tmp_path / "talk.txt")
    assert isinstance(dialogue, Dialogue)
    assert dialogue.speaker_names == ("user", "assistant")
    assert dialogue.speakers["assistant"].persona == ("You are calm.",)


def test_the_input_of_an_instruction_is_part_of_it(tmp_path: Path) -> None:
    content = "### Instruction:\nBake.\n\n### Input:\nrye\n\n### Response:\nDone.\n"
    assert read(tmp_path, content) == [[("user", "Bake.\nrye"), ("assistant", "Done.")]]


def test_a_chat_a_line(tmp_path: Path) -> None:
    line = in_template("guanaco")
    assert len(read(tmp_path, f"{line}\n{line}\n")) == 2
    reader = read_dialogues(tmp_path / "talk.txt")
    assert [(d.id, d.place) for d in reader if isinstance(d, Dialogue)] == [
        ("line-1", "talk.txt:1"),
        ("line-2", "talk.txt:2"),
    ]


def test_dialogues_by_line_have_two_speakers_in_turn(tmp_path: Path) -> None:
    content = "Hi. __eou__ Hello. __eou__ Bye. __eou__\nYes? __eou__ No. __eou__\n"
    assert read(tmp_path, content) == [
        [("speaker 1", "Hi."), ("speaker 2", "Hello."), ("speaker 1", "Bye.")],
        [("speaker 1", "Yes?"), ("speaker 2", "No.")],
    ]


def test_turns_of_several_utterances(tmp_path: Path) -> None:
    content = "Hi. __eou__ All well? __eou__ __eot__ Yes. __eou__ __eot__\n"
    assert read(tmp_path, content) == [[("speaker 1", "Hi.\nAll well?"), ("speaker 2", "Yes.")]]


PROSE = {
    "novel": '"Come in," said Ida. "Sit."\n\nOtto sat. He said: go.\n\n"No," she said.\n',
    "novel that quotes a chat": "It was late.\n\n" * 30 + "Ida: hi\nOtto: ho\nIda: hm\n",
    "mail": "From: Ida\nTo: Otto\nSubject: rye\n\nDear Otto,\nit is good.\n\nIda\n",
    "mails": "From: Ida\nTo: Otto\n\nHi\n\nFrom: Otto\nTo: Ida\n\nHo\n",
    "recipe": "Rye bread\n\nFlour: two bags\nSalt: a bit\nWater: some\nYeast: a cube\n\nMix it.\n",
    "keys": "Colour: red\nSize: ten\nShape: round\nWeight: low\n",
    "poem": "Row on\n\nThe river goes down\nThe river goes home\n\nRow on\n\nThe night is long\n",
    "song": "Verse 1\nla la la\n\nChorus\nlo lo\n\nVerse 2\nla\n\nChorus\nlo lo\n",
    "code": "def f(x):\n    if x:\n        return 1\n    else:\n        return 2\n" * 3,
    "css": "a {\n  color: red;\n  margin: 0;\n}\nb {\n  color: blue;\n  margin: 0;\n}\n",
    "log": "2021-05-12 10:31:07 INFO: up\n2021-05-12 10:31:08 ERROR: no\n" * 3,
    "log of a server": "[10:31:07] [Main/INFO]: up\n[10:31:08] [Main/WARN]: slow\n" * 3,
    "log of one program": "[10:31:07] baker: up\n[10:31:08] baker: down\n",
    "minutes": "Minutes\n\nPresent: Ida, Otto\n\nDecision: bake.\nAction: Ida.\n" * 2,
    "headings in capitals": "PRESENT\nIda and Otto\n\nPLANS\nTo bake\n\nNEXT TIME\nMonday\n",
    "agenda": "10:00 Breakfast\n11:00 Walk\n12:00 Lunch\n13:00 Walk\n",
    "diary": "Monday 10:31\nI got up.\n\nTuesday 11:20\nI slept.\n\nMonday 9:00\nAgain.\n",
    "times": "10:31 I woke.\n11:15 I ate: eggs and bread.\n12:02 I slept.\n",
    "markdown": "# Bread\n\nWords.\n\n## Part: one\n\nMore.\n\n## Part: two\n\nMore.\n",
    "manual": "### Input:\n3 4\n### Output:\n7\n",
    "page": "<p>hello there</p>\n<p>how are you</p>\n",
    "likes": "Things I love: bread.\nThings I hate: noise.\n" * 2,
    "mark in prose": "In chatml <|im_start|> begins a turn. I like it.\n",
    "manual of marks": "Turns begin with `<|user|>` or `<|assistant|>`.\n\n" * 2,
    "one heading": "Summer of rain: it never stopped.\n",
}


@pytest.mark.parametrize("kind", PROSE)
def test_prose_stays_prose(kind: str, tmp_path: Path) -> None:
    (tmp_path / "prose.txt").write_text(PROSE[kind])
    assert detect_format(tmp_path / "prose.txt") == "text"
    assert split_chat(PROSE[kind]) is None


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("It was so.\n\n" * 40 + PLAIN, "transcript"),
        ("It was so.\n" * 300 + captions(lambda n, t, i: t), "subtitles"),
        ("It was so.\n" * 300 + in_template("chatml"), "chat-template"),
        ("It was so.\n" * 9 + "Hi __eou__ ho __eou__\n", "dailydialog"),
    ],
)
def test_a_text_that_looks_like_several_speakers_is_remarked(
    tmp_path: Path, content: str, layout: str
) -> None:
    (tmp_path / "odd.txt").write_text(content)
    reader = read_dialogues(tmp_path / "odd.txt")
    assert reader.format == "text"
    list(reader)
    (note,) = reader.notes
    assert note.endswith(f"if several people speak, try --format {layout}")
    assert not any(name in note or text in note for name, text in SAID)


@pytest.mark.parametrize(
    "kind", sorted(set(PROSE) - {"novel that quotes a chat", "keys", "likes", "manual of marks"})
)
def test_prose_is_not_remarked(tmp_path: Path, kind: str) -> None:
    (tmp_path / "prose.txt").write_text(PROSE[kind])
    reader = read_dialogues(tmp_path / "prose.txt")
    list(reader)
    assert reader.notes == []


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        (in_template("HH-RLHF"), {"user", "assistant"}),
        (MESSENGERS["android"], {"Ida", "Otto"}),
        (PLAIN, {"Ida", "Otto"}),
        (captions(lambda n, t, i: f"{n}: {t}"), {"Ida", "Otto"}),
    ],
)
def test_a_field_that_holds_a_chat(text: str, speakers: set[str]) -> None:
    found = split_chat(text)
    assert found is not None and {u.speaker for u in found} == speakers


@pytest.mark.parametrize("text", ["Pros: cheap\nCons: slow", "Ida: I bake.", "", "word " * 50])
def test_a_field_that_may_be_something_else_is_one_text(text: str) -> None:
    assert split_chat(text) is None


@pytest.mark.parametrize(
    ("layout", "wanted"),
    [
        ("transcript", "no line begins with 'Name: '"),
        ("subtitles", "no line holds a range of times"),
        ("chat-template", "no marks of a user and an assistant"),
        ("screenplay", "no name in capitals"),
    ],
)
def test_a_layout_that_does_not_fit_says_what_is_missing(
    tmp_path: Path, layout: str, wanted: str
) -> None:
    (tmp_path / "a.txt").write_text("Only words.\n")
    with pytest.raises(FormatError, match=wanted):
        read_dialogues(tmp_path / "a.txt", layout)


def test_two_turns_under_sure_marks_are_enough(tmp_path: Path) -> None:
    content = "Ida \u2014 Today at 10:31 AM\nRye?\nOtto \u2014 Today at 10:32 AM\nRye.\n"
    assert read(tmp_path, content) == [[("Ida", "Rye?"), ("Otto", "Rye.")]]


@pytest.mark.parametrize(
    "record",
    [
        {"text": in_template("chatml")},
        {"text": in_template("HH-RLHF")},
        {"prompt": "", "chosen": in_template("HH-RLHF")},
        {"conversation": in_template("guanaco")},
    ],
)
def test_fields_of_records_that_hold_a_chat(tmp_path: Path, record: dict[str, str]) -> None:
    (turns,) = read(tmp_path, json.dumps(record) + "\n", "rows.jsonl")
    assert turns == [(ROLES[name], text) for name, text in SAID]


@pytest.mark.parametrize("more", [{"speaker": "Eva"}, {"labels": {"openness": 1}}])
def test_a_text_with_an_author_stays_the_authors(tmp_path: Path, more: dict[str, object]) -> None:
    row = {"id": "a", "text": in_template("HH-RLHF"), **more}
    (turns,) = read(tmp_path, json.dumps(row) + "\n", "rows.jsonl")
    assert {name for name, _ in turns} == {more.get("speaker", AUTHOR)}


class TestDamage:
    @pytest.mark.parametrize("name", ["android", "Signal", "IRC"])
    def test_a_line_in_another_encoding_costs_itself(self, tmp_path: Path, name: str) -> None:
        lines = MESSENGERS[name].encode().splitlines(keepends=True)
        path = tmp_path / "talk.txt"
        path.write_bytes(b"".join([*lines[:2], lines[2].replace(b"me", b"caf\xe9"), lines[3]]))
        bad, dialogue = read_dialogues(path)
        assert isinstance(bad, RowError) and bad.place == "talk.txt:3"
        assert isinstance(dialogue, Dialogue)
        assert [u.text for u in dialogue.utterances] == [SAID[i][1] for i in (0, 1, 3)]

    def test_a_dialogue_a_line(self, tmp_path: Path) -> None:
        path = tmp_path / "talk.txt"
        path.write_bytes(b"a __eou__ b __eou__\nc\xe9 __eou__ d __eou__\n\x00\x00\x00\ne __eou__\n")
        rows = list(read_dialogues(path))
        assert [type(row) for row in rows] == [Dialogue, RowError, RowError, Dialogue]

    def test_a_text_loses_the_line(self, tmp_path: Path) -> None:
        path = tmp_path / "text.txt"
        path.write_bytes(b"words here\n" * 20 + b"caf\xe9\n" + b"words here\n")
        bad, dialogue = read_dialogues(path)
        assert isinstance(bad, RowError) and bad.place == "text.txt:21"
        assert isinstance(dialogue, Dialogue)
        assert dialogue.utterances[0].text == "\n".join(["words here"] * 21)

    @pytest.mark.parametrize("at", [0, 1, 2])
    @pytest.mark.parametrize("count", [3, 20_000])
    def test_a_line_of_nul_bytes(self, tmp_path: Path, at: int, count: int) -> None:
        rows = [b'{"id": "a", "text": "one"}', b'{"id": "b", "text": "two"}']
        rows.insert(at, b"\x00" * count)
        (tmp_path / "rows.jsonl").write_bytes(b"\n".join(rows) + b"\n")
        found = list(read_dialogues(tmp_path / "rows.jsonl"))
        assert [row.id for row in found if isinstance(row, Dialogue)] == ["a", "b"]
        (bad,) = [row for row in found if isinstance(row, RowError)]
        assert bad.place == f"rows.jsonl:{at + 1}" and "NUL" in str(bad)

    @pytest.mark.parametrize("cell", [b"caf\xe9", b'"caf\xe9"', b"\x93rye\x94", b'"a\ncaf\xe9"'])
    def test_a_csv_row_in_another_encoding(self, tmp_path: Path, cell: bytes) -> None:
        (tmp_path / "rows.csv").write_bytes(b"id,text\na,one\nb," + cell + b"\nc,three\n")
        first, bad, last = read_dialogues(tmp_path / "rows.csv")
        assert isinstance(first, Dialogue) and isinstance(last, Dialogue)
        assert isinstance(bad, RowError) and bad.row_id == "row-2"
        assert (first.id, last.id) == ("a", "c")

    def test_an_element_of_a_json_array(self, tmp_path: Path) -> None:
        rows = b'[\n{"id": "a", "text": "one"},\n{"id": "b", "text": "caf\xe9"},\n{"id": "c", '
        (tmp_path / "rows.json").write_bytes(rows + b'"text": "x"}\n]\n')
        first, bad, last = read_dialogues(tmp_path / "rows.json")
        assert isinstance(first, Dialogue) and isinstance(last, Dialogue)
        assert isinstance(bad, RowError) and bad.place == "rows.json:3"


def test_a_copied_talk_with_an_assistant_has_its_lists(tmp_path: Path) -> None:
    said = [("You said", "Hi."), ("ChatGPT said", "Do this.\nTip: sun\nTip: rain")] * 2
    assert read(tmp_path, "".join(f"{n}:\n{t}\n\n" for n, t in said)) == [said]


def test_lines_that_end_an_export_are_nobodys(tmp_path: Path) -> None:
    content = talk(lambda n, t, i: f"{n}  0:0{i}\n{t}\n") + "Transcribed by https://otter.ai\n"
    assert read(tmp_path, content) == [list(SAID)]


@pytest.mark.parametrize(
    "lines",
    [
        "1 your persona: i bake.\n2 hi\thello\n1 your persona: i dance.\n2 hm\tho\n",
        "L1 +++$+++ u0 +++$+++ m0 +++$+++ IDA +++$+++ Hm.\nL2 +++$+++ u1 +++$+++ Ho.\n",
    ],
)
def test_known_files_that_are_not_read_are_remarked_on(tmp_path: Path, lines: str) -> None:
    path = tmp_path / "known.txt"
    path.write_text(lines)
    reader = read_dialogues(path)
    (dialogue,) = reader
    assert isinstance(dialogue, Dialogue) and {u.speaker for u in dialogue.utterances} == {AUTHOR}
    assert any("which are not read" in note for note in reader.notes)


@pytest.mark.parametrize(
    "content",
    [
        "10:30\nSoup\n11:00\nBread\n12:00\nSoup\n13:00\nBread\n",
        "10:30\nSoup\nBring a bowl.\n11:00\nBread\nBring a knife.\n12:00\nSoup\nAgain.\n",
        "3 May 2021, 10:31\nIt rains.\n\n4 May 2021, 11:00\nIt snows.\n\n5 May 2021, 9:00\nSun.\n",
        "CHAPTER I.\n\nIt rains.\n\nCHAPTER II.\n\nIt snows.\n\nTHE END.\n",
    ],
)
def test_times_and_headings_do_not_speak(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.txt"
    path.write_text(content)
    assert detect_format(path) == "text"
