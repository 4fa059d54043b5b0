"""Lines ``Name: text``: who speaks is told by the words before the colon."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from persona_lab.formats.names import is_label, is_name, repeat
from persona_lab.formats.roles import ASSISTANT, USER, role_of
from persona_lab.formats.stamps import BRACKETED, is_stamp, leading_stamp
from persona_lab.formats.turns import SCENE, Head, Other, Read

_TURN = re.compile(
    rf"""
    (?: (?: [-\u2022>] | \d{{1,4}}[.)] ) \s+ )?           # a list of turns
    \*{{0,2}} \s?                                      # bold, as chatbots write it
    (?P<name> [\w@\#] [^:\uff1a()\[\]{{}}<>"\u201c\u201d?!;|=*\t]{{0,39}}? ) \*{{0,2}}
    (?: ,? \s* {BRACKETED} )?                          # Ross (10:31 AM): ...
    (?: \s* (?P<aside> \( [^():]* \) ) )?              # Ross (angrily): ...
    \s* \*{{0,2}} \s* [:\uff1a] \*{{0,2}}
    (?: \s* {BRACKETED} (?=\s|$) )?                    # Ross: (00:12) ...
    (?P<text> .* )
    """,
    re.VERBOSE | re.DOTALL,
)
_BOLD = re.compile(r"\*\*[^*]+\*\*\s*")
_MARKED = re.compile(
    r"""
    < [@+%&~\ ]? (?P<nick> [\w\[\]\\^`|-] [\w\[\]\\^`|. -]{0,29} ) > \s (?P<said> .* )   # IRC
    | (?: \[ (?P<square> [^\[\]:]{1,40} ) \] | \( (?P<round> [^():]{1,40} ) \) )
      \s* (?P<colon> : )? (?P<rest> .* )
    """,
    re.VERBOSE | re.DOTALL,
)
_DIARISED = re.compile(r"(?:speaker|spk|person|participant|voice)[ _-]?\w{1,3}", re.IGNORECASE)
_CODE = re.compile(
    r"[;{}]\s*$|^\s*(?:def|class|import|from \S+ import|return|@\w+|#include|elif|except)\b"
    r"|^\s*(?:if|for|while|with)\s.*:\s*$|^>>> |\w\(\w*\)\s*[:;=]"
)
_HEADING = re.compile(r"#{1,6}\s.*|-{3,}|\*{3,}|={3,}|(?:CUT|FADE|DISSOLVE)[A-Z ]+:")
"""Of a part, or a line between parts; an assistant's answer has headings, too."""

_ACTION = re.compile(r"\s*(?:\*{1,3}|-!-|-->|<--)\s+\S")
_FEW_LINES, _SHARE, _LONG_SHARE, _AGAIN_SHARE, _CODE_SHARE = 10, 0.5, 0.1, 0.6, 0.1


def split_turn(line: str) -> tuple[str, str] | None:
    """Split ``Name: text``, ``<name> text``, ``[SPEAKER_00]: text`` or ``(speaker 0) text``.

    Args:
        line: one line; a time stamp before or after the name is taken off.

    Returns:
        Name and text, or None where the line does not begin with a speaker's name:
        a name has one to four words and at most 40 characters, and is neither the scheme
        of an address (``http:``) nor half of a clock time (``10:30``). An aside between
        name and colon moves to the front of the text.
    """
    stamp = leading_stamp(line)
    return split_at_name(line[stamp[0] :] if stamp else line.lstrip())


def split_at_name(line: str) -> tuple[str, str] | None:
    """The same for a line whose stamp is taken off."""
    match = _TURN.fullmatch(line)
    if match is None:
        return _split_marked(line)
    name, text, aside = match["name"].strip(), match["text"], match["aside"] or ""
    if (
        not is_name(name)
        or _BOLD.fullmatch(line)
        or text.startswith(("//", "\\"))
        or (name[-1].isdigit() and text[:2].isdigit())
    ):
        return None
    return name, f"{aside} {text.strip()}".strip()


def _split_marked(line: str) -> tuple[str, str] | None:
    match = _MARKED.fullmatch(line)
    if match is None:
        return None
    if match["nick"]:
        return match["nick"].strip(), match["said"].strip()
    name = (match["square"] or match["round"]).strip()
    if not _DIARISED.fullmatch(name) and not (match["square"] and match["colon"] and is_name(name)):
        return None
    return name, match["rest"].strip()


def share_of_turns(lines: Sequence[str]) -> float:
    """How much this looks like a transcript, 0..1.

    Args:
        lines: the first lines of a text, without blank ones.

    Returns:
        The share of ``Name: text`` lines; 0 where the first line is none, or where four or
        more of them never repeat a name (a list of keys and values, not a conversation).
    """
    names = _names(lines)
    found = [name for name in names if name is not None]
    if not found or names[0] is None or (len(found) > 3 and len(set(found)) == len(found)):
        return 0.0
    return len(found) / len(lines)


def _names(lines: Sequence[str]) -> list[str | None]:
    """The name that each line begins with.

    Words that head a field are left out, and lines that stand further in than the first.
    """
    names: list[str | None] = []
    indent: int | None = None
    for line in lines:
        turn = split_turn(line)
        at = len(line) - len(line.lstrip())
        known = turn is not None and not is_label(turn[0]) and indent in (None, at)
        names.append(turn[0] if turn is not None and known else None)
        indent = at if known else indent
    return names


def named(lines: Sequence[str], *, strict: bool) -> Read | None:
    """How to read a text whose turns begin with names.

    Lines before the first turn (a title, a scene) do not speak against it where two people
    speak and come back. Where one side is called a user and the other an assistant, other
    words before a colon begin no turn: assistants write lists.

    Args:
        lines: the first lines of a text, blank ones left out.
        strict: ask for names that come back in any case.
    """
    names = _names(lines)
    first = next((i for i, name in enumerate(names) if name is not None), None)
    if first is None or is_code(lines):
        return None
    found = [name for name in names if name is not None]
    sides = {name for name in found if role_of(name) in (USER, ASSISTANT)}
    both = {role_of(name) for name in sides} == {USER, ASSISTANT}
    if both and names[first] in sides and first < _FEW_LINES:
        return _reader(sides)
    share = share_of_turns(lines[first:])
    again = [name for name, count in Counter(found).items() if count > 1]
    small = first < _FEW_LINES and sum(map(len, lines[:first])) <= sum(map(len, lines[first:]))
    if repeat(found):
        # most turns are by people who come back, whatever else has a colon
        known = sum(name in again for name in found) >= len(found) * _AGAIN_SHARE
        long = len(again) > 1 and share >= _LONG_SHARE
        return _reader(None, lines) if small and known and (share >= _SHARE or long) else None
    program = len(set(found)) == 1 and found[0].islower()  # that writes a log
    few = first == 0 and share >= _SHARE and len(found) > 1 and not strict and not program
    return _reader(None, lines) if few else None


def is_code(lines: Sequence[str]) -> bool:
    """Is it a program or a page in HTML?

    Args:
        lines: without blank ones.
    """
    code = sum(_CODE.search(line) is not None for line in lines)
    return code > len(lines) * _CODE_SHARE or any("</" in line for line in lines if line[0] == "<")


def any_name(line: str) -> Head | None:
    """Read a line of a text that is said to be a transcript."""
    turn = split_turn(line)
    return None if turn is None else Head(*turn)


def _reader(only: Collection[str] | None, lines: Sequence[str] = ()) -> Read:
    labels = Counter(turn[0] for turn in map(split_turn, lines) if turn and is_label(turn[0]))
    # "Subject:" heads a mail, and it is who answers in an interview
    spoken = {name for name, count in labels.items() if count > 1}
    room = sum(line.lstrip().startswith("<") for line in lines) > len(lines) / 2

    def read(line: str) -> Head | Other | None:
        turn = split_turn(line)
        if (room and turn is None and is_action(line)) or SCENE.fullmatch(line):
            return Other.NOTICE
        if only is None and (is_stamp(line) or _HEADING.fullmatch(line)):
            return Other.ASIDE
        if turn is None or (only is not None and turn[0] not in only):
            return None
        return None if is_label(turn[0]) and turn[0] not in spoken else Head(*turn)

    return read


def is_action(line: str) -> bool:
    """Is it what somebody does in a chat room (``* Ann waves``), or who comes and goes?"""
    return _ACTION.match(line) is not None
