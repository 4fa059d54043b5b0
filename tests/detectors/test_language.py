"""Texts that are clearly not English are told apart; short chat is given the benefit."""

from __future__ import annotations

import pytest

from persona_lab.detectors import language
from persona_lab.detectors.language import foreign_language

GERMAN = (
    "Ich habe heute lange darüber nachgedacht, was ich in den Ferien machen will, und dann "
    "bin ich in die Stadt gegangen und habe mir ein Buch gekauft."
)
DUTCH = (
    "Gisteren was ik in de stad en het was me wel een dag, want we hebben met zijn allen in "
    "het park gegeten, en of we moe waren weet ik niet."
)
CHINESE = "我昨天和朋友们一起去公园散步。天气很好大家都很开心。" * 4
ENGLISH = (
    "I went into town yesterday and bought a book that a friend had told me about, but I "
    "have not read it because the weather was far too good for that."
)


@pytest.mark.parametrize(
    ("text", "code"), [(GERMAN, "de"), (DUTCH, "nl"), (CHINESE, "zh"), (ENGLISH, None)]
)
def test_languages(text: str, code: str | None) -> None:
    assert foreign_language(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "!!! 123", "ok", "lol", "haha no", "Ciao", "Merci!", "gn8 bestie",
        "omg haha yesss", "brb", "tschüss",
    ],
)  # fmt: skip
def test_short_chat_is_taken_as_english(text: str) -> None:
    assert foreign_language(text) is None


@pytest.mark.parametrize("text", ["你好", "Привет", "こんにちは", "שלום"])
def test_another_script_shows_at_any_length(text: str) -> None:
    assert foreign_language(text) is not None


def test_an_english_text_with_foreign_names_stays_english() -> None:
    text = f"{ENGLISH} Later I met Jürgen, Søren and Zoë, and we had crème brûlée."
    assert foreign_language(text) is None


def test_a_quote_does_not_make_a_german_text_english() -> None:
    assert foreign_language(f'{GERMAN} Da sagte er: "to be or not to be".') == "de"


def test_plain_english_is_not_sent_to_the_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("loading it takes half a second")

    monkeypatch.setattr(language, "_identifier", refuse)
    assert foreign_language(ENGLISH) is None
    with pytest.raises(AssertionError):
        foreign_language(GERMAN)


def test_only_the_beginning_is_looked_at() -> None:
    assert foreign_language(ENGLISH * 20 + GERMAN * 100) is None
