"""Utterance, Speaker and Dialogue: the words of ConvoKit, as plain frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from persona_lab.errors import SpeakerError
from persona_lab.thoughts import split_thought

ALL_SPEAKERS = "all"
"""The value of ``--speaker`` that asks for every speaker in turn."""

AUTHOR = "author"
"""The name of the only speaker of a plain text."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn, post or paragraph.

    Attributes:
        id: unique in its dialogue; the position in the file where the file names none.
        speaker: the name or role of who says it.
        text: what is said, as in the file.
    """

    id: str
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks in a dialogue, and what the file tells about them.

    Attributes:
        name: as used in the utterances.
        labels: known trait labels by trait key: 1.0 the high pole (or the first letter),
            0.0 the other, any other number a score on the corpus' own scale; a trait
            that is missing is unknown.
        persona: statements that describe the speaker, in the file's order.
    """

    name: str
    labels: Mapping[str, float] = field(default_factory=dict)
    persona: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A text, post history or conversation with its speakers.

    Attributes:
        id: stable from input to output.
        utterances: in order.
        speakers: what is known about speakers, by name; may be empty.
        focus: the speaker the row is about where the layout names one (the target
            character of FriendsPersona), else None: all speakers count alike.
        group: rows that must not be split between training and test share it (an
            author, a scene, an opening); None means the row stands alone.
        place: file and line it came from, for messages.
        options: layout-specific facts that splits need, such as ``{"run": "9"}``.
    """

    id: str
    utterances: tuple[Utterance, ...]
    speakers: Mapping[str, Speaker] = field(default_factory=dict)
    focus: str | None = None
    group: str | None = None
    place: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_text(
        cls, text: str, *, id: str = "text", labels: Mapping[str, float] | None = None
    ) -> Dialogue:
        """Wrap a plain text by one author; paragraphs become utterances.

        Args:
            text: any length; blank lines separate paragraphs. The thought of a reasoning
                model, which may take several of them, is left out.
            id: the dialogue's id.
            labels: known trait labels of the author.
        """
        said = split_thought(text).said
        return cls(
            id=id,
            utterances=tuple(
                Utterance(str(i), AUTHOR, part) for i, part in enumerate(_paragraphs(said))
            ),
            speakers={AUTHOR: Speaker(AUTHOR, dict(labels or {}))},
            focus=AUTHOR,
        )

    @property
    def speaker_names(self) -> tuple[str, ...]:
        """Names of all who speak, in order of first utterance."""
        return tuple(dict.fromkeys(u.speaker for u in self.utterances))

    def by(self, speaker: str) -> tuple[Utterance, ...]:
        """The utterances of one speaker, in order."""
        return tuple(u for u in self.utterances if u.speaker == speaker)

    def _repr_html_(self) -> str:
        from persona_lab.reports.notebook import dialogue_html

        return dialogue_html(self)

    def spoken(self) -> Dialogue:
        """Without what reasoning models think before they speak; itself where nobody does."""
        said = tuple(map(_said, self.utterances))
        return self if said == self.utterances else replace(self, utterances=said)

    def choose(self, speaker: str | None) -> tuple[str, ...]:
        """Resolve a ``--speaker`` choice to names of this dialogue.

        Args:
            speaker: a name or role, ``all``, or None for the focus where the row has
                one and everybody otherwise.

        Returns:
            The names, in order of first utterance. A focus or labelled speaker who says
            nothing is kept, so that the caller can report it as unscored.

        Raises:
            SpeakerError: the name does not occur in this dialogue.
        """
        names = self.speaker_names
        if speaker is None:
            return (self.focus,) if self.focus is not None else names
        if speaker == ALL_SPEAKERS:
            return names
        if speaker in names:
            return (speaker,)
        folded = [name for name in names if name.casefold() == speaker.casefold()]
        if len(folded) == 1:
            return (folded[0],)
        known = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise SpeakerError(
            f"dialogue {self.id!r} has no speaker {speaker!r}; "
            f"it has: {known or 'nobody'} (or use --speaker {ALL_SPEAKERS})"
        )


def _paragraphs(text: str) -> Iterator[str]:
    """Split at blank lines; a text without words is one (empty) paragraph less."""
    block: list[str] = []
    for line in text.splitlines():
        if line.strip():
            block.append(line)
        elif block:
            yield "\n".join(block)
            block = []
    if block:
        yield "\n".join(block)


def _said(utterance: Utterance) -> Utterance:
    text = split_thought(utterance.text).said
    return utterance if text is utterance.text else replace(utterance, text=text)
