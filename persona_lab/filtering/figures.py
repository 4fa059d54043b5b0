"""What a filter does to a data set, in figures: distributions, and who is near a threshold."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_lab.filtering.decide import Decided, Decider
from persona_lab.filtering.fields import INTERNAL
from persona_lab.filtering.ledger import read_ledger
from persona_lab.filtering.results import summarise
from persona_lab.filtering.rules import Clause, clause_values, compared_numbers
from persona_lab.filtering.scores import Scores

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_BINS = 20
_WORD_EDGES = (0, 10, 20, 40, 60, 80, 100, 150, 200, 300, 500, 1000, 2000, 5000)
_MOST_NAMES = 12
_MOST_CLAUSES = 4


@dataclass(slots=True)
class Histogram:
    """Counts of one field before and after.

    Attributes:
        name: of the field.
        labels: of the bins.
        before: speakers in each bin.
        after: of those, the ones whose row is kept.
        mean_before: mean value; None for names.
        mean_after: likewise.
    """

    name: str
    labels: list[str]
    before: list[int]
    after: list[int]
    mean_before: float | None = None
    mean_after: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A speaker near a threshold.

    Attributes:
        value: of the field that the clause compares.
        kept: which side of it.
        source: input.
        row: in the input.
        speaker: name.
        text: beginning of what the speaker says; empty if nothing may be quoted.
        ordinal: of the row.
    """

    value: float
    kept: bool
    source: str
    row: int
    speaker: str
    ordinal: int
    text: str = ""


@dataclass(slots=True)
class Figures:
    """All that the page shows.

    Attributes:
        summary: counts, as in ``summary.json``.
        histograms: by field.
        examples: by clause, nearest to its threshold first, kept before dropped.
    """

    summary: dict[str, Any]
    histograms: list[Histogram]
    examples: dict[str, list[Example]] = field(default_factory=dict)


def collect(opened: Scores, decider: Decider, count: int) -> Figures:
    """The figures of a page, from the ledger alone.

    Args:
        opened: scores.
        decider: decides on them.
        count: examples on each side of each threshold.
    """
    traits = [name for name in opened.fields if name.endswith(".p_high")]
    names = ["source", "speaker", "language", "model"]
    numbers = {name: _Numbers(np.linspace(0, 1, _BINS + 1)) for name in traits}
    numbers["words"] = _Numbers(np.array(_WORD_EDGES, float))
    counters = {name: (Counter[str](), Counter[str]()) for name in names}
    nearest = _Nearest(decider, count)
    columns = dict.fromkeys((*decider.needed, *numbers, *names, "row"))
    for table in read_ledger(opened.ledger, list(columns)):
        decided = decider.decide(table, reasons=False)
        kept = decided.verdicts == 0
        for name, histogram in numbers.items():
            histogram.take(table[name], kept)
        for name, (before, after) in counters.items():
            values = table[name].to_pylist()
            before.update(v for v in values if v is not None)
            after.update(
                v for v, k in zip(values, kept.tolist(), strict=True) if k and v is not None
            )
        nearest.take(table, decided)
    histograms = [found.histogram(name) for name, found in numbers.items()]
    histograms += [_named(name, *pair) for name, pair in counters.items() if len(pair[0]) > 1]
    return Figures(summarise(decider, opened.inputs, None), histograms, nearest.examples())


