"""The rater ``detector``: a trained model reads the answers; no language model is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from persona_lab.detectors import Detector, Request
from persona_lab.detectors.language import foreign_language
from persona_lab.detectors.screening import Options
from persona_lab.dialogue import Utterance
from persona_lab.errors import ModelError
from persona_lab.instruments import Instrument
from persona_lab.interviews.raters.rating import DETECTOR, Group, Quote, Rating, unusable
from persona_lab.interviews.records import Record
from persona_lab.profile import SELF_REPORT, SHOWN, Profile
from persona_lab.traits import FRAMEWORKS

_QUOTES = 2
_FEWEST_WORDS = 8
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?\n]+[\"'\u201d\u2019)]*|\Z)\s*")


def framework_for(instrument: Instrument) -> str:
    """The framework that a detector can score for an instrument.

    Raises:
        ModelError: it measures none of our traits.
    """
    traits = {domain.trait for domain in instrument.domains}
    for framework in FRAMEWORKS.values():
        if traits & set(framework.keys):
            return framework.name
    raise ModelError(
        f"the detector knows Big Five traits and MBTI axes; {instrument.name!r} measures neither, "
        "so rate with --rater llm or option"
    )


def rate_with_detector(
    groups: Iterable[Group], instrument: Instrument, detector: Detector
) -> Iterator[Rating]:
    """Rate groups of answers.

    The score is the calibrated probability of the high pole given the words of the group; the
    interval is the detector's own (90 %). Quotes are the sentences that spoke most for the side.

    Args:
        groups: what to rate; answers that the detector cannot read for their language count as
            unusable.
        instrument: with their domains.
        detector: that knows the instrument's framework.

    Raises:
        ModelError: it does not.
    """
    framework = framework_for(instrument)
    english_only = getattr(detector, "options", Options()).check_language
    waiting = [_readable(group) if english_only else group for group in groups]
    # a story is rated on every domain and need not be read for each again
    shown = getattr(detector, "measure", SELF_REPORT) == SHOWN
    requests = {_key(group): _request(group, whole=shown) for group in waiting}
    found = detector.profiles(requests.values(), frameworks=(framework,), explain=True)
    results = dict(zip(requests, found, strict=True))
    for group in waiting:
        result = results[_key(group)]
        if not group.records:
            yield group.rating(DETECTOR, score=None, code="no_answers", reason=unusable(group))
        elif not isinstance(result, Profile):
            yield group.rating(DETECTOR, score=None, code=result.code, reason=result.reason)
        elif (trait := group.domain.trait) is None or trait not in result.traits:
            reason = f"the detector does not know {group.domain.name!r}"
            yield group.rating(DETECTOR, score=None, code="unknown_trait", reason=reason)
        else:
            yield _rating(group, result, trait)


def _readable(group: Group) -> Group:
    """Without answers in other languages; all of them where none is in English."""
    foreign = [r for r in group.records if foreign_language(r.answer or "") is not None]
    if not foreign or len(foreign) == len(group.records):
        return group
    kept = tuple(r for r in group.records if r not in foreign)
    return replace(group, records=kept, unusable=(*group.unusable, *foreign))


def _key(group: Group) -> tuple[str, ...]:
    return tuple(record.id for record in group.records)


def _request(group: Group, *, whole: bool) -> Request:
    """One utterance an answer, or a sentence, named by the answer and its place there."""
    answers = [(i, record.answer or "", record.question) for i, record in enumerate(group.records)]
    said = [
        (Utterance(f"{i} {start} {end}", "bot", answer[start:end]), question)
        for i, answer, question in answers
        for start, end in ([(0, len(answer))] if whole else sentences(answer))
    ]
    return Request(
        group.first.id,
        "bot",
        tuple(utterance for utterance, _ in said),
        tuple(question for _, question in said) if whole else (),
    )


def sentences(text: str) -> list[tuple[int, int]]:
    """Where sentences begin and end; those of few words go with the next one."""
    found: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE.finditer(text):
        if len(text[start : match.end()].split()) >= _FEWEST_WORDS:
            found.append((start, match.end()))
            start = match.end()
    if text[start:].strip():
        if found:
            found[-1] = (found[-1][0], len(text))
        else:
            found.append((start, len(text)))
    return found


def _rating(group: Group, profile: Profile, trait: str) -> Rating:
    score = profile.traits[trait]
    likely, pole = (
        (score.p_high, group.domain.high)
        if score.p_high >= 0.5
        else (1 - score.p_high, group.domain.low)
    )
    flags = [warning.code for warning in profile.warnings]
    if score.label == "abstain":
        flags.append("abstain")
    return group.rating(
        DETECTOR,
        score=score.p_high,
        low=score.low,
        high=score.high,
        reason=f"{profile.word_count} words: {likely:.0%} likely to be {pole}",
        quotes=_quotes(group.records, profile, trait),
        flags=tuple(flags),
    )


def _quotes(records: Sequence[Record], profile: Profile, trait: str) -> tuple[Quote, ...]:
    """The sentences that moved the score most to its side."""
    side = 1 if profile.traits[trait].p_high >= 0.5 else -1
    moved = [e for e in profile.evidence if e.trait == trait and e.weight * side > 0]
    quotes = []
    for evidence in moved[:_QUOTES]:
        i, start, end = map(int, evidence.utterance_id.split())
        part = (records[i].answer or "")[start:end]
        quotes.append(Quote(records[i].id, evidence.quote(part).strip()))
    return tuple(quotes)
