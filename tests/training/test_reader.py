"""Training of the reader: labels, lessons, corpora, the network, the rule, and one whole run."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
transformers = pytest.importorskip("transformers", reason="needs the extra 'train'")

from persona_lab.detectors.reader.rule import Rule, judge  # noqa: E402
from persona_lab.detectors.reader.scale import AXES, RATINGS  # noqa: E402
from persona_lab.detectors.registry import load_detector  # noqa: E402
from persona_lab.errors import TrainingError  # noqa: E402
from persona_lab.profile import Profile  # noqa: E402
from persona_lab.training.reader import run  # noqa: E402
from persona_lab.training.reader.calibrate import fit_rule  # noqa: E402
from persona_lab.training.reader.corpora import read_corpora, rebuild, unrated  # noqa: E402
from persona_lab.training.reader.fit import Lesson, ReaderSettings, teach  # noqa: E402
from persona_lab.training.reader.labels import (  # noqa: E402
    DATA,
    RATED,
    WRITTEN,
    Rated,
    rated,
    read_written,
    rows_of,
    shares,
    statements,
    text_hash,
)
from persona_lab.training.reader.lessons import lesson_of, request_of, units_of  # noqa: E402
from persona_lab.training.reader.measure import agreement, measure  # noqa: E402
from persona_lab.training.reader.network import ReaderNetwork  # noqa: E402
from tests.detectors.reader.acted import FILLER, SIGNS, toy_tokenizer  # noqa: E402

E = AXES.index("extraversion")


def tiny_network(seed: int = 0, frozen: int = 0) -> ReaderNetwork:
    tokenizer = toy_tokenizer()
    torch.manual_seed(seed)
    config = transformers.RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=16, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=200,
        type_vocab_size=1, pad_token_id=0, hidden_dropout_prob=0.0,
    )  # fmt: skip
    model = transformers.RobertaModel(config, add_pooling_layer=False).eval()
    # as of a trained model, words tell more than positions do
    torch.nn.init.normal_(model.embeddings.word_embeddings.weight)
    return ReaderNetwork(model, tokenizer, frozen=frozen, seed=seed, bf16=False)


def toy_rated(n: int, seed: int = 0, **more: object) -> list[Rated]:
    """Texts that show one trait by one word, or nothing."""
    dice = np.random.default_rng(seed)
    words, found = [*SIGNS, None, None], []
    for i in range(n):
        word = words[dice.integers(len(words))]
        text = list(dice.choice(FILLER, 6))
        ratings = {letter: 0 for letter in ("O", "C", "E", "A", "N", "SN", "TF", "JP")}
        if word is not None:
            text.insert(int(dice.integers(6)), word)
            axis, weight = SIGNS[word]
            letter = axis if axis in ratings else axis[0].upper()
            ratings[letter] = 2 if weight > 0 else -2
        row = {
            "id": f"{seed}-{i}", "kind": "utterance", "group": f"g{i}",
            "split": ("train", "train", "valid", "test")[i % 4],
            "ratings": {f"r{k}": ratings for k in range(3)},
        }  # fmt: skip
        found.append(rated(row | more, " ".join(text), "own:toy" if i % 2 else "essays"))
    return found


# what is learnt from ratings


def test_ratings_are_shared_out_with_what_raters_slip() -> None:
    chances, known = shares([{"extraversion": 2}, {"extraversion": 0}])
    assert chances[E] == pytest.approx([0, 0.025, 0.45, 0.075, 0.45])
    assert known.tolist() == [0, 0, 1, 0, 0, 0, 0, 0]


def test_the_writers_intent_counts_only_where_nobody_rated() -> None:
    row = {"id": "x", "kind": "utterance", "group": "g", "split": "train"}
    both = rated(row | {"ratings": {"writer": {"E": 2}, "r1": {"E": 0, "N": 1}}}, "x", "own:x")
    alone = rated(row | {"ratings": {"writer": {"E": 2}}}, "x", "own:x")
    assert (both.levels[E], alone.levels[E]) == (0, 2)
    assert np.isnan(alone.levels[0])


def test_items_of_the_ipip_are_plain_statements() -> None:
    found = {one.text: one for one in statements()}
    item = found["I have a vivid imagination"]
    assert item.known.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert item.chances[0] @ np.array(RATINGS) > 1
    assert found["I feel comfortable with myself"].chances[4] @ np.array(RATINGS) < -1


def test_the_bundled_texts_are_whole_and_no_group_is_on_two_sides() -> None:
    texts = read_written()
    assert len(texts) == 8168
    assert all(any(who != "writer" for who in one.ratings) for one in texts)
    for file in (WRITTEN, RATED):
        sides = defaultdict(set)
        for row in rows_of(DATA / file):
            sides[row.get("writer", ""), row["group"]].add(row["split"])
        assert {len(side) for side in sides.values()} == {1}
    assert len({one.text for one in texts}) == len(texts)


# from texts to units


def test_an_answer_comes_with_its_question_and_a_chat_in_turns() -> None:
    asked = request_of("x", "Q: alone ? / A: party / A: calm", "answer")
    assert [u.text for u in asked.utterances] == ["calm"]
    assert asked.heard == ("alone ? / A: party",)
    assert [u.text for u in request_of("x", "party / calm", "chat").utterances] == ["party", "calm"]
    units, counts = units_of(
        [("party / calm", "chat"), ("", "utterance")], tiny_network().segmenter
    )
    assert counts.tolist() == [2, 1]
    assert len(units) == 3


@pytest.fixture
def corpora(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with one corpus, and ratings of two of its texts."""
    folder = tmp_path / "corpora" / "essays"
    folder.mkdir(parents=True)
    (folder / "essays.csv").write_text(
        "#AUTHID,TEXT,cEXT,cNEU,cAGR,cCON,cOPN\n"
        'one,"It was a party and we went.  Then we went alone.",y,n,y,y,n\n'
        'two,"There was worry and a mess in it.",n,y,n,n,y\n',
        encoding="utf-8",
    )
    labels = tmp_path / "rated.jsonl"
    rows = []
    for name, text, span, split in (
        ("one", "Then we went alone.", [0, 7, 11], "train"),
        ("two", "There was worry", [0, 0, 3], "test"),
        ("two", "another text", [0, 1, 3], "test"),
        ("two", "no such turn", [7, 1, 3], "test"),
    ):
        rows.append(
            {
                "id": text_hash(text), "corpus": "essays", "row": name, "kind": "utterance",
                "group": name, "split": split, "spans": [span], "ratings": {"r1": {"E": -1}},
            }
        )  # fmt: skip
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path / "corpora", labels