class _Numbers:
    """A histogram that takes values in table by table."""

    def __init__(self, edges: NDArray[np.float64]) -> None:
        self._edges = edges
        self._counts = np.zeros((2, len(edges)), np.int64)
        self._sums = np.zeros(2)

    def take(self, column: pa.ChunkedArray, kept: NDArray[np.bool_]) -> None:
        values = column.to_numpy().astype(float)
        known = ~np.isnan(values)
        at = np.clip(np.searchsorted(self._edges, values, side="right") - 1, 0, None)
        for row, chosen in enumerate((known, known & kept)):
            self._counts[row] += np.bincount(at[chosen], minlength=len(self._edges))
            self._sums[row] += values[chosen].sum()

    def histogram(self, name: str) -> Histogram:
        counts = self._counts.copy()
        if name != "words":  # a probability of exactly 1 belongs to the last bin
            counts[:, -2] += counts[:, -1]
            counts = counts[:, :-1]
        totals = self._counts.sum(axis=1)
        means = [
            round(float(s / n), 4) if n else None for s, n in zip(self._sums, totals, strict=True)
        ]
        ends = [*(f"{edge:g}" for edge in self._edges[1:]), "more"]
        labels = [f"{a:g} to {b}" for a, b in zip(self._edges, ends, strict=False)]
        before, after = counts.tolist()
        return Histogram(name, labels[: counts.shape[1]], before, after, means[0], means[1])


def _named(name: str, before: Counter[str], after: Counter[str]) -> Histogram:
    shown = [value for value, _ in before.most_common(_MOST_NAMES)]
    labels, counts = list(shown), ([before[v] for v in shown], [after[v] for v in shown])
    if len(before) > len(shown):
        labels.append(f"{len(before) - len(shown)} others")
        counts[0].append(before.total() - sum(counts[0]))
        counts[1].append(after.total() - sum(counts[1]))
    return Histogram(name, labels, *counts)


class _Nearest:
    """Speakers whom one clause alone decides, nearest to its threshold."""

    def __init__(self, decider: Decider, count: int) -> None:
        self._clauses: list[tuple[Clause, str, float]] = []
        for clause in decider.rule.clauses if decider.rule else ():
            pairs = list(compared_numbers(clause.tree))
            if len(pairs) == 1 and len(self._clauses) < _MOST_CLAUSES:
                name, literal = pairs[0]
                self._clauses.append((clause, name, float(literal.this)))
        self._all = decider.rule.clauses if decider.rule else ()
        self._count = count
        self._heaps: defaultdict[tuple[str, bool], list[tuple[float, int, Example]]]
        self._heaps = defaultdict(list)

    def take(self, table: pa.Table, decided: Decided) -> None:
        if not self._clauses or not self._count:
            return
        ordinals = table[INTERNAL].to_numpy()
        fails = {
            clause.text: clause_values(clause, table).fill_null(False).to_numpy() == 0
            for clause in self._all
        }
        total = np.sum(list(fails.values()), axis=0)
        for clause, name, threshold in self._clauses:
            values = table[name].to_numpy().astype(float)
            alone = total - fails[clause.text] == 0
            passing = alone & (decided.passes == 1) & (decided.verdicts == 0)
            for kept, side in ((True, passing), (False, alone & fails[clause.text])):
                distance = np.where(side & ~np.isnan(values), np.abs(values - threshold), np.inf)
                for line in np.argsort(distance, kind="stable")[: self._count].tolist():
                    if np.isfinite(distance[line]):
                        self._push(clause.text, kept, distance[line], ordinals, table, line, values)

    def _push(
        self,
        clause: str,
        kept: bool,
        distance: float,
        ordinals: NDArray[np.int64],
        table: pa.Table,
        line: int,
        values: NDArray[np.float64],
    ) -> None:
        example = Example(
            float(values[line]),
            kept,
            table["source"][line].as_py(),
            table["row"][line].as_py(),
            table["speaker"][line].as_py() or "",
            int(ordinals[line]),
        )
        heap = self._heaps[clause, kept]
        # among equals the first of the input stay; their numbers make entries unequal
        heapq.heappush(heap, (-float(distance), -len(heap) - 2 * example.ordinal, example))
        if len(heap) > self._count:
            heapq.heappop(heap)

    def examples(self) -> dict[str, list[Example]]:
        return {
            clause.text: [
                example
                for kept in (True, False)
                for _, _, example in sorted(
                    self._heaps[clause.text, kept], key=lambda e: (-e[0], e[2].ordinal)
                )
            ]
            for clause, _, _ in self._clauses
        }
