"""Lines of a chat gathered into turns, whatever tells where a turn begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from persona_lab.dialogue import Utterance

SCENE = re.compile(r"\s*(?:\d+\s+)?(?:INT|EXT|I/E)(?:\./(?:INT|EXT))?[. /].*")
"""The heading of a scene in a screenplay."""

_STAGE = re.compile(r"\s*\[[^\[\]]+\]\s*")


@dataclass(frozen=True, slots=True)
class Head:
    """A line that begins a turn.

    Attributes:
        name: who speaks.
        text: the words on the same line.
        wordless: does a placeholder stand there (of a picture, of a message that was
            deleted)? Without words on the lines that follow it is no turn.
    """

    name: str
    text: str = ""
    wordless: bool = False


class Other(Enum):
    """A line that nobody says."""

    NOTICE = "ends the turn before it"
    ASIDE = "stands inside a turn"


Read = Callable[[str], Head | Other | None]
"""What a line is; None for one that continues the turn before it."""


@dataclass(frozen=True, slots=True)
class Chat:
    """The turns of a text.

    Attributes:
        turns: name and words, in order.
        dropped: lines that are nobody's words: titles, notices, placeholders.
    """

    turns: tuple[tuple[str, str], ...]
    dropped: int = 0

    def utterances(self) -> tuple[Utterance, ...]:
        """The turns, numbered by position."""
        return tuple(Utterance(str(i), name, text) for i, (name, text) in enumerate(self.turns))


def gather(lines: Iterable[str], read: Read) -> Chat:
    """Put lines together.

    A line before the first turn or after a notice belongs to nobody, and so does a whole
    line in square brackets.
    """
    turns: list[tuple[Head, list[str]]] = []
    dropped = 0
    open_ = False
    for line in lines:
        found = read(line)
        if isinstance(found, Head):
            turns.append((found, [found.text] if found.text else []))
            open_ = True
        elif not line.strip():
            continue
        elif found is not None or not open_ or _STAGE.fullmatch(line):
            dropped += 1
            open_ = open_ and found is not Other.NOTICE
        else:
            turns[-1][1].append(line.strip())
    said = [(head.name, "\n".join(parts)) for head, parts in turns if parts or not head.wordless]
    return Chat(tuple(said), dropped + len(turns) - len(said))
