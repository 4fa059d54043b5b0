"""The trained detectors: one or two components, a calibration, and what to say about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from persona_lab.detectors.base import OneAtATime, Request, Result, choose_frameworks
from persona_lab.detectors.calibration import Calibration, Judgement, judge
from persona_lab.detectors.language import OTHER_SCRIPT, foreign_language
from persona_lab.detectors.masking import mask_all
from persona_lab.detectors.reading import Component, Reading, count_words
from persona_lab.profile import (
    Evidence,
    Label,
    ModelInfo,
    Profile,
    TraitScore,
    Unscored,
    Warning_,
)
from persona_lab.traits import FRAMEWORKS, Framework

_BATCH_WORDS = 20_000
"""Words read at once: enough to fill batches, little enough to stay flat in memory."""

_BATCH_REQUESTS = 256
_EVIDENCE_PER_TRAIT = 3


@dataclass(frozen=True, slots=True)
class Options:
    """How to score.

    Attributes:
        mask: hide words that name a type or trait before reading.
        check_language: leave texts that are clearly not English unscored.
    """

    mask: bool = True
    check_language: bool = True


class TrainedDetector(OneAtATime):
    """Implements :class:`~persona_lab.detectors.base.Detector` on trained components."""

    def __init__(
        self,
        info: ModelInfo,
        components: Sequence[Component],
        calibration: Calibration,
        *,
        options: Options | None = None,
    ) -> None:
        """Put a detector together; :func:`load_detector` is the usual way.

        Args:
            info: name, version, hash.
            components: in the calibration's order.
            calibration: fitted out of fold for these components.
            options: how to score.
        """
        self.info = info
        self.components = tuple(components)
        self.calibration = calibration
        self.options = options or Options()
        known = {row.trait for row in calibration.rows}
        self.frameworks = tuple(f for f in FRAMEWORKS.values() if set(f.keys) <= known)

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
            for request, readings, n_words, found in self.read(batch):
                if isinstance(found, Unscored):
                    yield from (replace(found, framework=framework) for framework in chosen)
                    continue
                apart = self._read_apart(request) if explain else []
                for framework in chosen:
                    yield self._profile(request, readings, apart, n_words, found, framework)

    def read(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, list[Reading], int, tuple[Warning_, ...] | Unscored]]:
        """Read requests with all components, once for all frameworks.

        Yields:
            The request, its readings, its word count, and warnings; or an
            :class:`Unscored` in their place where nothing can be read.
        """
        texts: list[list[str]] = []
        checked = []
        for request in requests:
            n_words, found = self._check(request)
            if not isinstance(found, Unscored):
                text = self._masked(request)
                if any(map(count_words, text)):
                    texts.append(text)
                else:
                    reason = "all its words name types or traits, and those are masked"
                    found = self._no_words(request, reason, n_words)
            checked.append((request, n_words, found))
        by_component = [iter(c.read(texts)) for c in self.components] if texts else []
        for request, n_words, found in checked:
            readings = [] if isinstance(found, Unscored) else [next(read) for read in by_component]
            yield request, readings, n_words, found

    def _check(self, request: Request) -> tuple[int, tuple[Warning_, ...] | Unscored]:
        """Can this be read at all? Words, and warnings or the reason why not."""
        n_words = sum(count_words(u.text) for u in request.utterances)
        if n_words == 0:
            reason = (
                "the speaker says nothing that contains a word"
                if request.utterances
                else "there are no utterances of this speaker"
            )
            return 0, self._no_words(request, reason, 0)
        language = foreign_language(request.text) if self.options.check_language else None
        if language is not None:
            what = (
                "is not in Latin letters"
                if language == OTHER_SCRIPT
                else f"seems to be in the language {language!r}"
            )
            reason = f"the text {what}; this model was trained on English only"
            warning = Warning_("language", reason)
            return n_words, Unscored(
                request.id,
                request.speaker,
                None,
                reason,
                "language",
                word_count=n_words,
                model=self.info,
                warnings=(warning,),
            )
        return n_words, ()

    def _no_words(self, request: Request, reason: str, n_words: int) -> Unscored:
        return Unscored(
            request.id,
            request.speaker,
            None,
            reason,
            "no_words",
            word_count=n_words,
            model=self.info,
        )

    def _masked(self, request: Request) -> list[str]:
        """What may be read of each utterance."""
        texts = [u.text for u in request.utterances]
        return mask_all(texts) if self.options.mask else texts

    def _profile(
        self,
        request: Request,
        readings: list[Reading],
        apart: list[Reading],
        n_words: int,
        warnings: tuple[Warning_, ...],
        framework: Framework,
    ) -> Profile:
        judgement = judge(readings, self.calibration, framework.keys, n_words)
        if judgement.too_short:
            warnings += (
                Warning_(
                    "too_short",
                    f"{n_words} words; texts of this kind need about "
                    f"{int(np.ceil(judgement.shortest))} before a label is worth giving",
                ),
            )
        return Profile(
            id=request.id,
            speaker=request.speaker,
            framework=framework,
            traits=trait_scores(judgement, framework, self.calibration.thresholds),
            word_count=n_words,
            n_segments=max(len(reading.values) for reading in readings),
            model=self.info,
            warnings=warnings,
            evidence=self._evidence(request, apart, judgement, framework) if apart else (),
        )

    def _read_apart(self, request: Request) -> list[Reading]:
        """Read once more, no segment with two utterances: what evidence is made of."""
        texts = self._masked(request)
        return [component.read([texts], pack=False)[0] for component in self.components]

    @staticmethod
    def _evidence(
        request: Request, apart: list[Reading], judgement: Judgement, framework: Framework
    ) -> tuple[Evidence, ...]:
        """What each utterance adds to the log-odds."""
        moved = np.zeros((len(request.utterances), len(framework.keys)))
        for reading, weight in zip(apart, judgement.row_weight, strict=True):
            parts = (reading.weights * reading.values) @ weight.T
            for part, covers in zip(parts, reading.covers, strict=True):
                for index, share in covers:
                    moved[index] += share * part
        found = []
        for t, trait in enumerate(framework.keys):
            strongest = np.argsort(-np.abs(moved[:, t]), kind="stable")[:_EVIDENCE_PER_TRAIT]
            found += [
                Evidence(request.utterances[i].id, trait, float(moved[i, t]))
                for i in strongest
                if moved[i, t] != 0.0
            ]
        return tuple(sorted(found, key=lambda e: -abs(e.weight)))


def trait_scores(
    judgement: Judgement, framework: Framework, thresholds: Mapping[str, float]
) -> dict[str, TraitScore]:
    """Turn log-odds into probabilities, intervals and labels."""
    low, high = judgement.interval()
    scores = {}
    for t, key in enumerate(framework.keys):
        threshold = thresholds.get(key, 0.5)
        ends = float(sigmoid(low[t])), float(sigmoid(high[t]))
        label: Label = "abstain"
        if not judgement.too_short and not ends[0] < threshold <= ends[1]:
            label = "high" if ends[0] >= threshold else "low"
        scores[key] = TraitScore(float(sigmoid(judgement.mean[t])), *ends, label, threshold)
    return scores


def sigmoid(z: np.ndarray | float) -> np.ndarray | float:
    """Log-odds to probability, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(z)))


def batches(requests: Iterable[Request]) -> Iterator[list[Request]]:
    """Group requests so that a batch holds about 20,000 words; order is kept."""
    stream = iter(requests)
    while first := list(islice(stream, 1)):
        batch, size = first, len(first[0].text) // 5
        while size < _BATCH_WORDS and len(batch) < _BATCH_REQUESTS:
            more = next(stream, None)
            if more is None:
                break
            batch.append(more)
            size += len(more.text) // 5
        yield batch
