"""Does anything said contradict the persona, or what the speaker said before?

A cross-encoder reads pairs of texts, which costs far more than comparing vectors. So each
turn is paired only with the persona statements that are nearest to it in the encoder's space;
and turns that say something of their speaker with one another, all of them in a chat, the
nearest ones in a long talk: the number of pairs grows with the turns, not with their square.
A short turn is read with what it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from persona_lab.consistency.candidates import (
    Pairs,
    earlier_claims,
    nearest_statements,
    says_of_itself,
)
from persona_lab.consistency.instructions import as_said
from persona_lab.consistency.pairs import in_context
from persona_lab.consistency.parts import NotScored, Numbers, Score
from persona_lab.consistency.personas import Statement
from persona_lab.consistency.turns import Turns
from persona_lab.detectors.trained import sigmoid
from persona_lab.profile import ModelInfo

ENTAILMENT, NEUTRAL, CONTRADICTION = 0, 1, 2
"""Columns of a prediction."""

SURE = 0.5
"""Probability from which a pair is listed as a contradiction."""

_WORTH_A_LOOK = 0.05
"""Probability from which the surest pair is shown where none is listed."""

_ACTIVE = (0.40, 0.08)
"""Cosine at which a statement is as likely as not to be what an exchange is about, and
the width of the transition."""

MATCH = (-6.8, 15.1, 2.2)
"""Log-odds that a persona is the speaker's: constant, cosine of the best statements, their
entailment. Logistic regression, own persona against another's;
``benchmarks/consistency.py --fit`` prints it anew."""

SILENT = 0.7
"""Score of a speaker who says nothing of the persona, and nothing against it: below one whose
turns support it, above one who contradicts it."""

_RESAMPLES = 200


class NliModel(Protocol):
    """Reads pairs of texts."""

    @property
    def info(self) -> ModelInfo:
        """Name, version and hash."""

    def predict(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.floating]:
        """Probabilities of entailment, neutral, contradiction: ``(n, 3)``."""

    def in_dialogue(self, wrong: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of a contradiction for pairs of a dialogue, where few contradict."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two texts that contradict each other.

    Attributes:
        earlier: the persona statement, or what was said first.
        later: what was said against it.
        earlier_turn: index in the dialogue; None for a persona statement that was given.
        later_turn: index in the dialogue.
        probability: that a reader would agree, for a dialogue in which few pairs contradict.
    """

    earlier: str
    later: str
    earlier_turn: int | None
    later_turn: int
    probability: float

    def to_row(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "a": self.earlier,
            "b": self.later,
            "p": round(self.probability, 4),
            "a_turn": self.earlier_turn,
            "b_turn": self.later_turn,
        }


@dataclass(frozen=True, slots=True)
class StatementCheck:
    """What became of one persona statement.

    Attributes:
        statement: the text.
        relevance: probability that some exchange is about it, 0..1.
        entailed: largest probability that a turn entails it.
        entailed_by: index in the dialogue of that turn; None if none was near enough.
        contradicted: largest probability that a turn contradicts it.
        contradicted_by: index of that turn.
        apc: share of its constraints that are met, 0..1.
    """

    statement: str
    relevance: float
    entailed: float
    entailed_by: int | None
    contradicted: float
    contradicted_by: int | None
    apc: float


@dataclass(frozen=True, slots=True)
class Coherence:
    """How a speaker agrees with the persona and with earlier turns.

    Attributes:
        score: ``free``; with a persona, times what ``match`` makes of it, from
            :data:`SILENT` to 1. One more contradiction never raises it.
        match: probability that the persona is this speaker's, by what supports it; None
            without a persona.
        free: probability that no listed pair contradicts; that the surest does not where none
            is listed.
        c_score: entailed minus contradicted statements a turn (Madotto et al. 2019); None
            without a persona.
        apc: mean of the statements' APC (Peng et al. 2024, arXiv 2405.07726): a statement
            that an exchange is about should be entailed, any other not contradicted; None
            without a persona.
        statements: one by one.
        conflicts: pairs above :data:`SURE`, the surest first.
        suspect: where there is none, the pair most worth a look; None if no pair is.
        n_pairs: pairs that the model read.
        persona_evidence: what ``match`` is made of, in the order of :data:`MATCH`; empty
            without a persona.
    """

    score: Score
    match: float | None
    free: float
    c_score: float | None
    apc: float | None
    statements: tuple[StatementCheck, ...]
    conflicts: tuple[Conflict, ...]
    suspect: Conflict | None
    n_pairs: int
    persona_evidence: tuple[float, ...]


