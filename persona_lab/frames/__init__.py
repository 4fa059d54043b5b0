"""Results as pandas frames, so that analysts stay in their own tools.

``to_frame`` takes whatever persona-lab has made and finds out what it is; the other functions
take one kind each and say which columns come out. What could not be scored stays in the frame,
with ``status`` and ``reason`` and empty scores: it is never dropped and never 0. Numbers that
are missing are NaN, texts and counts that are missing are ``pandas.NA``.

pandas comes with ``pip install 'persona-lab[notebooks]'`` and is imported when a frame is made.

========================  =====================================  ================================
function                  takes                                  one row
========================  =====================================  ================================
:func:`score_frame`       profiles, rows of ``score --json``     id, speaker, framework, trait
:func:`label_frame`       dialogues with known labels            id, speaker, trait
:func:`record_frame`      questions and answers of an interview  question
:func:`interview_frame`   results of interviews                  bot, protocol, rater, domain
:func:`ledger_frame`      folder of a filter run                 row and speaker of the data set
:func:`turn_frame`        consistency reports, read turns        window of turns, trait
:func:`consistency_frame` consistency reports                    speaker, part of the score
:func:`mtmm_frame`        a multitrait-multimethod matrix        pair of measures
:func:`marker_frame`      texts of two sides                     word
:func:`estimate_frame`    estimates by name                      estimate
:func:`risk_frame`        a model's ``metrics.json``             point of a risk-coverage curve
:func:`length_frame`      a model's ``metrics.json``             range of text lengths
========================  =====================================  ================================
"""

from __future__ import annotations

from persona_lab.frames.anything import to_frame
from persona_lab.frames.courses import consistency_frame, turn_frame
from persona_lab.frames.interviews import interview_frame, record_frame
from persona_lab.frames.ledgers import ledger_frame
from persona_lab.frames.measures import (
    estimate_frame,
    length_frame,
    marker_frame,
    mtmm_frame,
    risk_frame,
)
from persona_lab.frames.scores import label_frame, score_frame

__all__ = [
    "consistency_frame",
    "estimate_frame",
    "interview_frame",
    "label_frame",
    "ledger_frame",
    "length_frame",
    "marker_frame",
    "mtmm_frame",
    "record_frame",
    "risk_frame",
    "score_frame",
    "to_frame",
    "turn_frame",
]
