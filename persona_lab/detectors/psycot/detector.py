"""PsyCoT behind the Detector protocol: a language model rates authors item by item."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from persona_lab.detectors.base import OneAtATime, Request, Result, choose_frameworks
from persona_lab.detectors.masking import mask
from persona_lab.detectors.psycot import prompts
from persona_lab.detectors.psycot.parts import Part, split
from persona_lab.detectors.psycot.report import Report
from persona_lab.detectors.psycot.scoring import Correction, Votes, trait_score
from persona_lab.detectors.psycot.variants import VARIANTS, Asked, Variant, keyed_positions
from persona_lab.detectors.reading import count_words
from persona_lab.errors import ModelError, PersonaLabError
from persona_lab.instruments import Domain, Instrument, load_instrument
from persona_lab.instruments.quality import straight_lined
from persona_lab.instruments.wording import third_person
from persona_lab.llm.asking import Conversation, Sampling
from persona_lab.llm.budget import Forecast, Prices
from persona_lab.llm.chat import ChatModel
from persona_lab.llm.client import Client
from persona_lab.llm.errors import (
    BudgetSpent,
    Cancelled,
    ContextOverflow,
    LLMError,
    LLMRefusedKey,
    OfflineMiss,
)
from persona_lab.llm.flows import run_flows
from persona_lab.llm.rehearsal import RehearsalModel, begin
from persona_lab.profile import ItemRating, ModelInfo, Profile, TraitScore, Unscored, Warning_
from persona_lab.traits import FRAMEWORKS, Framework
from persona_lab.version import __version__

DEFAULT_INSTRUMENTS = {"bigfive": "ipip-50", "mbti": "jungian-48"}

_ENDS_THE_RUN = (BudgetSpent, Cancelled, LLMRefusedKey, OfflineMiss)
"""Errors that would meet every further text, too."""

_UNCORRECTED = Warning_(
    "uncalibrated",
    "a share of the model's answers, not a calibrated probability; give --calibration",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to ask.

    Attributes:
        variant: see ``VARIANTS``.
        sampling: temperature, seed, repeat.
        concurrency: texts asked about at once.
        mask: hide words that name a type or trait.
        part_tokens: longest part of a text that is asked about at once; None: what the
            model's context leaves.
    """

    variant: Variant = "psycot-batch"
    sampling: Sampling = field(default_factory=Sampling)
    concurrency: int = 4
    mask: bool = True
    part_tokens: int | None = None


