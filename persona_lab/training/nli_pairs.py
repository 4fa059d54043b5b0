"""Labelled sentence pairs for the contradiction model: reading, grouping, splitting.

A pair's label is a set of classes, so that two-way corpora can be learnt from, too: of a pair
that is "not a contradiction" only the sum of the other two probabilities is asked for.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from persona_lab.errors import InputError, RowError

LABELS: dict[str, tuple[int, ...]] = {
    "entailment": (0,),
    "neutral": (1,),
    "contradiction": (2,),
    "not_contradiction": (0, 1),
    "not_entailment": (1, 2),
}
"""Classes that a label allows, as positions in (entailment, neutral, contradiction)."""

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and how the second stands to the first.

    Attributes:
        premise: first text.
        hypothesis: second text.
        label: a key of :data:`LABELS`.
        source: corpus.
        group: pairs of one group go to the same split.
        read: what a teacher says of the three classes; then the label is nobody's judgement.
    """

    premise: str
    hypothesis: str
    label: str
    source: str
    group: str
    read: tuple[float, float, float] | None = None

    @property
    def key(self) -> int:
        """See :func:`pair_key`."""
        return pair_key(self.premise, self.hypothesis)


def normal(text: str) -> str:
    """The text in lower case with single spaces, for comparing texts."""
    return " ".join(text.casefold().split())


def pair_key(premise: str, hypothesis: str) -> int:
    """The first 8 bytes of a hash of two texts, the same in either order."""
    both = "\x1f".join(sorted((normal(premise), normal(hypothesis))))
    return int.from_bytes(hashlib.sha256(both.encode()).digest()[:8], "big")


def split_of(group: str, shares: tuple[float, float], seed: int = 0) -> str:
    """The split a group falls into, by its hash alone: adding data moves no group.

    Args:
        group: of a pair.
        shares: of validation and test.
        seed: another one makes other splits.
    """
    digest = hashlib.sha256(f"{seed}\x1f{group}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    validation, test = shares
    return "test" if place < test else "validation" if place < test + validation else "train"


def read_pairs(path: str | Path) -> Iterator[Pair | RowError]:
    """Read jsonl or jsonl.gz with ``premise``, ``hypothesis``, ``label`` and maybe ``source``.

    Yields:
        Pairs, grouped by premise; a :class:`RowError` in the place of a bad row.

    Raises:
        InputError: the file cannot be read.
    """
    path = Path(path)
    opener: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _pair(line, path.name, number)
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise InputError(f"{path} cannot be read as jsonl: {error}") from error


def _pair(line: str, name: str, number: int) -> Pair | RowError:
    where = {"row_id": f"line-{number}", "place": f"{name}:{number}"}
    try:
        row = json.loads(line)
        premise, hypothesis, label = (row[key] for key in ("premise", "hypothesis", "label"))
    except (ValueError, KeyError, TypeError):
        return RowError("a row needs premise, hypothesis and label", **where)
    if not (isinstance(premise, str) and isinstance(hypothesis, str)):
        return RowError("premise and hypothesis must be texts", **where)
    if label not in LABELS:
        return RowError(f"the label is {label!r}; it must be one of {', '.join(LABELS)}", **where)
    return Pair(premise, hypothesis, label, str(row.get("source", name)), normal(premise))


def cap(pairs: Iterable[Pair], most: int, seed: int = 0) -> list[Pair]:
    """At most so many pairs by chance, of each label as many as of the others where possible."""
    by_label: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_label[pair.label].append(pair)
    dice = np.random.default_rng(seed)
    room, kept = most, list[Pair]()
    for left, label in enumerate(sorted(by_label, key=lambda name: len(by_label[name]))):
        mine = by_label[label]
        share = min(len(mine), room // (len(by_label) - left))
        kept += [mine[i] for i in np.sort(dice.choice(len(mine), share, replace=False))]
        room -= share
    return kept


def components(items: Sequence[Iterable[str]]) -> list[int]:
    """Put items that share a key, directly or over others, into one component.

    Args:
        items: the keys of each.

    Returns:
        For each item the position of the first item of its component.
    """
    parent = list(range(len(items)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    for i, keys in enumerate(items):
        for key in keys:
            a, b = root(first.setdefault(key, i)), root(i)
            parent[max(a, b)] = min(a, b)
    return [root(i) for i in range(len(items))]
