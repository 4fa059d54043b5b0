"""Two parties take turns; each sees its own turns as the assistant's and the other's as the user's.

Made of conversations that a rehearsal can stand in for, so that a forecast counts the same
requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from persona_lab.interviews.asking import ask, open_answer
from persona_lab.llm.asking import Conversation
from persona_lab.llm.chat import Message


@dataclass(frozen=True, slots=True)
class Turn:
    """What one party said."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation, whole or broken off.

    Attributes:
        id: stable.
        turns: in order.
        wanted: how many there were to be.
        code: why it broke off; None where it did not.
        reason: the same for people.
        histories: by speaker, the messages that it has seen and said, without its system
            message.
    """

    id: str
    turns: tuple[Turn, ...]
    wanted: int
    code: str | None = None
    reason: str | None = None
    histories: dict[str, tuple[Message, ...]] = field(default_factory=dict)

    def text(self) -> str:
        """As ``Name: what is said`` lines."""
        return "\n".join(f"{turn.speaker}: {turn.text}" for turn in self.turns)

    def to_row(self) -> dict[str, Any]:
        """As JSON types; the layout is that of our dialogue files."""
        return {
            "id": self.id,
            "turns": [{"speaker": t.speaker, "text": t.text} for t in self.turns],
            "wanted": self.wanted,
            "code": self.code,
            "reason": self.reason,
            "histories": {
                name: [[m.role, m.content] for m in messages]
                for name, messages in self.histories.items()
            },
        }

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Talk:
        """Undo :meth:`to_row`.

        Raises:
            KeyError: a field is missing.
            TypeError: a field is of another kind.
            ValueError: a message has not two parts.
        """
        return cls(
            row["id"],
            tuple(Turn(turn["speaker"], turn["text"]) for turn in row["turns"]),
            row["wanted"],
            row["code"],
            row["reason"],
            {
                name: tuple(Message(role, content) for role, content in messages)
                for name, messages in row["histories"].items()
            },
        )


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two.

    Attributes:
        name: in turns; the two must differ.
        conversation: begun with its role.
        opening: what it is told before the first turn it sees; ``""`` for nothing.
    """

    name: str
    conversation: Conversation
    opening: str = ""


def talk(id: str, parties: Sequence[Party], n_turns: int, *, words: int = 60) -> Talk:
    """Let two parties talk.

    Args:
        id: of the talk.
        parties: the first one begins; it must have an opening.
        n_turns: turns of both together.
        words: about how long a turn is asked to be, for forecasts; the longest allowed is
            four times that.

    Returns:
        All turns, or those before the one that could not be had, with the reason.

    Raises:
        LLMError: one that would meet every further question, too (the budget, the key).
    """
    turns: list[Turn] = []
    code = reason = None
    for party, said in _order(parties, n_turns, turns):
        others = [other.name for other in parties if other is not party]
        heard = ask(party.conversation, said, open_answer(words, 4 * words), others=others)
        if heard.code is not None:
            code, reason = heard.code, f"{party.name} gave no turn: {heard.reason}"
            break
        turns.append(Turn(party.name, (heard.answer or "").strip()))
    return Talk(
        id,
        tuple(turns),
        n_turns,
        code,
        reason,
        {
            party.name: tuple(m for m in party.conversation.messages if m.role != "system")
            for party in parties
        },
    )


def _order(
    parties: Sequence[Party], n_turns: int, turns: Sequence[Turn]
) -> Iterator[tuple[Party, str]]:
    """Whose turn it is, and what it is told."""
    for i in range(n_turns):
        party = parties[i % 2]
        heard = [turns[-1].text] if turns else []
        opening = [party.opening] if i < 2 and party.opening else []
        yield party, "\n\n".join([*opening, *heard])
