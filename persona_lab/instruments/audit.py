"""Are the keys right? What each key claims in words, and signs that one may be wrong.

An audit accuses nobody: an item that is marked ``look`` may well be keyed as it should be
("Dislike myself" is denied and yet points to the high pole of neuroticism). It says where a
person should look before prompts are built from the keys.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from persona_lab.instruments.model import Domain, Instrument, Item
from persona_lab.traits import BIG_FIVE, MBTI

_NEGATION = re.compile(
    r"\b(not|never|no|nobody|nothing|cannot|rarely|seldom|hardly|little|few|without)\b|n't\b",
    re.IGNORECASE,
)
_ANTONYM = re.compile(
    r"\b(dislike|avoid|distrust|disregard|lack|hate|neglect|refuse|difficulty|difficult|unable"
    r"|indifferent|ignore)s?\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(do not|does not|don't|doesn't|not|never|seldom|rarely)\b", re.IGNORECASE)
_AXES = {trait.key: trait for trait in MBTI.traits}
_BIG_FIVE = {trait.key for trait in BIG_FIVE.traits}

_NOT_ENGLISH = "the items are not in English, so they were not searched for denials"

DuplicateKind = Literal["same", "conflict", "shared", "negated"]


@dataclass(frozen=True, slots=True)
class DomainAudit:
    """How the keys of a domain are spread.

    Attributes:
        key: of the domain.
        plus: items keyed to the high pole.
        minus: items keyed to the low pole.
        one_sided: why one of them is 0, else None.
    """

    key: str
    plus: int
    minus: int
    one_sided: str | None


@dataclass(frozen=True, slots=True)
class ItemAudit:
    """One item and what its key claims.

    Attributes:
        id: of the item.
        hint: see :func:`hint`.
        reasons: why a person should look at the key; empty where nothing is odd.
    """

    id: str
    hint: str
    reasons: tuple[str, ...] = ()

    @property
    def status(self) -> Literal["ok", "look"]:
        """``look`` where there is a reason to."""
        return "look" if self.reasons else "ok"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Items that say the same.

    Attributes:
        text: of the first of them.
        ids: of the items.
        kind: ``same`` (one domain, one key: counted twice), ``shared`` (counts in several
            domains), ``conflict`` (one domain, both keys: one of them is wrong), or
            ``negated`` (one denies what the other says, and both have the same key).
        domains: keys of their domains.
    """

    text: str
    ids: tuple[str, ...]
    kind: DuplicateKind
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in one instrument.

    Attributes:
        instrument: its name.
        domains: in the instrument's order.
        items: all items, in order.
        duplicates: in order of the first item.
        notes: what the loader had to decide.
    """

    instrument: str
    domains: tuple[DomainAudit, ...]
    items: tuple[ItemAudit, ...]
    duplicates: tuple[Duplicate, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())

    @property
    def to_look_at(self) -> tuple[ItemAudit, ...]:
        """Items with a reason to look at the key."""
        return tuple(item for item in self.items if item.reasons)


def hint(item: Item, domain: Domain) -> str:
    """What the key of an item claims, as a sentence for prompts.

    Returns:
        For example ``Agreeing with "Don't talk a lot" points to introverted (low
        extraversion)``, without a full stop.
    """
    pole = domain.high if item.keyed > 0 else domain.low
    side = ""
    if domain.trait in _AXES:
        axis = _AXES[domain.trait]
        side = f" ({axis.high if item.keyed > 0 else axis.low})"
    elif domain.name.casefold() not in pole.casefold():
        side = f" ({'high' if item.keyed > 0 else 'low'} {_name(domain)})"
    return f'Agreeing with "{item.text.rstrip(".")}" points to {pole}{side}'


def audit(instrument: Instrument) -> Audit:
    """Check the keys of an instrument.

    Reasons to look at an item: its text denies something (``not``, ``rarely``, ``avoid``,
    ...) and its key is plus; or it names a pole of its domain and its key says the other.
    Only English texts are searched for these.
    """
    domains = {domain.key: domain for domain in instrument.domains}
    english = instrument.language.startswith("en")
    return Audit(
        instrument.name,
        tuple(_spread(domain, instrument.of(domain.key)) for domain in instrument.domains),
        tuple(
            ItemAudit(
                item.id,
                hint(item, domains[item.domain]),
                _reasons(item, domains[item.domain]) if english else (),
            )
            for item in instrument.items
        ),
        tuple(_duplicates(instrument.items)),
        instrument.notes + (() if english else (_NOT_ENGLISH,)),
    )


def _name(domain: Domain) -> str:
    return domain.name.lower() if domain.trait in _BIG_FIVE else domain.name


def _spread(domain: Domain, items: tuple[Item, ...]) -> DomainAudit:
    plus = sum(item.keyed > 0 for item in items)
    return DomainAudit(domain.key, plus, len(items) - plus, domain.one_sided)


def _reasons(item: Item, domain: Domain) -> tuple[str, ...]:
    found = []
    denial = _NEGATION.search(item.text) or _ANTONYM.search(item.text)
    if denial and item.keyed > 0:
        found.append(f"the text says {denial[0]!r}, the key says high")
    named, opposite = (domain.low, "high") if item.keyed > 0 else (domain.high, "low")
    if not denial and re.search(rf"\b{re.escape(named)}\b", item.text, re.IGNORECASE):
        found.append(f"the text says {named!r}, the key says {opposite}")
    return tuple(found)


def _duplicates(items: Iterable[Item]) -> Iterator[Duplicate]:
    by_text: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_text[_normal(item.text)].append(item)
    by_content: dict[tuple[str, str, int], list[Item]] = defaultdict(list)
    for same in by_text.values():
        if len(same) > 1:
            yield _duplicate(same, _kind(same))
        first = same[0]
        by_content[_normal(_NOT.sub("", first.text)), first.domain, first.keyed].append(first)
    for alike in by_content.values():
        if len({bool(_NOT.search(item.text)) for item in alike}) > 1:
            yield _duplicate(alike, "negated")


def _kind(same: list[Item]) -> DuplicateKind:
    keys = {(item.domain, item.keyed) for item in same}
    domains = {item.domain for item in same}
    if len(keys) > len(domains):
        return "conflict"
    return "shared" if len(domains) > 1 else "same"


def _duplicate(items: list[Item], kind: DuplicateKind) -> Duplicate:
    return Duplicate(
        items[0].text,
        tuple(item.id for item in items),
        kind,
        tuple(dict.fromkeys(item.domain for item in items)),
    )


def _normal(text: str) -> str:
    """A text as its words in small letters; other scripts than Latin keep all letters."""
    return " ".join(re.findall(r"\w+", text.casefold()))
