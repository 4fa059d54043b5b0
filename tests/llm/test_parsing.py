"""Reading replies: what models really write, and what must not be guessed."""

from __future__ import annotations

import pytest

from persona_lab.llm import (
    ParseFailure,
    is_refusal,
    parse_choice,
    parse_json_reply,
    parse_rating,
)

ACCURACY = {
    "very inaccurate": 1,
    "moderately inaccurate": 2,
    "neither accurate nor inaccurate": 3,
    "moderately accurate": 4,
    "very accurate": 5,
}
SECRET = "grandmother"
SCHEMA = {
    "type": "object",
    "properties": {
        "scores": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 5}},
        "reason": {"type": "string"},
    },
    "required": ["scores"],
}


class TestRating:
    @pytest.mark.parametrize(
        "text",
        [
            "4",
            " 4\n",
            "4.",
            "4.0",
            "**4**",
            '"4"',
            "(4)",
            "Rating: 4",
            "rating=4",
            "My answer is 4, because I like people.",
            "4/5",
            "4 / 5",
            "4 out of 5",
            "I would rate this 4 out of 5.",
            "On a scale of 1 to 5, I'd say 4.",
            "On a scale from 1-5: 4",
            "On a scale of 1\u20135 I choose 4",
            "4 (moderately accurate)",
            "4 - moderately accurate",
            "4. My rating is 4.",
            "<think>Is it 2 or 3? 5?</think>\n4",
            "\uff14",
            "我会选择 4。",
            "評価\uff1a4",
            "Moderately accurate",
            "I think it is moderately  accurate.",
            "That's *moderately accurate* for me",
        ],
    )
    def test_four(self, text: str) -> None:
        assert parse_rating(text, 1, 5, anchors=ACCURACY) == 4

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("6", "off_scale"),
            ("0", "off_scale"),
            ("-4", "off_scale"),
            ("\u22124", "off_scale"),
            ("44", "off_scale"),
            ("3.5", "off_scale"),
            ("3,5", "off_scale"),
            ("6/5", "off_scale"),
            ("4/10", "ambiguous"),
            ("3 or 4", "ambiguous"),
            ("3-4", "ambiguous"),
            ("3\u20134", "ambiguous"),
            ("between 3 and 4", "ambiguous"),
            ("I am 25 and would say 4", "ambiguous"),
            ("2 (moderately accurate)", "ambiguous"),
            ("very accurate or moderately accurate", "ambiguous"),
            ("This is not very accurate.", "ambiguous"),
            ("It isn't a very accurate statement", "ambiguous"),
            ("", "empty"),
            ("  \n", "empty"),
            ("<think>4</think>", "empty"),
            ("Parties are fun!", "no_number"),
            ("four", "no_number"),
            ("accurate", "no_number"),
            ("Ich mag Feste.", "no_number"),
            ("As an AI language model, I do not have a personality.", "refusal"),
            ("I'm sorry, but I can't answer that.", "refusal"),
        ],
    )
    def test_not_a_rating(self, text: str, code: str) -> None:
        with pytest.raises(ParseFailure) as caught:
            parse_rating(text, 1, 5, anchors=ACCURACY)
        assert caught.value.code == code and caught.value.reason == str(caught.value)

    @pytest.mark.parametrize(("anchor", "rating"), ACCURACY.items())
    def test_long_anchors_hide_the_short_ones_in_them(self, anchor: str, rating: int) -> None:
        anchors = {**ACCURACY, "accurate": 4, "inaccurate": 2}
        assert parse_rating(anchor.capitalize() + ".", 1, 5, anchors=anchors) == rating

    def test_other_scales(self) -> None:
        assert parse_rating("7", 1, 7) == 7
        assert parse_rating("0", 0, 4) == 0
        assert parse_rating("-3", -3, 3) == -3
        assert parse_rating("10 out of 10", 1, 10) == 10
        assert parse_rating("5/7", 1, 7) == 5
        with pytest.raises(ParseFailure, match="not a whole one from 1 to 7"):
            parse_rating("8", 1, 7)

    def test_a_rating_equal_to_the_top_is_not_taken_for_the_scale(self) -> None:
        assert parse_rating("5", 1, 5) == 5
        assert parse_rating("5/5", 1, 5) == 5
        assert parse_rating("1", 1, 5) == 1


