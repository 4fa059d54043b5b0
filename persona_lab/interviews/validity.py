"""Do the ways of asking and rating agree about who is high and who is low on a trait?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from persona_lab.interviews.result import Measurement
from persona_lab.psychometrics.mtmm import KINDS, multitrait_multimethod

FEWEST_SUBJECTS: Final = 8
"""With fewer, the interval of a correlation reaches from -.7 to .7 about 0."""


def method_agreement(measured: Sequence[Measurement]) -> dict[str, Any] | None:
    """The multitrait-multimethod matrix of an interview's subjects.

    A method is a protocol and a rater. See :mod:`persona_lab.psychometrics.mtmm`.

    Args:
        measured: of any number of bots and personas.

    Returns:
        None where fewer than :data:`FEWEST_SUBJECTS` subjects were measured by two methods.
        Else ``subjects``, ``methods`` (``protocol, rater``), ``cells`` (traits, methods,
        kind, and the correlation as an estimate), ``means`` by kind of cell, and
        ``heteromethod`` and ``monomethod``: how often measures of one trait agree more than
        those of different traits.
    """
    by_subject: dict[tuple[str, str | None], dict[str, Measurement]] = {}
    for m in measured:
        by_subject.setdefault((m.bot, m.persona), {})[f"{m.protocol}, {m.rater}"] = m
    subjects = [methods for methods in by_subject.values() if len(methods) > 1]
    if len(subjects) < FEWEST_SUBJECTS:
        return None
    names = list(dict.fromkeys(name for methods in subjects for name in methods))
    domains = next(iter(subjects[0].values())).domains
    matrix = multitrait_multimethod(
        {
            (domain, name): [
                methods[name].domains[domain].score if name in methods else None
                for methods in subjects
            ]
            for name in names
            for domain in domains
        }
    )
    return {
        "subjects": len(subjects),
        "methods": names,
        "cells": [cell.pair | cell.r.to_row() for cell in matrix.cells],
        "means": {kind: matrix.means[kind].to_row() for kind in KINDS},
        "heteromethod": matrix.heteromethod.to_row(),
        "monomethod": matrix.monomethod.to_row(),
    }
