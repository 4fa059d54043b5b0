"""The results of a run: ledger with verdicts, rows by verdict, reasons, counts."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from persona_lab.filtering.decide import VERDICTS, Decided, Decider
from persona_lab.filtering.fields import AGREES, INTERNAL, VERDICT_COLUMNS, Field, arrow_schema
from persona_lab.filtering.ledger import LedgerWriter, cannot_write, read_ledger
from persona_lab.filtering.outfolder import LEDGER, REASONS, OutFolder
from persona_lab.filtering.reading import CUT_OFF, UNREADABLE, Input
from persona_lab.filtering.routing import Routes, route
from persona_lab.formats import Columns

if TYPE_CHECKING:
    import pyarrow as pa

_WITH_REASONS = VERDICTS[1:]


@dataclass(slots=True)
class Totals:
    """What is counted while results are laid out.

    Attributes:
        routes: by input.
        repeated_ids: rows whose id another row before them has.
        models: lines by model that scored them.
        agreement: of lines of a cascade that both models scored: how many, and how many
            with the same outcome.
    """

    routes: list[Routes]
    repeated_ids: int = 0
    models: dict[str, int] = field(default_factory=dict)
    agreement: tuple[int, int] = (0, 0)


def lay_out(
    folder: OutFolder,
    ledger: Path,
    decider: Decider,
    fields: Mapping[str, Field],
    inputs: Sequence[Input],
    stops: Mapping[int, int],
    columns: Columns,
) -> Totals:
    """Decide on all rows and write all results but the summary.

    Args:
        folder: results go to its ``building``.
        ledger: parts with the scores.
        decider: decides, and counts.
        fields: of the ledger.
        inputs: whose rows are copied.
        stops: by input, the line from which nothing was read.
        columns: with which they were read.

    Raises:
        PersonaLabError: the disk is full, or an input cannot be read again.
    """
    try:
        return _lay_out(folder.build(), ledger, decider, fields, inputs, stops, columns)
    except OSError as error:
        raise cannot_write(folder.building, error) from None


def _lay_out(
    building: Path,
    ledger: Path,
    decider: Decider,
    fields: Mapping[str, Field],
    inputs: Sequence[Input],
    stops: Mapping[int, int],
    columns: Columns,
) -> Totals:
    seen = _Seen(len(inputs))
    schema = arrow_schema(fields, verdicts=True)
    names = {entry.name: index for index, entry in enumerate(inputs)}
    with ExitStack() as stack:
        reasons: dict[str, IO[str]] = {
            verdict: stack.enter_context(
                (building / REASONS.format(verdict)).open("w", encoding="utf-8", newline="\n")
            )
            for verdict in _WITH_REASONS
        }
        writer = stack.enter_context(LedgerWriter(building / LEDGER, schema))
        for table in read_ledger(ledger):
            decided = decider.decide(table)
            writer.write(_with_verdicts(table, decided, schema))
            seen.take(table, decided, names)
            _write_reasons(table, decided, reasons)
        writer.close()
    totals = seen.totals(stops)
    for entry, routes in zip(inputs, totals.routes, strict=True):
        if len(routes.lines):
            route(entry, routes, building, columns)
    return totals


def _with_verdicts(table: pa.Table, decided: Decided, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    passes = pa.array(
        [None if value < 0 else bool(value) for value in decided.passes.tolist()], pa.bool_()
    )
    verdicts = pa.array([VERDICTS[code] for code in decided.verdicts.tolist()], pa.string())
    columns = {
        "passes": passes,
        "verdict": verdicts,
        "reason": pa.array(decided.reasons, pa.string()),
    }
    scores = [table[name] for name in schema.names if name not in VERDICT_COLUMNS]
    return pa.table([*scores, *(columns[name] for name in VERDICT_COLUMNS)], schema=schema)


def _write_reasons(table: pa.Table, decided: Decided, files: Mapping[str, IO[str]]) -> None:
    """One line a row that is not kept, speakers joined."""
    wanted = decided.verdicts != 0
    if not wanted.any():
        return
    lines = np.flatnonzero(wanted)
    part = table.select([INTERNAL, "source", "row", "line", "id", "speaker", "code"]).take(lines)
    rows = zip(lines.tolist(), part.to_pylist(), strict=True)
    for _, group in groupby(rows, key=lambda pair: pair[1][INTERNAL]):
        row_lines = list(group)
        # a speaker who passes is not the reason, unless something else is
        failing = [pair for pair in row_lines if decided.passes[pair[0]] != 1] or row_lines
        told = dict.fromkeys(_told(row["speaker"], decided.reasons[at]) for at, row in failing)
        at, first = failing[0]
        record = {key: first[key] for key in ("source", "row", "line", "id")}
        if first["code"]:
            record["code"] = first["code"]
        record["reason"] = "; ".join(told)
        file = files[VERDICTS[decided.verdicts[at]]]
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _told(speaker: str | None, reason: str | None) -> str:
    return f"{speaker}: {reason}" if speaker is not None else str(reason)


class _Seen:
    """Collects what routing and the summary need, in a few bytes a row."""

    def __init__(self, count: int) -> None:
        self._sources = array("i")
        self._lines, self._ids = array("q"), array("q")
        self._verdicts, self._bad = array("b"), array("b")
        self._count = count
        self._models: dict[str, int] = {}
        self._both = self._same = 0

    def take(self, table: pa.Table, decided: Decided, names: Mapping[str, int]) -> None:
        firsts = table.select(["source", "line", "code", "id"]).take(decided.starts)
        self._sources.extend(names[name] for name in firsts["source"].to_pylist())
        self._lines.extend(firsts["line"].to_pylist())
        self._verdicts.extend(decided.row_verdicts.tolist())
        self._bad.extend(code in (UNREADABLE, CUT_OFF) for code in firsts["code"].to_pylist())
        self._ids.extend(map(_short_hash, firsts["id"].to_pylist()))
        for pair in table["model"].value_counts().to_pylist():
            if pair["values"] is not None:
                name = pair["values"]
                self._models[name] = self._models.get(name, 0) + pair["counts"]
        if AGREES in table.column_names:
            agrees = [value for value in table[AGREES].to_pylist() if value is not None]
            self._both += len(agrees)
            self._same += sum(agrees)

    def totals(self, stops: Mapping[int, int]) -> Totals:
        sources = np.frombuffer(self._sources, np.int32) if self._sources else np.empty(0, int)
        lines = np.array(self._lines, np.int64)
        verdicts, bad = np.array(self._verdicts, np.int8), np.array(self._bad, bool)
        routes = []
        for source in range(self._count):
            mine = sources == source
            routes.append(Routes(lines[mine], verdicts[mine], bad[mine], stops.get(source)))
        ids = np.array(self._ids, np.int64)
        repeated = len(ids) - len(np.unique(ids))
        models = dict(sorted(self._models.items()))
        return Totals(routes, repeated, models, (self._both, self._same))


def _short_hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def summarise(decider: Decider, inputs: Sequence[Input], totals: Totals | None) -> dict[str, Any]:
    """The counts of a run, JSON types only.

    Args:
        decider: that decided on all rows.
        inputs: of the run.
        totals: from :func:`lay_out`; None where nothing was laid out.

    Returns:
        ``rows`` (total and by verdict), ``unscored`` by code, ``speakers``,
        ``duplicates``, ``clauses``; after a lay-out also ``repeated_ids``, ``models``,
        ``inputs``, and ``cascade`` where there was one.
    """
    counts = decider.counts
    summary: dict[str, Any] = {
        "rows": {"total": counts.total, **{name: counts.rows[name] for name in VERDICTS}},
        "unscored": dict(sorted(counts.unscored.items())),
        "unreadable": counts.bad,
        "speakers": counts.lines,
        "duplicates": counts.duplicates,
        "keep": decider.rule.text if decider.rule else None,
        "clauses": [
            {"clause": clause, "fails": counts.fails[clause], "alone": counts.fails_alone[clause]}
            for clause in counts.fails
        ],
    }
    if totals is None:
        return summary
    summary["repeated_ids"] = totals.repeated_ids
    summary["models"] = totals.models
    both, same = totals.agreement
    if both:
        summary["cascade"] = {"checked": both, "agree": same, "agreement": round(same / both, 4)}
    summary["inputs"] = [
        {
            "name": entry.name,
            "layout": entry.layout,
            "rows": len(routes.lines),
            **{name: int((routes.verdicts == i).sum()) for i, name in enumerate(VERDICTS)},
            "until_line": routes.stop,
        }
        for entry, routes in zip(inputs, totals.routes, strict=True)
    ]
    return summary
