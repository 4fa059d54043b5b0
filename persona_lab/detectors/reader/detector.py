"""The reader as a detector: what an attentive reader concludes about a speaker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from persona_lab.detectors.base import (
    OneAtATime,
    Request,
    Result,
    batches,
    choose_frameworks,
)
from persona_lab.detectors.reader.head import Floats, ReaderHead
from persona_lab.detectors.reader.rule import Rule, Verdict, evidence, judge
from persona_lab.detectors.reader.scale import axis_of
from persona_lab.detectors.reader.signs import Signs
from persona_lab.detectors.reader.text import plain_all
from persona_lab.detectors.reader.units import Unit, cut
from persona_lab.detectors.screening import Options, screen, unreadable
from persona_lab.encoding import Encoder
from persona_lab.profile import (
    SHOWN,
    Evidence,
    Label,
    Measure,
    ModelInfo,
    Profile,
    Shown,
    TraitScore,
    Unscored,
    Warning_,
    Why,
)
from persona_lab.traits import BIG_FIVE, MBTI, Framework

_MOST_TURNS = 5
_EVIDENCE_PER_TRAIT = 3
_FEWEST_WORDS = 3
"""Of a text of fewer words that shows nothing, that it is short is the reason."""

_LEAST_SHARE = 0.1
"""Evidence below this is no sign that a person would point to."""


@dataclass(frozen=True, slots=True)
class UnitReading:
    """What the reader made of one speaker.

    Attributes:
        request: the speaker.
        n_words: words.
        units: what was read at once.
        vectors: ``(n, dim)`` of the units.
        chances: ``(n, 8, 5)`` of the ratings.
        traces: for each unit ``(n_tokens, 8)``, what each token adds; empty if not asked for.
    """

    request: Request
    n_words: int
    units: Sequence[Unit]
    vectors: Floats
    chances: Floats
    traces: Sequence[Floats]


class ReaderDetector(OneAtATime):
    """Implements :class:`~persona_lab.detectors.base.Detector` for what is shown.

    Attributes:
        measure: the question it answers.
        signs: what turns of a character show, for the course of a dialogue.
        thresholds: none differs from .5.
    """

    measure: Measure = SHOWN
    frameworks: tuple[Framework, ...] = (BIG_FIVE, MBTI)
    thresholds: Mapping[str, float] = {}

    def __init__(
        self,
        info: ModelInfo,
        encoder: Encoder,
        head: ReaderHead,
        rule: Rule,
        *,
        signs: Signs | None = None,
        options: Options | None = None,
    ) -> None:
        """Put a detector together; :func:`load_detector` is the usual way.

        Args:
            info: name, version, hash.
            encoder: fine-tuned together with the head.
            head: to the chances of ratings.
            rule: from units to the speaker.
            signs: counted for this reader; plain ones if left out.
            options: how to score.
        """
        self.info, self.encoder, self.head, self.rule = info, encoder, head, rule
        self.signs = signs or Signs.plain()
        self.options = options or Options()

    def profiles(
        self,
        requests: Iterable[Request],
        *,
        frameworks: tuple[str, ...] | None = None,
        explain: bool = False,
    ) -> Iterator[Result]:
        """See :class:`~persona_lab.detectors.base.Detector`."""
        chosen = choose_frameworks(self, frameworks)
        for batch in batches(requests):
            for found in self.read(batch, traced=explain):
                if isinstance(found, Unscored):
                    yield from (replace(found, framework=framework) for framework in chosen)
                    continue
                verdict = judge(found.chances, self.rule)
                for framework in chosen:
                    yield self._profile(found, verdict, framework)

    def read(
        self, requests: Sequence[Request], *, traced: bool = False
    ) -> Iterator[UnitReading | Unscored]:
        """Read speakers; every unit is encoded once.

        Args:
            requests: speakers.
            traced: also tell what each token adds.

        Yields:
            For each request its reading, or why there is none.
        """
        checked = []
        for request in requests:
            texts = plain_all([u.text for u in request.utterances], masked=self.options.mask)
            checked.append((request, *screen(request, texts, self.info, self.options)))
        asked = [request for request, _, problem in checked if problem is None]
        cuts = cut(asked, self.encoder.segmenter, masked=self.options.mask)
        ids = [unit.token_ids for units in cuts for unit in units]
        traces: list[Floats] = []
        if traced:
            vectors, traces = self.encoder.encode_traced(ids)
        else:
            vectors = self.encoder.encode(ids)
        chances = self.head.chances(vectors)
        waiting, start = iter(cuts), 0
        for request, n_words, problem in checked:
            if problem is not None:
                yield problem
                continue
            units = next(waiting)
            if not units:
                yield unreadable(request, n_words, self.info)
                continue
            end = start + len(units)
            yield UnitReading(
                request, n_words, units, vectors[start:end], chances[start:end], traces[start:end]
            )
            start = end

    def _profile(self, found: UnitReading, verdict: Verdict, framework: Framework) -> Profile:
        warnings: tuple[Warning_, ...] = ()
        if found.n_words < _FEWEST_WORDS:
            message = f"{found.n_words} words; hardly anything to go by"
            warnings += (Warning_("too_short", message),)
        return Profile(
            id=found.request.id,
            speaker=found.request.speaker,
            framework=framework,
            traits={key: self._score(found, verdict, key) for key in framework.keys},
            word_count=found.n_words,
            n_segments=len(found.units),
            model=self.info,
            warnings=warnings,
            evidence=self._evidence(found, framework) if found.traces else (),
        )

    @staticmethod
    def _score(found: UnitReading, verdict: Verdict, trait: str) -> TraitScore:
        axis = axis_of(trait)
        label: Label = ("abstain", "high", "low")[int(verdict.label[axis])]
        why: Why | None = None
        if label == "abstain":
            short = found.n_words < _FEWEST_WORDS
            why = "mixed" if verdict.mixed[axis] else "too_short" if short else "nothing_shown"
        return TraitScore(
            p_high=float(verdict.p_high[axis]),
            low=float(verdict.p_low_end[axis]),
            high=float(verdict.p_high_end[axis]),
            label=label,
            shown=Shown(
                level=float(verdict.level[axis]),
                level_low=float(verdict.level_low[axis]),
                level_high=float(verdict.level_high[axis]),
                why=why,
                turns=_turns(found, verdict.shares[:, axis], int(verdict.label[axis])),
            ),
        )

    def _evidence(self, found: UnitReading, framework: Framework) -> tuple[Evidence, ...]:
        """The sentences that speak most, for each trait."""
        said = evidence(found.chances)
        rows: list[Evidence] = []
        for trait in framework.keys:
            axis = axis_of(trait)
            odds = float(self.rule.odds[axis] * self.rule.scale[axis])
            scale = odds / len(found.units) ** self.rule.dilution
            own = [
                Evidence(
                    found.request.utterances[unit.utterance].id,
                    trait,
                    scale * share,
                    sentence.start,
                    sentence.end,
                )
                for unit, trace, whole in zip(found.units, found.traces, said[:, axis], strict=True)
                for sentence, share in zip(
                    unit.sentences, _split(unit, trace[:, axis], float(whole)), strict=True
                )
                if abs(share) >= _LEAST_SHARE
            ]
            rows += sorted(own, key=lambda e: -abs(e.weight))[:_EVIDENCE_PER_TRAIT]
        return tuple(sorted(rows, key=lambda e: -abs(e.weight)))


def _turns(found: UnitReading, shares: Floats, label: int) -> tuple[str, ...]:
    """Ids of the utterances that show a trait, the strongest first."""
    by_turn: dict[int, float] = {}
    for unit, share in zip(found.units, shares, strict=True):
        by_turn[unit.utterance] = by_turn.get(unit.utterance, 0.0) + float(share)
    side = [(turn, share) for turn, share in by_turn.items() if label == 0 or share * label > 0]
    strong = [(turn, share) for turn, share in side if abs(share) >= _LEAST_SHARE]
    strong.sort(key=lambda pair: -abs(pair[1]))
    return tuple(found.request.utterances[turn].id for turn, _ in strong[:_MOST_TURNS])


def _split(unit: Unit, trace: Floats, whole: float) -> list[float]:
    """A unit's evidence by sentence: each gets the part that its tokens speak for that side."""
    sums = np.array([trace[s.first : s.last].sum() for s in unit.sentences])
    # what the special tokens say and what every sentence says alike is nobody's
    sums = sums - np.array([s.last - s.first for s in unit.sentences]) * trace.mean()
    if len(sums) == 1:
        return [whole]
    speaking = np.maximum(sums * np.sign(whole), 0.0)
    total = float(speaking.sum())
    return [whole * float(part) / total if total > 0 else whole / len(sums) for part in speaking]
