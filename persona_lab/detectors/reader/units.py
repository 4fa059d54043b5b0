"""What is read at once: a turn, or some sentences of a long turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from persona_lab.detectors.base import Request
from persona_lab.detectors.reader.text import ANSWER_WORDS, plain_all, question
from persona_lab.encoding.segment import Segmenter

UNIT_TOKENS = 48
"""About so many tokens are read at once: two or three sentences.

Passages read by such pieces agree better with readers than passages read whole, see
:mod:`persona_lab.detectors.reader.rule`; and what is quoted is found more exactly.
"""

LONGEST = 64
"""A unit's tokens at most, special ones and the question left out."""

_FOCUS = re.compile(r"\[[^\]\n]{1,40}\] ")
"""``[NAME] `` before a narration names whom it is about."""

_END = re.compile(r"(?<![.!?\u2026])[.!?\u2026]+[\"'\u201d\u2019)\]*]*(?=\s|\Z)|\n+")
"""Ends of sentences: not the point of 4.40. It looks back so that dots are not tried twice."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an utterance.

    Attributes:
        start: its place in the utterance's text, in characters.
        end: where it ends.
        first: its first token in the unit, special tokens counted.
        last: the one after its last.
    """

    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Unit:
    """What is read at once.

    Attributes:
        utterance: place of the utterance in the request.
        token_ids: with special tokens, and the question before a short answer or the name of
            whom a narration is about.
        sentences: of the utterance, in order; none overlaps another unit's.
    """

    utterance: int
    token_ids: tuple[int, ...]
    sentences: tuple[Sentence, ...]

    @property
    def n_tokens(self) -> int:
        """Tokens of the utterance, without special ones and without the question."""
        return sum(s.last - s.first for s in self.sentences)


def cut(
    requests: Sequence[Request],
    segmenter: Segmenter,
    *,
    masked: bool = True,
    answer_words: int = ANSWER_WORDS,
) -> list[list[Unit]]:
    """Cut what speakers say into units.

    Args:
        requests: speakers.
        segmenter: of the encoder.
        masked: hide words that name a type or trait.
        answer_words: turns of at most so many words are read with what they answer.

    Returns:
        For each request its units, in order. All tokens are in one unit each; an utterance
        without words has none.
    """
    places = [
        [_sentences(utterance.text) for utterance in request.utterances] for request in requests
    ]
    texts = plain_all(
        [
            utterance.text[start:end]
            for request, spans in zip(requests, places, strict=True)
            for utterance, own in zip(request.utterances, spans, strict=True)
            for start, end in own
        ],
        masked=masked,
    )
    leads = _leads(requests, answer_words, masked=masked)
    tokens = iter(segmenter.token_ids_of([*texts, *leads.values()]))
    found = []
    pieces = [
        [[(start, end, next(tokens)) for start, end in own] for own in spans] for spans in places
    ]
    lead = dict(zip(leads, tokens, strict=True))
    for r, request in enumerate(requests):
        own_units: list[Unit] = []
        for u in range(len(request.utterances)):
            own_units += _units(u, pieces[r][u], lead.get((r, u), ()), segmenter)
        found.append(own_units)
    return found


def _leads(
    requests: Sequence[Request], answer_words: int, *, masked: bool
) -> dict[tuple[int, int], str]:
    """By request and utterance, what stands before each of its units."""
    found = {}
    for r, request in enumerate(requests):
        for u, utterance in enumerate(request.utterances):
            focus = _FOCUS.match(utterance.text)
            heard = request.heard[u] if request.heard else ""
            lead = focus.group() if focus else question(utterance.text, heard, answer_words)
            if lead:
                found[r, u] = lead
    return dict(zip(found, plain_all(list(found.values()), masked=masked), strict=True))


def _units(
    utterance: int,
    pieces: Sequence[tuple[int, int, tuple[int, ...]]],
    lead: tuple[int, ...],
    segmenter: Segmenter,
) -> Iterator[Unit]:
    """The units of one utterance, of about equal length."""
    total = sum(len(ids) for _, _, ids in pieces)
    if total == 0:
        return
    aim = total / -(-total // UNIT_TOKENS)
    group: list[tuple[int, int, tuple[int, ...]]] = []
    length = 0
    for start, end, ids in pieces:
        parts = -(-len(ids) // LONGEST)
        for i in range(parts):  # a sentence that is too long is cut evenly
            part = ids[i * len(ids) // parts : (i + 1) * len(ids) // parts]
            if group and (length + len(part) > LONGEST or length >= aim):
                yield _unit(utterance, group, lead, segmenter)
                group, length = [], 0
            group.append((start, end, part))
            length += len(part)
    if length:
        yield _unit(utterance, group, lead, segmenter)


def _unit(
    utterance: int,
    group: Sequence[tuple[int, int, tuple[int, ...]]],
    lead: tuple[int, ...],
    segmenter: Segmenter,
) -> Unit:
    before = (*segmenter.prefix, *lead)
    ends = list(accumulate((len(ids) for _, _, ids in group), initial=len(before)))
    return Unit(
        utterance,
        (*before, *(token for _, _, ids in group for token in ids), *segmenter.suffix),
        tuple(
            Sentence(start, end, first, last)
            for (start, end, _), first, last in zip(group, ends, ends[1:], strict=False)
            if last > first
        ),
    )


def _sentences(text: str) -> list[tuple[int, int]]:
    """Where sentences begin and end; the name of a focus belongs to none."""
    focus = _FOCUS.match(text)
    start = focus.end() if focus else 0
    found = []
    for end in (*(match.end() for match in _END.finditer(text, start)), len(text)):
        if text[start:end].strip():
            found.append((start, end))
            start = end
    return found
