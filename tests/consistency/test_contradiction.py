"""Reading pairs: joining, calibrating, the largest of many; and the bundled model."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from persona_lab.consistency.contradiction import (
    CONTRADICTION,
    ContradictionModel,
    PairCalibration,
)
from persona_lab.consistency.nli_model import CONFIG, HEAD_FILE, find_folder
from persona_lab.consistency.pairs import PairJoiner
from persona_lab.encoding.segment import Segmenter
from persona_lab.errors import ModelError
from persona_lab.profile import ModelInfo

WORDS = ("[CLS]", "[SEP]", "[UNK]", *"abcdefghijklmnopqrstuvwxyz")


def segmenter(max_tokens: int = 12) -> Segmenter:
    """One letter, one token, from 3 on."""
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0))
    return Segmenter(tokenizer, max_tokens=max_tokens)


def letters(ids: Sequence[int]) -> str:
    return "".join({0: "<", 1: "|"}.get(i, WORDS[i]) for i in ids)


class StubEncoder:
    """As vector, the log-odds that a table has for the joined letters."""

    def __init__(self, table: dict[str, tuple[float, float, float]]) -> None:
        self.table, self.batches = table, []

    def encode(self, segments, *, batch_tokens=None):
        self.batches.append(len(segments))
        return np.array([self.table[letters(s)] for s in segments], np.float32)


def stub_model(table: dict[str, tuple[float, float, float]], **calibration) -> ContradictionModel:
    return ContradictionModel(
        ModelInfo("stub", "1", ""),
        StubEncoder(table),
        PairJoiner(segmenter()),
        (np.eye(3), np.zeros(3)),
        PairCalibration(**calibration),
    )


def test_pairs_are_joined_and_long_ones_lose_their_middle() -> None:
    joiner = PairJoiner(segmenter(12))  # 9 letters fit
    pairs = [
        ("a b", "c"),
        ("a b c d e", "f g h i"),
        ("a b c d e f g h", "x y"),
        ("a", "b c d e f g h i j"),
        ("a b c d e f g", "h i j k l m n"),
    ]
    ids, cut = joiner.join(pairs)
    assert [letters(i) for i in ids] == [
        "<ab|c|",
        "<abcde|fghi|",
        "<abcdfgh|xy|",  # the longer text is cut, the shorter one is whole
        "<a|bcdeghij|",
        "<abfg|hijmn|",
    ]
    assert cut == [False, False, True, True, True]
    with pytest.raises(ValueError, match="no room for two texts"):
        PairJoiner(segmenter(4))


def test_temperature_and_both_orders() -> None:
    log = math.log
    table = {"<a|b|": (0.0, log(2) * 2, 0.0), "<b|a|": (0.0, 0.0, log(8) * 2)}
    one = stub_model(table, temperature=2.0)
    assert one.predict([("a", "b"), ("b", "a")]) == pytest.approx(
        np.array([[0.25, 0.5, 0.25], [0.1, 0.1, 0.8]]), abs=1e-6
    )
    both = stub_model(table, temperature=2.0, both_ways=True).predict([("a", "b"), ("b", "a")])
    assert both[:, CONTRADICTION] == pytest.approx([0.525, 0.525])
    assert both.sum(axis=1) == pytest.approx([1, 1])
    assert both[0, 1] / both[0, 0] == pytest.approx(2)  # the others keep their ratio


def test_the_largest_of_many_counts_and_is_named() -> None:
    low, high = (0.0, 0.0, -1.0), (0.0, 0.0, 3.0)
    table = {"<a|z|": low, "<b|z|": high, "<c|z|": low}
    plain = stub_model(table)
    p, index = plain.contradicts_earlier(["a", "b", "c"], "z")
    wrong = math.exp(3) / (math.exp(3) + 2)
    assert (index, p) == (1, pytest.approx(wrong))
    aware = stub_model(table, slope=0.5, length=-1.0, intercept=0.25)
    p, _ = aware.contradicts_earlier(["a", "b", "c"], "z")
    z = 0.5 * math.log(wrong / (1 - wrong)) - math.log(3) + 0.25
    assert p == pytest.approx(1 / (1 + math.exp(-z)))
    many, places = plain.contradict_earlier([(["a"], "z"), (["c", "b"], "z")])
    assert places.tolist() == [0, 1] and many[0] < many[1]


def test_what_cannot_be_read_is_refused() -> None:
    model = stub_model({"<a|b|": (0, 0, 0)})
    with pytest.raises(ValueError, match="pair 1 has a blank text"):
        model.predict([("a", "b"), ("a", " \n")])
    with pytest.raises(ValueError, match="case 1 has no earlier turn"):
        model.contradict_earlier([(["a"], "b"), ([], "b")])
    assert model.predict([]).shape == (0, 3)


def test_many_pairs_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_lab.consistency.contradiction._WINDOW", 4)
    model = stub_model({"<a|b|": (0, 0, 1), "<b|a|": (0, 0, 2)})
    found = model.predict([("a", "b")] * 5 + [("b", "a")] * 5)
    assert model.encoder.batches == [4, 4, 2]
    assert (found[4, 2] < found[5, 2]) and found[0] == pytest.approx(found[4])


# --- the bundled model


@pytest.fixture(scope="module")
def model() -> ContradictionModel:
    return ContradictionModel.load()


PLAIN = [
    ("I have two dogs.", "I don't have any pets.", 2),
    ("I am a vegetarian.", "I had a big steak for dinner, I eat meat every day.", 2),
    ("I've never been to Florence before.", "I was in Florence last year, it was lovely.", 2),
    ("I work as a nurse in a big hospital.", "I am a truck driver. What do you do?", 2),
    ("I hate the winter, it is too cold.", "I love winter! It is my favorite season.", 2),
    ("I am an only child.", "My sister is visiting me this weekend.", 2),
    ("I have two dogs.", "I own a pair of dogs.", 0),
    ("I have two dogs.", "I have two dogs.", 0),
    ("I have two dogs.", "Do you have any pets?", 1),
    ("I love pizza. What about you?", "I am going to the cinema with my sister tonight.", 1),
    ("I work as a nurse.", "I don't like long shifts, but the patients are nice.", 1),
    ("Hello! How are you today?", "I never learned to swim.", 1),
]


def test_it_tells_plain_cases(model: ContradictionModel) -> None:
    p = model.predict([(a, b) for a, b, _ in PLAIN])
    expected = np.array([label == CONTRADICTION for *_, label in PLAIN])
    right = (p[:, CONTRADICTION] >= 0.5) == expected
    assert right.mean() >= 10 / 12, [PLAIN[i][:2] for i in np.flatnonzero(~right)]
    assert p.sum(axis=1) == pytest.approx(np.ones(len(PLAIN)))


def test_a_turn_against_a_history(model: ContradictionModel) -> None:
    history = ["Hi! How are you?", "I live alone with my two cats.", "I like hiking, do you?"]
    wrong, place = model.contradicts_earlier(history, "I have never had a cat in my life.")
    fine, _ = model.contradicts_earlier(history, "Yes, I go to the mountains every summer.")
    assert place == 1 and wrong > 0.5 > fine


def test_a_pair_does_not_depend_on_its_company(model: ContradictionModel) -> None:
    """The longer the mates, the more padding: none of it may leak."""
    pairs = [(a, b) for a, b, _ in PLAIN]
    pairs += [(a * 9, b * k) for k, (a, b, _) in enumerate(PLAIN, 1)]
    alone = np.concatenate([model.predict([pair]) for pair in pairs])
    for batch_tokens in (64, 512, 20_000):
        together = model.predict(pairs[::-1], batch_tokens=batch_tokens)[::-1]
        assert np.abs(together - alone).max() <= 1e-4


def test_what_is_too_long_is_said(model: ContradictionModel) -> None:
    read = model.read([("I like tea. " * 100, "I like tea."), ("I like tea.", "I do.")])
    assert read.shortened.tolist() == [True, False]
    assert np.isfinite(read.probabilities).all()


def test_files_are_small_enough_to_ship() -> None:
    sizes = {file.name: file.stat().st_size for file in find_folder().iterdir()}
    assert sum(sizes.values()) < 30e6
    assert sizes["training_pairs.npz"] < 2e6


def test_the_card_is_what_the_metrics_say(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from persona_lab.training.nli_card import write_card

    for name in (CONFIG, "metrics.json"):
        shutil.copy(find_folder() / name, tmp_path / name)
    assert write_card(tmp_path) == (find_folder() / "README.md").read_text("utf-8")


def test_damaged_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a contradiction model"):
        ContradictionModel.load(tmp_path)
    (tmp_path / CONFIG).write_text("{", "utf-8")
    with pytest.raises(ModelError, match="is damaged"):
        ContradictionModel.load(tmp_path)
    config = json.loads((find_folder() / CONFIG).read_text("utf-8"))
    (tmp_path / CONFIG).write_text(json.dumps(config | {"format_version": 99}), "utf-8")
    with pytest.raises(ModelError, match="upgrade"):
        ContradictionModel.load(tmp_path)
    for name in (CONFIG, "encoder.onnx", "tokenizer.json"):
        shutil.copy(find_folder() / name, tmp_path / name)
    with pytest.raises(ModelError, match="damaged or incomplete"):
        ContradictionModel.load(tmp_path)
    np.savez(tmp_path / HEAD_FILE, weight=np.zeros((3, 7)), bias=np.zeros(3))
    with pytest.raises(ModelError, match="does not fit"):
        ContradictionModel.load(tmp_path)


def test_reading_pairs_never_imports_torch() -> None:
    code = """
import sys
from persona_lab.consistency.contradiction import ContradictionModel
ContradictionModel.load().predict([("I like it.", "I hate it.")])
bad = {"torch", "transformers", "optuna", "onnx", "sklearn"} & set(sys.modules)
sys.exit(str(bad) if bad else 0)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
