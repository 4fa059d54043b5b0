"""Training end to end on a toy corpus, evaluation, and what is kept about training texts."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from persona_lab.detectors.masking import MASK
from persona_lab.detectors.store import open_folder, read_config
from persona_lab.errors import TrainingError
from persona_lab.training.card import write_card
from persona_lab.training.corpora import (
    MBTI_FORUM_PRIOR,
    assign_folds,
    prior_weights,
    shortened,
    split_at_median,
    text_hash,
)
from persona_lab.training.evaluate import evaluate, read_folds, training_folds
from persona_lab.training.experts import make_tasks
from persona_lab.training.refit import cross_validate
from persona_lab.training.run import train
from persona_lab.training.settings import LexicalSettings, Settings
from persona_lab.traits import ALL_TRAITS, BIG_FIVE, MBTI

from .toy import toy_examples


@pytest.fixture(scope="module")
def examples():
    return [
        *toy_examples("essay", BIG_FIVE.keys, 120, noise=0.15),
        *toy_examples("chat", BIG_FIVE.keys, 80, n_words=40, noise=0.15),
        *toy_examples("forum", MBTI.keys, 120, noise=0.15),
    ]


@pytest.fixture(scope="module")
def models(examples, tmp_path_factory):
    out = tmp_path_factory.mktemp("models")
    settings = Settings(lexical=LexicalSettings(max_chars=500, min_df=2), n_folds=3)
    return out, train(examples, out, settings)


def test_training_learns_what_the_words_tell(models):
    out, metrics = models
    mean = metrics["lexical"]["validation"]["essay"]["bigfive"]["mean"]
    assert mean["accuracy"]["value"] > 0.75
    assert mean["auc"]["low"] > 0.7
    detector = open_folder(out / "lexical")
    lively = detector.profile("party kind museum calm party planner the we went " * 8)
    quiet = detector.profile("alone fight spreadsheet worry alone mess the we went " * 8)
    assert lively.traits["extraversion"].p_high > 0.8 > 0.2 > quiet.traits["extraversion"].p_high
    assert quiet.traits["neuroticism"].label == "high"


def test_a_coin_is_not_learnt(tmp_path):
    coin = toy_examples("essay", BIG_FIVE.keys, 150, noise=0.5)
    metrics = train(coin, tmp_path, Settings(lexical=LexicalSettings(min_df=2), n_folds=3))
    mean = metrics["lexical"]["validation"]["essay"]["bigfive"]["mean"]
    assert abs(mean["auc"]["value"] - 0.5) < 0.08
    profile = open_folder(tmp_path / "lexical").profile(" ".join(coin[0].utterances))
    assert all(0.25 < score.p_high < 0.75 for score in profile.traits.values())


def test_probabilities_are_calibrated_out_of_fold(models):
    _, metrics = models
    assert metrics["lexical"]["validation"]["essay"]["bigfive"]["mean"]["ece"]["value"] < 0.13


def test_seen_texts_are_judged_by_the_member_that_did_not_see_them(models, examples):
    out, _ = models
    essays = [e for e in examples if e.register == "essay"]
    result = evaluate(out / "lexical", essays, BIG_FIVE, n_boot=20)
    assert result["seen_in_training"] == len(essays)
    fresh = toy_examples("essay", BIG_FIVE.keys, 300, noise=0.15, seed=1)
    unseen = evaluate(out / "lexical", fresh, BIG_FIVE, n_boot=20)
    assert unseen["seen_in_training"] == 0
    # were the seen texts judged by members that learnt them, they would score near 100 %
    seen_accuracy = result["mean"]["accuracy"]["value"]
    assert abs(seen_accuracy - unseen["mean"]["accuracy"]["value"]) < 0.06
    assert set(result["traits"]) == set(BIG_FIVE.keys)


def test_only_hashes_of_training_texts_are_kept(models, examples):
    out, _ = models
    folds = training_folds(out / "lexical")
    assert folds[examples[0].text_hash] in (0, 1, 2)
    assert len(folds) == len({e.text_hash for e in examples})
    assert set(np.load(out / "lexical" / "training_texts.npz").files) == {"hashes", "folds"}


def test_cross_validation_by_given_folds_trains_anew(models, examples):
    out, _ = models
    essays = toy_examples("essay", BIG_FIVE.keys, 90, noise=0.15, seed=3)
    folds = np.tile((np.arange(90) % 3)[:, None], (1, 5))
    result = cross_validate(out / "lexical", essays, BIG_FIVE, folds, n_boot=20)
    assert result["folds"] == 3
    assert result["mean"]["accuracy"]["value"] > 0.7


def test_the_card_states_what_was_measured(models):
    out, metrics = models
    card = write_card(out / "lexical")
    value = metrics["lexical"]["validation"]["essay"]["bigfive"]["mean"]["accuracy"]["value"]
    assert f"{100 * value:.1f} [" in card
    assert "Not for hiring" in card
    assert (
        json.loads((out / "lexical" / "metrics.json").read_text())["data"]["essay"]["texts"] == 120
    )


def test_masked_words_carry_nothing():
    assert not any(c.isalnum() for c in MASK)


def test_folds_keep_groups_and_equal_texts_together(examples):
    twin = replace(examples[0], id="twin", group="elsewhere")
    folds = assign_folds([*examples, twin], 4)
    by_group: dict[str, set[int]] = {}
    for example, fold in zip(examples, folds, strict=False):
        by_group.setdefault(example.group, set()).add(int(fold))
    assert all(len(found) == 1 for name, found in by_group.items() if name != examples[0].group)
    assert folds[0] == folds[-1] or {folds[0]} != by_group[examples[1].group]
    assert sorted(set(folds)) == [0, 1, 2, 3]


def test_runs_are_split_two_a_fold():
    runs = [
        replace(e, run=i % 10 + 1) for i, e in enumerate(toy_examples("story", ("openness",), 40))
    ]
    folds = assign_folds(runs, 5)
    assert {e.run for e, fold in zip(runs, folds, strict=True) if fold == 4} == {9, 10}


def test_prior_weights_restore_the_forum_shares():
    forum = toy_examples("forum", MBTI.keys, 400)
    weights = prior_weights(forum)
    start = ALL_TRAITS.index("EI")
    extraverted = np.array([e.labels[start] == 1 for e in forum])
    total = sum(MBTI_FORUM_PRIOR.values())
    wanted = sum(n for code, n in MBTI_FORUM_PRIOR.items() if code[0] == "E") / total
    assert weights[extraverted].sum() / weights.sum() == pytest.approx(wanted, abs=1e-6)
    assert prior_weights(forum, 0.0) == pytest.approx(np.ones(400))


def test_graded_scores_are_split_at_the_median():
    graded = [
        replace(e, scores=np.full(9, value, np.float32))
        for e, value in zip(
            toy_examples("vlog", ("openness",), 4), (1.5, 2.5, 3.5, 6.5), strict=True
        )
    ]
    assert [e.labels[0] for e in split_at_median(graded)] == [0, 0, 1, 1]


def test_windows_are_parts_of_their_text(examples):
    for index, window in shortened(examples, low=10, high=40):
        assert window.text_hash == examples[index].text_hash
        whole = " ".join(" ".join(examples[index].utterances).split())
        assert " ".join(" ".join(window.utterances).split()) in whole
        assert window.n_words <= 41


def test_hash_knows_a_text_whatever_its_spacing():
    assert text_hash(["Hello,  World"]) == text_hash(["hello", "world!"]) != text_hash(["hello"])


def test_labels_of_one_pole_are_refused():
    one_pole = [
        replace(e, labels=np.ones(9, np.float32)) for e in toy_examples("x", ("openness",), 60)
    ]
    with pytest.raises(TrainingError, match="both poles"):
        make_tasks(one_pole, prior_power=0.5)


def test_config_says_which_model_is_the_default(models):
    out, _ = models
    config = read_config(out / "lexical")
    assert config["default"] is True
    assert config["frameworks"] == ["bigfive", "mbti"]


def test_folds_are_read_in_the_published_layout(tmp_path):
    file = tmp_path / "folds.csv"
    file.write_text(
        "#AUTHID,fold_cEXT,fold_cNEU,fold_cAGR,fold_cCON,fold_cOPN\n"
        "essay-1,1,2,3,4,5\nessay-0,6,7,8,9,0\n"
    )
    folds = read_folds(file, toy_examples("essay", BIG_FIVE.keys, 2), BIG_FIVE)
    assert folds.tolist() == [[0, 9, 6, 8, 7], [5, 4, 1, 3, 2]]  # in the order O C E A N
