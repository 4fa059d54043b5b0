"""Persona statements: from a file, from the dialogue file itself, or from what is said."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona_lab.detectors.reading import count_words
from persona_lab.errors import InputError
from persona_lab.formats.cards import PNG, Card, card_of, is_card, read_card

AUTO = "auto"
"""The value of ``--persona`` that takes the statements from the speaker's own turns."""

_MOST_AUTO = 20
"""Extracted statements that are kept, the first ones: a persona, not a transcript."""

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d+[.)])\s+")
_SUBJECT = re.compile(
    r"""
    ^(?:(?:well|oh|yes|yeah|yep|no|nope|nah|and|but|so|actually|honestly|hi|hello|hey)[,!\s]+)*
    (?P<statement>
      i(?:['\u2019](?:m|ve)|\s+am|\s+have|\s+was|\s+do(?:n['\u2019]t|\s+not)|\s+never|\s+always
        |\s+[a-z]+)\b .*
      | my\s+ .* \b(?:is|are|was|were|has|have|had|does|loves?|likes?|works?|lives?)\b .*
    )$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NOT_A_FACT = re.compile(
    r"""
    ^i(?:['\u2019](?:m|ve)|\s+am|\s+have)?\s+(?:do(?:n['\u2019]t|\s+not)\s+|can(?:['\u2019]t|not)?\s+)?
    (?:just\s+|really\s+|also\s+|totally\s+|completely\s+|definitely\s+)*
    (?:think|know|guess|mean|hope|wish|bet|agree|understand|see|hear|heard|wonder|suppose|believe
      |feel|would|could|should|will|might|may|can|am\s+sure|sure|sorry|glad|happy\s+to|afraid
      |going\s+to|gonna|looking\s+forward|talking|saying|asking|said|told|promise|appreciate|thought)\b
    | ^i['\u2019](?:d|ll)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One persona statement.

    Attributes:
        text: in the first person as a rule.
        turn: index in the dialogue of the turn it was taken from; None for one that was given.
    """

    text: str
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class PersonaFile:
    """Statements that a user gave.

    Attributes:
        everybody: for all speakers.
        by_speaker: for one each, in place of those for everybody.
    """

    everybody: tuple[str, ...] = ()
    by_speaker: Mapping[str, tuple[str, ...]] | None = None

    def of(self, speaker: str) -> tuple[str, ...]:
        """The statements about a speaker."""
        return (self.by_speaker or {}).get(speaker, self.everybody)


def read_persona(path: str | Path) -> PersonaFile:
    """Read a persona file.

    Args:
        path: a text with one statement a line (bullets and numbers are taken off), a JSON
            list of statements, a JSON object ``{speaker: [statements]}``, or a character card
            (JSON or PNG), whose description is taken apart into sentences.

    Raises:
        InputError: it is missing, empty, or none of these.
    """
    path = Path(path)
    card = _card(path)
    if card is not None:
        return PersonaFile(_clean(_SENTENCE.findall(card.description)))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save the persona as UTF-8") from None
    except OSError as error:
        raise InputError(
            f"cannot read the persona {path}: {error.strerror}; name a file with one statement "
            f"a line, or use --persona {AUTO}"
        ) from None
    if text.lstrip()[:1] in ("{", "["):
        found = _from_json(text, path)
    else:
        lines = (_BULLET.sub("", line) for line in text.splitlines())
        found = PersonaFile(_clean(lines))
    if not found.everybody and not any((found.by_speaker or {}).values()):
        raise InputError(
            f"{path} holds no persona statement; write one a line, such as 'I have two dogs.'"
        )
    return found


def extract(turns: Sequence[tuple[int, str]]) -> tuple[Statement, ...]:
    """First-person statements of fact, by rule.

    Args:
        turns: index in the dialogue and text of the speaker's turns, in order.

    Returns:
        At most 20 statements: sentences that start with ``I`` or ``my``, hold 4 to 30 words,
        and are no question, opinion, wish or plan.
    """
    found: dict[str, Statement] = {}
    for turn, text in turns:
        for sentence in _SENTENCE.findall(text):
            match = _SUBJECT.match(sentence.strip())
            if match is None or sentence.rstrip().endswith("?"):
                continue
            statement = match["statement"].strip()
            if 4 <= count_words(statement) <= 30 and not _NOT_A_FACT.match(statement):
                found.setdefault(statement.casefold().rstrip(".! "), Statement(statement, turn))
    return tuple(found.values())[:_MOST_AUTO]


def _card(path: Path) -> Card | None:
    """The character card in a file; None where it holds something else."""
    try:
        with path.open("rb") as file:
            start = file.read(len(PNG))
        if start == PNG:
            return read_card(path)
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None  # read and complained of as a text
    return card_of(value, path.name) if is_card(value) else None


def _from_json(text: str, path: Path) -> PersonaFile:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputError(
            f"{path} starts like JSON but is not ({error}); give a list of statements, an object "
            "{speaker: [statements]}, or plain lines"
        ) from None
    if isinstance(given, dict):
        return PersonaFile(by_speaker={str(k): _strings(v, path) for k, v in given.items()})
    return PersonaFile(_strings(given, path))


def _strings(given: Any, path: Path) -> tuple[str, ...]:
    if isinstance(given, str):
        given = given.splitlines()
    if not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        raise InputError(
            f"{path}: a persona in JSON is a list of statements, or an object "
            "{speaker: [statements]}"
        )
    return _clean(given)


def _clean(lines: Any) -> tuple[str, ...]:
    plain = (" ".join(str(line).split()) for line in lines)
    return tuple(dict.fromkeys(line for line in plain if count_words(line)))
