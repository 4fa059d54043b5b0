"""Choices that look at the whole data set after each row has had its own verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from persona_lab.filtering.decide import Decider, Decision
from persona_lab.filtering.fields import INTERNAL, Field, FieldError
from persona_lab.filtering.ledger import lines_by_row, read_ledger

StageName = Literal["representative", "balance"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A choice among the rows that pass.

    Attributes:
        name: ``representative`` keeps of each author the entries nearest to the author's
            mean profile; ``balance`` drops rows until the traits have the wanted shares.
        share: ``representative``: the share of an author's entries to keep, 0..1, at
            least one entry each.
        shares: ``balance``: by trait, the wanted share of the high pole, 0..1.
    """

    name: StageName
    share: float = 0.5
    shares: tuple[tuple[str, float], ...] = ()


def also_dropped(
    stage: Stage | None, ledger: Path, decision: Decision, fields: Mapping[str, Field]
) -> dict[int, str]:
    """Rows that pass and are dropped all the same.

    Args:
        stage: None for none.
        ledger: parts with the scores.
        decision: made before the stage.
        fields: of the ledger.

    Returns:
        The reason by ordinal.

    Raises:
        FieldError: the stage needs a trait that the ledger does not have.
    """
    if stage is None:
        return {}
    traits = [name.removesuffix(".p_high") for name in fields if name.endswith(".p_high")]
    if stage.name == "balance":
        for trait, _ in stage.shares:
            if trait not in traits:
                raise FieldError(
                    f"--balance names {trait!r}, which is not scored; traits: {', '.join(traits)}"
                )
        return _balance(stage, _passing(ledger, decision, fields, [t for t, _ in stage.shares]))
    return _representative(stage, _passing(ledger, decision, fields, traits))


@dataclass(frozen=True, slots=True)
class _Passing:
    """A row that passes: who it is by, a key that depends on its content only, log-odds."""

    ordinal: int
    author: str
    key: str
    logits: tuple[float, ...]


def _passing(
    ledger: Path, decision: Decision, fields: Mapping[str, Field], traits: list[str]
) -> Iterator[_Passing]:
    decider = Decider(decision, fields)
    columns = [f"{trait}.p_high" for trait in traits]
    more = [INTERNAL, "group", "speaker", "content", *columns]
    for table in read_ledger(ledger, list(dict.fromkeys((*decider.needed, *more)))):
        verdicts = decider.decide(table).verdicts
        scores = np.stack([table[c].to_numpy().astype(float) for c in columns], axis=1)
        facts = table.select(["group", "speaker", "content"]).to_pylist()
        for ordinal, lines in lines_by_row(table).items():
            rows = scores[lines.start : lines.stop]
            rows = rows[~np.isnan(rows).any(axis=1)]
            if verdicts[lines.start] == 0 and len(rows):
                p = np.clip(rows.mean(axis=0), 1e-4, 1 - 1e-4)
                first = facts[lines.start]
                author = first["group"] or first["speaker"] or ""
                logits = tuple(np.log(p / (1 - p)).tolist())
                yield _Passing(ordinal, author, first["content"] or "", logits)


def _balance(stage: Stage, passing: Iterator[_Passing]) -> dict[int, str]:
    """Drop as few rows as possible so that each combination of poles has its share.

    The shares of combinations are the products of the traits' shares. Which rows of a
    combination stay is decided by the hash of their content: always the same ones, and
    not those that happen to come first.
    """
    cells: defaultdict[tuple[bool, ...], list[tuple[str, int]]] = defaultdict(list)
    for row in passing:
        cells[tuple(z >= 0 for z in row.logits)].append((row.key, row.ordinal))
    shares = [share for _, share in stage.shares]
    wanted = {
        cell: float(np.prod([s if high else 1 - s for s, high in zip(shares, cell, strict=True)]))
        for cell in np.ndindex(*(2 for _ in shares))
    }
    total = min(len(cells[tuple(map(bool, c))]) / share for c, share in wanted.items() if share > 0)
    dropped: dict[int, str] = {}
    for cell, rows in cells.items():
        keep = int(total * wanted[tuple(map(int, cell))] + 1e-9)
        poles = ", ".join(
            f"{trait} {'high' if high else 'low'}"
            for (trait, _), high in zip(stage.shares, cell, strict=True)
        )
        reason = f"balance: {poles} is more frequent than wanted"
        dropped |= {ordinal: reason for _, ordinal in sorted(rows)[keep:]}
    return dropped


def _representative(stage: Stage, passing: Iterator[_Passing]) -> dict[int, str]:
    """Drop of each author the entries farthest from the mean of the author's entries."""
    entries: defaultdict[str, list[_Passing]] = defaultdict(list)
    for row in passing:
        entries[row.author].append(row)
    dropped: dict[int, str] = {}
    for rows in entries.values():
        logits = np.array([row.logits for row in rows])
        distance = np.linalg.norm(logits - logits.mean(axis=0), axis=1)
        order = np.argsort(distance, kind="stable")
        keep = max(1, int(stage.share * len(rows) + 1e-9))
        for rank, at in enumerate(order[keep:].tolist(), start=keep + 1):
            reason = f"representative: {rank} of {len(rows)} by distance from the author's mean"
            dropped[rows[at].ordinal] = reason
    return dropped
