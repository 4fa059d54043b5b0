"""Transcripts of ``Name: text`` lines, one dialogue a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.errors import FormatError, RowError
from persona_lab.formats.base import Columns, Format, Result
from persona_lab.formats.decoding import Line
from persona_lab.formats.source import Source

MAX_NAME = 40
MAX_NAME_WORDS = 4

_TIME = re.compile(
    r"""\s*(?:
        # [10:31], (00:12:05)
        [\[(] (?=[^\])]*\d) [\d:.,/\- TZAPMapm\u202f]+ [\])]
        # 12/05/21, 10:31 - as WhatsApp exports it
        | \d[\d./-]* ,? \s \d{1,2}:\d{2}(?::\d{2})? (?:\s?[AaPp]\.?[Mm]\.?)? \s+ [-\u2013]
        # 10:31
        | \d{1,2}:\d{2}(?::\d{2})? (?:\s?[AaPp]\.?[Mm]\.?)? (?:\s*[-\u2013])? (?=\s)
    )\s*""",
    re.VERBOSE,
)
_TURN = re.compile(
    r"""
    \*{0,2} \s?                                      # bold, as chatbots write it
    (?P<name> [\w@\#] [^:\uff1a()\[\]{}<>"\u201c\u201d?!;|=*\t]{0,39}? )
    (?: \s* (?P<aside> \( [^():]* \) ) )?             # Ross (angrily): ...
    \s* \*{0,2} \s* [:\uff1a] \*{0,2}
    (?P<text> .* )
    """,
    re.VERBOSE | re.DOTALL,
)
_LONGEST_TITLE = 5


def split_turn(line: str) -> tuple[str, str] | None:
    """Split ``Name: text``.

    Args:
        line: one line; a timestamp before the name is taken off.

    Returns:
        Name and text, or None where the line does not begin with a speaker's name:
        a name has one to four words and at most 40 characters, and is neither the scheme
        of an address (``http:``) nor half of a clock time (``10:30``). An aside between
        name and colon moves to the front of the text.
    """
    stamp = _TIME.match(line)
    match = _TURN.fullmatch(line, stamp.end() if stamp else _indent(line))
    if match is None:
        return None
    name, text, aside = match["name"].strip(), match["text"], match["aside"] or ""
    if (
        len(name) > MAX_NAME
        or len(name.split()) > MAX_NAME_WORDS
        or not any(letter.isalpha() for letter in name)
        or text.startswith(("//", "\\"))
        or (name[-1].isdigit() and text[:2].isdigit())
        or _is_prose(name)
    ):
        return None
    return name, f"{aside} {text.strip()}".strip()


def _is_prose(name: str) -> bool:
    """Is it the start of a sentence? ``Dr. Rosen`` and ``Monica, Rachel`` are names."""
    words = name.split()
    return any(
        (word.endswith(".") and (len(word) > _LONGEST_TITLE or word[0].islower()))
        or (word.endswith(",") and after[0].islower())
        for word, after in pairwise(words)
    )


def share_of_turns(lines: Sequence[str]) -> float:
    """How much this looks like a transcript, 0..1.

    Args:
        lines: the first lines of a text, without blank ones.

    Returns:
        The share of ``Name: text`` lines; 0 where the first line is none, or where four or
        more of them never repeat a name (a list of keys and values, not a conversation).
    """
    turns = [split_turn(line) for line in lines]
    names = [turn[0] for turn in turns if turn is not None]
    if not names or turns[0] is None or (len(names) > 3 and len(set(names)) == len(names)):
        return 0.0
    return len(names) / len(lines)


def utterances_of(lines: Iterable[str]) -> tuple[Utterance, ...]:
    """Turn transcript lines into utterances; continuation lines join the turn before.

    Lines before the first name belong to nobody and are left out.
    """
    turns: list[tuple[str, list[str]]] = []
    for line in lines:
        turn = split_turn(line)
        if turn is not None:
            turns.append((turn[0], [turn[1]] if turn[1] else []))
        elif turns and line.strip():
            turns[-1][1].append(line.strip())
    return tuple(Utterance(str(i), name, "\n".join(parts)) for i, (name, parts) in enumerate(turns))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    start = source.peek(1)[0].number
    lines: list[str] = []
    preface: Line | None = None
    for line in source.lines():
        if line.problem:
            place = source.place(line.number)
            yield RowError(line.problem, row_id=f"line-{line.number}", place=place)
        elif lines or split_turn(line.text) is not None:
            lines.append(line.text)
        elif preface is None and not line.blank:
            preface = line
    if not lines:
        raise FormatError(
            f"{source.name}: no line begins with 'Name: '; write one turn a line as "
            "'Name: what is said', or read it as --format text"
        )
    if preface is not None:
        yield RowError(
            "text before the first 'Name: ' line belongs to no speaker; "
            "remove it or put a name in front",
            row_id=f"line-{preface.number}",
            place=source.place(preface.number),
        )
    yield Dialogue(id=source.stem, utterances=utterances_of(lines), place=source.place(start))


FORMAT = Format(
    name="transcript",
    help="lines 'Name: text', one dialogue a file; timestamps before names are ignored",
    labels="",
    read=_read,
)
