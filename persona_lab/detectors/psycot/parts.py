"""Texts that are longer than a model's context: asked about in parts, never cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from persona_lab.detectors.psycot import prompts
from persona_lab.instruments import Instrument
from persona_lab.llm.budget import count_tokens

_UNKNOWN_CONTEXT = 8192
_SHORTEST_PART = 100
_PER_TURN = 12
"""Tokens that a chat template puts around a turn, and a rating."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text.

    Attributes:
        utterances: whole ones where they fit, else runs of words.
        share: of the whole text's words, 0..1.
    """

    utterances: tuple[str, ...]
    share: float

    @property
    def text(self) -> str:
        """As it is shown to the model."""
        return "\n".join(self.utterances)

    def halves(self) -> list[Part]:
        """The part in two; empty if it is too short to be the problem."""
        words = self.text.split()
        if len(words) < _SHORTEST_PART:
            return []
        middle = len(words) // 2
        first = middle / len(words)
        return [
            Part((" ".join(words[:middle]),), self.share * first),
            Part((" ".join(words[middle:]),), self.share * (1 - first)),
        ]


def split(
    utterances: Sequence[str],
    instrument: Instrument,
    part_tokens: int | None,
    context_length: int | None,
) -> list[Part]:
    """Cut a text so that each part fits, of about equal length.

    Args:
        utterances: of one speaker.
        instrument: whose longest conversation must fit beside a part.
        part_tokens: longest part; None: what the context leaves.
        context_length: of the model, in tokens; 8,192 is assumed where it is not known.
    """
    room = part_tokens or max(
        (context_length or _UNKNOWN_CONTEXT) - _questions(instrument), _SHORTEST_PART * 2
    )
    pieces = [piece for text in utterances for piece in _pieces(text, room)]
    total = sum(tokens for _, tokens in pieces)
    n_parts = -(-total // room)
    parts: list[list[str]] = [[]]
    filled, goal = 0, total / n_parts if n_parts else 0
    for text, tokens in pieces:
        begun = filled >= goal * len(parts) - 0.5
        if parts[-1] and (begun or _size(parts[-1]) + tokens > room):
            parts.append([])
        parts[-1].append(text)
        filled += tokens
    sizes = [_size(part) for part in parts]
    return [
        Part(tuple(part), size / max(sum(sizes), 1))
        for part, size in zip(parts, sizes, strict=True)
    ]


def _size(texts: Sequence[str]) -> int:
    return sum(count_tokens(text) + 1 for text in texts)


def _pieces(text: str, room: int) -> list[tuple[str, int]]:
    """An utterance with its tokens; one that is too long alone, as runs of words."""
    tokens = count_tokens(text) + 1
    if tokens <= room:
        return [(text, tokens)]
    words = text.split(" ")
    if len(words) == 1:  # one endless word: cut by characters
        middle = len(text) // 2
        halves = [text[:middle], text[middle:]]
    else:
        middle = len(words) // 2
        halves = [" ".join(words[:middle]), " ".join(words[middle:])]
    return [piece for half in halves for piece in _pieces(half, room)]


def _questions(instrument: Instrument) -> int:
    """Tokens of the longest conversation about a part, besides the part."""
    longest = 0
    for domain in instrument.domains:
        items = instrument.of(domain.key)
        turns = [
            prompts.SYSTEM,
            prompts.batch(instrument, domain, items, True),
            *(prompts.next_item(n, item) for n, item in enumerate(items, 1)),
            prompts.conclusion(domain, items, True),
        ]
        longest = max(longest, sum(count_tokens(turn) + _PER_TURN for turn in turns))
    return longest + 256  # the longest reply