def coherence(
    turns: Turns,
    speaker: str,
    model: NliModel,
    statements: Sequence[Statement] = (),
    vectors: Numbers | None = None,
    *,
    seed: int = 0,
) -> Coherence | NotScored:
    """Hold each turn of a speaker against the persona and the speaker's earlier turns.

    Args:
        turns: the dialogue.
        speaker: who.
        model: reads pairs.
        statements: the persona; statements taken from a turn are not held against it, and
            say nothing about whose persona it is.
        vectors: ``(n_statements, dim)``, from the reader that made the turns.
        seed: of the bootstrap.

    Returns:
        What was found, or the reason where there is nothing to compare.
    """
    own = turns.of(speaker)
    if not own or (len(own) < 2 and not statements):
        return NotScored("there are no two texts of this speaker to compare", "too_short")
    mine = turns.vectors[own]
    cosine = mine @ vectors.T if vectors is not None else np.zeros((len(own), 0), np.float32)
    for j, statement in enumerate(statements):
        if statement.turn in own:
            cosine[own.index(statement.turn), j] = -1.0
    about = nearest_statements(cosine)
    texts = [in_context(turns.texts[i], turns.heard(i)) for i in own]
    before = earlier_claims(mine, [says_of_itself(turns.texts[i], turns.heard(i)) for i in own])
    persona = [as_said(statement.text) for statement in statements]
    said = [(texts[a], persona[b]) for a, b in zip(about.later, about.earlier, strict=True)]
    said += [(texts[b], texts[a]) for a, b in zip(before.later, before.earlier, strict=True)]
    given = [j for j, statement in enumerate(statements) if statement.turn is None]
    if not said and not given:
        return NotScored("no two turns say something of their speaker", "unrelated")
    read = np.asarray(model.predict(said), np.float64) if said else np.zeros((0, 3))
    n_about = len(about.later)
    table = _Table.of(len(own), len(statements), about, read[:n_about])
    wrong = np.asarray(model.in_dialogue(read[:, CONTRADICTION]), np.float64)
    # of the pairs that are not listed only the surest counts, or a long talk would fail by length
    counts = wrong >= SURE
    if len(wrong):
        counts[int(wrong.argmax())] = True
    counted = np.log1p(-np.where(counts, wrong, 0.0).clip(max=1.0 - 1e-6))
    free = np.zeros(len(own))
    np.add.at(free, np.concatenate([about.later, before.later]), counted)
    evidence = _Evidence(cosine[:, given], table.entailed[:, given], free)
    everything = np.arange(len(own))[None]
    rng = np.random.default_rng(seed)
    draws = evidence.score(rng.integers(len(own), size=(_RESAMPLES, len(own))))
    active = _activity(turns, own, cosine, vectors)
    checks = tuple(
        _check(statement, j, own, cosine[:, j], table, active[:, j])
        for j, statement in enumerate(statements)
    )
    hard = read[:n_about].argmax(axis=1)
    agreed = int((hard == ENTAILMENT).sum()) - int((hard == CONTRADICTION).sum())
    found = _conflicts(turns, own, statements, about, before, wrong)
    conflicts = tuple(conflict for conflict in found if conflict.probability >= SURE)
    return Coherence(
        score=Score.of(float(evidence.score(everything)[0]), draws),
        match=float(evidence.match(everything)[0]) if given else None,
        free=float(evidence.free(everything)[0]),
        c_score=agreed / len(own) if statements else None,
        apc=float(np.mean([check.apc for check in checks])) if checks else None,
        statements=checks,
        conflicts=conflicts,
        suspect=found[0] if found and not conflicts else None,
        n_pairs=len(said),
        persona_evidence=tuple(evidence.features(everything)[0].tolist()) if given else (),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """What the model says of turns and statements, ``(n_turns, n_statements)`` each."""

    entailed: Numbers
    contradicted: Numbers

    @classmethod
    def of(cls, n: int, m: int, pairs: Pairs, read: NDArray[np.float64]) -> _Table:
        entailed, contradicted = np.zeros((n, m)), np.zeros((n, m))
        entailed[pairs.later, pairs.earlier] = read[:, ENTAILMENT]
        contradicted[pairs.later, pairs.earlier] = read[:, CONTRADICTION]
        return cls(entailed, contradicted)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """All that the score is made of, by turn, so that turns can be resampled."""

    cosine: Numbers
    entailed: Numbers
    free_by_turn: Numbers

    def score(self, picks: NDArray[np.int64]) -> Numbers:
        """``(m, n)`` places of turns to ``(m,)`` scores."""
        free = self.free(picks)
        if not self.cosine.shape[1]:
            return free
        return free * (SILENT + (1.0 - SILENT) * self.match(picks))

    def match(self, picks: NDArray[np.int64]) -> Numbers:
        """Probability that the persona is the speaker's: ``(m, n)`` to ``(m,)``."""
        constant, *weights = MATCH
        return np.asarray(sigmoid(constant + self.features(picks) @ np.array(weights)))

    def features(self, picks: NDArray[np.int64]) -> Numbers:
        """Nearness and entailment of the persona: ``(m, n)`` to ``(m, 2)``."""
        near = _best_two(self.cosine[picks].max(axis=1))
        agreed = _best_two(self.entailed[picks].max(axis=1))
        return np.stack([near, agreed], axis=1)

    def free(self, picks: NDArray[np.int64]) -> Numbers:
        """Probability that no pair contradicts: ``(m, n)`` to ``(m,)``."""
        return np.asarray(np.exp(self.free_by_turn[picks].sum(axis=1)))


def _best_two(values: Numbers) -> Numbers:
    """Mean of the two largest in each row; of one where there is one."""
    return np.asarray(np.sort(values, axis=1)[:, -2:].mean(axis=1))


def _activity(turns: Turns, own: list[int], cosine: Numbers, vectors: Numbers | None) -> Numbers:
    """Probability that each exchange is about each statement: ``(n_turns, n_statements)``.

    The turn itself counts, and what it answers.
    """
    near = cosine
    if vectors is not None:
        asked = np.zeros_like(turns.vectors[own])
        for row, place in enumerate(own):
            if place and turns.speakers[place - 1] != turns.speakers[place]:
                asked[row] = turns.vectors[place - 1]
        near = np.maximum(cosine, asked @ vectors.T)
    middle, width = _ACTIVE
    return np.asarray(sigmoid((near - middle) / width))


def _check(
    statement: Statement, j: int, own: list[int], cosine: Numbers, table: _Table, active: Numbers
) -> StatementCheck:
    entailed, contradicted = table.entailed[:, j], table.contradicted[:, j]
    met = active * entailed + (1.0 - active) * (1.0 - contradicted)
    return StatementCheck(
        statement=statement.text,
        relevance=float(active.max()),
        entailed=float(entailed.max()),
        entailed_by=own[int(entailed.argmax())] if entailed.any() else None,
        contradicted=float(contradicted.max()),
        contradicted_by=own[int(contradicted.argmax())] if contradicted.any() else None,
        apc=float(met.mean()),
    )


def _conflicts(
    turns: Turns,
    own: list[int],
    statements: Sequence[Statement],
    about: Pairs,
    before: Pairs,
    wrong: NDArray[np.float64],
) -> tuple[Conflict, ...]:
    """All pairs that contradict each other, the surest first; else the one worth a look."""
    found: list[Conflict] = []
    for place in np.argsort(-wrong, kind="stable"):
        if wrong[place] < (SURE if found else _WORTH_A_LOOK):
            break
        if place < len(about.later):
            later, statement = own[about.later[place]], statements[about.earlier[place]]
            earlier_text, earlier = statement.text, statement.turn
        else:
            row = place - len(about.later)
            later, earlier = own[before.later[row]], own[before.earlier[row]]
            earlier_text = turns.texts[earlier]
        found.append(
            Conflict(earlier_text, turns.texts[later], earlier, later, float(wrong[place]))
        )
    return tuple(found)
