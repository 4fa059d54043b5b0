"""Questionnaires as data: items with a domain and a key, a rating scale, and scoring."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from persona_lab.instruments.errors import InstrumentError
from persona_lab.instruments.scoring import DomainScore, score_domain
from persona_lab.instruments.shortform import choose_items


@dataclass(frozen=True, slots=True)
class Scale:
    """The ratings that an item can get: whole numbers with words.

    Attributes:
        low: the smallest rating.
        high: the largest rating.
        anchors: words of each rating from ``low`` to ``high``, ``""`` where it has none.
        descending: the largest rating means the least agreement (1 "strongly agree" ...
            7 "strongly disagree"), which a few instruments have.
    """

    low: int
    high: int
    anchors: tuple[str, ...]
    descending: bool = False

    @property
    def middle(self) -> float:
        """The rating half-way."""
        return (self.low + self.high) / 2

    @property
    def labelled(self) -> tuple[tuple[int, str], ...]:
        """Ratings that have words, with their words, from ``low`` to ``high``."""
        points = zip(range(self.low, self.high + 1), self.anchors, strict=True)
        return tuple((rating, words) for rating, words in points if words)


@dataclass(frozen=True, slots=True)
class Item:
    """One statement or question that is rated.

    Attributes:
        id: unique in its instrument.
        text: as printed; IPIP items leave out their subject ("Am the life of the party").
        domain: key of its domain.
        keyed: +1 where agreement points to the domain's high pole, -1 to its low pole.
        facet: name of the narrower trait, if the instrument has facets.
        question: how an interviewer would ask for it, where the file says so.
    """

    id: str
    text: str
    domain: str
    keyed: int
    facet: str | None = None
    question: str | None = None

    def reflect(self, rating: float, scale: Scale) -> float:
        """The rating so that more means more of the domain's high pole.

        Args:
            rating: as given, within ``scale.low`` .. ``scale.high``.
            scale: of the instrument.

        Returns:
            The rating itself, or ``low + high - rating`` for a reverse-keyed item (and
            the other way round on a descending scale).
        """
        as_is = (self.keyed > 0) != scale.descending
        return rating if as_is else scale.low + scale.high - rating


@dataclass(frozen=True, slots=True)
class Domain:
    """What a group of items measures.

    Attributes:
        key: in results; our trait key where there is one.
        name: as the instrument calls it.
        trait: our trait key (``openness``, ``EI``, ...) or None.
        high: word for the high pole, for example ``extraverted``; for MBTI axes that is
            the pole of the first letter.
        low: word for the other pole.
        one_sided: why all items have the same key; None where both keys occur.
    """

    key: str
    name: str
    trait: str | None
    high: str
    low: str
    one_sided: str | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire.

    Attributes:
        name: for ``load_instrument`` and results.
        title: for people.
        language: of the items, for example ``en``.
        licence: of the items; ``not stated`` for a user's file.
        source: where the items come from.
        citation: whom to cite.
        framework: ``bigfive``, ``mbti`` or None.
        scale: of the ratings.
        domains: what it measures.
        items: in the order in which they are asked.
        fillers: ids in the file that count for no domain; they are not asked, and ratings
            of them are ignored.
        notes: what the loader had to decide, for people.
    """

    name: str
    title: str
    language: str
    licence: str
    source: str
    citation: str
    framework: str | None
    scale: Scale
    domains: tuple[Domain, ...]
    items: tuple[Item, ...]
    fillers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, domain: str) -> tuple[Item, ...]:
        """The items of a domain.

        Raises:
            InstrumentError: there is no such domain.
        """
        self.domain(domain)
        return tuple(item for item in self.items if item.domain == domain)

    def domain(self, key: str) -> Domain:
        """The domain with this key.

        Raises:
            InstrumentError: there is no such domain.
        """
        for domain in self.domains:
            if domain.key == key:
                return domain
        keys = ", ".join(domain.key for domain in self.domains)
        raise InstrumentError(f"instrument {self.name!r} has no domain {key!r}; it has: {keys}")

    def item(self, id: str) -> Item:
        """The item with this id.

        Raises:
            InstrumentError: there is no such item.
        """
        for item in self.items:
            if item.id == id:
                return item
        raise InstrumentError(
            f"instrument {self.name!r} has no item {id!r}; see: "
            f"persona-lab instruments show {self.name}"
        )

    def for_trait(self, trait: str) -> tuple[Item, ...]:
        """The items of all domains that measure one of our traits; empty if none does."""
        keys = {domain.key for domain in self.domains if domain.trait == trait}
        return tuple(item for item in self.items if item.domain in keys)

    def score(self, ratings: Mapping[str, float | None]) -> dict[str, DomainScore]:
        """Score one respondent.

        Args:
            ratings: by item id, on the scale as printed (reverse keys not yet applied);
                None or a missing id is an item without an answer. Fractions are fine
                (means of repeated answers).

        Returns:
            A score for each domain, in the instrument's order.

        Raises:
            InstrumentError: an id is unknown, or a rating is not on the scale.
        """
        given = self.checked(ratings)
        return {d.key: score_domain(self.of(d.key), given, self.scale) for d in self.domains}

    def checked(self, ratings: Mapping[str, float | None]) -> dict[str, float]:
        """Ratings of items that were answered, after a check of ids and values.

        Raises:
            InstrumentError: an id is unknown, or a rating is not on the scale.
        """
        known = {item.id for item in self.items}
        given = {}
        for id, rating in ratings.items():
            if id in self.fillers:
                continue
            if id not in known:
                self.item(id)
            if rating is None:
                continue
            if not self.scale.low <= rating <= self.scale.high:
                raise InstrumentError(
                    f"item {id!r} of {self.name!r} has the rating {rating:g}; the scale goes "
                    f"from {self.scale.low} to {self.scale.high}, no answer is an empty cell"
                )
            given[id] = float(rating)
        return given

    def prompt_scale(self) -> str:
        """One sentence that explains the scale, for prompts and forms (in English)."""
        words = [f"{rating} = {anchor}" for rating, anchor in self.scale.labelled]
        range_ = f"a whole number from {self.scale.low} to {self.scale.high}"
        return f"Answer with {range_}: {', '.join(words)}." if words else f"Answer with {range_}."

    def subset(self, n_per_domain: int, seed: int = 0) -> Instrument:
        """A short form: as many items of each key as can be, spread over the facets.

        Args:
            n_per_domain: items a domain; of an odd number, chance decides which key gets
                one more, and where one key has too few items the other fills up.
            seed: the same seed gives the same items.

        Raises:
            InstrumentError: a domain has fewer items than that.
        """
        chosen: set[str] = set()
        domains = []
        for domain in self.domains:
            items = self.of(domain.key)
            if not 1 <= n_per_domain <= len(items):
                raise InstrumentError(
                    f"a short form of {self.name!r} cannot have {n_per_domain} items for "
                    f"{domain.key!r}; choose from 1 to {len(items)}"
                )
            picked = choose_items(items, n_per_domain, f"{seed} {domain.key}")
            chosen |= {item.id for item in picked}
            reason = domain.one_sided
            if reason is None and len({item.keyed for item in picked}) == 1:
                reason = f"a short form of {n_per_domain} item{'s' * (n_per_domain > 1)}"
            domains.append(replace(domain, one_sided=reason))
        return replace(
            self,
            name=f"{self.name}-short-{n_per_domain}-{seed}",
            title=f"{self.title}, short form of {n_per_domain} items a domain",
            domains=tuple(domains),
            items=tuple(item for item in self.items if item.id in chosen),
        )

    def to_json(self) -> str:
        """As our JSON layout, which ``load_instrument`` reads back to an equal instrument."""
        return json.dumps(_without_empty(asdict(self)), ensure_ascii=False, indent=1) + "\n"


_NULLABLE = ("trait", "framework")


def _without_empty(value: Any) -> Any:
    """Leave out fields that hold nothing; a trait or framework of null tells something."""
    if isinstance(value, dict):
        kept = {
            k: v
            for k, v in value.items()
            if (v is not None and v is not False and v != ()) or k in _NULLABLE
        }
        return {key: _without_empty(part) for key, part in kept.items()}
    if isinstance(value, (list, tuple)):
        return [_without_empty(part) for part in value]
    return value
