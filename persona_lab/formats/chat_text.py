"""Chats written as text: which layout a text has, and its turns.

The surer a layout's marks are, the earlier it is looked for. A text that fits none stays a
text by one author.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from persona_lab.dialogue import AUTHOR, Utterance
from persona_lab.formats.captions import is_captions, split_captions
from persona_lab.formats.name_lines import alone, is_screenplay, split_screenplay, staged
from persona_lab.formats.names import is_label
from persona_lab.formats.stamped import headed, paired, stamped
from persona_lab.formats.templates import is_one_a_line, split_template
from persona_lab.formats.transcript import any_name, is_code, named, split_turn
from persona_lab.formats.turns import Chat, Read, gather

LOOK_AHEAD = 200
"""Lines by which a layout is told."""

_EOU, _EOT = "__eou__", "__eot__"
_END = re.compile(rf"\s*{_EOU}\s*")
_SIDES = ("speaker 1", "speaker 2")
_SHORT = 3
_MARK = re.compile(r"[<\[|]|##|__|SER:|:\s")
_TOKEN = re.compile(r"<\|\w+\|>|\[/?INST\]|^#{2,4}\s*(?:Human|User|Assistant|Response)\b", re.M)
_FIELDS = re.compile(r"^\d+ (?:your|partner's) persona: | \+\+\+\$\+\+\+ ", re.MULTILINE)

Split = Callable[[Sequence[str]], Iterator[Chat]]
"""Lines into the chats they hold."""


@dataclass(frozen=True, slots=True)
class TextLayout:
    """One layout of chats in text.

    Attributes:
        name: as given to ``--format``.
        help: one line for the command line's help.
        wanted: what a text must have to be read so, for messages.
        find: how to read a text, from its first lines; None for one of another layout.
            Asked to be strict, it takes no text that may be something else as well.
        anyhow: how to read a text that is said to have the layout.
        by_line: is each line a dialogue of its own? Told from the first lines.
    """

    name: str
    help: str
    wanted: str
    find: Callable[[Sequence[str], bool], Split | None]
    anyhow: Split
    by_line: Callable[[Sequence[str]], bool] = lambda _: False


def layout_of(lines: Sequence[str], *, strict: bool = False) -> tuple[TextLayout, Split] | None:
    """The layout of a text, and how to split it.

    Args:
        lines: its first lines.
        strict: be sure; for texts that are more likely to be no chats.
    """
    for layout in LAYOUTS:
        split = layout.find(lines, strict)
        if split is not None:
            return layout, split
    return None


def split_chat(text: str) -> tuple[Utterance, ...] | None:
    """The turns of a text that holds a whole chat.

    Args:
        text: for example a field of a record.

    Returns:
        None for a text that is no chat. What a template gives to the system is a turn of
        ``system``: it says who the assistant is.
    """
    if "\n" not in text.strip() and not _MARK.search(text):
        return None
    lines = text.splitlines()
    found = layout_of(lines[:LOOK_AHEAD], strict=True)
    if found is None:
        return None
    turns = tuple(chain.from_iterable(chat.turns for chat in found[1](lines)))
    if all(name == AUTHOR for name, _ in turns):
        return None
    return Chat(turns).utterances()


def missed(text: str) -> str | None:
    """The remark about a text by one author that looks as if several spoke.

    Returns:
        What was seen and the option to try, never the text; None where nothing was seen.
    """
    if len(_TOKEN.findall(text)) > 1:
        return _remark("marks of a chat template", "chat-template")
    if text.count(_EOU) > 1:
        return _remark(f"'{_EOU}' marks", "dailydialog")
    if text.count("-->") > 1:
        return _remark("ranges of times ('-->')", "subtitles")
    if len(_FIELDS.findall(text)) > 1:
        return (
            "read as one text by one author, though it holds lines of Persona-Chat or of "
            "Cornell's films, which are not read; convert them to csv or jsonl"
        )
    lines = [line for line in text.splitlines() if line.strip()]
    if is_code(lines):
        return None
    turns = map(split_turn, lines)
    counts = Counter(turn[0] for turn in turns if turn is not None and not is_label(turn[0]))
    again = sum(count > 1 for count in counts.values())
    if again > 1 or max(counts.values(), default=0) > _SHORT:
        return _remark("lines that begin with a name and a colon", "transcript")
    return None


def _remark(what: str, layout: str) -> str:
    return (
        f"read as one text by one author, though it holds {what}; "
        f"if several people speak, try --format {layout}"
    )


def _gathered(read: Read | None) -> Split | None:
    if read is None:
        return None
    return lambda lines: iter((gather(_without_front_matter(lines), read),))


def _transcript(lines: Sequence[str], strict: bool) -> Split | None:
    full = [line for line in _without_front_matter(lines) if line.strip()]
    read = stamped(full) or headed(full) or paired(full) or named(full, strict=strict)
    return _gathered(read or (None if strict else staged(full) or alone(full)))


def _as_transcript(lines: Sequence[str]) -> Iterator[Chat]:
    split = _transcript(lines, False) or _gathered(any_name)
    return split(lines) if split is not None else iter(())


def _without_front_matter(lines: Sequence[str]) -> Sequence[str]:
    """The lines below a block of settings between two lines ``---``."""
    start = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if not lines or lines[start].strip() != "---":
        return lines
    ends = (i for i, line in enumerate(lines) if i > start and line.strip() in ("---", "..."))
    return lines[next(ends, start - 1) + 1 :]


def _template(lines: Sequence[str], strict: bool) -> Split | None:
    return None if split_template("\n".join(lines)) is None else _as_template


def _as_template(lines: Sequence[str]) -> Iterator[Chat]:
    yield Chat(split_template("\n".join(lines)) or ())


def _captions(lines: Sequence[str], strict: bool) -> Split | None:
    return _as_captions if is_captions(lines) else None


def _as_captions(lines: Sequence[str]) -> Iterator[Chat]:
    yield split_captions(lines)


def _screenplay(lines: Sequence[str], strict: bool) -> Split | None:
    return _as_screenplay if not strict and is_screenplay(lines) else None


def _as_screenplay(lines: Sequence[str]) -> Iterator[Chat]:
    yield split_screenplay(lines)


def _ended(lines: Sequence[str], strict: bool) -> Split | None:
    full = [line for line in lines if line.strip()]
    marked = sum(_EOU in line for line in full)
    return _as_ended if marked and marked * 2 > len(full) else None


def _as_ended(lines: Sequence[str]) -> Iterator[Chat]:
    """Two people speak in turn, on each line anew."""
    for line in lines:
        if line.strip():
            parts = line.split(_EOT if _EOT in line else _EOU)
            words = filter(None, (_END.sub("\n", part).strip() for part in parts))
            yield Chat(tuple((_SIDES[i % 2], text) for i, text in enumerate(words)))


LAYOUTS = (
    TextLayout(
        "subtitles",
        "WebVTT or SubRip; speakers by 'Name:' or <v Name>, else one text without times",
        "no line holds a range of times ('00:01 --> 00:02')",
        _captions,
        _as_captions,
    ),
    TextLayout(
        "chat-template",
        "text with marks of roles: chatml, [INST], ### Instruction:, Human: and Assistant:",
        "there are no marks of a user and an assistant",
        _template,
        _as_template,
        is_one_a_line,
    ),
    TextLayout(
        "dailydialog",
        "a dialogue a line, each turn ended by __eou__; two people speak in turn",
        "no line holds '__eou__'",
        _ended,
        _as_ended,
        lambda _: True,
    ),
    TextLayout(
        "screenplay",
        "names in capitals on lines of their own; scenes and actions are left out",
        "no name in capitals stands on a line of its own above some words",
        _screenplay,
        _as_screenplay,
    ),
    TextLayout(
        "transcript",
        "lines 'Name: text' and exports of messengers; times, titles and notices are left out",
        "no line begins with 'Name: '",
        _transcript,
        _as_transcript,
    ),
)
