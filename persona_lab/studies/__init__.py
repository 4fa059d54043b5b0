"""Published studies, recomputed from their recorded data.

A study is one module with ``run(folder) -> StudyResult``; this registry names them. Data are
never part of the package: ``folder`` holds the files as their authors published them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from persona_lab.errors import InputError
from persona_lab.studies.result import Row, StudyResult

__all__ = ["STUDIES", "Row", "Study", "StudyResult", "run_study"]


@dataclass(frozen=True, slots=True)
class Study:
    """One study that can be recomputed.

    Attributes:
        module: that defines ``run``.
        help: one line.
    """

    module: str
    help: str


STUDIES: Mapping[str, Study] = {
    "chatharuhi": Study(
        "persona_lab.studies.chatharuhi",
        "Role-play chatbots' MBTI types and Big Five scores against human labels",
    ),
    "incharacter": Study(
        "persona_lab.studies.incharacter",
        "Annotators against a fan site's personality votes of the same characters",
    ),
    "human-items": Study(
        "persona_lab.studies.human_items",
        "Reliability of 25 Big Five items answered by 2,800 people",
    ),
    "personallm": Study(
        "persona_lab.studies.personallm",
        "Questionnaire scores of chatbots with assigned Big Five traits",
    ),
    "personallm-stories": Study(
        "persona_lab.studies.raters",
        "Assigned Big Five traits told from chatbots' stories by our detector",
    ),
    "interaction-llms": Study(
        "persona_lab.studies.interaction_llms",
        "Chatbots' Big Five before and after writing together",
    ),
}


def run_study(name: str, folder: str | Path) -> StudyResult:
    """Recompute a study.

    Args:
        name: one of :data:`STUDIES`.
        folder: with the study's recorded data.

    Raises:
        InputError: there is no such study or folder, or a file is missing.
        FormatError: a file does not hold what it should.
    """
    if name not in STUDIES:
        raise InputError(f"there is no study {name!r}; the studies are: {', '.join(STUDIES)}")
    path = Path(folder)
    if not path.is_dir():
        raise InputError(f"there is no folder {path}; give the folder with the study's data")
    result = import_module(STUDIES[name].module).run(path)
    assert isinstance(result, StudyResult)
    return result
