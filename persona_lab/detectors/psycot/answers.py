"""How replies are read: ratings, letters, batches, and distributions over them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persona_lab.detectors.psycot.prompts import LETTERS
from persona_lab.instruments import Scale
from persona_lab.llm.asking import Expected
from persona_lab.llm.chat import MAX_TOP_LOGPROBS, ChatReply, TokenLogprobs
from persona_lab.llm.errors import ParseFailure
from persona_lab.llm.parsing import parse_choice, parse_json_reply, parse_rating

_PAIR = re.compile(r'"(\d+)"\s*:\s*"?(\d+)')
_CHOICE = re.compile(r'"choice"\s*:\s*"([AB])"')
_ANSWER_LINE = re.compile(r"answer\W{0,8}\b([AB])\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rating:
    """One item's rating, not yet reflected.

    Attributes:
        mean: on the instrument's scale; the expected value where token probabilities
            were used, else the number that was said.
        sd: of the model's distribution over the scale; None where only a number is known.
    """

    mean: float
    sd: float | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch reply says: ratings by item number (from 1), and P(A) of the choice."""

    ratings: Mapping[int, Rating]
    p_first: float


def rating(scale: Scale) -> Expected[Rating]:
    """One number of the scale."""
    return Expected(
        parse=lambda reply: Rating(float(parse_rating(reply.text, scale.low, scale.high))),
        example=str(scale.low),
        remedy=f"Reply with one whole number from {scale.low} to {scale.high} and nothing else.",
        max_tokens=8,
    )


def letter(*, think: bool = False) -> Expected[float]:
    """A or B, after some thinking if asked; read as the probability of A.

    Where the server tells token probabilities, the letter's own is used, so that a
    hesitating model counts as one.
    """
    return Expected(
        parse=_p_first_after_thinking if think else _p_first,
        example="Answer: A" + " thought" * 60 if think else "A",
        remedy="Reply with the letter A or B and nothing else.",
        max_tokens=200 if think else 4,
        top_logprobs=MAX_TOP_LOGPROBS,
    )


def batch(scale: Scale, n_items: int, *, distributions: bool) -> Expected[Batch]:
    """Ratings of all items and the choice, as JSON.

    Args:
        scale: of the ratings.
        n_items: items are numbered from 1.
        distributions: read expected values from token probabilities where there are any.
    """
    numbers = [str(n) for n in range(1, n_items + 1)]
    one = {"type": "integer", "minimum": scale.low, "maximum": scale.high}
    schema = {
        "type": "object",
        "properties": {
            "ratings": {
                "type": "object",
                "properties": dict.fromkeys(numbers, one),
                "required": numbers,
                "additionalProperties": False,
            },
            "choice": {"type": "string", "enum": list(LETTERS)},
        },
        "required": ["ratings", "choice"],
        "additionalProperties": False,
    }
    ratings = ", ".join(f'"{n}": {scale.low}' for n in numbers)
    return Expected(
        parse=_batch_parser(scale, schema, distributions=distributions),
        example=f'{{"ratings": {{{ratings}}}, "choice": "A"}}',
        remedy="Reply with the JSON object alone: every number rated "
        f"{scale.low} to {scale.high}, and choice A or B.",
        max_tokens=24 + 8 * n_items,
        json_schema=schema,
        # asked for in both ways of reading, so that one reply serves both from the cassette
        top_logprobs=MAX_TOP_LOGPROBS,
    )


def without_choice(reply: str) -> str:
    """The ratings of a batch reply that could be read, in the shortest form."""
    ratings = ", ".join(f'"{number}": {value}' for number, value in _PAIR.findall(reply))
    return f'{{"ratings": {{{ratings}}}}}'


def _batch_parser(
    scale: Scale, schema: Mapping[str, Any], *, distributions: bool
) -> Callable[[ChatReply], Batch]:
    def parse(reply: ChatReply) -> Batch:
        said = parse_json_reply(reply.text, schema)
        ratings = {int(n): Rating(float(value)) for n, value in said["ratings"].items()}
        p_first = float(said["choice"] == LETTERS[0])
        found = _CHOICE.search(reply.text)
        if found is not None:
            p_first = _share(reply, found.start(1), LETTERS, p_first)
        if distributions:
            values = [str(v) for v in range(scale.low, scale.high + 1)]
            for pair in _PAIR.finditer(reply.text):
                spread = _distribution(reply, pair.start(2), values)
                if spread is not None and int(pair[1]) in ratings:
                    ratings[int(pair[1])] = _moments(spread)
        return Batch(ratings, p_first)

    return parse


def _p_first(reply: ChatReply) -> float:
    said = parse_choice(reply.text, LETTERS)
    place = re.search(rf"\b{said}\b", reply.text)
    certain = float(said == LETTERS[0])
    return certain if place is None else _share(reply, place.start(), LETTERS, certain)


def _p_first_after_thinking(reply: ChatReply) -> float:
    lines = list(_ANSWER_LINE.finditer(reply.text))
    if lines:
        # the thought has decided: the letter's own token would always look certain
        return float(lines[-1][1].upper() == LETTERS[0])
    if reply.finish_reason == "length":
        raise ParseFailure("no_choice", "the reply ended before it came to an answer")
    return float(parse_choice(reply.text, LETTERS) == LETTERS[0])


def _share(reply: ChatReply, offset: int, values: Sequence[str], otherwise: float) -> float:
    spread = _distribution(reply, offset, values)
    return otherwise if spread is None else spread[values[0]]


def _distribution(reply: ChatReply, offset: int, values: Sequence[str]) -> dict[str, float] | None:
    """Probabilities of values at a place of the reply; None where no token stands for it."""
    token = _token_at(reply, offset)
    if token is None:
        return None
    mass = dict.fromkeys(values, 0.0)
    seen: set[str] = set()
    for text, logprob in (*token.alternatives, (token.token, token.logprob)):
        value = text.strip(' "')
        if value in mass and text not in seen:
            seen.add(text)
            mass[value] += math.exp(logprob)
    total = sum(mass.values())
    return {value: share / total for value, share in mass.items()} if total > 0 else None


def _token_at(reply: ChatReply, offset: int) -> TokenLogprobs | None:
    """The token that the character at an offset of the reply belongs to."""
    whole = "".join(token.token for token in reply.logprobs or ())
    # servers strip the text and not its tokens, and a thought comes before it
    start = whole.rfind(reply.text)
    if start < 0 or not whole:
        return None
    end = -start
    for token in reply.logprobs or ():
        end += len(token.token)
        if end > offset:
            return token
    return None


def _moments(spread: Mapping[str, float]) -> Rating:
    mean = sum(float(value) * p for value, p in spread.items())
    variance = sum((float(value) - mean) ** 2 * p for value, p in spread.items())
    return Rating(mean, math.sqrt(max(variance, 0.0)))
