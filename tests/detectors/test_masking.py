"""The leakage guard masks what names the answer, and leaves everyday English alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_lab.detectors import masking
from persona_lab.detectors.masking import (
    MASK,
    RuleSet,
    mask,
    mask_all,
    mask_trait_words,
    mask_type_words,
)

TYPE_WORDS = [
    "INFP", "infp", "intps", "INFPs", "INFP's", "infpish", "xNFP", "IxTJ", "IXFPs",
    "Ni-dom", "ni-dom", "Fe user", "te users", "Se grip", "Ne", "Ti", "T/F", "E/I",
    "introvert", "introverts", "Introversion", "extraverted", "extroverts", "ambivert",
    "sensor", "sensors", "intuitive", "intuitors", "perceivers", "judging", "judgers",
    "thinker", "feelers", "thinking types", "feeling function", "sensing preference",
    "MBTI", "mbti", "Myers-Briggs", "myers briggs", "keirsey", "socionics",
    "enneagram", "enneagrams", "5w4", "NT", "nf", "SJs", "sp",
    "cognitive functions", "inferior function", "16personalities", "16 personalities",
]  # fmt: skip

TRAIT_WORDS = [
    "extroverted", "Extraversion", "introverted", "agreeable", "disagreeable",
    "agreeableness", "antagonistic", "conscientious", "unconscientious", "neurotic",
    "neuroticism", "emotionally stable", "emotionally unstable", "emotional stability",
    "emotional instability", "open to experience", "open to new experiences", "openness",
    "open-minded", "closed to experience", "closed-minded", "closed off", "Big Five",
]  # fmt: skip

EVERYDAY = [
    "feel", "feeling", "feeling fine", "thinking", "thinking about", "thinking it over",
    "fine", "ne", "fi", "si", "te", "site", "note", "often", "want", "spin", "post",
    "judge", "judge the food", "judged", "sensible", "sense", "perceive", "intuition",
    "open", "open the door", "open to ideas", "closed the window", "closed", "emotional",
    "stable", "agree", "functions", "dominant", "user", "16 people", "personalities",
    "I", "It", "In", "infant", "internet", "entire", "instep", "w4", "five", "ocean", "big",
]  # fmt: skip


@pytest.mark.parametrize("word", TYPE_WORDS)
def test_words_that_name_a_type_are_masked(word: str) -> None:
    assert mask_type_words(word) == MASK
    assert mask(f"so, {word}, indeed") == f"so, {MASK}, indeed"


@pytest.mark.parametrize("word", TRAIT_WORDS)
def test_words_that_name_a_pole_are_masked(word: str) -> None:
    assert mask_trait_words(word) == MASK
    assert mask(f"so, {word}, indeed") == f"so, {MASK}, indeed"


@pytest.mark.parametrize("words", EVERYDAY)
def test_everyday_english_stays(words: str) -> None:
    sentence = f"well, {words}, you know"
    assert mask(sentence) == sentence


def test_functions_need_capitals_or_a_word_that_shows_what_is_meant() -> None:
    assert mask("il ne dit rien, si si") == "il ne dit rien, si si"
    assert mask("my Ne and her Si") == f"my {MASK} and her {MASK}"
    assert mask("an ne-dom friend") == f"an {MASK} friend"


def test_the_mask_tells_nothing_about_what_it_hides() -> None:
    assert mask("I am an INFP.") == mask("I am an ESTJ.") == f"I am an {MASK}."


def test_a_word_is_masked_whole_or_not_at_all() -> None:
    assert mask("introvertedness") == MASK
    assert mask("reintroverted") == "reintroverted"
    assert mask("ministj") == "ministj"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see https://x.org/INFP-test?a=b now", "see  https  now"),
        ("WWW.site.net/intp", " https "),
        ("Awwww... how sweet", "Awwww... how sweet"),
        ("awww...is that you", "awww...is that you"),
        ("www... no", "www... no"),
    ],
)
def test_links_become_one_word(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_letters_that_only_look_up_as_i_or_s_do_not_slip_through() -> None:
    # regular expressions take dotless i and long s for i and s when case is ignored
    assert mask("\u0131ntrovert") == MASK
    assert mask("\u017fensors") == MASK
    assert mask("\u0130NFP") == MASK


PIECES = [
    *TYPE_WORDS, *TRAIT_WORDS, *EVERYDAY,
    " ", "  ", "-", "/", "'", "\u2019", ".", "\n", "s", "S", "x", "X", "e", "T", "w", "5",
    "\u0131", "\u0130", "\u017f", "\u212a", "\u00e9", "\u00df",
]  # fmt: skip


def all_rules(rules: RuleSet, text: str) -> str:
    """What the rules do when no hint leaves any of them out."""
    every = "|".join(rule.pattern for rule in rules.rules)
    return re.sub(every, MASK, text, flags=re.IGNORECASE | re.VERBOSE)


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_the_shortcuts_change_nothing(text: str) -> None:
    for rules in (masking._NAMED, masking._FUNCTION_NEAR_WORD, masking._BIG_FIVE):
        assert rules.hide(text) == all_rules(rules, text)
    if masking._CASED.search(text):
        assert masking._CASED_HINT.search(text)


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=4).map("".join), max_size=6))
def test_all_at_once_is_one_by_one(texts: list[str]) -> None:
    assert mask_all(texts) == [mask(text) for text in texts]
