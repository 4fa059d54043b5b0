"""FriendsPersona (Jiang et al. 2020): scenes with one rated character each."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from functools import partial

from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.formats.base import Columns, Format, Result, each
from persona_lab.formats.essays import FIVE_COLUMNS
from persona_lab.formats.labels import Note, cell_labels
from persona_lab.formats.source import Source
from persona_lab.formats.tables import Table, TableRow

_SCENE, _TEXT, _CHARACTER = "scene_id", "text", "character"
_PARAGRAPH = re.compile(r"(?:<br\s*/?>\s*){2,}")
_TURN = re.compile(r"\s*<b>(?P<name>[^<]*)</b>\s*:\s*(?P<text>.*)", re.DOTALL)
_HEADER = re.compile(r"\s*<b>(?P<cut>.*?)\s+for\s+.*</b>\s*", re.DOTALL)
_TAG = re.compile(r"</?[a-z][^>]*>")
_SCENE_NUMBERS = re.compile(r"s?0*(\d+)_e0*(\d+)_c0*(\d+)")


def normal_scene(scene: str) -> str:
    """One spelling for a scene: ``1_e1_c1``, ``01_e01_c01`` and ``s01_e01_c01`` are the same."""
    match = _SCENE_NUMBERS.match(scene.strip())
    if match is None:
        return scene.strip()
    return "s{:02d}_e{:02d}_c{:02d}".format(*map(int, match.groups()))


def match_name(wanted: str, names: Iterable[str]) -> str:
    """Find the rated character among the names of a transcript.

    Args:
        wanted: full or first name.
        names: as written in the transcript.

    Returns:
        The name in the transcript: the same one, else the only one that begins with the
        same words (``Joey`` and ``Joey Tribbiani``); ``wanted`` itself where none or
        several fit, so that the row is reported as one without utterances.
    """
    known = list(dict.fromkeys(names))
    if wanted in known:
        return wanted
    words = wanted.casefold().split()
    fitting = []
    for name in known:
        other = name.casefold().split()
        shorter = min(len(words), len(other))
        if shorter and words[:shorter] == other[:shorter]:
            fitting.append(name)
    return fitting[0] if len(fitting) == 1 else wanted


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub("", text.replace("<br>", "\n"))).strip()


def _utterances(paragraphs: list[str]) -> Iterator[Utterance]:
    """Paragraphs that somebody says; one without a name is a stage direction."""
    for i, paragraph in enumerate(paragraphs):
        turn = _TURN.fullmatch(paragraph)
        if turn is not None:
            yield Utterance(str(i), html.unescape(turn["name"]).strip(), _plain(turn["text"]))


def _dialogue(row: TableRow, note: Note) -> Dialogue:
    paragraphs = _PARAGRAPH.split(row.cells[_TEXT])
    header = _HEADER.fullmatch(paragraphs[0])
    utterances = tuple(_utterances(paragraphs[1:] if header else paragraphs))
    scene = normal_scene(row.cells[_SCENE])
    focus = match_name(row.cells[_CHARACTER].strip(), (u.speaker for u in utterances))
    cut = header["cut"] if header else scene
    return Dialogue(
        id=f"{cut}:{focus}",
        utterances=utterances,
        speakers={focus: Speaker(focus, cell_labels(row.cells, FIVE_COLUMNS, note=note))},
        focus=focus,
        group=scene,
        place=row.place,
    )


def _read(source: Source, columns: Columns) -> Iterator[Result]:
    del columns
    table = Table(source, (_SCENE, _TEXT, _CHARACTER), tuple(FIVE_COLUMNS.values()))
    yield from each(table.rows(), partial(_dialogue, note=source.note))


FORMAT = Format(
    name="friends-persona",
    help="friends-personality.csv: HTML-like scenes with one rated character a row",
    labels="Big Five 0/1 of the rated character",
    read=_read,
    header=(_SCENE, _TEXT, _CHARACTER),
)
