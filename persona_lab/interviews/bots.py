"""The chatbots under test, and the personas that one is given."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from persona_lab.errors import InputError, PersonaLabError, RowError, TargetError
from persona_lab.formats.base import BadRow, each
from persona_lab.formats.cards import card_of, is_card, read_card
from persona_lab.formats.records import Record, kind, list_of, objects_of, read_records, text_of
from persona_lab.formats.source import Source
from persona_lab.llm.asking import Conversation, Sampling
from persona_lab.llm.chat import ChatModel, Message
from persona_lab.llm.rehearsal import begin
from persona_lab.thoughts import split_thought
from persona_lab.traits import Target

_ROLE: Final = (
    "You are the person described here. Stay in this role, speak as this person in the first "
    "person, and never mention the description.\n\n"
)
"""Goes before a persona that is a description; a ``system`` text is used as it is."""

_DESCRIPTIONS: Final = ("persona", "profile", "text")
_ROLES: Final = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Bot:
    """A chatbot: a model with what it is told before anybody speaks.

    Attributes:
        name: in records and reports.
        model: who answers.
        system: system prompt or persona; None for none.
        history: turns said before (few-shot examples).
        temperature: of open answers; closed ones have their own, see
            :class:`~persona_lab.interviews.self_report.Administration`.
        seed: of the sampling, where the server knows seeds.
    """

    name: str
    model: ChatModel
    system: str | None = None
    history: tuple[Message, ...] = ()
    temperature: float = 0.0
    seed: int | None = 0

    def conversation(self, *, repeat: int = 0, temperature: float | None = None) -> Conversation:
        """Begin a conversation; a rehearsed one where the model is a rehearsal.

        Args:
            repeat: 0, 1, 2 ... for repeats of the same questions.
            temperature: None for the bot's own.
        """
        told = () if self.system is None else (Message("system", self.system),)
        chosen = self.temperature if temperature is None else temperature
        return begin(self.model, (*told, *self.history), Sampling(chosen, self.seed, repeat))

    def with_persona(self, persona: Persona) -> Bot:
        """The same bot in a role; its own system prompt gives way."""
        return replace(self, system=persona.system)


@dataclass(frozen=True, slots=True)
class Persona:
    """A role for a bot.

    Attributes:
        id: unique in its file.
        system: the system prompt that gives the role.
        targets: wanted probability of the high pole by trait key, 0..1; may be empty.
        group: personas that belong together (a demographic group, a base persona).
        facts: whatever else is known, for grouping.
    """

    id: str
    system: str
    targets: Mapping[str, float] = field(default_factory=dict)
    group: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def load_personas(path: str | os.PathLike[str]) -> list[Persona | RowError]:
    """Read personas from JSON lines (or a JSON list).

    A record has ``id``, and ``system`` (a system prompt, used as it is) or ``persona``,
    ``profile`` or ``text`` (a description, put behind a sentence that gives the role; a list
    of statements is joined); or it is a character card. ``targets`` may be
    ``{"extraversion": 1}``, ``"E+ N-"`` or ``"INFP"``. ``group`` is optional; other text fields
    and whole numbers become ``facts``.

    Returns:
        In order; a bad record is a note in its place.

    Raises:
        InputError: the file cannot be read.
    """
    source = Source(path)
    try:
        return list(_personas(source))
    finally:
        source.close()


def _personas(source: Source) -> Iterator[Persona | RowError]:
    seen: set[str] = set()

    def build(record: Record) -> Persona:
        persona = _persona(record)
        if persona.id in seen:
            raise BadRow(f"the id {persona.id!r} occurs twice; give each persona its own")
        seen.add(persona.id)
        return persona

    return each(read_records(source), build)


def _persona(record: Record) -> Persona:
    value = record.object()
    given = value.get("targets")
    if given is not None and not isinstance(given, (str, Mapping)):
        raise BadRow(f"'targets' must be an object or text such as 'E+ N-', not {kind(given)}")
    if isinstance(given, Mapping) and not all(
        isinstance(v, (int, float)) and not isinstance(v, bool) for v in given.values()
    ):
        raise BadRow("'targets' must hold numbers from 0 to 1")
    try:
        targets = Target.parse(given).values if given else {}
    except TargetError as error:
        raise BadRow(str(error)) from None
    used = {"id", "system", "targets", "group", *_DESCRIPTIONS}
    return Persona(
        id=record.id,
        system=_system(value),
        targets=dict(targets),
        group=text_of(value.get("group"), "group") or None,
        facts={
            key: str(fact)
            for key, fact in value.items()
            if key not in used and isinstance(fact, (str, int)) and not isinstance(fact, bool)
        },
    )


def _system(value: Mapping[str, Any]) -> str:
    """The system prompt of a persona's record."""
    if is_card(value):
        try:
            return card_of(value, "it").system
        except InputError as error:
            raise BadRow(str(error)) from None
    told = text_of(value.get("system"), "system").strip()
    if told:
        return told
    for key in _DESCRIPTIONS:
        found = value.get(key)
        if isinstance(found, list):
            found = "\n".join(text_of(line, key) for line in list_of(found, key))
        described = text_of(found, key).strip()
        if described:
            return _ROLE + described
    names = "', '".join(("system", *_DESCRIPTIONS))
    raise BadRow(f"a persona needs one of '{names}' with text in it")


def read_persona(path: Path) -> str:
    """A persona from a file: its whole text is the system prompt, or a character card.

    Raises:
        InputError: it cannot be read, is empty, or is JSON or a picture and no character card.
    """
    card = read_card(path)
    if card is not None:
        return card.system
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InputError(f"cannot read the persona {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"the persona {path} is not UTF-8 text") from None
    if not text:
        raise InputError(f"the persona {path} is empty; write the system prompt into it")
    return text


def read_history(path: Path) -> tuple[Message, ...]:
    """Few-shot turns: JSON lines of ``{"role": "user" | "assistant", "content": ...}``.

    Thoughts are left out.

    Raises:
        InputError: the file cannot be read, or a line is no such turn.
    """
    source = Source(path)
    try:
        turns = []
        for record in read_records(source):
            if isinstance(record, RowError):
                raise record
            try:
                (value,) = objects_of([record.value], "a turn")
                role, content = value.get("role"), text_of(value.get("content"), "content")
                content = split_thought(content).said
                if role not in _ROLES or not content.strip():
                    raise BadRow('a turn is {"role": "user" or "assistant", "content": "..."}')
            except BadRow as bad:
                raise RowError(str(bad), row_id=record.id, place=record.place) from None
            turns.append(Message(role, content))
        return tuple(turns)
    finally:
        source.close()


def personas_or_error(path: str | os.PathLike[str]) -> list[Persona]:
    """The personas of a file; the first bad record is raised.

    Raises:
        PersonaLabError: a record is bad, or there is none.
    """
    found: list[Persona] = []
    for persona in load_personas(path):
        if isinstance(persona, RowError):
            raise persona
        found.append(persona)
    if not found:
        raise PersonaLabError(f"{Path(path).name} holds no persona")
    return found
