"""Two texts as one input of the contradiction model."""

from __future__ import annotations

from collections.abc import Sequence

from persona_lab.encoding.segment import Segmenter

Tokens = tuple[int, ...]

_HEARD_WORDS = 20
_NEEDS_NO_CONTEXT = 25
"""Words from which a turn is read alone: it says what it is about."""


def in_context(text: str, heard: str) -> str:
    """A turn as the contradiction model reads it, such as ``Do you smoke? / Since school.``.

    Args:
        text: the turn.
        heard: what it answers; the last twenty words are enough. Empty where nobody spoke.
    """
    if not heard or len(text.split()) >= _NEEDS_NO_CONTEXT:
        return text
    return f"{' '.join(heard.split()[-_HEARD_WORDS:])} / {text}"


class PairJoiner:
    """Joins texts to token ids: ``[CLS] first [SEP] second [SEP]``.

    Training and inference share it, so that the model meets the input it learnt from.

    Attributes:
        max_tokens: the longest input, special tokens included.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        """Prepare.

        Args:
            segmenter: makes the tokens, and knows the longest input.

        Raises:
            ValueError: it leaves no room for two texts.
        """
        self._segmenter = segmenter
        self.max_tokens = segmenter.max_tokens
        self._room = self.max_tokens - len(segmenter.prefix) - 2 * len(segmenter.suffix)
        if self._room < 2:
            raise ValueError(f"max_tokens={self.max_tokens} leaves no room for two texts")

    def join(self, pairs: Sequence[tuple[str, str]]) -> tuple[list[Tokens], list[bool]]:
        """Token ids of each pair, and whether a text was too long and lost its middle.

        Where a pair is too long, the longer text is cut, both where each has more than half
        of the room. A cut text keeps its beginning and its end, in equal parts: a turn of a
        dialogue answers at its beginning and moves on at its end.
        """
        prefix, suffix = self._segmenter.prefix, self._segmenter.suffix
        known: dict[str, Tokens] = {}
        for text in {text for pair in pairs for text in pair}:
            known[text] = self._segmenter.token_ids(text)
        joined, cut = [], []
        for first, second in pairs:
            a, b = known[first], known[second]
            half = self._room // 2
            room_a = max(half, self._room - len(b))
            room_b = self._room - min(len(a), room_a)
            cut.append(len(a) > room_a or len(b) > room_b)
            joined.append((*prefix, *_shorten(a, room_a), *suffix, *_shorten(b, room_b), *suffix))
        return joined, cut


def _shorten(ids: Tokens, room: int) -> Tokens:
    """Drop the middle of what does not fit."""
    if len(ids) <= room:
        return ids
    tail = room // 2
    return (*ids[: room - tail], *(ids[-tail:] if tail else ()))
