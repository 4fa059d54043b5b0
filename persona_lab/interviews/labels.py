"""What people say of the characters that were interviewed, and how well profiles agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from persona_lab.errors import InputError, RowError, TargetError
from persona_lab.formats.base import BadRow
from persona_lab.formats.records import Record as Line
from persona_lab.formats.records import kind, read_records, text_of
from persona_lab.formats.source import Source
from persona_lab.interviews.result import Measurement
from persona_lab.studies.alignment import (
    LETTERS,
    DimensionLabel,
    PredictedType,
    align_dimensions,
    align_types,
    parse_type,
    side_of,
)
from persona_lab.traits import MBTI

_NAMES: Final = ("id", "character", "persona", "bot")
_UNIT: Final = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Labels:
    """Human labels by name of the persona or bot.

    Attributes:
        types: four letters, ``X`` where people disagree.
        positions: position by domain, 0..1.
        problems: rows that could not be read.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    positions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    problems: tuple[RowError, ...] = ()


def read_labels(path: Path) -> Labels:
    """Read labels from JSON lines.

    A row names somebody (``id``, ``character``, ``persona`` or ``bot``) and has ``label``, a
    type such as ``ENFX``, or ``targets``, positions 0..1 by domain.

    Raises:
        InputError: the file cannot be read, or no row is a label.
    """
    types: dict[str, str] = {}
    positions: dict[str, dict[str, float]] = {}
    problems: list[RowError] = []
    source = Source(path)
    try:
        for line in read_records(source):
            if isinstance(line, RowError):
                problems.append(line)
                continue
            try:
                name, label = _label(line)
                if name in types or name in positions:
                    raise BadRow(f"{name!r} is labelled twice; keep one of the labels")
                if isinstance(label, str):
                    types[name] = label
                else:
                    positions[name] = label
            except (BadRow, TargetError) as bad:
                problems.append(RowError(str(bad), row_id=line.id, place=line.place))
    finally:
        source.close()
    if not types and not positions:
        why = f" ({problems[0]})" if problems else ""
        raise InputError(f"{path.name} holds no labels{why}")
    return Labels(types, positions, tuple(problems))


def _label(line: Line) -> tuple[str, str | dict[str, float]]:
    value = line.object()
    name = next((text_of(value[key], key) for key in _NAMES if value.get(key)), "")
    if not name:
        raise BadRow(f"the label names nobody; give one of '{', '.join(_NAMES)}'")
    if value.get("label") is not None:
        return name, parse_type(text_of(value["label"], "label"))
    given = value.get("targets")
    if not isinstance(given, Mapping) or not given:
        raise BadRow(f"a label needs 'label' (a type) or 'targets', not {kind(given)}")
    found = {}
    for domain, place in given.items():
        if not isinstance(place, (int, float)) or isinstance(place, bool) or not 0 <= place <= 1:
            raise BadRow(f"the target of {domain!r} must be a number from 0 to 1")
        found[str(domain)] = float(place)
    return name, found


def align(labels: Labels, measured: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Compare profiles with labels, for each protocol and rater.

    Types: accuracy by letter and of whole types, open letters skipped, ties both ways. Positions:
    dimension accuracy, full accuracy and mean absolute error as InCharacter defines them (H above
    .6, L below .4 of the scale). Subjects are found by persona, else by bot.

    Returns:
        JSON types, one object a protocol and rater: ``protocol``, ``rater``, and ``types`` or
        ``positions`` (those that there are labels for). ``missing`` counts labels of characters
        who were not interviewed.
    """
    found = []
    for protocol, rater in dict.fromkeys((m.protocol, m.rater) for m in measured):
        mine = [m for m in measured if (m.protocol, m.rater) == (protocol, rater)]
        by_name = {m.persona or m.bot: m for m in mine}
        row: dict[str, Any] = {"protocol": protocol, "rater": rater}
        traits = {key for m in mine for key in m.domains}
        if labels.types and traits & set(MBTI.keys):
            predicted = {name: predicted_type(m) for name, m in by_name.items()}
            kept = {n: p for n, p in predicted.items() if set(p.letters) != {"X"}}
            row["types"] = align_types(kept, labels.types).to_row()
        if labels.positions:
            row["positions"] = _align_positions(labels.positions, by_name)
        if "types" in row or "positions" in row:
            found.append(row)
    return found


def predicted_type(measured: Measurement) -> PredictedType:
    """The type that a profile amounts to; a letter without a score is open."""
    scores: list[dict[str, float]] = []
    for axis in LETTERS:
        # our axis may begin with the other letter: JP for P and J
        key = next(key for key in MBTI.keys if set(key) == set(axis))
        result = measured.domains.get(key)
        if result is None or result.score is None:
            scores.append({})
            continue
        first = result.score if key[0] == axis[0] else 1 - result.score
        scores.append({axis[0]: first, axis[1]: 1 - first})
    return PredictedType.from_scores(scores)


def _align_positions(
    positions: Mapping[str, Mapping[str, float]], by_name: Mapping[str, Measurement]
) -> dict[str, Any]:
    predicted = {
        name: {key: r.score for key, r in m.domains.items() if r.score is not None}
        for name, m in by_name.items()
    }
    human = {
        name: {key: DimensionLabel(place, side_of(place, _UNIT)) for key, place in labels.items()}
        for name, labels in positions.items()
        if name in by_name
    }
    row = align_dimensions(predicted, human, _UNIT).to_row()
    return row | {
        "missing_subjects": sorted(set(positions) - set(by_name)),
        "unlabelled": sorted(set(by_name) - set(positions)),
    }


def targets_met(
    targets: Mapping[str, Mapping[str, float]], measured: Sequence[Measurement]
) -> list[dict[str, Any]]:
    """How many assigned traits the profiles show, for each protocol and rater.

    Returns:
        As ``positions`` of :func:`align`.
    """
    if not targets:
        return []
    return align(Labels(positions=targets), measured)
