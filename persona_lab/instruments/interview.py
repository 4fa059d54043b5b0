"""The layouts of InCharacter (Wang et al. 2024) and PsychoBench (Huang et al. 2024).

Both are questionnaires with ``questions``, ``categories`` and ``reverse``. InCharacter adds the
range of the ratings, keys and interview questions; PsychoBench has statements only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from persona_lab.instruments import fields
from persona_lab.instruments.errors import InstrumentError
from persona_lab.instruments.layouts import NOT_STATED, FileFacts
from persona_lab.instruments.model import Domain, Instrument, Item, Scale
from persona_lab.instruments.poles import domain_named, explain_one_sided, framework_of

LANGUAGES = ("en", "zh")

_ANCHOR = re.compile(r"""['"]?(\d+)['"]?\s*(?:denotes|means|:|=)\s*(['"])(.+?)\2""")
_FROM_TO = re.compile(r"from (\d+) to (\d+)")
_AGREE = re.compile(r"\bagree", re.IGNORECASE)


def is_interview(value: object) -> bool:
    """Is a JSON value a questionnaire of InCharacter or PsychoBench?"""
    return isinstance(value, Mapping) and {"questions", "categories"} <= set(value)


def read_interview(record: Mapping[str, Any], facts: FileFacts) -> Instrument:
    """Read one questionnaire.

    The key of an item is what its ``category`` says (a pole's letter, ``positive`` or
    ``negative``), else whether it is in the list ``reverse``. Items of no category are
    fillers. For MBTI axes +1 is always the first letter of our axis.

    Raises:
        InstrumentError: a field is missing or of the wrong kind, or the language is not
            one of :data:`LANGUAGES`.
    """
    place = facts.place
    if facts.language not in LANGUAGES:
        raise InstrumentError(
            f"{place} has no items in the language {facts.language!r}; use {', '.join(LANGUAGES)}"
        )
    questions = fields.object_(record.get("questions"), f"{place}: questions")
    home = _domain_of(record, questions, place)
    reverse = {str(id) for id in fields.list_(record, "reverse", place)}
    items, notes = [], []
    for id, value in questions.items():
        if id not in home:
            continue
        # a text alone is an item of PsychoBench
        item = {"origin_en": value} if isinstance(value, str) else value
        entry = fields.object_(item, f"{place}: item {id!r}")
        domain = home[id]
        keyed, note = _key(id, entry.get("category"), domain, id in reverse)
        notes += [note] if note else []
        items.append(_item(id, entry, domain, keyed, facts))
    fillers = tuple(id for id in questions if id not in home)
    if fillers:
        notes.append(f"items that belong to no category are not asked: {', '.join(fillers)}")
    scale = _scale(record, place)
    if scale.descending:
        notes.append("the largest rating means the least agreement; scoring takes it into account")
    domains = explain_one_sided(dict.fromkeys(home.values()), items)
    return Instrument(
        name=fields.text(record, "name", place),
        title=fields.optional_text(record, "full_name", place)
        or fields.text(record, "name", place),
        language=facts.language,
        licence=NOT_STATED,
        source=f"the file {place}",
        citation=NOT_STATED,
        framework=framework_of(domains),
        scale=scale,
        domains=domains,
        items=tuple(items),
        fillers=fillers,
        notes=tuple(notes),
    )


def _domain_of(
    record: Mapping[str, Any], questions: Mapping[str, Any], place: str
) -> dict[str, Domain]:
    """Which domain each item belongs to."""
    home: dict[str, Domain] = {}
    for number, value in enumerate(fields.list_(record, "categories", place), 1):
        where = f"{place}: category {number}"
        category = fields.object_(value, where)
        domain = domain_named(fields.text(category, "cat_name", where))
        for id in map(str, fields.list_(category, "cat_questions", where)):
            if id not in questions:
                raise InstrumentError(f"{where} names item {id!r}, which is not in 'questions'")
            if id in home:
                raise InstrumentError(f"{where} names item {id!r}, which is in {home[id].name!r}")
            home[id] = domain
    return home


def _key(id: str, category: object, domain: Domain, reversed_: bool) -> tuple[int, str]:
    """The key towards the domain's high pole, and a note where the file contradicts itself."""
    by_list = -1 if reversed_ else 1
    first = domain.name[:1]
    by_category = {"positive": 1, "negative": -1}.get(str(category), by_list)
    is_axis = domain.trait is not None and len(domain.trait) == len("EI")
    if is_axis and isinstance(category, str) and category in domain.name:
        by_category = 1 if category == first else -1
    note = ""
    if by_category != by_list:
        note = (
            f"item {id}: its category {category!r} and the list 'reverse' contradict each other; "
            "the category is used"
        )
    # the file counts towards the first letter of its own name for the axis
    flip = -1 if is_axis and domain.trait is not None and domain.trait[0] != first else 1
    return flip * by_category, note


def _item(id: str, entry: Mapping[str, Any], domain: Domain, keyed: int, facts: FileFacts) -> Item:
    where = f"{facts.place}: item {id!r}"
    text = fields.text(entry, f"origin_{facts.language}", where)
    question = fields.optional_text(entry, f"rewritten_{facts.language}", where)
    return Item(id, text, domain.key, keyed, question=question)


def _scale(record: Mapping[str, Any], place: str) -> Scale:
    ends = _ends(record, place)
    if len(ends) != 2 or not all(isinstance(end, int) for end in ends):
        raise InstrumentError(f"{place}: 'range' must be two whole numbers such as [1, 5]")
    keys = ("psychobench_prompt_choice_instruction", "prompt")
    told = (fields.optional_text(record, key, place) for key in keys)
    instruction = next(filter(None, told), "")
    words = {int(number): anchor for number, _, anchor in _ANCHOR.findall(instruction)}
    low, high = ends
    descending = bool(_AGREE.search(words.get(low, ""))) and "disagree" in words.get(high, "")
    return Scale(low, high, tuple(words.get(n, "") for n in range(low, high + 1)), descending)


def _ends(record: Mapping[str, Any], place: str) -> list[Any]:
    """The lowest and highest rating; PsychoBench tells them in its prompt, and their sum."""
    if "range" in record or "scale" not in record:
        return fields.list_(record, "range", place)
    found = _FROM_TO.search(fields.optional_text(record, "prompt", place) or "")
    if found is not None:
        return [int(found[1]), int(found[2])]
    total = fields.whole(record, "scale", place)
    return [0, 1] if total == 1 else [1, total - 1]


def choose(value: list[Any], name: str | None, place: str) -> Mapping[str, Any]:
    """One of the questionnaires of a PsychoBench file.

    Args:
        value: all of them.
        name: of the one that is wanted; None for the only one.
        place: for messages.

    Raises:
        InstrumentError: there are several and none is named, or none has the name.
    """
    named = {str(one.get("name")): one for one in value if isinstance(one, Mapping)}
    if name is None and len(named) == 1:
        name = next(iter(named))
    if name not in named:
        raise InstrumentError(
            f"{place} holds {len(named)} questionnaires: {', '.join(named)}; name one of them as "
            f"{place}#NAME"
        )
    return named[name]