class TestChoice:
    @pytest.mark.parametrize(
        "text",
        ["A", "a", "(A)", "A)", "A.", "A: I seek company", "**A**", "My answer is A.", "'A'"],
    )
    def test_letter(self, text: str) -> None:
        assert parse_choice(text, ["A", "B"]) == "A"

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("A or B", "ambiguous"),
            ("B or A", "ambiguous"),
            ("Both A and B", "ambiguous"),
            ("A/B", "ambiguous"),
            ("A over B", "ambiguous"),
            ("Not A", "ambiguous"),
            ("A) yes or B) no", "ambiguous"),
            ("A person like me would rather stay", "no_choice"),
            ("a.m. is better", "no_choice"),
            ("C", "no_choice"),
            ("", "empty"),
            ("I cannot answer personal questions.", "refusal"),
        ],
    )
    def test_not_a_letter(self, text: str, code: str) -> None:
        with pytest.raises(ParseFailure) as caught:
            parse_choice(text, ["A", "B"])
        assert caught.value.code == code

    @pytest.mark.parametrize("text", ["B is more like me", "A person like me says B", "Option B"])
    def test_letter_in_a_sentence(self, text: str) -> None:
        assert parse_choice(text, ["A", "B"]) == "B"

    def test_words(self) -> None:
        options = ["agree", "disagree", "strongly agree"]
        assert parse_choice("I strongly AGREE with it", options) == "strongly agree"
        assert parse_choice("Disagree.", options) == "disagree"
        assert parse_choice("I agree", options) == "agree"
        for text in ("I agree and disagree", "I don't agree", "I do not really agree"):
            with pytest.raises(ParseFailure) as caught:
                parse_choice(text, options)
            assert caught.value.code == "ambiguous"

    def test_options_with_marks(self) -> None:
        assert parse_choice("Yes, I do.", ["Yes, I do.", "No."]) == "Yes, I do."
        assert parse_choice("c++", ["c", "c++"]) == "c++"


class TestJson:
    @pytest.mark.parametrize(
        "text",
        [
            '{"scores": [4, 2]}',
            ' \n{"scores": [4, 2]}\n',
            '```json\n{"scores": [4, 2]}\n```',
            'Here you are:\n```\n{"scores": [4, 2]}\n```\nAnything else?',
            'Sure! {"scores": [4, 2]} I hope {this} helps.',
            'In {braces} first, then {"scores": [4, 2]}.',
            '<think>{"scores": [1]}</think>{"scores": [4, 2]}',
        ],
    )
    def test_found(self, text: str) -> None:
        assert parse_json_reply(text, SCHEMA) == {"scores": [4, 2]}

    def test_array(self) -> None:
        schema = {"type": "array", "items": {"type": "integer"}}
        assert parse_json_reply("The scores are [1, 2].", schema) == [1, 2]

    def test_no_schema(self) -> None:
        assert parse_json_reply('{"a": {"b": null}}') == {"a": {"b": None}}

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "empty"),
            ("I like parties.", "no_json"),
            ('{"scores": [4, 2', "no_json"),
            ('{"scores": [NaN]}', "no_json"),
            ("I'm sorry, I cannot help with that.", "refusal"),
            ('{"scores": [6]}', "schema"),
            ('{"scores": "4"}', "schema"),
            ('{"reason": "because"}', "schema"),
            ("[4, 2]", "schema"),
            ("{" * 5000, "no_json"),
        ],
    )
    def test_not_found(self, text: str, code: str) -> None:
        with pytest.raises(ParseFailure) as caught:
            parse_json_reply(text, SCHEMA)
        assert caught.value.code == code

    def test_the_reason_names_the_place_and_not_the_reply(self) -> None:
        with pytest.raises(ParseFailure) as caught:
            parse_json_reply(f'{{"scores": [3, "{SECRET}"]}}', SCHEMA)
        assert caught.value.reason == "scores[1] breaks the rule 'type': \"integer\""


class TestRefusal:
    @pytest.mark.parametrize(
        "text",
        [
            "I'm sorry, but I can't assist with that.",
            "I\u2019m sorry, but I can\u2019t help with that request.",
            "I cannot provide a rating for this.",
            "I can't rate myself.",
            "I am unable to answer this question.",
            "As an AI, I don't have personal feelings.",
            "As an AI language model, I cannot attend parties.",
            "As a helpful AI assistant I do not experience this.",
            "I don't have personal preferences or opinions.",
        ],
    )
    def test_refusals(self, text: str) -> None:
        assert is_refusal(text)

    @pytest.mark.parametrize(
        "text",
        [
            "4",
            "I can't stand parties.",
            "I'm sorry to hear that you felt alone! I love parties.",
            "I cannot wait for the weekend.",
            "I won't go there again.",
            "I don't have many friends.",
            "People say I am not able to listen, and they may be right.",
            "As an engineer, I do not like chaos.",
            "I'm sorry I am late.",
            "Ich kann das nicht beantworten.",
        ],
    )
    def test_people_who_complain_do_not_refuse(self, text: str) -> None:
        assert not is_refusal(text)
