"""persona-lab: which personality a text or a chatbot shows, and how sure we can be.

The names below are the everyday surface; they are loaded on first use so that
``import persona_lab`` stays cheap.

Example:
    >>> import persona_lab
    >>> detector = persona_lab.load_detector()  # doctest: +SKIP
    >>> detector.profile("I love meeting new people!")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from persona_lab.version import __version__

if TYPE_CHECKING:
    from persona_lab.consistency.judge import ConsistencyJudge
    from persona_lab.detectors.registry import load_detector
    from persona_lab.dialogue import Dialogue, Speaker, Utterance
    from persona_lab.filtering.api import filter_dialogues
    from persona_lab.formats import read_dialogues
    from persona_lab.interviews.api import interview
    from persona_lab.interviews.comparing import compare
    from persona_lab.profile import Profile, TraitScore, Unscored
    from persona_lab.traits import BIG_FIVE, MBTI, Framework, Target, Trait

_HOME = {
    "BIG_FIVE": "persona_lab.traits",
    "ConsistencyJudge": "persona_lab.consistency.judge",
    "MBTI": "persona_lab.traits",
    "Dialogue": "persona_lab.dialogue",
    "Framework": "persona_lab.traits",
    "Profile": "persona_lab.profile",
    "Speaker": "persona_lab.dialogue",
    "Target": "persona_lab.traits",
    "Trait": "persona_lab.traits",
    "TraitScore": "persona_lab.profile",
    "Unscored": "persona_lab.profile",
    "Utterance": "persona_lab.dialogue",
    "compare": "persona_lab.interviews.comparing",
    "filter_dialogues": "persona_lab.filtering.api",
    "interview": "persona_lab.interviews.api",
    "load_detector": "persona_lab.detectors.registry",
    "read_dialogues": "persona_lab.formats",
}

__all__ = [
    "BIG_FIVE",
    "MBTI",
    "ConsistencyJudge",
    "Dialogue",
    "Framework",
    "Profile",
    "Speaker",
    "Target",
    "Trait",
    "TraitScore",
    "Unscored",
    "Utterance",
    "__version__",
    "compare",
    "filter_dialogues",
    "interview",
    "load_detector",
    "read_dialogues",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'persona_lab' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
