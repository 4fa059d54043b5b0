"""What the fields of an expression can hold, so that no condition is always false by a slip.

``extraversion.label = 'outgoing'`` is understood as ``'high'``; ``'loud'`` and
``extraversion.p_high > 60`` are errors that say what there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, get_args

from persona_lab.errors import TargetError
from persona_lab.profile import Why
from persona_lab.traits import FRAMEWORKS, Trait, mbti_labels

Node = Any
"""A node of sqlglot's tree, as in :mod:`persona_lab.filtering.rules`."""

_TRAITS: Final[Mapping[str, Trait]] = {
    trait.key: trait for framework in FRAMEWORKS.values() for trait in framework.traits
}
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}|non-latin")
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    ".p_high": (0, 1),
    ".low": (0, 1),
    ".high": (0, 1),
    ".level": (-2, 2),
}


def settle_values(tree: Node, name_of: Callable[[Node], str]) -> None:
    """Check what fields are compared with; a pole's word becomes ``high`` or ``low``.

    Args:
        tree: of the parser, already checked for its types; its texts are changed in place.
        name_of: gives the field of a column's node.

    Raises:
        ValueError: a field is compared with what it never holds; it says what it can hold.
    """
    for column, literal, sign in _compared(tree):
        name = name_of(column)
        if literal.is_string:
            literal.set("this", _settled(name, literal.this))
        else:
            _check_number(name, sign * float(literal.this))


def trait_hint(name: str, known: Container[str]) -> str | None:
    """What to write where a bare trait is named; None if it is none.

    Args:
        name: as given.
        known: names of all fields.
    """
    trait = next((t for key, t in _TRAITS.items() if key.casefold() == name.casefold()), None)
    if trait is None or f"{trait.key}.p_high" not in known:
        return None
    return (
        f"is a trait; write {trait.key}.level (what is shown, -2 to 2) or {trait.key}.p_high "
        f"(probability of {trait.high}, 0 to 1)"
    )


def label_help(trait: Trait) -> str:
    """What a trait's label can be, with the words that mean the same."""
    high, low = (", ".join(_names(trait, pole)) for pole in (0, 1))
    return f"high ({high}), low ({low}) or abstain"


def _compared(tree: Node) -> Iterator[tuple[Node, Node, int]]:
    """Columns with the values that they are compared with, and the values' signs."""
    from sqlglot import expressions as e

    equalities = (e.EQ, e.NEQ)
    orders = (e.GT, e.GTE, e.LT, e.LTE)
    for node in tree.find_all(*equalities, *orders, e.In, e.Between):
        if isinstance(node, e.In):
            pairs = [(node.this, value) for value in node.expressions]
        elif isinstance(node, e.Between):
            pairs = [(node.this, node.args[end]) for end in ("low", "high")]
        else:
            pairs = [(node.left, node.right), (node.right, node.left)]
        for one, other in pairs:
            one, other, sign = one.unnest(), other.unnest(), 1
            if isinstance(other, e.Neg):
                other, sign = other.this.unnest(), -1
            if isinstance(one, e.Column) and isinstance(other, e.Literal):
                yield one, other, sign


def _settled(name: str, text: str) -> str:
    head, _, part = name.rpartition(".")
    if part == "label" and head in _TRAITS:
        words = _label_words(head)
        if text.casefold() not in words:
            raise ValueError(f"{name} is {label_help(_TRAITS[head])}; not {text!r}")
        return words[text.casefold()]
    if name == "status" and text not in ("scored", "unscored"):
        raise ValueError(f"status is 'scored' or 'unscored', not {text!r}")
    if part == "why" and head in _TRAITS and text not in get_args(Why):
        raise ValueError(f"{name} is {_either(get_args(Why))}, not {text!r}")
    if name == "language" and not _LANGUAGE.fullmatch(text):
        raise ValueError(f"language is a code such as 'en', or 'non-latin', not {text!r}")
    if name == "type":
        try:
            mbti_labels(text)
        except TargetError as error:
            raise ValueError(f"type is {error}") from None
        return text.strip().upper()
    return text


def _check_number(name: str, value: float) -> None:
    head, _, part = name.rpartition(".")
    ends = _RANGES.get(f".{part}") if head in _TRAITS else None
    if ends is not None and not ends[0] <= value <= ends[1]:
        raise ValueError(f"{name} goes from {ends[0]} to {ends[1]}; {value:g} is outside")


@lru_cache
def _label_words(key: str) -> Mapping[str, str]:
    """Labels of a trait by all the words for them."""
    trait = _TRAITS[key]
    words = {label: label for label in ("high", "low", "abstain")}
    for pole, label in enumerate(("high", "low")):
        words |= {name.casefold(): label for name in _names(trait, pole)}
    return words


def _names(trait: Trait, pole: int) -> tuple[str, ...]:
    """What a pole is called; 0 is the high one."""
    return tuple(dict.fromkeys(((trait.high, trait.low)[pole], trait.seen[pole])))


def _either(names: tuple[str, ...]) -> str:
    *first, last = map(repr, names)
    return f"{', '.join(first)} or {last}"
