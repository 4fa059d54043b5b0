"""Read DECODE: dialogues whose last turn may contradict an earlier turn of its speaker.

Nie et al. 2021, "I like fish, especially dolphins: Addressing Contradictions in Dialogue
Modeling" (ACL). Two layouts are read: the original jsonl with ``turns`` and
``is_contradiction``, and the three line-by-line files ``*.input0`` (earlier turns, each after
``<0>`` or ``<1>`` for its speaker), ``*.input1`` (last turn) and ``*.label`` (1 contradiction).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from persona_lab.consistency.pairs import in_context
from persona_lab.errors import FormatError, InputError, RowError

_TURN = re.compile(r"<([01])> ")
_PARTS = (".input0", ".input1", ".label")
_TEXT_KEYS = ("text", "turn", "utterance")


@dataclass(frozen=True, slots=True)
class Case:
    """One dialogue, and whether its last turn contradicts an earlier one of its speaker.

    Attributes:
        id: the record's id, or the line.
        turns: ``(speaker, text)`` in order; the last is the one in question.
        label: contradiction or not; None where the row does not say.
        evidence: positions in ``turns`` that annotators found contradicted; may be empty.
        place: file and line.
    """

    id: str
    turns: tuple[tuple[str, str], ...]
    label: bool | None
    evidence: tuple[int, ...] = ()
    place: str = ""

    @property
    def last(self) -> str:
        """The turn in question."""
        return self.turns[-1][1]

    @property
    def own(self) -> list[int]:
        """Positions of earlier turns of the same speaker that have words."""
        speaker = self.turns[-1][0]
        return [i for i, (who, text) in enumerate(self.turns[:-1]) if who == speaker and text]

    def said(self, i: int) -> str:
        """A turn as the model reads it, see :func:`turn_in_context`."""
        return turn_in_context(self.turns, i)


def turn_in_context(turns: Sequence[tuple[str, str]], i: int) -> str:
    """A turn with what another said just before it.

    Args:
        turns: speaker and text.
        i: position of the turn.
    """
    who, text = turns[i]
    answers = i > 0 and turns[i - 1][0] != who
    return in_context(text, turns[i - 1][1] if answers else "")


def read_decode(path: str | Path) -> Iterator[Case | RowError]:
    """Read DECODE rows.

    Args:
        path: a jsonl file, any one of the files ``X.input0``, ``X.input1`` and ``X.label``,
            or a folder: all its ``*.input0`` sets, or else all its jsonl files.

    Yields:
        Cases in the files' order; a :class:`RowError` in the place of a bad row.

    Raises:
        FormatError: it is none of these, or one of the three files is missing.
        InputError: the file cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        found = sorted(path.glob("*.input0")) or sorted(path.glob("*.jsonl"))
        if not found:
            raise FormatError(f"{path} holds no .jsonl and no .input0: is it DECODE's folder?")
        for file in found:
            yield from read_decode(file)
    elif path.suffix in _PARTS:
        yield from _read_lines(path)
    else:
        yield from _read_jsonl(path)


def _read_lines(path: Path) -> Iterator[Case | RowError]:
    files = [path.with_suffix(part) for part in _PARTS]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise FormatError(
            f"{path} is one of three files, and {' and '.join(missing)} is not beside it"
        )
    columns = (_lines(file) for file in files)
    for number, (context, last, label) in enumerate(zip_longest(*columns), 1):
        place, row_id = f"{path.with_suffix('').name}:{number}", f"{path.stem}-{number}"
        if context is None or last is None or label is None:
            yield RowError(
                "the three files have different numbers of lines", row_id=row_id, place=place
            )
            return
        turns = (*_split(context), *_split(last))
        if not turns or label.strip() not in ("0", "1"):
            problem = "a turn must begin with <0> or <1>, and the label be 0 or 1"
            yield RowError(problem, row_id=row_id, place=place)
            continue
        yield Case(row_id, turns, label.strip() == "1", place=place)


def _split(line: str) -> list[tuple[str, str]]:
    """``<0> Hi. <1> Hello.`` as speakers and texts."""
    parts = _TURN.split(line)
    return [(who, text.strip()) for who, text in zip(parts[1::2], parts[2::2], strict=True)]


def _read_jsonl(path: Path) -> Iterator[Case | RowError]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        place = f"{path.name}:{number}"
        try:
            yield _case(json.loads(line), f"line-{number}", place)
        except (ValueError, KeyError, TypeError) as error:
            problem = f"no DECODE row ({type(error).__name__}: {error}); it needs 'turns'"
            yield RowError(problem, row_id=f"line-{number}", place=place)


def _case(row: dict[str, Any], row_id: str, place: str) -> Case:
    turns, positions = [], {}
    for index, turn in enumerate(row["turns"]):
        text = next((turn[key] for key in _TEXT_KEYS if key in turn), None)
        if not isinstance(text, str):
            raise ValueError(f"turn {index} has no text")
        turns.append((str(turn.get("agent_id", index % 2)), text.strip()))
        positions[turn.get("turn_id", index)] = index
    if not turns:
        raise ValueError("turns is empty")
    told = row.get("is_contradiction")
    evidence = row.get("aggregated_contradiction_indices") or ()
    return Case(
        id=str(row.get("record_id") or row.get("conversation_id") or row_id),
        turns=tuple(turns),
        label=None if told is None else bool(told),
        # the annotators' list names the last turn, too
        evidence=tuple(
            positions[i] for i in evidence if positions.get(i, -1) in range(len(turns) - 1)
        ),
        place=place,
    )


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}") from error
