"""Texts of corpora that we may not ship: found again by row and place, and cut for reading.

The ratings that are shipped name a corpus, a row and the words that were rated, with a hash
of the text. Whoever has the corpora gets the texts back; a text that is not the one that was
rated is left out and counted.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona_lab.detectors.reader.text import ANSWER, QUESTION, TURN, plain_all
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.errors import RowError, TrainingError
from persona_lab.formats import read_dialogues
from persona_lab.training.reader.labels import (
    DATA,
    RATED,
    Rated,
    rated,
    rows_of,
    statement,
    text_hash,
)

Span = tuple[int, int, int]
"""A turn, and its words from the first to before the last, as white space parts them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a corpus.

    Attributes:
        corpus: key of :data:`CORPORA`.
        name: of the row, in its corpus.
        speakers: who says each turn.
        turns: as the reader is given them.
    """

    corpus: str
    name: str
    speakers: tuple[str, ...]
    turns: tuple[str, ...]

    def text(self, kind: str, spans: Sequence[Span]) -> str:
        """Put a rated text together again.

        Raises:
            IndexError: the row has no such turn.
        """
        parts = [" ".join(self.turns[turn].split()[first:last]) for turn, first, last in spans]
        if kind == "answer":
            return f"{QUESTION}{parts[0]}{ANSWER}{parts[1]}"
        return (TURN if kind == "chat" else " ").join(parts)


def read_corpora(folder: Path) -> Iterator[Row]:
    """All rows of the corpora that are there, each conversation once.

    Raises:
        TrainingError: none is there.
    """
    present = [name for name, (where, _) in CORPORA.items() if any(folder.glob(where))]
    if not present:
        raise TrainingError(
            f"{folder} holds none of the corpora whose texts were rated: {', '.join(CORPORA)}"
        )
    for corpus in present:
        where, read = CORPORA[corpus]
        seen: set[str] = set()
        for file in sorted(folder.glob(where)):
            for dialogue in read(file):
                name = dialogue.group or dialogue.id if corpus == "friends_persona" else dialogue.id
                if name in seen:  # a scene is in the file once for each of its characters
                    continue
                seen.add(name)
                said = dialogue.utterances
                turns = plain_all([_without_tags(u.text) for u in said])
                yield Row(corpus, name, tuple(u.speaker for u in said), tuple(turns))


def rebuild(folder: Path, labels: Path = DATA / RATED) -> tuple[list[Rated], int]:
    """Rated texts of the corpora in a folder.

    Args:
        folder: of corpora, one folder each, see ``docs/training.md``.
        labels: file of ratings without texts.

    Returns:
        Texts with their ratings, and how many were rated in a corpus that is there but
        could not be found in it.
    """
    wanted: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for label in rows_of(labels):
        wanted.setdefault((label["corpus"], label["row"]), []).append(label)
    found: list[Rated] = []
    corpora: set[str] = set()
    for row in read_corpora(folder):
        corpora.add(row.corpus)
        for label in wanted.get((row.corpus, row.name), ()):
            try:
                text = row.text(label["kind"], label["spans"])
            except IndexError:
                continue
            if text_hash(text) == label["id"]:
                found.append(rated(label, text, row.corpus))
    there = sum(len(labels) for (corpus, _), labels in wanted.items() if corpus in corpora)
    return found, there - len(found)


def persona_statements(folder: Path) -> list[Rated]:
    """Statements about oneself that stand for a pole of one trait; none if the corpus is absent."""
    found = []
    for file in sorted((folder / "persona_statements").glob("*.jsonl")):
        for dialogue in _dialogues("persona-statements")(file):
            for name, speaker in dialogue.speakers.items():
                text = " ".join(u.text for u in dialogue.by(name))
                found += [
                    statement(text, trait, high=value > 0.5, source="persona_statements")
                    for trait, value in speaker.labels.items()
                    if text
                ]
    return found


def unrated(folder: Path, labels: Path = DATA / RATED) -> Iterator[tuple[str, str, str]]:
    """What people of the corpora say, piece by piece: for a teacher to rate.

    Rows of which a text is held out for testing or fitting are left out.

    Args:
        folder: of corpora.
        labels: file of ratings without texts.

    Yields:
        Text, kind and corpus: every turn of a conversation with the one that it answers
        (``answer``, where another spoke before) or without it, every post, and every
        paragraph (``utterance``).
    """
    held_out = {
        (label["corpus"], label["row"]) for label in rows_of(labels) if label["split"] != "train"
    }
    for row in read_corpora(folder):
        if (row.corpus, row.name) in held_out:
            continue
        for i, turn in enumerate(row.turns):
            if not turn:
                continue
            asked = row.turns[i - 1] if i and row.speakers[i - 1] != row.speakers[i] else ""
            if asked:
                yield f"{QUESTION}{asked}{ANSWER}{turn}", "answer", row.corpus
            else:
                yield turn, "utterance", row.corpus


_TAG = re.compile(r"<[^>]{1,80}>")
_STAGE = re.compile(r"\([^)]*\)")


def _without_tags(text: str) -> str:
    return _TAG.sub(" ", text)


def _dialogues(format: str) -> Callable[[Path], Iterator[Dialogue]]:
    def read(file: Path) -> Iterator[Dialogue]:
        for dialogue in read_dialogues(str(file), format):
            if not isinstance(dialogue, RowError):
                yield dialogue

    return read


def _friends(file: Path) -> Iterator[Dialogue]:
    """Scenes without stage directions: what is done is not said."""
    for dialogue in _dialogues("friends-persona")(file):
        spoken = tuple(
            Utterance(u.id, u.speaker, _STAGE.sub(" ", u.text)) for u in dialogue.utterances
        )
        yield Dialogue(dialogue.id, spoken, group=dialogue.group)


def _marked(file: Path) -> Iterator[Dialogue]:
    yield from _texts(file, "text")


def _stories(file: Path) -> Iterator[Dialogue]:
    yield from _texts(file, "Story")


def _texts(file: Path, column: str) -> Iterator[Dialogue]:
    """A text a row, of a csv file of any column names."""
    csv.field_size_limit(10**9)
    with file.open(encoding="utf-8", errors="replace", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            name = next((key for key in row if key and key.lower() == column.lower()), None)
            text = row.get(name) if name is not None else None
            if text:
                id = f"{file.parent.name}:{number}"
                yield Dialogue(id, (Utterance("0", "author", text),))


def _rct(file: Path) -> Iterator[Dialogue]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            turns = json.loads(line)["turns"]
            yield Dialogue(
                str(number),
                tuple(
                    Utterance(str(i), str(turn["agent_id"]), turn["text"])
                    for i, turn in enumerate(turns)
                ),
            )


def _decode(file: Path) -> Iterator[Dialogue]:
    """Dialogues of DECODE: the turns before, and the last one, in two files."""
    said = re.compile(r"<(\d)>\s*(.*?)(?=\s*<\d>|$)")
    before = file.read_text(encoding="utf-8").splitlines()
    last = file.with_name("dev.input1").read_text(encoding="utf-8").splitlines()
    for number, pair in enumerate(zip(before, last, strict=True)):
        turns = said.findall(" ".join(pair))
        yield Dialogue(
            str(number), tuple(Utterance(str(i), who, what) for i, (who, what) in enumerate(turns))
        )


CORPORA: Mapping[str, tuple[str, Callable[[Path], Iterator[Dialogue]]]] = {
    "essays": ("essays/essays.csv", _dialogues("essays")),
    "kaggle_mbti": ("kaggle_mbti/mbti_1.csv", _dialogues("kaggle-mbti")),
    "friends_persona": ("friends_persona/friends-personality.csv", _friends),
    "personallm": ("personallm/gpt-3.5*_stories.jsonl", _dialogues("personallm")),
    "youtube_personality": ("youtube_personality", _dialogues("youtube-personality")),
    "msc": ("msc/session_1_valid.jsonl", _dialogues("msc")),
    "synthetic_persona_chat": (
        "synthetic_persona_chat/Synthetic-Persona-Chat_valid.csv",
        _dialogues("synthetic-persona-chat"),
    ),
    "marked_personas": ("marked_personas/gpt4_main_generations.csv", _marked),
    "interaction_llms": ("interaction_llms/*/BFI_Story_data.csv", _stories),
    "rct": ("decode/rct.jsonl", _rct),
    "decode": ("decode/dev.input0", _decode),
}
"""Where each corpus lies in the folder of corpora, and how it is read."""
