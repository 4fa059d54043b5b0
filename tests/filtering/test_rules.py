"""The expression language: what it says, what it refuses, and what is unknown."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from persona_lab.filtering.fields import FieldError, arrow_schema, ledger_fields
from persona_lab.filtering.rules import Rule

FIELDS = ledger_fields(
    ("bigfive", "mbti"), target=True, extra=("consistency", "stability", "contradictions")
)
KINDS = {name: field.kind for name, field in FIELDS.items()}


def table(**columns: list[Any]) -> pa.Table:
    """A table of the ledger; ``__`` stands for the dot in a field's name."""
    given = {name.replace("__", "."): values for name, values in columns.items()}
    count = len(next(iter(given.values())))
    schema = arrow_schema(FIELDS)
    return pa.table({n: given.get(n, [None] * count) for n in schema.names}, schema=schema)


def evaluate(text: str, **columns: list[Any]) -> list[bool | None]:
    found: list[bool | None] = Rule(text, KINDS).evaluate(table(**columns)).to_pylist()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("words > 50", [False, True, None]),
        ("words >= 50 and turns >= 2", [False, True, None]),
        ("words == 60 or speaker == 'c'", [False, True, True]),
        ("not words > 50", [True, False, None]),
        ("speaker in ('a', 'b')", [True, True, False]),
        ("speaker not in ('a', 'b')", [False, False, True]),
        ("words in (10, 11)", [True, False, None]),
        ("words between 10 and 59", [True, False, None]),
        ("words is null", [False, False, True]),
        ("words is not null", [True, True, False]),
        ("words / turns > 20", [False, True, None]),
        ("words - 2 * turns = 8", [True, False, None]),
        ("turns > -1", [True, True, True]),
        ("language like 'e%'", [True, False, True]),
        ('language = "de"', [False, True, False]),
        ("too_short", [True, False, False]),
        ("not too_short and true", [False, True, True]),
        ("words <> 10", [False, True, None]),
        # Kleene: what decides alone is not spoilt by what is unknown
        ("words > 50 and speaker = 'a'", [False, False, False]),
        ("words > 50 or speaker = 'c'", [False, True, True]),
    ],
)
def test_language(text: str, expected: list[bool | None]) -> None:
    assert (
        evaluate(
            text,
            words=[10, 60, None],
            turns=[1, 2, 3],
            speaker=["a", "b", "c"],
            language=["en", "de", "en"],
            too_short=[True, False, False],
        )
        == expected
    )


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_can_be_asked_for(name: str) -> None:
    """None of the names is a keyword to the parser."""
    assert Rule(f"{name} is not null", KINDS).fields == (name,)
    assert evaluate(f"{name} is null", speaker=[None]) == [True]


def test_the_example_of_the_help() -> None:
    text = "extraversion.p_high >= 0.6 and consistency >= 0.5 and contradictions == 0"
    rule = Rule(text, KINDS)
    assert [clause.text for clause in rule.clauses] == [
        "extraversion.p_high >= 0.6",
        "consistency >= 0.5",
        "contradictions = 0",
    ]
    rows = {
        "extraversion__p_high": [0.6, 0.61, 0.9, 0.2],
        "consistency": [0.5, 0.4, None, None],
        "contradictions": [0, 0, 0, 0],
    }
    assert evaluate(text, **rows) == [True, False, None, False]


def test_clauses_inside_brackets_are_clauses() -> None:
    rule = Rule("(words > 5 and turns > 1) and (speaker = 'a' or speaker = 'b')", KINDS)
    assert len(rule.clauses) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words >",
        "words > 1; drop table ledger",
        "(select 1) > 0",
        "words in (select words from ledger)",
        "exists (select 1)",
        "read_csv('/etc/passwd') = 'x'",
        "abs(words) > 1",
        "words::text = 'x'",
        "case when words > 1 then true else false end",
        "__import__('os').system('id') = 0",
        "speaker.__class__ = 'x'",
        "words",
        "words > 'a'",
        "words and turns > 1",
        "0.3 <= words <= 0.6",
        "speaker + 'a' = 'b'",
        "words between 'a' and 'b'",
        "words in (turns)",
        "speaker like words",
        "lambda x: x",
        "[1, 2][0] = 1",
        "{'a': 1} = 1",
        "not words",
        "words = (1, 2)",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(FieldError) as caught:
        Rule(text, KINDS)
    assert "\n" not in str(caught.value)


