"""Reading what a model was asked for out of its reply; strict, never guessing.

A thought before the answer is not read; see :mod:`persona_lab.thoughts`. Reasons of failures
never quote the reply.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

from persona_lab.llm.errors import ParseFailure
from persona_lab.thoughts import split_thought

_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.,])[-+]?\d+(?:[.,]\d+)?(?!\w)")
_NEGATION = re.compile(
    r"(?:\b(?:not|never|no|neither|nor|hardly|cannot)|n't)\W+(?:\w+\W+){0,2}\Z", re.IGNORECASE
)
_REFUSAL = re.compile(
    r"""
    \b(?:i'?m|i\ am|we'?re)\ (?:really\ |very\ |so\ )?(?:sorry|unable|not\ able)\b
        .{0,60}\b(?:can(?:no|')?t|unable|not\ able|won't|answer|assist|help|comply|provide)
    | \bi\ (?:can(?:no|')?t|won't|will\ not|must\ decline\ to|am\ unable\ to)
        \ (?:\w+\ ){0,2}?(?:assist|help|answer|comply|provide|do\ that|rate|respond|engage
            |participate|discuss|fulfil|fulfill|share|complete)\b
    | \bas\ an?\ (?:\w+\ ){0,3}?(?:ai|language\ model|assistant)\b.{0,60}
        \b(?:do(?:\ not|n't)|can(?:no|')?t|lack|am\ not|unable|not\ able)\b
    | \bi\ (?:do(?:\ not|n't)\ have|lack|have\ no)\ (?:\w+,?\ ){0,3}?
        (?:feelings|emotions|preferences|personality|opinions|consciousness)\b
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_TYPOGRAPHY: Final = {0x2019: "'", 0x2012: "-", 0x2013: "-", 0x2014: "-", 0x2212: "-"}
_WORDS_OF_ONE_LETTER: Final = ("A", "I")
_NO_SENTENCE: Final = r"(?=\s*(?:[).:,;\]*\"`/]|'(?!\w)|\Z|(?:or|and|nor|over|than|vs)\b))"
"""What follows such a letter where it is an option: "A, because", but not "A person"."""

_REFUSAL_WITHIN: Final = 300
"""Characters from the start: later on, such words are mostly part of what is told."""


def is_refusal(text: str) -> bool:
    """Does a reply decline, in English, to do what was asked?

    True for apologies that lead to "cannot", and for "as an AI, I do not ..." near the
    start. Refusals in other languages are not recognised; they fail to parse instead.
    """
    said = split_thought(text).said.strip().translate(_TYPOGRAPHY)
    return _REFUSAL.search(said[:_REFUSAL_WITHIN]) is not None


def parse_json_reply(text: str, schema: Mapping[str, Any] | None = None) -> Any:
    """Read a JSON value.

    Takes the whole reply if it is JSON, else the first block between code fences that
    is, else the first object (or array, where the schema wants one) inside the prose.

    Args:
        text: the reply.
        schema: JSON Schema that the value must follow; None for any.

    Raises:
        ParseFailure: ``empty``, ``thought_cut_off``, ``refusal``, ``no_json`` or ``schema``.
    """
    answer = _answer(text)
    wants_array = schema is not None and schema.get("type") == "array"
    for candidate in _json_values(answer, "[" if wants_array else "{"):
        if schema is not None:
            _check_schema(candidate, schema)
        return candidate
    _fail(answer, "no_json", "the reply holds no JSON")


def parse_rating(
    text: str, low: int, high: int, *, anchors: Mapping[str, int] | None = None
) -> int:
    """Read one rating.

    The reply must name exactly one number, and it must be on the scale: "4", "**4**",
    "Rating: 4.", "4/5", "4 out of 5" and "on a scale of 1 to 5: 4" are 4. "6" on 1 to 5,
    "3.5", "3 or 4" and "3-4" are failures.

    Args:
        text: the reply.
        low: lowest rating.
        high: highest rating.
        anchors: words of the scale and their ratings, such as ``{"very accurate": 5}``.
            One stands for its rating where no number is named; it must not contradict one
            that is, and must not be negated.

    Raises:
        ParseFailure: ``empty``, ``thought_cut_off``, ``refusal``, ``no_number``, ``off_scale`` or
            ``ambiguous``.
    """
    answer = _plain(text)
    named = {_as_number(found) for found in _NUMBER.findall(_without_scale(answer, low, high))}
    words = _anchored(answer, anchors or {})
    if not named and not words:
        _fail(answer, "no_number", f"the reply names no rating from {low} to {high}")
    if len(named) > 1 or len(words) > 1 or (named and words and named != words):
        raise ParseFailure("ambiguous", f"the reply names several ratings from {low} to {high}")
    (rating,) = named or words
    if not low <= rating <= high or rating != int(rating):
        raise ParseFailure(
            "off_scale", f"the reply's number is not a whole one from {low} to {high}"
        )
    return int(rating)


def parse_choice(text: str, options: Sequence[str]) -> str:
    """Read which of several options a reply chooses.

    Case does not matter, nor does what stands around the option, as long as no other
    option is named and this one is not negated. An option of a single letter must be
    written as given; "A" and "I", which are words, too, must stand alone or before a mark
    such as ``)``, ``.`` or ``:``.

    Args:
        text: the reply.
        options: different texts, none blank.

    Returns:
        The option as it is written in ``options``.

    Raises:
        ParseFailure: ``empty``, ``thought_cut_off``, ``refusal``, ``no_choice`` or ``ambiguous``.
    """
    answer = _plain(text)
    bare = answer.strip(" \t\r\n\"'`*.()[]")
    whole = (bare.casefold(), answer.casefold())
    exact = [option for option in options if option.casefold() in whole]
    if len(exact) == 1:
        return exact[0]
    found = _named(answer, options)
    if not found:
        _fail(answer, "no_choice", f"the reply names none of the {len(options)} options")
    if len(found) > 1:
        raise ParseFailure("ambiguous", "the reply names several of the options")
    return found.pop()


def _answer(text: str) -> str:
    """The reply without thoughts before it.

    Raises:
        ParseFailure: ``thought_cut_off``.
    """
    found = split_thought(text)
    if found.cut_off:
        raise ParseFailure("thought_cut_off", "the reply ends inside a thought")
    return found.said.strip()


def _plain(text: str) -> str:
    """The answer with one kind of apostrophe and of dash."""
    return _answer(text).translate(_TYPOGRAPHY)


def _fail(answer: str, code: str, reason: str) -> NoReturn:
    """Nothing was found: say why."""
    if not answer:
        raise ParseFailure("empty", "the reply is empty")
    if is_refusal(answer):
        raise ParseFailure("refusal", "the model declined to answer")
    raise ParseFailure(code, reason)


def _json_values(answer: str, opening: str) -> Iterator[Any]:
    """JSON values in a reply, the strictest reading first."""
    for whole in (answer, *_FENCE.findall(answer)):
        try:
            yield json.loads(whole, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            continue
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    start = answer.find(opening)
    while start >= 0:
        with suppress(ValueError, RecursionError):
            yield decoder.raw_decode(answer, start)[0]
        start = answer.find(opening, start + 1)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _check_schema(value: Any, schema: Mapping[str, Any]) -> None:
    import jsonschema

    validator = jsonschema.validators.validator_for(schema)(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is None:
        return
    place = error.json_path.removeprefix("$").lstrip(".") or "the JSON itself"
    # the error's own message would quote the reply
    rule = json.dumps(error.validator_value, default=str)
    raise ParseFailure("schema", f"{place} breaks the rule {error.validator!r}: {rule[:100]}")


def _without_scale(answer: str, low: int, high: int) -> str:
    """The reply without mentions of the scale as such: "/5", "out of 5", "(1-5)"."""
    answer = re.sub(rf"(?<=\d)\s*(?:/|out of|of)\s*{high}(?![\w.,]\d|\d)", " ", answer)
    return re.sub(
        rf"(?<!\w){low}\s*(?:-|to|through|until|\.\.\.?)\s*{high}(?!\d|[.,]\d)", " ", answer
    )


def _as_number(found: str) -> float:
    return float(found.replace(",", "."))


def _anchored(answer: str, anchors: Mapping[str, int]) -> set[float]:
    return {float(anchors[anchor]) for anchor in _named(answer, tuple(anchors))}


def _named(answer: str, options: Sequence[str]) -> set[str]:
    """Options that occur, longer ones first, so that "inaccurate" is not "accurate".

    Raises:
        ParseFailure: ``ambiguous``: one is negated.
    """
    found = set()
    for option in sorted(options, key=len, reverse=True):
        pattern = _pattern(option)
        for match in pattern.finditer(answer):
            if _NEGATION.search(answer, 0, match.start()):
                raise ParseFailure("ambiguous", "the reply says what it does not choose")
            found.add(option)
        answer = pattern.sub(" ", answer)
    return found


def _pattern(option: str) -> re.Pattern[str]:
    if option in _WORDS_OF_ONE_LETTER:
        return re.compile(rf"(?<!\w){option}{_NO_SENTENCE}")
    if len(option) == 1:
        return re.compile(rf"(?<!\w){re.escape(option)}(?!\w)")
    words = r"\s+".join(map(re.escape, option.split()))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
