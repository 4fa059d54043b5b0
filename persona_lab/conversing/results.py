"""What a talk does to two bots: shifts, consistency, convergence, alignment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from persona_lab.conversing.study import AFTER, BEFORE, Study
from persona_lab.conversing.talk import Talk
from persona_lab.interviews.records import Record
from persona_lab.psychometrics.agreement import wilson
from persona_lab.psychometrics.answers import Answer, means_by, read_answers
from persona_lab.psychometrics.effects import holm
from persona_lab.psychometrics.estimate import Estimate, mean_estimate, unscored
from persona_lab.psychometrics.sensitivity import Shift, wording_sensitivity

KINDS: Final = ("style", "words", "function_words")
"""Kinds of alignment, see :class:`~persona_lab.consistency.accommodation.Accommodation`."""

Align = Callable[[Talk, str], Mapping[str, float] | str]
"""Alignment beyond chance by kind of one speaker in one talk, or why there is none."""


@dataclass(frozen=True, slots=True)
class Trait:
    """One trait of one speaker, on the instrument's scale.

    Attributes:
        key: of the domain.
        name: of the domain.
        before: mean score over repeats.
        after: the same after the talks.
        shift: after minus before; the pairs are items in one repeat. Holm's correction is
            over all traits of both speakers.
    """

    key: str
    name: str
    before: float | None
    after: float | None
    shift: Shift


@dataclass(frozen=True, slots=True)
class SpeakerResult:
    """One of the two.

    Attributes:
        name: of the speaker.
        traits: in the instrument's order; empty without an instrument.
        same: share of items with the same answer before and after.
        alignment: to the partner, beyond chance, by kind; mean over talks that
            differ.
        not_aligned: why talks have no alignment, with how often.
    """

    name: str
    traits: tuple[Trait, ...]
    same: Estimate
    alignment: Mapping[str, Estimate]
    not_aligned: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StudyResult:
    """A whole study.

    Attributes:
        talks: held to the end.
        broken: talks that broke off, by code.
        turns: that were said.
        speakers: both.
        convergence: how much closer the two speakers' scores are after a talk than before,
            mean over traits, in points; below 0 where they move apart. Each repeat is one
            observation.
    """

    talks: int
    broken: Mapping[str, int]
    turns: int
    speakers: tuple[SpeakerResult, SpeakerResult]
    convergence: Estimate


def summarize(
    study: Study, talks: Sequence[Talk], records: Sequence[Record], align: Align | None
) -> StudyResult:
    """Work a study out.

    Args:
        study: that was held.
        talks: of its repeats; others are passed over.
        records: of its questionnaires, likewise.
        align: None measures no alignment.
    """
    ids = {study.talk_id(repeat) for repeat in range(study.repeats)}
    held = [t for t in talks if t.id in ids]
    whole = [t for t in held if t.code is None]
    answers = [] if study.instrument is None else read_answers(records, study.instrument)
    answers = [a for a in answers if a.repeat < study.repeats]
    first, second = (_speaker(study, i, whole, answers, align) for i in (0, 1))
    corrected = iter(holm([t.shift.p for s in (first, second) for t in s.traits
                           if t.shift.p is not None]))  # fmt: skip

    def adjusted(speaker: SpeakerResult) -> SpeakerResult:
        traits = tuple(
            t if t.shift.p is None else replace(t, shift=replace(t.shift, p_holm=next(corrected)))
            for t in speaker.traits
        )
        return replace(speaker, traits=traits)

    return StudyResult(
        len(whole),
        dict(Counter(t.code for t in held if t.code is not None)),
        sum(len(t.turns) for t in held),
        (adjusted(first), adjusted(second)),
        _convergence(study, answers),
    )


def _speaker(
    study: Study,
    index: int,
    talks: Sequence[Talk],
    answers: Sequence[Answer],
    align: Align | None,
) -> SpeakerResult:
    speaker = study.speakers[index]
    own = {
        when: {
            (a.repeat, a.item): a
            for a in answers
            if a.persona == study.persona(speaker, when)
            and a.temperature == speaker.bot.temperature
        }
        for when in (AFTER, BEFORE)
    }
    both = [key for key in own[BEFORE] if key in own[AFTER]]
    pairs = [(own[AFTER][key], own[BEFORE][key]) for key in both]
    known = [(a, b) for a, b in pairs if a.score is not None and b.score is not None]
    gains, reasons = _alignment(speaker.name, talks, align)
    return SpeakerResult(
        speaker.name,
        tuple(
            _trait(domain.key, domain.name, [p for p in pairs if p[0].domain == domain.key])
            for domain in (study.instrument.domains if study.instrument is not None else ())
        ),
        wilson(sum(a.score == b.score for a, b in known), len(known)),
        gains,
        reasons,
    )


def _trait(key: str, name: str, pairs: Sequence[tuple[Answer, Answer]]) -> Trait:
    after, before = ([pair[i].score for pair in pairs] for i in (0, 1))
    (shift,) = wording_sensitivity({AFTER: after, BEFORE: before})
    return Trait(key, name, _mean(before), _mean(after), shift)


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return float(np.mean(known)) if known else None


def _alignment(
    name: str, talks: Sequence[Talk], align: Align | None
) -> tuple[dict[str, Estimate], dict[str, int]]:
    if align is None:
        return {kind: unscored("no_data") for kind in KINDS}, {}
    found: list[Mapping[str, float]] = []
    reasons: Counter[str] = Counter()
    # at temperature 0 all talks may be one
    for said in {talk.turns: talk for talk in talks}.values():
        measured = align(said, name)
        if isinstance(measured, str):
            reasons[measured] += 1
        else:
            found.append(measured)
    gains = {kind: mean_estimate(np.array([f[kind] for f in found])) for kind in KINDS}
    return gains, dict(reasons)


def _convergence(study: Study, answers: Sequence[Answer]) -> Estimate:
    means = means_by(answers, "persona", "repeat", "domain")
    closer = []
    for repeat in range(study.repeats):
        by_domain: list[float] = []
        for domain in study.instrument.domains if study.instrument is not None else ():
            gaps = []
            for when in (BEFORE, AFTER):
                a, b = (
                    means.get((study.persona(s, when), repeat, domain.key)) for s in study.speakers
                )
                if a is not None and b is not None:
                    gaps.append(abs(a - b))
            if len(gaps) == 2:
                by_domain.append(gaps[0] - gaps[1])
        if by_domain:
            closer.append(float(np.mean(by_domain)))
    return mean_estimate(np.array(closer))


def aligner(detector: str = "default") -> Align:
    """Measure alignment with a detector's encoder; see :mod:`persona_lab.consistency`.

    Args:
        detector: name of a trained detector.
    """
    from persona_lab.consistency.accommodation import accommodation
    from persona_lab.consistency.parts import NotScored
    from persona_lab.consistency.turns import TurnReader
    from persona_lab.detectors.registry import load_detector
    from persona_lab.dialogue import Dialogue, Utterance
    from persona_lab.traits import BIG_FIVE

    reader = TurnReader(load_detector(detector))

    def align(said: Talk, speaker: str) -> Mapping[str, float] | str:
        dialogue = Dialogue(
            said.id,
            tuple(Utterance(str(i), turn.speaker, turn.text) for i, turn in enumerate(said.turns)),
        )
        found = accommodation(reader.read(dialogue, BIG_FIVE), speaker)
        if isinstance(found, NotScored):
            return found.reason
        return {kind: getattr(found, kind).gain for kind in KINDS}

    return align
