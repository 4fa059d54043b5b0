"""Dialogues: paragraphs of a text, and which speaker a choice means."""

from __future__ import annotations

import pytest

from persona_lab.dialogue import AUTHOR, Dialogue, Utterance
from persona_lab.errors import SpeakerError


def talk(*speakers: str, focus: str | None = None) -> Dialogue:
    """A dialogue in which the n-th turn says ``n``."""
    said = tuple(Utterance(str(i), name, str(i)) for i, name in enumerate(speakers))
    return Dialogue("d", said, focus=focus)


def test_paragraphs_become_utterances() -> None:
    text = Dialogue.from_text("One\ntwo.\n\n  \nThree.\r\n\r\nFour.", id="x", labels={"EI": 1.0})
    assert [(u.id, u.text) for u in text.utterances] == [
        ("0", "One\ntwo."), ("1", "Three."), ("2", "Four."),
    ]  # fmt: skip
    assert text.id == "x" and text.focus == AUTHOR
    assert text.speakers[AUTHOR].labels == {"EI": 1.0}
    assert text.choose(None) == (AUTHOR,)


@pytest.mark.parametrize("text", ["", " \n\n\t\n"])
def test_a_blank_text_has_no_utterances_and_still_an_author(text: str) -> None:
    dialogue = Dialogue.from_text(text)
    assert dialogue.utterances == ()
    # so that the author is reported as unscored instead of vanishing
    assert dialogue.choose(None) == (AUTHOR,)


def test_speakers_come_in_the_order_of_their_first_turn() -> None:
    dialogue = talk("Bo", "Ann", "Bo", "Cy")
    assert dialogue.speaker_names == ("Bo", "Ann", "Cy")
    assert [u.text for u in dialogue.by("Bo")] == ["0", "2"]
    assert dialogue.by("bo") == ()


def test_without_a_choice_everybody_counts_unless_the_row_is_about_one() -> None:
    assert talk("Bo", "Ann").choose(None) == ("Bo", "Ann")
    assert talk("Bo", "Ann", focus="Ann").choose(None) == ("Ann",)
    assert talk("Bo", "Ann", focus="Ann").choose("all") == ("Bo", "Ann")
    assert talk("Bo", focus="Ann").choose(None) == ("Ann",)
    assert talk().choose("all") == ()


def test_names_are_found_whatever_their_case_if_that_is_clear() -> None:
    assert talk("Bo", "Ann").choose("ANN") == ("Ann",)
    assert talk("ann", "Ann").choose("Ann") == ("Ann",)
    with pytest.raises(SpeakerError):
        talk("ann", "Ann").choose("ANN")


def test_an_unknown_speaker_is_told_who_is_there() -> None:
    with pytest.raises(SpeakerError, match=r"dialogue 'd' has no speaker 'Zed'; it has: Bo, Ann "):
        talk("Bo", "Ann").choose("Zed")
    with pytest.raises(SpeakerError, match="it has: nobody"):
        talk().choose("Zed")


def test_a_long_list_of_speakers_is_cut() -> None:
    with pytest.raises(SpeakerError, match=r"it has: s0, .*s9, \.\.\.") as caught:
        talk(*(f"s{i}" for i in range(11))).choose("Zed")
    assert "s10" not in str(caught.value)


def test_the_word_all_is_a_choice_and_no_name() -> None:
    assert talk("all", "Ann").choose("all") == ("all", "Ann")
