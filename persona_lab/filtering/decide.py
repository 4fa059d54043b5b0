"""From scores to verdicts: which rows are kept, dropped or unscored, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from persona_lab.filtering.fields import INTERNAL, Field
from persona_lab.filtering.ledger import row_starts
from persona_lab.filtering.reading import CUT_OFF, UNREADABLE
from persona_lab.filtering.rules import Clause, Rule, clause_values

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

Verdict = Literal["kept", "dropped", "unscored"]
VERDICTS: tuple[Verdict, ...] = ("kept", "dropped", "unscored")
"""In the order of the codes 0, 1, 2."""

_KEPT, _DROPPED, _UNSCORED = range(3)
_NEEDED = (INTERNAL, "status", "code", "unscored_reason", "speaker", "duplicate")


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be kept.

    Attributes:
        keep: an expression; None keeps all that was scored.
        any_speaker: keep a row if one of its scored speakers passes; else all must.
        drop_duplicates: keep only the first of rows with the same content.
        also_drop: reasons by ordinal for rows that are dropped although they pass.
    """

    keep: str | None = None
    any_speaker: bool = False
    drop_duplicates: bool = False
    also_drop: Mapping[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Counts:
    """What became of the rows.

    Attributes:
        rows: by verdict; they add up to the rows of the input.
        unscored: rows without a verdict, by the code of the first speaker that has none.
        lines: speakers, and rows that could not be read.
        duplicates: rows with the same content as an earlier one.
        fails: by clause, speakers that do not meet it.
        fails_alone: by clause, speakers that meet all others.
    """

    rows: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(VERDICTS, 0)))
    unscored: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    duplicates: int = 0
    fails: Counter[str] = field(default_factory=Counter)
    fails_alone: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All rows."""
        return self.rows.total()

    @property
    def bad(self) -> int:
        """Rows that could not be read."""
        return self.unscored[UNREADABLE] + self.unscored[CUT_OFF]


@dataclass(frozen=True, slots=True)
class Decided:
    """The verdicts on one table of the ledger.

    Attributes:
        passes: ``(n_lines,)`` does the speaker pass? 1 yes, 0 no, -1 unknown.
        verdicts: ``(n_lines,)`` of the speaker's row: 0 kept, 1 dropped, 2 unscored.
        reasons: per line, why the row is not kept; None for kept rows.
        starts: ``(n_rows,)`` index of each row's first line.
    """

    passes: NDArray[np.int8]
    verdicts: NDArray[np.int8]
    reasons: list[str | None]
    starts: NDArray[np.int64]

    @property
    def row_verdicts(self) -> NDArray[np.int8]:
        """``(n_rows,)``."""
        return self.verdicts[self.starts]


class Decider:
    """Decides table by table, and counts.

    Attributes:
        counts: up to date.
        rule: the expression, None if there is none.
        needed: columns that a table must have.
    """

    def __init__(self, decision: Decision, fields: Mapping[str, Field]) -> None:
        """Check the expression.

        Args:
            decision: what is to be kept.
            fields: of the ledger.

        Raises:
            FieldError: the expression cannot be used on these fields.
        """
        self._decision = decision
        kinds = {name: one.kind for name, one in fields.items()}
        self.rule = Rule(decision.keep, kinds) if decision.keep is not None else None
        asked = self.rule.fields if self.rule else ()
        self.needed = tuple(dict.fromkeys((*_NEEDED, *asked)))
        self.counts = Counts()
        for clause in self.rule.clauses if self.rule else ():
            self.counts.fails[clause.text] = self.counts.fails_alone[clause.text] = 0

    def decide(self, table: pa.Table, *, reasons: bool = True) -> Decided:
        """Decide on the rows of a table.

        Args:
            table: with the columns of ``needed``; lines of a row are consecutive.
            reasons: also say why; without it all reasons are None.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        bad = pc.is_in(table["code"], pa.array([UNREADABLE, CUT_OFF])).to_numpy()
        clauses = self._clause_values(table)
        if len(clauses):
            passes = clauses.min(axis=0)
        else:
            passes = np.where(pc.equal(table["status"], "scored").to_numpy(), 1, -1)
        if len(clauses):
            # Kleene: one false decides, else one unknown does
            passes = np.where((clauses == 0).any(axis=0), 0, passes)
        passes = np.where(bad, -1, passes).astype(np.int8)
        ordinals = table[INTERNAL].to_numpy()
        starts = row_starts(ordinals)
        rows = self._row_verdicts(passes, starts, ordinals, table)
        sizes = np.diff(np.append(starts, len(passes)))
        verdicts = np.repeat(rows, sizes).astype(np.int8)
        told: list[str | None] = [None] * len(passes)
        if reasons:
            told = self._reasons(table, clauses, passes, verdicts, ordinals)
        self._count(table, clauses, passes, rows, starts)
        return Decided(passes, verdicts, told, starts)

    def _clause_values(self, table: pa.Table) -> NDArray[np.int8]:
        """``(n_clauses, n_lines)``: 1 true, 0 false, -1 unknown."""
        if self.rule is None:
            return np.empty((0, len(table)), np.int8)
        import pyarrow as pa
        import pyarrow.compute as pc

        values = [
            pc.fill_null(clause_values(clause, table).cast(pa.int8()), -1).to_numpy()
            for clause in self.rule.clauses
        ]
        return np.stack(values).astype(np.int8)

    def _row_verdicts(
        self,
        passes: NDArray[np.int8],
        starts: NDArray[np.int64],
        ordinals: NDArray[np.int64],
        table: pa.Table,
    ) -> NDArray[np.int8]:
        if not len(starts):
            return np.empty(0, np.int8)
        some_pass, some_fail, some_unknown = (
            np.logical_or.reduceat(passes == value, starts) for value in (1, 0, -1)
        )
        if self._decision.any_speaker:
            rows = np.where(some_pass, _KEPT, np.where(some_unknown, _UNSCORED, _DROPPED))
        else:
            rows = np.where(some_fail, _DROPPED, np.where(some_unknown, _UNSCORED, _KEPT))
        if self._decision.drop_duplicates:
            repeats = np.asarray(table["duplicate"].fill_null(False).to_numpy()[starts], bool)
            rows = np.where(repeats, _DROPPED, rows)
        if self._decision.also_drop:
            chosen = self._decision.also_drop
            also = np.fromiter((o in chosen for o in ordinals[starts].tolist()), bool, len(starts))
            rows = np.where(also & (rows == _KEPT), _DROPPED, rows)
        return rows.astype(np.int8)

    def _reasons(
        self,
        table: pa.Table,
        clauses: NDArray[np.int8],
        passes: NDArray[np.int8],
        verdicts: NDArray[np.int8],
        ordinals: NDArray[np.int64],
    ) -> list[str | None]:
        reasons: list[str | None] = [None] * len(passes)
        lines = np.flatnonzero(verdicts != _KEPT)
        if not len(lines):
            return reasons
        part = table.take(lines)
        unscored = part["unscored_reason"].to_pylist()
        repeats = part["duplicate"].to_pylist()
        failed = self._failed_texts(part, clauses[:, lines])
        for at, line in enumerate(lines.tolist()):
            if self._decision.drop_duplicates and repeats[at]:
                reasons[line] = "it repeats an earlier row"
            elif passes[line] == 0:
                reasons[line] = failed[at]
            elif passes[line] == -1:
                reasons[line] = unscored[at] or failed[at]
            else:
                also = self._decision.also_drop.get(int(ordinals[line]))
                reasons[line] = also or "another speaker of the row does not pass"
        return reasons

    def _failed_texts(self, part: pa.Table, clauses: NDArray[np.int8]) -> list[str]:
        """Per line, the clauses that fail (or, if none does, are unknown) with the values."""
        if self.rule is None:
            return [""] * len(part)
        values = {name: part[name].to_pylist() for name in self.rule.fields}
        texts = []
        for line in range(len(part)):
            wanted = 0 if (clauses[:, line] == 0).any() else -1
            found = [
                _told(clause, values, line)
                for clause, value in zip(self.rule.clauses, clauses[:, line], strict=True)
                if value == wanted
            ]
            texts.append("; ".join(found))
        return texts

    def _count(
        self,
        table: pa.Table,
        clauses: NDArray[np.int8],
        passes: NDArray[np.int8],
        rows: NDArray[np.int8],
        starts: NDArray[np.int64],
    ) -> None:
        counts = self.counts
        for index, verdict in enumerate(VERDICTS):
            counts.rows[verdict] += int((rows == index).sum())
        sizes = np.diff(np.append(starts, len(passes)))
        for start, size in zip(
            starts[rows == _UNSCORED].tolist(), sizes[rows == _UNSCORED].tolist(), strict=True
        ):
            unknown = start + int(np.argmax(passes[start : start + size] == -1))
            counts.unscored[table["code"][unknown].as_py() or "unknown_field"] += 1
        counts.lines += len(passes)
        if len(starts):
            counts.duplicates += int(table["duplicate"].fill_null(False).to_numpy()[starts].sum())
        failing = clauses == 0
        for index, clause in enumerate(self.rule.clauses if self.rule else ()):
            alone = failing[index] & (failing.sum(axis=0) == 1)
            counts.fails[clause.text] += int(failing[index].sum())
            counts.fails_alone[clause.text] += int(alone.sum())


def _told(clause: Clause, values: Mapping[str, Sequence[Any]], line: int) -> str:
    """``extraversion.p_high >= 0.6 (it is 0.41)``."""
    found = [(name, values[name][line]) for name in clause.fields]
    if not found:
        return clause.text
    if len(found) == 1:
        return f"{clause.text} (it is {_value(found[0][1])})"
    told = ", ".join(f"{name} is {_value(value)}" for name, value in found)
    return f"{clause.text} ({told})"


def _value(value: Any) -> str:
    return "unknown" if value is None else str(value)
