"""The texts that are scored: made-up English, the bundled sample, or the research corpora."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from speed.output import BenchmarkError

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
ESSAYS = "essays/essays.csv"
"""In the folder of corpora."""

_CORPORA = (
    ESSAYS,
    "kaggle_mbti/mbti_1.csv",
    "friends_persona/friends-personality.csv",
    "personallm/gpt-3.5-turbo-0613_stories.jsonl",
)
_FROM_EACH = 200
_RUN = 6
"""Sentences that are taken from one document before another is opened."""


def data_folder() -> Path | None:
    """The folder of corpora that ``PERSONA_LAB_DATA`` names, if it does."""
    named = os.environ.get("PERSONA_LAB_DATA")
    return Path(named) if named else None


def mixed_lengths(count: int, low: int, high: int, seed: int = 0) -> list[int]:
    """Numbers of words with logarithms equally spread over ``low..high``, in random order."""
    steps = max(1, count - 1)
    sizes = [round(low * (high / low) ** (i / steps)) for i in range(count)]
    random.Random(seed).shuffle(sizes)
    return sizes


def texts_of(
    sizes: Iterable[int], documents: Sequence[Sequence[str]], seed: int = 0
) -> Iterator[str]:
    """One text for each number of words, from runs of sentences of the documents.

    Args:
        sizes: words of each text.
        documents: lists of sentences.
        seed: same seed, same texts.
    """
    dice = random.Random(seed)
    for size in sizes:
        words: list[str] = []
        while len(words) < size:
            document = dice.choice(documents)
            start = dice.randrange(len(document))
            words += " ".join(document[start : start + _RUN]).split()
        yield " ".join(words[:size])


def documents(data: Path | None = None) -> tuple[str, list[list[str]]]:
    """Where texts come from, in words, and lists of sentences.

    Args:
        data: folder of the research corpora; without it the bundled sample and sentences
            made here.
    """
    from persona_lab.dialogue import Dialogue
    from persona_lab.formats import read_dialogues
    from persona_lab.samples import sample_path

    if data is None:
        paths, source = [sample_path()], "the bundled sample and generated sentences"
    else:
        paths = [data / name for name in _CORPORA if (data / name).is_file()]
        source = ", ".join(path.parent.name for path in paths)
    found = [] if data else generated_documents()
    for path in paths:
        with read_dialogues(str(path)) as reader:
            kept = [d for _, d in zip(range(_FROM_EACH), reader, strict=False)]
        for dialogue in kept:
            if isinstance(dialogue, Dialogue):
                for name in dialogue.choose(None):
                    said = " ".join(u.text for u in dialogue.by(name))
                    found.append(_SENTENCE_END.split(said))
    found = [sentences for sentences in found if len(" ".join(sentences).split()) > 1]
    if not found:
        raise BenchmarkError(f"{data} holds none of the corpora {', '.join(_CORPORA)}")
    return source, found


def generated_documents(count: int = 60, seed: int = 0) -> list[list[str]]:
    """Documents of 12 made-up English sentences each, all of one person's day."""
    dice = random.Random(seed)
    return [[_sentence(dice) for _ in range(12)] for _ in range(count)]


_FRAMES = (
    "{when} I {did} {thing} with {who}, and it {felt}.",
    "I {feel} about {thing} because {who} {said}.",
    "{who} {said}, so {when} we went to {place}.",
    "Do you remember {place}? I do, because {who} {said} there!",
    "To be honest, I {feel} whenever somebody mentions {thing} {when}.",
    "Nobody {did} {thing}, but {who} {said} anyway.",
    "I'd rather stay at {place} than talk about {thing} {when}.",
    "If {who} asks, tell them that I {did} {thing} and it {felt}.",
)


_SLOTS = {
    "when": ("last night", "on Sunday", "before the exam", "every other week", "after lunch"),
    "did": ("finished", "forgot", "argued about", "planned", "gave up", "rearranged", "enjoyed"),
    "thing": ("the garden party", "my tax forms", "a long novel", "the group project", "the bill",
              "our trip to the coast", "that strange painting", "the leaking tap", "the choir"),
    "who": ("my sister", "the neighbour", "my old teacher", "everyone at work", "a friend of mine",
            "the landlord", "my flatmate", "the woman from the bakery"),
    "felt": ("went better than I feared", "made me nervous", "was over far too quickly",
             "kept me awake until three", "turned out to be fun", "cost more than it should have"),
    "feel": ("feel guilty", "am quite excited", "get worried", "don't care much", "am proud"),
    "said": ("insisted that we start again", "laughed and left early", "wanted a list of reasons",
             "promised to help us", "never answered my message", "apologised twice"),
    "place": ("the library", "a crowded station", "the lake", "my grandmother's kitchen", "home"),
}  # fmt: skip


def _sentence(dice: random.Random) -> str:
    filled = dice.choice(_FRAMES).format(**{k: dice.choice(v) for k, v in _SLOTS.items()})
    return filled[0].upper() + filled[1:]
