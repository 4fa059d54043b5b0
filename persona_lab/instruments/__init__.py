"""Questionnaires as data: bundled instruments, users' files, scoring, wording and audits.

Example:
    >>> from persona_lab.instruments import load_instrument
    >>> mini = load_instrument("ipip-20")
    >>> mini.score({"1": 5, "6": 1})["extraversion"].mean
    5.0
"""

from persona_lab.instruments.audit import Audit, audit, hint
from persona_lab.instruments.errors import InstrumentError
from persona_lab.instruments.loading import InstrumentInfo, list_instruments, load_instrument
from persona_lab.instruments.model import Domain, Instrument, Item, Scale
from persona_lab.instruments.quality import acquiescence, straight_lined
from persona_lab.instruments.scoring import DomainScore
from persona_lab.instruments.wording import first_person, question, third_person

__all__ = [
    "Audit",
    "Domain",
    "DomainScore",
    "Instrument",
    "InstrumentError",
    "InstrumentInfo",
    "Item",
    "Scale",
    "acquiescence",
    "audit",
    "first_person",
    "hint",
    "list_instruments",
    "load_instrument",
    "question",
    "straight_lined",
    "third_person",
]