class PsyCotDetector(OneAtATime):
    """Implements :class:`~persona_lab.detectors.base.Detector` on a language model.

    Attributes:
        report: counts of what went wrong so far, and how much position decided.
    """

    def __init__(
        self,
        model: ChatModel,
        settings: Settings | None = None,
        *,
        instruments: Sequence[Instrument] | None = None,
        corrections: Mapping[str, Correction] | None = None,
    ) -> None:
        """Put a detector together.

        Args:
            model: who is asked.
            settings: how.
            instruments: at most one a framework; the bundled ones if left out.
            corrections: of the scores, by trait, fitted on labelled texts.

        Raises:
            ModelError: an unknown variant, or instruments that measure no framework's
                traits, or one of them twice.
        """
        self.model = model
        self.settings = settings or Settings()
        self.corrections = dict(corrections or {})
        self.report = Report()
        if self.settings.variant not in VARIANTS:
            raise ModelError(
                f"there is no variant {self.settings.variant!r}; use {', '.join(VARIANTS)}"
            )
        if instruments is None:
            instruments = [load_instrument(name) for name in DEFAULT_INSTRUMENTS.values()]
        self.instruments = _by_framework(instruments)
        self.frameworks = tuple(f for f in FRAMEWORKS.values() if f.name in self.instruments)
        self.info = ModelInfo(f"{self.settings.variant}:{model.name}", __version__, self._digest())

    def profiles(
        self,
        requests: Iterable[Request],
        *,
        frameworks: tuple[str, ...] | None = None,
        explain: bool = False,
    ) -> Iterator[Result]:
        """See :class:`~persona_lab.detectors.base.Detector`.

        Item ratings are filled in any case. Requests are worked on side by side.

        Raises:
            LLMError: one that would meet every further text, too (the budget, the key);
                after the results before it.
        """
        chosen = choose_frameworks(self, frameworks)
        flows = run_flows(
            requests,
            lambda request: self.ask(request, chosen),
            concurrency=self.settings.concurrency,
            client=self.model if isinstance(self.model, Client) else Client(self.model),
        )
        for _, found in flows:
            if isinstance(found, PersonaLabError):
                raise found
            yield from found

    def ask(self, request: Request, frameworks: Sequence[Framework]) -> list[Result]:
        """Score one request; one result a framework.

        Raises:
            LLMError: as :meth:`profiles`.
        """
        utterances = [mask(u.text) if self.settings.mask else u.text for u in request.utterances]
        n_words = sum(count_words(text) for text in utterances)
        if not n_words:
            return [
                self._unscored(request, f, "no_words", "the speaker says nothing with words", 0)
                for f in frameworks
            ]
        results: list[Result] = []
        for framework in frameworks:
            try:
                results.append(self._result(request, framework, utterances, n_words))
            except _ENDS_THE_RUN:
                raise
            except LLMError as error:
                self.report.failed(error.code)
                results.append(self._unscored(request, framework, error.code, str(error), n_words))
        return results

    def conversation(self) -> Conversation:
        """A new conversation with the model."""
        return begin(self.model, prompts.system(), self.settings.sampling)

    def forecast(
        self,
        requests: Iterable[Request],
        *,
        frameworks: tuple[str, ...] | None = None,
        prices: Prices | None = None,
    ) -> Forecast:
        """What scoring these requests would use, by rehearsing it without the model."""
        chosen = choose_frameworks(self, frameworks)
        rehearsal = RehearsalModel(self.model)
        twin = PsyCotDetector(rehearsal, self.settings, instruments=list(self.instruments.values()))
        for request in requests:
            twin.ask(request, chosen)
        return rehearsal.forecast(prices)

    def _result(
        self, request: Request, framework: Framework, utterances: Sequence[str], n_words: int
    ) -> Result:
        instrument = self.instruments[framework.name]
        parts = split(utterances, instrument, self.settings.part_tokens, self.model.context_length)
        domains = {d.trait: d for d in instrument.domains if d.trait in framework.keys}
        asked = {key: self._ask_parts(parts, instrument, domains[key]) for key in framework.keys}
        traits: dict[str, TraitScore] = {}
        items: list[ItemRating] = []
        warnings: list[Warning_] = []
        for key in framework.keys:
            votes, ratings = _votes(instrument, domains[key], asked[key])
            items += ratings
            if not votes.values:
                codes = sorted({code for _, said in asked[key] for code in said.failures})
                warnings.append(
                    Warning_("trait_unscored", f"{key}: no usable answer ({', '.join(codes)})")
                )
                continue
            flat = _straight(instrument, domains[key], ratings)
            if flat:
                self.report.straight_lined += 1
                warnings.append(
                    Warning_("straight_lining", f"{key}: every item got the same rating, "
                             "also those that contradict each other")
                )  # fmt: skip
            traits[key] = trait_score(
                votes, self.corrections.get(key, Correction()), trusted=not flat
            )
        if not traits:
            reason = "no answer of the model could be read: " + warnings[0].message
            return self._unscored(request, framework, "no_answer", reason, n_words)
        if not self.corrections:
            warnings.append(_UNCORRECTED)
        return Profile(
            id=request.id,
            speaker=request.speaker,
            framework=framework,
            traits=traits,
            word_count=n_words,
            n_segments=len(parts),
            model=self.info,
            warnings=tuple(warnings),
            items=tuple(items),
        )

    def _ask_parts(
        self, parts: Sequence[Part], instrument: Instrument, domain: Domain
    ) -> list[tuple[float, Asked]]:
        """Ask about each part; one that is too long after all, by halves.

        Returns:
            What was said, each with the part's share of the text.
        """
        ask = VARIANTS[self.settings.variant]
        found = []
        for part in parts:
            try:
                said = ask(self.conversation(), prompts.opening(part.text), instrument, domain)
            except ContextOverflow:
                halves = part.halves()
                if not halves:
                    raise
                found += self._ask_parts(halves, instrument, domain)
                continue
            self.report.add(said)
            found.append((part.share, said))
        return found

    def _unscored(
        self, request: Request, framework: Framework, code: str, reason: str, n_words: int
    ) -> Unscored:
        return Unscored(
            request.id, request.speaker, framework, reason, code,
            word_count=n_words, model=self.info,
        )  # fmt: skip

    def _digest(self) -> str:
        """Hash of all that decides a score besides the model's weights."""
        parts = [
            self.settings.variant,
            self.model.name,
            prompts.SYSTEM,
            *(i.to_json() for i in self.instruments.values()),
            json.dumps({k: [c.slope, c.intercept] for k, c in sorted(self.corrections.items())}),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _by_framework(instruments: Sequence[Instrument]) -> dict[str, Instrument]:
    found: dict[str, Instrument] = {}
    for instrument in instruments:
        framework = FRAMEWORKS.get(instrument.framework or "")
        measured = {d.trait for d in instrument.domains}
        if framework is None or not set(framework.keys) <= measured:
            raise ModelError(
                f"the instrument {instrument.name!r} does not measure all traits of a "
                f"framework ({', '.join(FRAMEWORKS)}); see: persona-lab instruments list"
            )
        if framework.name in found:
            raise ModelError(
                f"two instruments for {framework.name}: {found[framework.name].name!r} and "
                f"{instrument.name!r}; give one a framework"
            )
        found[framework.name] = instrument
    return found


def _votes(
    instrument: Instrument, domain: Domain, asked: Sequence[tuple[float, Asked]]
) -> tuple[Votes, list[ItemRating]]:
    """All answers on one trait, those about parts of the text by the parts' shares."""
    items = instrument.of(domain.key)
    by_item: dict[str, list[tuple[float, float, float, float | None]]] = {}
    values, shares = [], []
    for share, said in asked:
        for id, position in keyed_positions(instrument, items, said).items():
            rating = said.ratings[id]
            by_item.setdefault(id, []).append((share, rating.mean, position, rating.sd))
            values.append(position)
            shares.append(share)
        values += said.p_high
        shares += [share] * len(said.p_high)
    return Votes(values, shares), [
        _item_rating(item.id, domain, third_person(item.text), by_item[item.id])
        for item in items
        if item.id in by_item
    ]


def _item_rating(
    id: str,
    domain: Domain,
    statement: str,
    said: Sequence[tuple[float, float, float, float | None]],
) -> ItemRating:
    total = sum(share for share, *_ in said)
    mean = sum(share * rating for share, rating, _, _ in said) / total
    position = sum(share * place for share, _, place, _ in said) / total
    sds = [(share, sd) for share, _, _, sd in said if sd is not None]
    sd = sum(share * sd for share, sd in sds) / sum(share for share, _ in sds) if sds else None
    return ItemRating(id, domain.trait or domain.key, statement, mean, sd, position)


def _straight(instrument: Instrument, domain: Domain, ratings: Sequence[ItemRating]) -> bool:
    keyed = {item.id: item.keyed for item in instrument.of(domain.key)}
    both = len({keyed[r.item] for r in ratings}) == 2
    return both and straight_lined([r.rating for r in ratings])
