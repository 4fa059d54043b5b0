"""The option ``--measure``: which of the two questions is asked."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from persona_lab.errors import ModelError


class MeasureChoice(str, Enum):
    """The two questions."""

    shown = "shown"
    self_report = "self-report"


MeasureOption = Annotated[
    MeasureChoice | None,
    typer.Option(
        help="shown: what a reader concludes from the text. self-report: what its author would "
        "say of themselves (for human authors; weak). Chooses the default detector of that "
        "question; left out, --detector decides, whose default is shown.",
        show_default=False,
    ),
]


def detector_for(name: str, measure: MeasureChoice | None) -> str:
    """The detector to ask, by name.

    Raises:
        ModelError: the detector that is named answers the other question.
    """
    if measure is None:
        return name
    from persona_lab.cli.psycot_options import PSYCOT
    from persona_lab.detectors.registry import DEFAULT, find_model

    if name == PSYCOT:
        if measure is MeasureChoice.shown:
            raise ModelError(
                "the detector 'psycot' answers the question 'self-report', and 'shown' was "
                "asked; leave one of the two out"
            )
        return name
    folder = find_model(name, measure.value)
    return folder.name if name == DEFAULT else name
