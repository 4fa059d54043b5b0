"""What can go wrong with questionnaires."""

from __future__ import annotations

from persona_lab.errors import PersonaLabError


class InstrumentError(PersonaLabError):
    """A questionnaire, or ratings for one, cannot be used as given."""
