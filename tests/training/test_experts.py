"""What the experts are taught, before anything is fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from persona_lab.training.experts import make_tasks
from persona_lab.traits import ALL_TRAITS, BIG_FIVE
from tests.training.toy import toy_examples


def about_one_trait(n: int = 400):
    """Statements: each labelled for one trait only."""
    examples = toy_examples("statement", BIG_FIVE.keys, n, n_words=12)
    only = np.eye(len(ALL_TRAITS), dtype=bool)
    return [
        replace(e, labels=np.where(only[i % 5], e.labels, np.nan).astype(np.float32))
        for i, e in enumerate(examples)
    ]


def test_statements_about_other_traits_are_neutral():
    examples = about_one_trait()
    for task in make_tasks(examples, prior_power=0.0):
        about = np.array(
            [not np.isnan(e.labels[ALL_TRAITS.index(task.row.trait)]) for e in examples]
        )
        other = ~about[task.index]
        assert set(task.index[other]) == set(np.flatnonzero(~about))
        weight = task.weights[other]
        # each of them says "neither": as much for the high pole as for the low one
        assert weight[task.labels[other] == 1].sum() == pytest.approx(
            weight[task.labels[other] == 0].sum(), rel=0.2
        )
        assert weight.sum() == pytest.approx(task.weights[~other].sum(), rel=1e-4)


def test_texts_labelled_for_all_traits_are_taught_as_they_are():
    examples = toy_examples("essay", BIG_FIVE.keys, 100)
    for task in make_tasks(examples, prior_power=0.0):
        assert sorted(task.index) == list(range(100))