def test_an_unknown_field_lists_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(FieldError, match=r"'extraversion\.phigh'") as caught:
        Rule("extraversion.phigh > 0.6", KINDS)
    message = str(caught.value)
    assert "did you mean 'extraversion.p_high'?" in message
    assert "words" in message and "neuroticism.p_high|low|high|label" in message
    assert "consistency" in message


def test_certain_is_what_holds_over_the_whole_interval() -> None:
    rows = table(
        extraversion__p_high=[0.7, 0.7, 0.3, None],
        extraversion__low=[0.65, 0.5, 0.2, None],
        extraversion__high=[0.8, 0.9, 0.4, None],
        extraversion__label=["high", "abstain", "low", None],
        words=[10, 10, 10, 10],
    )

    def certain(text: str) -> list[bool | None]:
        found: list[bool | None] = Rule(text, KINDS).certain(rows).to_pylist()
        return found

    assert certain("extraversion.p_high >= 0.6") == [True, None, False, None]
    assert certain("0.6 > extraversion.p_high") == [False, None, True, None]
    assert certain("extraversion.label = 'high'") == [True, None, False, None]
    # the other clause decides whatever the interval is
    assert certain("extraversion.p_high >= 0.6 and words > 50") == [False] * 4
    assert certain("extraversion.p_high between 0.1 and 0.95") == [True, True, True, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extraversion.label = 'extraverted'", [True, False, False]),
        ("extraversion.label = 'Outgoing'", [True, False, False]),
        ("'introverted' = extraversion.label", [False, True, False]),
        ("extraversion.label != 'withdrawn'", [True, False, True]),
        ("extraversion.label in ('extraverted', 'abstain')", [True, False, True]),
        ("(extraversion.label) = ('high')", [True, False, False]),
    ],
)
def test_a_label_may_be_named_by_its_pole(text: str, expected: list[bool]) -> None:
    assert evaluate(text, extraversion__label=["high", "low", "abstain"]) == expected


def test_a_pole_belongs_to_its_trait() -> None:
    """The same word stands for the low pole of two traits, and for none of the others."""
    rows = {"conscientiousness__label": ["low"], "JP__label": ["high"], "EI__label": ["low"]}
    assert evaluate("conscientiousness.label = 'spontaneous'", **rows) == [True]
    assert evaluate("JP.label = 'spontaneous'", **rows) == [False]
    assert evaluate("EI.label = 'I' and EI.label = 'i'", **rows) == [True]
    with pytest.raises(FieldError):
        Rule("openness.label = 'spontaneous'", KINDS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("extraversion.label = 'loud'", "high (extraverted, outgoing), low (introverted"),
        ("extraversion.label in ('high', 'medium')", "or abstain; not 'medium'"),
        ("status = 'ok'", "'scored' or 'unscored'"),
        ("openness.why = 'dull'", "'nothing_shown', 'mixed' or 'too_short'"),
        ("language = 'English'", "a code such as 'en'"),
        ("type = 'INTX7'", "four letters such as INFP"),
        ("extraversion.p_high > 60", "goes from 0 to 1; 60 is outside"),
        ("extraversion.level <= -3", "goes from -2 to 2; -3 is outside"),
        ("extraversion.level between 1 and 5", "goes from -2 to 2; 5 is outside"),
        ("extraversion > .5", "write extraversion.level (what is shown, -2 to 2) or"),
        ("Extraversion > .5", "extraversion.p_high (probability of extraverted, 0 to 1)"),
        ("words > 5 and EI > .5", "EI.p_high (probability of E, 0 to 1)"),
    ],
)
def test_what_a_field_never_holds_is_told(text: str, told: str) -> None:
    with pytest.raises(FieldError) as caught:
        Rule(text, KINDS)
    assert told in str(caught.value)


def test_a_type_may_be_in_small_letters() -> None:
    assert evaluate("type = 'infp'", type=["INFP", "ENFP"]) == [True, False]
