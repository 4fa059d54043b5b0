"""The trained detectors: one or two components, a calibration, and what to say about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from persona_lab.detectors.base import OneAtATime, Request, Result, batches, choose_frameworks
from persona_lab.detectors.calibration import Calibration, Judgement, judge
from persona_lab.detectors.masking import mask_all
from persona_lab.detectors.reading import Component, Reading
from persona_lab.detectors.screening import Options, screen
from persona_lab.profile import (
    SELF_REPORT,
    Evidence,
    Label,
    Measure,
    ModelInfo,
    Profile,
    TraitScore,
    Unscored,
    Warning_,
)
from persona_lab.traits import FRAMEWORKS, Framework

_EVIDENCE_PER_TRAIT = 3


class TrainedDetector(OneAtATime):
    """Implements :class:`~persona_lab.detectors.base.Detector` on trained components.

    Attributes:
        measure: the question it answers.
    """

    measure: Measure = SELF_REPORT

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

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Decision boundary on the probability by trait; .5 where a trait is missing."""
        return self.calibration.thresholds

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
            for request, readings, n_words, problem in self.read(batch):
                if problem is not None:
                    yield from (replace(problem, framework=framework) for framework in chosen)
                    continue
                apart = self._read_apart(request) if explain else []
                for framework in chosen:
                    yield self._profile(request, readings, apart, n_words, framework)

    def read(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, list[Reading], int, Unscored | None]]:
        """Read requests with all components, once for all frameworks.

        Yields:
            The request, its readings, its word count, and None; or an :class:`Unscored`
            and no readings where nothing can be read.
        """
        checked = []
        for request in requests:
            masked = self._masked(request)
            checked.append((request, masked, *screen(request, masked, self.info, self.options)))
        texts = [masked for _, masked, _, problem in checked if problem is None]
        by_component = [iter(c.read(texts)) for c in self.components] if texts else []
        for request, _, n_words, problem in checked:
            readings = [] if problem is not None else [next(read) for read in by_component]
            yield request, readings, n_words, problem

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
        framework: Framework,
    ) -> Profile:
        warnings: tuple[Warning_, ...] = ()
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
