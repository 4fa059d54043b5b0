"""The keys of turns: who speaks, what is said, what was asked and what was answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SPEAKER_KEYS = ("role", "from", "speaker", "author", "sender", "name")
LATE_SPEAKER_KEYS = ("sender_name", "src", "creator", "agent", "from_id", "sender_id", "speaker_id")
"""Keys of who speaks that are looked at where a turn has none of the usual ones."""

TEXT_KEYS = ("content", "value", "text", "mes", "body", "parts", "utterance", "message")
PAIRS = (
    (
        ("instruction", "prompt", "query", "question", "input"),
        ("output", "response", "completion", "answer"),
    ),
    # not mixed with those above: beside an "output", a "user" is an id
    (("user", "human"), ("assistant", "gpt", "chatgpt", "bot")),
)
"""Keys of what was asked, and keys of what was answered to it."""

ASKED_KEYS = tuple(key for asked, _ in PAIRS for key in asked)
ANSWER_KEYS = tuple(key for _, answered in PAIRS for key in answered)


@dataclass(frozen=True, slots=True)
class TurnKeys:
    """Keys of a turn that were chosen; None looks for the usual ones."""

    speaker: str | None = None
    text: str | None = None


USUAL = TurnKeys()
"""No key is chosen: the usual ones."""


def pair_of(holds: Callable[[str], bool]) -> tuple[str, str] | None:
    """The keys of a question and its answer, the usual ones first.

    Args:
        holds: tells whether a key is there and holds something.
    """
    for asked, answered in PAIRS:
        first, second = next(filter(holds, asked), None), next(filter(holds, answered), None)
        if first is not None and second is not None:
            return first, second
    return None
