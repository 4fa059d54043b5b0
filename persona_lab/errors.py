"""The exception tree. Every message says what was given, what is allowed and what to do.

PersonaLabError
├── InputError            a file or text that cannot be read as asked
│   ├── FormatError       the layout is unknown or a column is missing
│   └── RowError          one row is bad; the others go on (also yielded, not raised)
├── SpeakerError          a speaker that is not in the dialogue
├── TargetError           a target such as "E+ N-" that cannot be understood
├── ModelError            a detector's folder is missing, unreadable or too new
├── MissingExtraError     an optional package is needed and not installed
├── InstrumentError       a questionnaire that cannot be read or scored (persona_lab.instruments)
├── LLMError              a language model cannot be asked (its own tree: persona_lab.llm.errors)
├── ParseFailure          a language model's reply says nothing usable (persona_lab.llm.errors)
└── TrainingError         training data or settings that cannot work

The command line prints the message and exits 2; the service maps each class to one
problem type. Messages never contain the text that was being scored.
"""

from __future__ import annotations


class PersonaLabError(Exception):
    """Base of all errors that persona-lab raises on purpose."""


class InputError(PersonaLabError):
    """A file or stream cannot be read: missing, empty, binary, wrongly encoded."""


class FormatError(InputError):
    """The layout of an input is unknown, or it lacks a column or field it needs."""


class RowError(InputError):
    """One row of an input is bad.

    Readers yield it in the row's place, so that a caller can report it and go on;
    ``--strict`` raises it.

    Attributes:
        row_id: the row's own id where it could be read, else ``line-N``.
        place: file and line, for example ``talks.jsonl:3``.
    """

    def __init__(self, message: str, *, row_id: str, place: str) -> None:
        """Put the place before the message."""
        super().__init__(f"{place}: {message}")
        self.row_id = row_id
        self.place = place


class SpeakerError(PersonaLabError):
    """The asked-for speaker does not occur."""


class TargetError(PersonaLabError):
    """A personality target cannot be understood."""


class ModelError(PersonaLabError):
    """A detector's folder is missing, damaged, or made by a newer version."""


class MissingExtraError(PersonaLabError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        """Name the package, the extra that brings it, and what it is for."""
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed: "
            f"pip install 'persona-lab[{extra}]'"
        )


class TrainingError(PersonaLabError):
    """Training, tuning or evaluation cannot work with the given data or settings."""
