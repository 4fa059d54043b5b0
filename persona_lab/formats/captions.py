"""Subtitles and captions (WebVTT, SubRip, and lines with a range of times in brackets)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from persona_lab.dialogue import AUTHOR
from persona_lab.formats.name_lines import alone
from persona_lab.formats.names import is_label, repeat
from persona_lab.formats.transcript import split_turn
from persona_lab.formats.turns import Chat, Head

_CLOCK = r"(?:\d+:)?\d{1,2}:\d{1,2}(?:[.,]\d{1,3})?"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s+\S.*)?\s*")
_LINE = re.compile(rf"\s*\[\s*{_CLOCK}\s*-->\s*{_CLOCK}\s*\]\s*(?P<text>.*)")
_BLOCK = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:\s.*)?")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+(?P<name>[^>]+)>")
_VOICES = re.compile(r"(?=<v[.\s])")
_BRACKET_NAME = re.compile(r"[\[(](?P<name>[A-Z][^\[\]():]{0,39})[\])]\s+(?P<text>\S.*)")
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]*>|\{\\[^{}]*\}")
_WORD_TIME = re.compile(r"<\d\d:\d\d:\d\d\.\d{3}>")
_SOUND = re.compile(r"[\[(][^\[\]()]*[\])]|[\u266a\u266b#].*[\u266a\u266b#]|[\u266a\u266b]+")
_DASH = re.compile(r"^(?:[-\u2013\u2014]\s*|>>+\s*)(?=\S)")
_SHARE = 0.5

UNNAMED = "the captions do not name who speaks: all is read as one text by one author"
"""What is said of captions without names."""


def is_captions(lines: Sequence[str]) -> bool:
    """Does it begin as captions do, or hold two ranges of times?

    Args:
        lines: the first lines of a text.
    """
    first = next((line.strip() for line in lines if line.strip()), "")
    times = sum(bool(_TIMING.fullmatch(line) or _LINE.fullmatch(line)) for line in lines)
    return times > 1 or (times == 1 and (_BLOCK.fullmatch(first) is not None or first == "1"))


def split_captions(lines: Sequence[str]) -> Chat:
    """The words of captions by speaker.

    Where less than half of the cues name a speaker nobody is named: the others are by
    somebody else. Sounds in brackets and songs are nobody's words.
    """
    cues = _names_above([_by_voice(cue) for cue in _cues(lines)])
    for split in (_split, _split_bracket):
        opening = {split(cue[0])[0] for cue in cues}
        voiced = [
            [split(line, opening if i else None) for i, line in enumerate(cue)] for cue in cues
        ]
        names = [name for cue in voiced for name, _ in cue if name]
        told = sum(any(name for name, _ in cue) for cue in voiced)
        sure = any(_VOICE.search(line) for cue in cues for line in cue)
        if sure or (told >= len(cues) * _SHARE and (repeat(names) or len(set(names)) > 1)):
            return _by_name(voiced)
    said = (_DASH.sub("", _plain(line)) for cue in cues for line in cue)
    words = [text for text in said if text and not _SOUND.fullmatch(text)]
    return Chat(((AUTHOR, "\n".join(words)),) if words else ())


def _names_above(cues: list[list[str]]) -> list[list[str]]:
    """Cues whose first line is a name, as meetings are exported, with the name as a voice."""
    read = alone([line for cue in cues for line in cue])
    if read is None or not all(len(cue) > 1 and isinstance(read(cue[0]), Head) for cue in cues):
        return cues
    return [[f"<v {cue[0]}>{cue[1]}", *cue[2:]] for cue in cues]


def _cues(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines of each cue, without numbers, times and comments.

    Captions that roll up word by word show each line twice: it is kept once.
    """
    cue: list[str] | None = None
    rolling = any(_WORD_TIME.search(line) for line in lines)
    last = ""
    for at, line in enumerate(lines):
        one = _LINE.fullmatch(line)
        if one is not None or _TIMING.fullmatch(line):
            if cue:
                yield cue
            cue = [one["text"].strip()] if one is not None and one["text"].strip() else []
        elif not line.strip():
            if cue:
                yield cue
            # a gap inside a cue: what follows belongs to it unless it opens another
            cue = None
        elif cue is not None:
            if _opens_cue(lines, at):
                continue
            if not rolling or _plain(line) != last:
                cue.append(line.strip())
            last = _plain(line)
    if cue:
        yield cue


def _opens_cue(lines: Sequence[str], at: int) -> bool:
    """Is it the number or the name of the cue whose times stand below it?"""
    return at + 1 < len(lines) and _TIMING.fullmatch(lines[at + 1]) is not None


def _split(line: str, known: Collection[str | None] | None = None) -> tuple[str | None, str]:
    """Name and words of a line; None for one that names nobody.

    Args:
        line: of a cue.
        known: the only names to look for; None for any.
    """
    voice = _VOICE.search(line)
    if voice is not None:
        return voice["name"].strip(), _plain(line)
    bare = _DASH.sub("", _plain(line))
    turn = split_turn(bare)
    if turn is None or is_label(turn[0]) or (known is not None and turn[0] not in known):
        return None, bare
    return turn


def _split_bracket(
    line: str, known: Collection[str | None] | None = None
) -> tuple[str | None, str]:
    """The same where names stand in brackets: ``[Ann] Hello``."""
    bare = _DASH.sub("", _plain(line))
    match = _BRACKET_NAME.fullmatch(bare)
    if match is None or (known is not None and match["name"] not in known):
        return None, bare
    return match["name"], match["text"]


def _by_voice(cue: Iterable[str]) -> list[str]:
    """The lines of a cue, cut where another voice begins."""
    return [part.strip() for line in cue for part in _VOICES.split(line) if part.strip()]


def _plain(line: str) -> str:
    return _TAG.sub("", line).strip()


def _by_name(cues: Sequence[Sequence[tuple[str | None, str]]]) -> Chat:
    turns: list[tuple[str, str]] = []
    dropped = 0
    for name, text in (part for cue in cues for part in cue):
        if _SOUND.fullmatch(text) or (name is None and not turns):
            dropped += 1
        elif name is not None:
            turns.append((name, text))
        else:
            speaker, said = turns[-1]
            turns[-1] = (speaker, f"{said} {text}".strip())
    return Chat(tuple(turns), dropped)
