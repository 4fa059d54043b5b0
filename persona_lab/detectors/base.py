"""The Detector protocol: what every detector offers, so that one can replace another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.errors import ModelError, SpeakerError
from persona_lab.profile import ModelInfo, Profile, Unscored
from persona_lab.traits import Framework

Result = Profile | Unscored

_BATCH_WORDS = 20_000
"""Words read at once: enough to fill batches, little enough to stay flat in memory."""

_BATCH_REQUESTS = 256


@dataclass(frozen=True, slots=True)
class Request:
    """One speaker whose personality is asked for.

    Attributes:
        id: id of the dialogue.
        speaker: name in the dialogue.
        utterances: what the speaker says, in order.
        heard: for each utterance, what another said just before it, and an empty text where
            nobody did; empty altogether where the others' turns are not known.
    """

    id: str
    speaker: str
    utterances: tuple[Utterance, ...]
    heard: tuple[str, ...] = ()

    @classmethod
    def of(cls, dialogue: Dialogue, speaker: str) -> Request:
        """Ask for one speaker of a dialogue."""
        said, heard = [], []
        before: Utterance | None = None
        for utterance in dialogue.utterances:
            if utterance.speaker == speaker:
                said.append(utterance)
                other = before is not None and before.speaker != speaker
                heard.append(before.text if before is not None and other else "")
            before = utterance
        return cls(dialogue.id, speaker, tuple(said), tuple(heard))

    @classmethod
    def single(cls, given: Dialogue | str, speaker: str | None) -> Request:
        """Ask for the one speaker that is meant.

        Args:
            given: a dialogue, or a plain text.
            speaker: needed where a dialogue has several speakers and no focus.

        Raises:
            SpeakerError: the speaker is missing or does not occur.
        """
        dialogue = Dialogue.from_text(given) if isinstance(given, str) else given
        names = dialogue.choose(speaker)
        if len(names) != 1:
            raise SpeakerError(
                f"dialogue {dialogue.id!r} has {len(names)} speakers; name the one to score: "
                f"{', '.join(names[:10]) or 'nobody speaks'}"
            )
        return cls.of(dialogue, names[0])

    @property
    def text(self) -> str:
        """All that the speaker says, one utterance a line."""
        return "\n".join(utterance.text for utterance in self.utterances)


class Detector(Protocol):
    """Scores speakers."""

    @property
    def info(self) -> ModelInfo:
        """Name, version and hash."""

    @property
    def frameworks(self) -> tuple[Framework, ...]:
        """Frameworks that it can score."""

    def profile(
        self,
        given: Dialogue | str,
        speaker: str | None = None,
        *,
        framework: str | None = None,
        explain: bool = False,
    ) -> Result:
        """Score one speaker of a dialogue, or one text.

        Args:
            given: a dialogue or a plain text of any length.
            speaker: needed where a dialogue has several speakers and no focus.
            framework: ``bigfive`` or ``mbti``; None for the detector's first.
            explain: also fill ``evidence``.

        Raises:
            SpeakerError: the speaker is missing or does not occur.
            ModelError: the detector does not score this framework.
        """

    def profiles(
        self,
        requests: Iterable[Request],
        *,
        frameworks: tuple[str, ...] | None = None,
        explain: bool = False,
    ) -> Iterator[Result]:
        """Score many speakers in constant memory.

        Args:
            requests: any number, read as needed.
            frameworks: names; None for all of the detector's.
            explain: also fill ``evidence``.

        Yields:
            For each request, in order, one result a framework.
        """


class OneAtATime:
    """Gives a detector :meth:`Detector.profile`, made of its :meth:`Detector.profiles`."""

    def profile(
        self: Detector,
        given: Dialogue | str,
        speaker: str | None = None,
        *,
        framework: str | None = None,
        explain: bool = False,
    ) -> Result:
        """See :class:`Detector`."""
        request = Request.single(given, speaker)
        wanted = framework or self.frameworks[0].name
        return next(self.profiles([request], frameworks=(wanted,), explain=explain))


def choose_frameworks(detector: Detector, wanted: tuple[str, ...] | None) -> tuple[Framework, ...]:
    """The frameworks to score.

    Args:
        detector: that shall score them.
        wanted: names; None for all that it knows.

    Raises:
        ModelError: the detector does not score one of them.
    """
    if wanted is None:
        return detector.frameworks
    known: dict[str, Framework] = {f.name: f for f in detector.frameworks}
    for name in wanted:
        if name not in known:
            raise ModelError(
                f"the detector {detector.info.name!r} does not score {name!r}; it scores: "
                f"{', '.join(known)}"
            )
    return tuple(known[name] for name in wanted)


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
