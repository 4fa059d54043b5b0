"""Filtering dialogue data sets: score once, filter many.

Example:
    >>> from persona_lab.filtering import filter_dialogues, filter_scores
    >>> filter_dialogues("chats.jsonl", "run", "extraversion.p_high >= 0.6")  # doctest: +SKIP
    >>> filter_scores("run", "neuroticism.p_high < 0.4", "calm")  # doctest: +SKIP
"""

from __future__ import annotations

from persona_lab.filtering.api import filter_dialogues, score_dataset
from persona_lab.filtering.presets import PRESETS
from persona_lab.filtering.preview import preview
from persona_lab.filtering.scorer import PersonalityScorer
from persona_lab.filtering.scores import filter_scores
from persona_lab.filtering.sweep import sweep

__all__ = [
    "PRESETS",
    "PersonalityScorer",
    "filter_dialogues",
    "filter_scores",
    "preview",
    "score_dataset",
    "sweep",
]
