"""Over-generate and rank: order candidate replies by personality, and by persona if given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from persona_lab.consistency.candidates import STATEMENTS_PER_TURN
from persona_lab.consistency.entailment import CONTRADICTION, NliModel
from persona_lab.consistency.parts import NotScored, Numbers, Score
from persona_lab.consistency.target import match_target
from persona_lab.consistency.turns import TurnReader
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.errors import FormatError, RowError
from persona_lab.formats.base import BadRow
from persona_lab.formats.records import is_document, read_records, text_of
from persona_lab.formats.source import Source
from persona_lab.traits import Target

_TEXT, _CONTEXT = "text", "context"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that could be said.

    Attributes:
        id: as in the file.
        text: what would be said.
        context: candidates for the same place share it; None where all compete.
    """

    id: str
    text: str
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place.

    Attributes:
        candidate: the text.
        rank: 1 is the best of its context; None for one that could not be scored.
        score: ``match`` times ``agreement``, 0..1, or why there is none.
        match: probability that its traits are as wanted, 0..1; None without a score.
        traits: the same by trait.
        agreement: probability that it contradicts no persona statement; None where no
            persona was given or it could not be read.
    """

    candidate: Candidate
    rank: int | None
    score: Score | NotScored
    match: float | None
    traits: dict[str, float]
    agreement: float | None

    def to_row(self) -> dict[str, Any]:
        """The result row (JSON types only)."""
        row: dict[str, Any] = {
            "id": self.candidate.id,
            "context": self.candidate.context,
            "rank": self.rank,
            "status": "unscored" if isinstance(self.score, NotScored) else "scored",
            "score": None if isinstance(self.score, NotScored) else round(self.score.value, 4),
            "match": None if self.match is None else round(self.match, 4),
            "traits": {key: round(value, 4) for key, value in self.traits.items()},
            "agreement": None if self.agreement is None else round(self.agreement, 4),
            "text": self.candidate.text,
        }
        if isinstance(self.score, NotScored):
            row |= {"reason": self.score.reason, "code": self.score.code}
        return row


def read_candidates(source: Source) -> Iterator[Candidate | RowError]:
    """Read candidates: JSON records with ``text`` (``id``, ``context``), or one a line.

    Raises:
        FormatError: it is JSON, and its first record has no ``text``.
    """
    first = source.peek(1)[0].text.lstrip()
    if not (first.startswith("{") or is_document(source)):
        for line in source.lines():
            if not line.blank:
                yield Candidate(f"line-{line.number}", line.text.strip())
        return
    count = 0
    for record in read_records(source):
        if isinstance(record, RowError):
            yield record
            continue
        count += 1
        try:
            given = record.object()
            if _TEXT not in given:
                raise BadRow(f'the record has no {_TEXT!r}; give {{"id", "text", "context"}}')
            context = given.get(_CONTEXT)
            own = str(context) if isinstance(context, int) else text_of(context, _CONTEXT)
            yield Candidate(record.id, text_of(given[_TEXT], _TEXT), own or None)
        except BadRow as bad:
            if count == 1:
                raise FormatError(f"{record.place}: {bad}") from None
            yield RowError(str(bad), row_id=record.id, place=record.place)


def by_context(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Neighbours with the same context, in order."""
    for _, group in groupby(candidates, key=lambda candidate: candidate.context):
        yield list(group)


def rank(
    candidates: Sequence[Candidate],
    target: Target,
    reader: TurnReader,
    *,
    persona: Sequence[str] = (),
    nli: NliModel | None = None,
) -> list[Ranked]:
    """Order the candidates of one context, the best first.

    Args:
        candidates: at least one.
        target: personality that was asked for.
        reader: reads traits.
        persona: statements that a candidate should not contradict.
        nli: reads pairs; needed for the persona.

    Returns:
        All candidates; equals in the order given, those without words at the end.
    """
    said = tuple(Utterance(str(i), str(i), c.text) for i, c in enumerate(candidates))
    turns = reader.read(Dialogue("candidates", said), target.framework)
    agreed = _agreement([turns.texts[i] for i in range(len(said))], persona, reader, nli)
    found = []
    for i, candidate in enumerate(candidates):
        match = match_target(turns, str(i), target)
        if isinstance(match, NotScored):
            reason = NotScored("the candidate has no words", match.code)
            found.append(Ranked(candidate, None, reason, None, {}, None))
            continue
        agreement = None if agreed is None else float(agreed[i])
        value, share = match.score.value, 1.0 if agreement is None else agreement
        score = Score(share * value, share * match.score.low, share * match.score.high)
        found.append(Ranked(candidate, None, score, value, match.traits, agreement))
    order = sorted(found, key=lambda r: -r.score.value if isinstance(r.score, Score) else 1.0)
    return [
        Ranked(
            r.candidate,
            place if isinstance(r.score, Score) else None,
            r.score,
            r.match,
            r.traits,
            r.agreement,
        )
        for place, r in enumerate(order, start=1)
    ]


def _agreement(
    texts: Sequence[str], persona: Sequence[str], reader: TurnReader, nli: NliModel | None
) -> Numbers | None:
    """Probability that each text contradicts none of the statements nearest to it."""
    if nli is None or not persona:
        return None
    cosine = reader.vectors(texts) @ reader.vectors(persona).T
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :STATEMENTS_PER_TURN]
    pairs = [(text, persona[j]) for text, row in zip(texts, nearest, strict=True) for j in row]
    known = [place for place, (text, _) in enumerate(pairs) if text]
    wrong = np.zeros(len(pairs))
    if known:
        wrong[known] = np.asarray(nli.predict([pairs[p] for p in known]))[:, CONTRADICTION]
    return np.asarray(1.0 - wrong.reshape(len(texts), -1).max(axis=1))
