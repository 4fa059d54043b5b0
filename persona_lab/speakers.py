"""The speaker of ``--speaker``, looked for in all dialogues of an input."""

from __future__ import annotations

from persona_lab.dialogue import Dialogue
from persona_lab.errors import SpeakerError

_NAMES_SHOWN = 10


class SpeakerSearch:
    """Remembers whether a speaker was in any dialogue, and who was there instead."""

    def __init__(self, asked: str | None) -> None:
        """Look for nobody yet.

        Args:
            asked: as given to ``--speaker``; None where nobody was.
        """
        self._asked = asked
        self._found = False
        self._missed = 0
        self._names: dict[str, None] = {}

    def choose(self, dialogue: Dialogue) -> tuple[str, ...]:
        """The speakers of a dialogue to score.

        Raises:
            SpeakerError: the one that was asked for does not speak in it.
        """
        if not dialogue.utterances:
            # whoever was asked for, nobody says anything here
            return dialogue.choose(None)
        if len(self._names) <= _NAMES_SHOWN:
            self._names |= dict.fromkeys(dialogue.speaker_names[: _NAMES_SHOWN + 1])
        try:
            names = dialogue.choose(self._asked)
        except SpeakerError:
            self._missed += 1
            raise
        self._found = True
        return names

    def check(self) -> None:
        """Raise where the speaker was in none of the dialogues.

        Raises:
            SpeakerError: so it is; it names those who were.
        """
        if self._missed and not self._found:
            names = list(self._names)[:_NAMES_SHOWN]
            more = ", ..." if len(self._names) > _NAMES_SHOWN else ""
            raise SpeakerError(
                f"no dialogue has a speaker {self._asked!r}; "
                f"speakers there: {', '.join(names)}{more} (or use --speaker all)"
            )
