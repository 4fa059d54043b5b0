"""What was asked and answered: JSON lines that survive a kill at any point."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal

from persona_lab.interviews.rowfile import RowFile, read_rows

Status = Literal["scored", "unscored"]


@dataclass(frozen=True, slots=True)
class Record:
    """One question and its answer.

    Attributes:
        id: stable, see :func:`record_id`.
        bot: name of the bot.
        persona: id of its persona; None for none.
        instrument: name of the questionnaire.
        protocol: ``self-report``, ``interview``, ``situational`` or ``story``.
        wording: of the question; see the protocol.
        order: of the options in a closed question; ``""`` for open ones.
        temperature: of the sampling.
        repeat: 0, 1, 2 ...
        item: id of the item, scenario or story prompt.
        domain: key of the domain it is about; ``""`` for all of them (stories).
        facet: narrower trait, if there is one.
        question: what was asked, word for word.
        answer: what came back, word for word; None where nothing did.
        rating: of closed answers, on the instrument's scale as printed (not reflected).
        status: ``unscored`` answers do not count towards a score.
        reason: why it is unscored, one sentence.
        code: the same for programs: ``refusal``, ``off_scale``, ``no_number``, ...
        flags: oddities, see :mod:`persona_lab.interviews.flags`.
        thought: what the bot thought before it answered; nobody rates it.
        invented: what the bot went on to write for both sides of the talk; no part of the answer.
    """

    id: str
    bot: str
    persona: str | None
    instrument: str
    protocol: str
    wording: str
    order: str
    temperature: float
    repeat: int
    item: str
    domain: str
    facet: str | None
    question: str
    answer: str | None
    rating: float | None = None
    status: Status = "scored"
    reason: str | None = None
    code: str | None = None
    flags: tuple[str, ...] = ()
    thought: str | None = None
    invented: str | None = None

    def to_row(self) -> dict[str, Any]:
        """As JSON types; ``thought`` and ``invented`` only where there is one."""
        row = asdict(self) | {"flags": list(self.flags)}
        return {k: v for k, v in row.items() if k not in _OPTIONAL or v is not None}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Record:
        """Undo :meth:`to_row`.

        Raises:
            KeyError: a field is missing.
            TypeError: it is no object, or a field is of another kind.
            ValueError: a status is unknown.
        """
        known = {name: row[name] for name in _NAMES}
        known |= {name: row.get(name) for name in _OPTIONAL}
        texts = [known[name] for name in _TEXTS]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a text is missing")
        if known["status"] not in ("scored", "unscored"):
            raise ValueError("unknown status")
        return cls(**known | {"flags": tuple(known["flags"])})


_OPTIONAL: Final = ("thought", "invented")
_NAMES: Final = tuple(f.name for f in fields(Record) if f.name not in _OPTIONAL)
_TEXTS: Final = ("id", "bot", "instrument", "protocol", "item", "domain", "question", "status")


def record_id(*parts: object) -> str:
    """A stable id: the parts joined by slashes; None is left out.

    Slashes inside a part are written ``%2F``, so that different parts give different ids.
    """
    texts = (str(part) for part in parts if part is not None)
    return "/".join(text.replace("%", "%25").replace("/", "%2F") for text in texts)


class RecordFile(RowFile[Record]):
    """A transcript: one record a line; see :class:`~persona_lab.interviews.rowfile.RowFile`."""

    def __init__(self, path: Path) -> None:
        """Open a transcript, new or from an earlier run.

        Raises:
            InputError: it holds something else.
            PersonaLabError: it cannot be written.
        """
        super().__init__(path, Record.from_row)

    def __enter__(self) -> RecordFile:
        """Return the file itself."""
        return self


def read_transcript(path: Path) -> list[Record]:
    """The records of a transcript, without touching the file; a torn last line is left out.

    Raises:
        InputError: the file cannot be read, or holds something else.
    """
    return list(read_rows(path, Record.from_row)[0].values())
