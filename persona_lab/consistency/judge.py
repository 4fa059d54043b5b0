"""Puts the parts together: dialogues in, one report a speaker out."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from persona_lab.consistency.accommodation import accommodation
from persona_lab.consistency.drift import Drift, drift
from persona_lab.consistency.entailment import Coherence, NliModel, coherence
from persona_lab.consistency.instructions import as_said, split_persona
from persona_lab.consistency.markers import Marker, markers
from persona_lab.consistency.parts import NotScored
from persona_lab.consistency.personas import AUTO, PersonaFile, Statement, extract
from persona_lab.consistency.report import Report, Unread
from persona_lab.consistency.stability import WINDOW, stability
from persona_lab.consistency.target import TargetMatch, match_target
from persona_lab.consistency.turns import TurnReader, Turns
from persona_lab.detectors.language import OTHER_SCRIPT, foreign_language
from persona_lab.detectors.registry import LoadedDetector
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.errors import ModelError, TargetError
from persona_lab.profile import ModelInfo, Warning_
from persona_lab.traits import Target

_MOST_MARKERS = 8
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def load_nli() -> NliModel | NotScored:
    """The bundled contradiction model, or why there is none."""
    try:
        from persona_lab.consistency.contradiction import ContradictionModel

        return ContradictionModel.load()
    except (ModelError, ImportError) as error:
        return NotScored(f"no contradiction model: {error}", "no_model")


class ConsistencyJudge:
    """Scores the consistency of speakers.

    Attributes:
        info: name, version and a hash of models and settings, so that a run is resumed
            only with the same.
    """

    def __init__(
        self,
        detector: LoadedDetector,
        *,
        nli: NliModel | NotScored | None = None,
        target: Target | None = None,
        persona: PersonaFile | str | None = None,
        window: int = WINDOW,
    ) -> None:
        """Prepare.

        Args:
            detector: reads traits.
            nli: reads pairs; the bundled one if left out.
            target: personality that was asked for.
            persona: statements, or ``auto``; the ones in the dialogue file if left out.
            window: turns in a window.

        Raises:
            TargetError: the detector does not score the target's framework.
        """
        if target is not None and target.framework not in detector.frameworks:
            raise TargetError(
                f"the target is {target.framework.title}, and the detector "
                f"{detector.info.name!r} scores {', '.join(f.title for f in detector.frameworks)}; "
                "choose another --detector or --target"
            )
        self.reader = TurnReader(detector)
        self._nli = load_nli() if nli is None else nli
        self._target, self._persona, self._window = target, persona, window
        self.info = self._identity(detector.info)

    def reports(self, dialogue: Dialogue, speaker: str | None = None) -> Iterator[Report | Unread]:
        """Score the speakers of a dialogue.

        Args:
            dialogue: one.
            speaker: as given to ``--speaker``.

        Yields:
            One report a speaker, in order of first utterance.

        Raises:
            SpeakerError: the speaker does not occur.
        """
        names = dialogue.choose(speaker) if dialogue.utterances else ()
        if not names:
            reason = NotScored("the dialogue has no turns", "no_words")
            yield Unread(dialogue.id, None, reason)
            return
        yield from self.reports_of(dialogue, names)

    def reports_of(self, dialogue: Dialogue, names: Sequence[str]) -> Iterator[Report | Unread]:
        """Score some speakers of a dialogue; it is read once for all of them.

        Args:
            dialogue: one with turns.
            names: speakers that occur in it.

        Yields:
            One report a speaker, in order.
        """
        turns = self.reader.read(dialogue, self.reader.detector.frameworks[0])
        for name in names:
            yield self._report(dialogue, turns, name)

    def _report(self, dialogue: Dialogue, turns: Turns, name: str) -> Report | Unread:
        own = turns.of(name)
        n_words = turns.n_words(own)
        said = "\n".join(turns.texts[i] for i in own)
        wrong = self._unreadable(said)
        if wrong is not None:
            return Unread(dialogue.id, name, wrong, turns.framework, n_words, self.info)
        statements, warnings = self._statements(dialogue, turns, name)
        found = drift(turns, name)
        return Report(
            id=dialogue.id,
            speaker=name,
            framework=turns.framework,
            stability=stability(turns, name, window=self._window),
            drift=found,
            target=self._match(dialogue, turns, name),
            contradiction=self._coherence(turns, name, statements),
            accommodation=accommodation(turns, name),
            markers=_markers(turns, name, found),
            word_count=n_words,
            model=self.info,
            warnings=(*warnings, *_name_warnings(dialogue, turns)),
        )

    def _unreadable(self, said: str) -> NotScored | None:
        if not said:
            return NotScored("the speaker says nothing that contains a word", "no_words")
        if not self.reader.detector.options.check_language:
            return None
        language = foreign_language(said)
        return None if language is None else NotScored(_foreign("the text", language), "language")

    def _statements(
        self, dialogue: Dialogue, turns: Turns, name: str
    ) -> tuple[tuple[Statement, ...], tuple[Warning_, ...]]:
        """The persona to hold a speaker against, and what is to be said about it."""
        if self._persona == AUTO:
            return extract([(i, turns.texts[i]) for i in turns.of(name)]), ()
        if isinstance(self._persona, PersonaFile):
            texts = self._persona.of(name)
        else:
            known = dialogue.speakers.get(name)
            texts = known.persona if known is not None else ()
        language = foreign_language("\n".join(texts)) if texts else None
        if language is not None:
            reason = _foreign("the persona", language)
            return (), (Warning_("persona_language", f"{reason}; it was left out"),)
        parts = split_persona(texts)
        warnings: tuple[Warning_, ...] = ()
        if parts.set_apart:
            n = len(parts.set_apart)
            message = (
                f"{n} sentence{'s' * (n != 1)} of the persona only tell{'s' * (n == 1)} the bot "
                f"what to do, and {'were' if n != 1 else 'was'} not held against it"
            )
            warnings = (Warning_("persona_instructions", message),)
        return tuple(Statement(text) for text in parts.statements), warnings

    def _match(self, dialogue: Dialogue, turns: Turns, name: str) -> TargetMatch | NotScored:
        if self._target is None:
            return NotScored("no target was given", "not_asked")
        framework = self._target.framework
        asked = replace(turns, framework=framework)
        own = set(turns.of(name))
        sentences = tuple(
            Utterance(f"{i}.{j}", name, sentence)
            for i in own
            for j, sentence in enumerate(_SENTENCE.split(turns.texts[i]))
        )
        apart = self.reader.read(replace(dialogue, utterances=sentences), framework)
        return match_target(asked, name, self._target, sentences=apart, window=self._window)

    def _coherence(
        self, turns: Turns, name: str, statements: tuple[Statement, ...]
    ) -> Coherence | NotScored:
        if isinstance(self._nli, NotScored):
            return self._nli
        vectors = self.reader.vectors([as_said(s.text) for s in statements]) if statements else None
        return coherence(turns, name, self._nli, statements, vectors)

    def _identity(self, detector: ModelInfo) -> ModelInfo:
        names, settings = [detector.name], [detector.sha256, str(self._window)]
        if not isinstance(self._nli, NotScored):
            names.append(self._nli.info.name)
            settings.append(self._nli.info.sha256)
        if self._target is not None:
            settings.append(json.dumps(dict(self._target.values), sort_keys=True))
        if isinstance(self._persona, PersonaFile):
            settings.append(json.dumps(asdict(self._persona), sort_keys=True))
        elif self._persona is not None:
            settings.append(self._persona)
        digest = hashlib.sha256("\n".join(settings).encode()).hexdigest()
        return ModelInfo("+".join(names), detector.version, digest)


def _foreign(what: str, language: str) -> str:
    if language == OTHER_SCRIPT:
        return f"{what} is not in Latin letters; the models were trained on English only"
    return f"{what} seems to be in the language {language!r}; the models know English only"


def _markers(turns: Turns, name: str, found: Drift | NotScored) -> tuple[Marker, ...]:
    own = turns.of(name)
    other = [i for i in turns.spoken if turns.speakers[i] != name]
    if not other and isinstance(found, Drift):
        change = found.change_point.turn
        own, other = [i for i in own if i >= change], [i for i in own if i < change]
    texts = ([turns.texts[i] for i in places] for places in (own, other))
    return markers(*texts, most=_MOST_MARKERS)


def _name_warnings(dialogue: Dialogue, turns: Turns) -> tuple[Warning_, ...]:
    warnings = []
    if len(set(turns.speakers)) == 1 and len(turns.speakers) > 1:
        warnings.append(
            Warning_(
                "one_speaker",
                "all turns bear one name: there is no partner to compare with, and if two "
                "people share the name they are taken for one",
            )
        )
    own_id = dialogue.options.get("duplicate_of")
    if own_id is not None:
        message = f"the id {own_id!r} occurs more than once; this row was renamed {dialogue.id!r}"
        warnings.append(Warning_("duplicate_id", message))
    return tuple(warnings)