def test_texts_of_corpora_are_found_again_and_others_are_counted(
    corpora: tuple[Path, Path],
) -> None:
    found, lost = rebuild(*corpora)
    assert [(one.text, one.levels[E]) for one in found] == [
        ("Then we went alone.", -1),
        ("There was worry", -1),
    ]
    assert lost == 2


def test_rows_that_are_held_out_are_never_taught(corpora: tuple[Path, Path]) -> None:
    assert list(unrated(*corpora)) == [
        ("It was a party and we went. Then we went alone.", "utterance", "essays")
    ]


def test_a_folder_without_corpora_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="none of the corpora"):
        list(read_corpora(tmp_path))


@pytest.mark.data
def test_every_rated_text_is_in_the_corpora(data_dir: Path) -> None:
    found, lost = rebuild(data_dir)
    assert (len(found), lost) == (18964, 0)


# the network


SETTINGS = ReaderSettings(
    epochs=12, batch_tokens=400, learning_rate=5e-3, head_learning_rate=2e-2, threads=1
)


def test_it_learns_what_words_show(tmp_path: Path) -> None:
    network = tiny_network()
    facts = teach(network, lesson_of(toy_rated(600), network.segmenter), SETTINGS, tmp_path)
    assert facts["loss"][-1] < 0.7 * facts["loss"][0]
    units, _ = units_of(
        [
            ("the party was there", "utterance"),
            ("alone then", "utterance"),
            ("we went", "utterance"),
        ],
        network.segmenter,
    )
    level = network.predict(units)[:, E] @ np.array(RATINGS)
    assert level[0] > 0.8 > 0.4 > abs(level[2])
    assert level[1] < -0.8


def test_frozen_layers_stay_and_change_nothing_else() -> None:
    free, frozen = tiny_network(), tiny_network(frozen=1)
    units, _ = units_of([("the party was there", "utterance")], free.segmenter)
    assert free.predict(units) == pytest.approx(frozen.predict(units), abs=1e-5)
    assert not any(name.startswith("layer.0.") for name in frozen.tensors())
    assert any(name.startswith("layer.0.") for name in free.tensors())


def test_texts_of_several_units_are_judged_together(tmp_path: Path) -> None:
    """One unit in three shows something; only the whole text is rated."""
    network = tiny_network()
    texts = toy_rated(400)
    dice = np.random.default_rng(0)
    longer = []
    for one in texts:
        turns = [" ".join(dice.choice(FILLER, 4)) for _ in range(2)]
        turns.insert(int(dice.integers(3)), one.text)
        row = {"id": one.id, "kind": "chat", "group": one.group, "split": one.split}
        ratings = {w: {k[0].upper() if k.islower() else k: v for k, v in r.items()}
                   for w, r in one.ratings.items()}  # fmt: skip
        longer.append(rated(row | {"ratings": ratings}, " / ".join(turns), "essays"))
    lesson = lesson_of(longer, network.segmenter)
    assert set(lesson.counts.tolist()) == {3}
    teach(network, lesson, SETTINGS, tmp_path)
    units, _ = units_of([("the party was there", "utterance")], network.segmenter)
    assert network.predict(units)[0, E] @ np.array(RATINGS) > 0.6


