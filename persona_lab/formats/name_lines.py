"""Chats and plays where a name stands on a line of its own, and the words below it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from persona_lab.formats.names import is_label, is_name
from persona_lab.formats.stamps import is_stamp
from persona_lab.formats.turns import SCENE, Chat, Head, Other, Read, gather

_CUE = re.compile(r"\s*@?(?P<name>[^\W\d_a-z][^a-z:()!?\[\]]{0,39}?)\s*(?:\([^()]*\)\s*)*\^?\s*")
_STAGED = re.compile(r"\s*(?P<name>[^\W\d_a-z]{2}[^\W\d_a-z. '\u2019-]{0,30})\.\s+(?P<text>\S.*)")
_DASHES = frozenset("-\u2013\u2014")
_PARENTHESIS = re.compile(r"\s*\([^()]*\)\s*")
_FEW = 2


def alone(lines: Sequence[str]) -> Read | None:
    """How to read a text with names on lines of their own, other than a play.

    Args:
        lines: the first lines of a text, blank ones left out.

    Returns:
        None unless two names and no other short line come back, each above some words, and
        the text begins with one of them (under a title of a line or two).
    """
    bare = [line.strip() for line in lines]
    counts = Counter(line.removesuffix(":") for line in bare if _is_name_line(line))
    names = {name for name, count in counts.items() if count > 1}
    at = [i for i, line in enumerate(bare) if line.removesuffix(":") in names]
    if len(names) < _FEW or at[0] > _FEW or len(at) * 10 < len(bare):
        return None
    if any(i + 1 in at for i in at) or at[-1] == len(bare) - 1:
        return None

    def read(line: str) -> Head | Other | None:
        name = line.strip().removesuffix(":")
        if name in names:
            return Head(name, wordless=True)
        return Other.ASIDE if is_stamp(line) or name in _DASHES else None

    return read


def staged(lines: Sequence[str]) -> Read | None:
    """How to read a play that writes ``NAME. What is said``.

    Args:
        lines: the first lines of a text, blank ones left out.
    """

    def read(line: str) -> Head | None:
        match = _STAGED.fullmatch(line)
        return None if match is None else Head(match["name"].strip(), match["text"].strip())

    names = [found.name for line in lines if isinstance(found := read(line), Head)]
    return read if _again(names) >= _FEW and len(names) * 10 >= len(lines) else None


def _is_name_line(line: str) -> bool:
    name = line.removesuffix(":")
    if not is_name(name) or not name[0].isalpha() or name[-1] in ".!?,;\"'\u2026" or is_label(name):
        return False
    words = [word for word in name.split() if word[0].isalpha()]
    # scripts without upper case have names, too
    return bool(words) and not any(word[0].islower() for word in words[:1] + words[-1:])


def is_screenplay(lines: Sequence[str]) -> bool:
    """Is it a screenplay: names in capitals on lines of their own, words below, then a gap?

    Args:
        lines: the first lines of a text, with the blank ones.
    """
    names = [name for name, _ in _cues(lines)]
    if len(set(names)) < _FEW:
        return False
    scenes = any(SCENE.fullmatch(line) for line in lines)
    return scenes or (len(names) > len(set(names)) and _again(names) >= _FEW)


def _again(names: Iterable[str]) -> int:
    return sum(count > 1 for count in Counter(names).values())


def split_screenplay(lines: Sequence[str]) -> Chat:
    """The dialogue of a screenplay; scenes and actions are nobody's words."""
    cues = {at: name for name, at in _cues(lines)}
    heads: list[Head | Other | None] = []
    speaking = False
    for at, line in enumerate(lines):
        head: Head | Other | None = None
        if at in cues:
            head, speaking = Head(cues[at], wordless=True), True
        elif not line.strip():
            speaking = False
        elif not speaking:
            head = Other.NOTICE
        elif _PARENTHESIS.fullmatch(line):
            head = Other.ASIDE
        heads.append(head)
    following = iter(heads)
    return gather(lines, lambda _: next(following))


def _cues(lines: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Names in capitals below a gap and right above some words, with their positions.

    Names that end in a full stop, as in printed plays, come back; a short sentence does not.
    """
    dotted: list[tuple[str, int]] = []
    for at, line in enumerate(lines[:-1]):
        match = _CUE.fullmatch(line)
        gap = at == 0 or not lines[at - 1].strip()
        if match is None or not gap or not lines[at + 1].strip() or SCENE.fullmatch(line):
            continue
        name = match["name"].strip()
        bare = name.rstrip(".")
        if not is_name(bare) or not name.isupper() or is_label(bare):
            continue
        if bare == name:
            yield name, at
        else:
            dotted.append((bare, at))
    if _again(name for name, _ in dotted) >= _FEW:
        yield from dotted
