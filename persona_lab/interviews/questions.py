"""What is asked in open protocols: questions from items, scenarios, and invitations to a story."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from persona_lab.errors import InputError
from persona_lab.instruments import Instrument, Item, question
from persona_lab.instruments.wording import FOLLOW_UP

INTERVIEW: Final = "interview"
SITUATIONAL: Final = "situational"
STORY: Final = "story"

_SCENARIOS = Path(__file__).resolve().parent / "data" / "scenarios.json"
_STORIES: Final = (
    "Tell me a story from your life, about 300 words: a day that you still think about. Do not "
    "say what kind of person you are; just tell what happened and what you did.",
    "Tell me about a time when something did not go as you wanted, in about 300 words. Do not "
    "say what kind of person you are; just tell what happened and what you did.",
    "Tell me about time spent with other people that you remember well, in about 300 words. Do "
    "not say what kind of person you are; just tell what happened and what you did.",
)


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One open question.

    Attributes:
        item: id of the item, scenario or story prompt.
        domain: key of the domain it is about; ``""`` for all of them.
        facet: narrower trait, if there is one.
        text: what is asked.
        wording: where the text comes from: ``rule``, ``file``, ``own`` or ``llm``.
    """

    item: str
    domain: str
    facet: str | None
    text: str
    wording: str


def interview_questions(instrument: Instrument) -> tuple[OpenQuestion, ...]:
    """An open question for each item: the file's own, else by rule.

    Raises:
        InstrumentError: an item is not in English and its file has no question for it.
    """
    return tuple(_from_item(item) for item in instrument.items)


def situational_questions(
    instrument: Instrument, path: Path | None = None
) -> tuple[OpenQuestion, ...]:
    """Scenarios that are about the instrument's domains.

    Args:
        instrument: whose domains are wanted.
        path: a file of scenarios in the layout of the bundled one: a JSON object with
            ``scenarios``, each with ``id``, ``domain`` and ``text``.

    Raises:
        InputError: the file cannot be read, or a domain has no scenario.
    """
    scenarios = _read_scenarios(path or _SCENARIOS)
    found = []
    for domain in instrument.domains:
        mine = [s for s in scenarios if s.domain in (domain.key, domain.trait)]
        if not mine:
            raise InputError(
                f"there is no scenario about {domain.key!r} of {instrument.name!r}; bundled are "
                "Big Five traits and MBTI axes, give others with --scenarios FILE"
            )
        found += [OpenQuestion(s.item, domain.key, s.facet, s.text, s.wording) for s in mine]
    return tuple(found)


def story_questions(n: int = 1) -> tuple[OpenQuestion, ...]:
    """Invitations to tell a story.

    Raises:
        InputError: there are not that many.
    """
    if not 1 <= n <= len(_STORIES):
        raise InputError(f"there are {len(_STORIES)} story prompts; ask for 1 to {len(_STORIES)}")
    return tuple(
        OpenQuestion(f"story{i}", "", None, text, "own") for i, text in enumerate(_STORIES[:n], 1)
    )


def in_turn(questions: Sequence[OpenQuestion]) -> tuple[OpenQuestion, ...]:
    """One question of each domain, then the next of each: no domain fills one stretch."""
    domains = dict.fromkeys(q.domain for q in questions)
    queues = [[q for q in questions if q.domain == domain] for domain in domains]
    longest = max(map(len, queues), default=0)
    return tuple(queue[i] for i in range(longest) for queue in queues if i < len(queue))


def _from_item(item: Item) -> OpenQuestion:
    given = item.question
    if given is None:
        return OpenQuestion(item.id, item.domain, item.facet, question(item.text), "rule")
    # most files ask what can be answered with yes or no
    asked = f"{given} {FOLLOW_UP}" if given.isascii() else given
    return OpenQuestion(item.id, item.domain, item.facet, asked, "file")


@lru_cache
def _read_scenarios(path: Path) -> tuple[OpenQuestion, ...]:
    try:
        given: Any = json.loads(path.read_text(encoding="utf-8"))
        scenarios: Iterable[Mapping[str, Any]] = given["scenarios"]
        read = tuple(
            OpenQuestion(
                str(s["id"]), str(s["domain"]), s.get("facet"), str(s["text"]).strip(), "own"
            )
            for s in scenarios
        )
    except OSError as error:
        raise InputError(f"cannot read the scenarios {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"{path.name} holds no scenarios; it must be a JSON object with a list 'scenarios', "
            "each with 'id', 'domain' and 'text'"
        ) from None
    ids = [s.item for s in read]
    twice = next((id for id in ids if ids.count(id) > 1), None)
    if twice is not None or not all(s.text for s in read):
        where = f"two scenarios with the id {twice!r}" if twice else "a scenario without text"
        raise InputError(f"{path.name} holds {where}; give each its own id and a text")
    return read
