"""Means of metrics over traits."""

from __future__ import annotations

import numpy as np

from persona_lab.training.metrics import mean_metrics, trait_metrics


def test_a_trait_without_an_auc_has_no_part_in_the_mean() -> None:
    p = np.array([0.9, 0.8, 0.7, 0.2])
    one_class = trait_metrics(np.array([1.0, 1.0, 1.0, 1.0]), p, 0.5, n_boot=20)
    both = trait_metrics(np.array([1.0, 0.0, 1.0, 0.0]), p, 0.5, n_boot=20)
    assert one_class["auc"]["value"] is None
    mean = mean_metrics({"a": one_class, "b": both})
    assert mean["auc"]["value"] == both["auc"]["value"]
    assert mean_metrics({"a": one_class})["auc"] == {"value": None, "low": None, "high": None}