def test_a_killed_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    settings = ReaderSettings(epochs=2, batch_tokens=200, learning_rate=1e-3)
    texts = toy_rated(60)
    whole = tiny_network()
    lesson = lesson_of(texts, whole.segmenter)
    teach(whole, lesson, settings, tmp_path / "whole")

    def stop(network: ReaderNetwork) -> dict[str, float]:
        stops.append(1)
        if len(stops) == 2:
            raise KeyboardInterrupt
        return {}

    stops: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        teach(tiny_network(), lesson, settings, tmp_path / "cut", judge=stop)
    again = tiny_network()
    again.load({name: tensor * 0 for name, tensor in again.tensors().items()})
    teach(again, lesson, settings, tmp_path / "cut")
    for name, tensor in whole.tensors().items():
        assert again.tensors()[name].detach() == pytest.approx(tensor.detach(), abs=1e-6), name
    other = Lesson.joined([lesson, lesson])
    with pytest.raises(TrainingError, match="belongs to a run with other lesson"):
        teach(tiny_network(), other, settings, tmp_path / "cut")


@pytest.mark.parametrize("name", ["epochs", "batch_tokens", "threads"])
def test_settings_that_cannot_work_are_refused(name: str) -> None:
    with pytest.raises(TrainingError, match=f"{name} is 0"):
        ReaderSettings(**{name: 0})


# the rule


def reads_of(texts: list[Rated], noise: float, seed: int = 0) -> list[np.ndarray]:
    """Readings of one to four units whose levels are about half of what raters said."""
    dice = np.random.default_rng(seed)
    found = []
    for one in texts:
        n = int(dice.integers(1, 5))
        read = np.zeros((n, len(AXES), len(RATINGS)), np.float32)
        told = int(dice.integers(n))
        for unit in range(n):
            level = one.levels / 2 if unit == told else np.zeros(len(AXES))
            level = np.clip(level + noise * dice.standard_normal(len(AXES)), -1.9, 1.9)
            read[unit, :, 2] = 1 - np.abs(level) / 2
            read[unit, :, 4], read[unit, :, 0] = np.maximum(level, 0) / 2, np.maximum(-level, 0) / 2
        found.append(read)
    return found


def test_the_rule_brings_readings_to_the_raters_scale() -> None:
    texts = toy_rated(1600)
    reads = reads_of(texts, 0.15)
    rule = fit_rule(texts, reads)
    fresh = toy_rated(1600, seed=1)
    found = measure(fresh, reads_of(fresh, 0.15, seed=1), rule)
    level = np.stack([judge(read, rule).level for read in reads])
    wanted = np.stack([one.levels for one in texts])
    shown = wanted[:, E] == 2
    assert level[shown, E].mean() > 1.2  # the readings alone say 1 at most
    assert found["nothing"]["labelled"] <= 0.06
    assert found["clear"]["right_among_labelled"] >= 0.98
    assert 0.85 <= found["coverage"] <= 0.97
    assert found["ece"] <= 0.06


def test_readers_who_are_right_agree_fully() -> None:
    texts = [one for one in toy_rated(200) if one.split == "test"]
    reads = []
    for one in texts:
        read = np.zeros((1, len(AXES), len(RATINGS)), np.float32)
        read[0, np.arange(len(AXES)), (one.levels + 2).astype(int)] = 1
        reads.append(read)
    assert set(agreement(texts, reads).values()) == {1.0}
    found = measure(texts, reads, Rule.plain())
    assert found["clear"]["labelled_right"] == 1
    assert found["nothing"]["labelled"] == 0
    assert found["groups"]["written utterances"]["raters"] == pytest.approx(1.0)


# a whole run


def test_from_texts_to_a_folder_that_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network()
    backbone = tmp_path / "backbone"
    network.model.save_pretrained(backbone)
    toy_tokenizer().save(str(backbone / "tokenizer.json"))
    monkeypatch.setattr(run, "read_written", lambda: toy_rated(600))
    monkeypatch.setattr(run, "statements", list)  # of words that it does not know
    metrics = run.train_reader(tmp_path / "out", SETTINGS, backbone=str(backbone))
    groups = metrics["test"]["groups"]
    assert groups["written utterances"]["by_axis"]["extraversion"] > 0.8, groups
    detector = load_detector(str(tmp_path / "out" / "reader"), measure="shown")
    found = detector.profile("We went. The party was there and it was a party.", explain=True)
    assert isinstance(found, Profile)
    assert found.traits["extraversion"].label == "high"
    assert found.evidence[0].trait == "extraversion"
    card = (tmp_path / "out" / "reader" / "README.md").read_text(encoding="utf-8")
    assert "written utterances" in card and "Not for decisions about people" in card
    teacher, _ = run.open_network(tmp_path / "out")
    units, _ = units_of([("the party was there", "utterance")], teacher.segmenter)
    assert teacher.predict(units)[0, E] @ np.array(RATINGS) > 0.8


def test_a_teacher_needs_texts_to_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network()
    network.model.save_pretrained(tmp_path / "backbone")
    toy_tokenizer().save(str(tmp_path / "backbone" / "tokenizer.json"))
    monkeypatch.setattr(run, "read_written", lambda: toy_rated(40))
    with pytest.raises(TrainingError, match="needs --data and --pieces"):
        run.train_reader(
            tmp_path / "out", SETTINGS, backbone=str(tmp_path / "backbone"), teachers=["t"]
        )
    with pytest.raises(TrainingError, match="not the --out folder"):
        run.open_network(tmp_path / "nothing")
