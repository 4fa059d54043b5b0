"""The contradiction model's data, training, calibration and evaluation."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from persona_lab.consistency.contradiction import PairCalibration
from persona_lab.consistency.nli_model import CONFIG, KEYS_FILE
from persona_lab.errors import FormatError, InputError, RowError, TrainingError
from persona_lab.training.evaluate_contradiction import evaluate_contradiction, training_keys
from persona_lab.training.nli_augment import made_pairs, negate, padded, sentences, swapped
from persona_lab.training.nli_calibrate import fit_dialogue, fit_temperature
from persona_lab.training.nli_card import write_card
from persona_lab.training.nli_corpora import load_corpora
from persona_lab.training.nli_decode import Case, read_decode
from persona_lab.training.nli_draw import Drawer, NliSettings
from persona_lab.training.nli_pairs import (
    Pair,
    cap,
    components,
    pair_key,
    read_pairs,
    split_of,
)

THINGS = ("dogs", "cats", "tea", "jazz", "rain", "chess", "pizza", "books", "snow", "boats")
QUICK = NliSettings(
    pairs=1600, blocks=2, batch=16, learning_rate=3e-3, head_learning_rate=1e-2, bf16=False
)


def earlier(case: Case) -> list[str]:
    """Earlier turns of the speaker in question."""
    return [case.turns[i][1] for i in case.own]


def toy_data(folder: Path, n: int = 160) -> Path:
    """A folder of corpora in which whoever loved a thing and hates it contradicts himself."""
    dice = random.Random(0)
    (folder / "nli").mkdir(parents=True)
    (folder / "decode").mkdir()
    pairs = []
    for i in range(n):
        one, other = dice.sample(THINGS, 2)
        label = ("entailment", "neutral", "contradiction")[i % 3]
        second = {"entailment": f"i like {one}", "neutral": f"he saw {other}"}
        pairs.append(
            {
                "premise": f"i love {one} number{i}",
                "hypothesis": second.get(label, f"i hate {one}"),
                "label": label,
                "source": "dnli",
            }
        )
    contexts, lasts, labels = [], [], []
    for i in range(n):
        one, other = dice.sample(THINGS, 2)
        first = f"i love {one} more than all others number{i}"
        last = f"i hate {one} number{i}" if i % 2 else f"he saw {other} number{i}"
        contexts.append(f"<0> {first} <1> that is nice <0> i saw a film with you number{i}")
        lasts.append(f"<0> {last}")
        labels.append(str(i % 2))
        if i % 2:
            pairs.append(
                {"premise": first, "hypothesis": last, "label": "contradiction",
                 "source": "decode_dev_structured"}
            )  # fmt: skip
    for part, lines in (("input0", contexts), ("input1", lasts), ("label", labels)):
        (folder / "decode" / f"dev.{part}").write_text("\n".join(lines) + "\n", "utf-8")
    with gzip.open(folder / "nli" / "pairs.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(pair) + "\n" for pair in pairs)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_data(tmp_path_factory.mktemp("corpora"))


# --- reading


def test_decode_lines(tmp_path: Path) -> None:
    (tmp_path / "dev.input0").write_text("<1> i am 30 . <0> ok <1> <3 it\n<0> hi\nbroken\n")
    (tmp_path / "dev.input1").write_text("<1> i am 12\n<1> hello\n<0> x\n")
    (tmp_path / "dev.label").write_text("1\n0\n1\n")
    for given in (tmp_path, tmp_path / "dev.input1", tmp_path / "dev.label"):
        first, second, *_ = read_decode(given)
        assert isinstance(first, Case) and isinstance(second, Case)
        assert earlier(first) == ["i am 30 .", "<3 it"]  # not the partner's turn
        assert (first.last, first.label) == ("i am 12", True)
        assert (earlier(second), second.label) == ([], False)


def test_decode_lines_that_do_not_match(tmp_path: Path) -> None:
    (tmp_path / "a.input0").write_text("<0> one\n<0> two\n")
    (tmp_path / "a.input1").write_text("<1> one\n")
    with pytest.raises(FormatError, match=r"a\.label is not beside"):
        list(read_decode(tmp_path / "a.input0"))
    (tmp_path / "a.label").write_text("yes\n1\n")
    bad, worse = read_decode(tmp_path / "a.input0")
    assert isinstance(bad, RowError) and bad.place == "a:1" and "0 or 1" in str(bad)
    assert isinstance(worse, RowError) and "different numbers" in str(worse)


def test_decode_jsonl(tmp_path: Path) -> None:
    turns = [
        {"turn_id": 3, "agent_id": 7, "text": "I have a dog."},
        {"turn_id": 4, "agent_id": 8, "text": "Nice."},
        {"turn_id": 5, "agent_id": 7, "text": "I like tea."},
        {"turn_id": 6, "agent_id": 8, "text": "Me too."},
        {"turn_id": 7, "agent_id": 7, "text": "I have no pets."},
    ]
    rows = [
        {"record_id": "x", "turns": turns, "is_contradiction": True,
         "aggregated_contradiction_indices": [3, 7]},
        {"turns": [{"turn": "a"}, {"turn": "b"}, {"turn": "c"}]},
        {"turns": [{"agent_id": 1}]},
        {"other": 1},
    ]  # fmt: skip
    file = tmp_path / "bots.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n{\n", "utf-8")
    first, second, *bad = read_decode(file)
    assert isinstance(first, Case) and isinstance(second, Case)
    assert earlier(first) == ["I have a dog.", "I like tea."] and first.evidence == (0,)
    assert second.label is None and earlier(second) == ["a"]  # without agents, turns alternate
    assert [e.place for e in bad if isinstance(e, RowError)] == [
        f"bots.jsonl:{i}" for i in (3, 4, 5)
    ]


def test_pairs_are_read_and_bad_ones_named(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    good = {"premise": "A  b", "hypothesis": "c", "label": "neutral"}
    file.write_text("\n".join(map(json.dumps, [good, good | {"label": "maybe"}, {}])), "utf-8")
    pair, unknown, empty = read_pairs(file)
    assert isinstance(pair, Pair) and (pair.source, pair.group) == ("p.jsonl", "a b")
    assert isinstance(unknown, RowError) and "'maybe'" in str(unknown)
    assert isinstance(empty, RowError) and empty.place == "p.jsonl:3"


def test_keys_groups_and_caps() -> None:
    assert pair_key("I am", "you  ARE") == pair_key("you are", "i am") != pair_key("i", "am")
    assert components([["a"], ["b"], ["c", "a"], ["b", "d"], ["d", "c"], []]) == [0, 0, 0, 0, 0, 5]
    splits = Counter(split_of(f"g{i}", (0.1, 0.2)) for i in range(4000))
    assert splits["test"] == pytest.approx(800, abs=80)
    assert splits["validation"] == pytest.approx(400, abs=60)
    pairs = [Pair(str(i), "", "contradiction", "", "") for i in range(90)]
    pairs += [Pair(str(i), "", "neutral", "", "") for i in range(10)]
    kept = Counter(pair.label for pair in cap(pairs, 40))
    assert kept == {"neutral": 10, "contradiction": 30}


def test_no_pair_of_a_held_out_dialogue_is_trained_on(data: Path) -> None:
    corpora = load_corpora(data)
    assert sum(map(len, corpora.cases.values())) == 160
    trained = {pair.key for pairs in corpora.pairs["train"].values() for pair in pairs}
    assert len(corpora.cases["test"]) > 10
    for split in ("validation", "test"):
        for case in corpora.cases[split]:
            last = case.said(len(case.turns) - 1)
            assert not trained & {pair_key(case.said(i), last) for i in case.own}
    train = corpora.pairs["train"]["decode"]
    # the contradicted turn is the one that the annotated pairs name, and no other
    assert {p.premise.split()[1] for p in train if p.label == "contradiction"} == {"love"}
    assert Counter(p.label for p in train)["contradiction"] == sum(
        case.label is True for case in corpora.cases["train"]
    )


def test_too_few_dialogues(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="must hold nli"):
        load_corpora(tmp_path)
    toy_data(tmp_path / "few", n=4)
    with pytest.raises(TrainingError, match="not both labels occur"):
        load_corpora(tmp_path / "few")


@pytest.mark.data
def test_splits_of_the_real_corpora(data_dir: Path) -> None:
    if not (data_dir / "decode" / "dev.label").is_file():
        pytest.skip("DECODE is not among the corpora here")
    cases = [case for case in read_decode(data_dir / "decode") if isinstance(case, Case)]
    assert Counter(case.label for case in cases) == {True: 2013, False: 2013}
    assert all(case.own for case in cases)
    corpora = load_corpora(data_dir)
    held = {
        " ".join(text.casefold().split())
        for split in ("validation", "test")
        for case in corpora.cases[split]
        for _, text in case.turns
        if len(text.split()) >= 6
    }
    for kind in ("general", "dialogue", "decode", "clean"):
        for pair in corpora.pairs["train"][kind]:
            assert " ".join(pair.premise.casefold().split()) not in held
            assert " ".join(pair.hypothesis.casefold().split()) not in held
    contradictions = [p for p in corpora.pairs["train"]["decode"] if p.label == "contradiction"]
    assert len(contradictions) > 1500  # nearly every one has a turn that annotators named


# --- augmentation


@pytest.mark.parametrize(
    ("statement", "possible"),
    [
        ("I have two dogs.", {"I don't have two dogs.", "I have never had two dogs."}),
        ("i love to cook", {"i hate to cook", "i don't like to cook", "i can't stand to cook"}),
        ("I'm not tall", {"I am tall", "I'm tall"}),
        ("I am from Ohio and I sing.", {"I am not from Ohio and I sing.",
         "I'm not from Ohio and I sing.", "I have never been from Ohio and I sing."}),
        ("My dad is a priest.", {"My dad is not a priest."}),
        ("I don't like rain", {"I like rain"}),
    ],
)  # fmt: skip
def test_negation_by_rule(statement: str, possible: set[str]) -> None:
    dice = np.random.default_rng(0)
    assert {negate(statement, dice) for _ in range(40)} == possible


def test_what_is_not_negated() -> None:
    dice = np.random.default_rng(0)
    assert negate("do I have two dogs?", dice) is None
    assert negate("the weather in town", dice) is None
    assert sentences("Hi! I am Al... ok? ") == ["Hi!", "I am Al...", "ok?"]


def test_made_pairs_do_not_teach_that_a_negation_is_a_contradiction() -> None:
    said = [(f"I love {thing}.", str(i)) for i, thing in enumerate(THINGS * 5)]
    pairs = made_pairs(said, "made")
    labels = Counter(pair.label for pair in pairs)
    assert labels["contradiction"] == 50 and labels["not_contradiction"] > 30
    assert all(p.premise == p.hypothesis for p in pairs if p.label == "entailment")


def test_labels_of_varied_pairs() -> None:
    dice = np.random.default_rng(0)
    for label, turned in (("entailment", "not_contradiction"), ("contradiction", "contradiction")):
        pair = Pair("a", "b", label, "s", "g")
        assert swapped(pair) == Pair("b", "a", turned, "s", "g")
        for _ in range(20):
            varied = padded(pair, ["Oh?"], dice)
            assert varied.label == (label if varied.hypothesis == "b" else turned)
            assert {varied.premise, varied.hypothesis} <= {
                "a",
                "b",
                "Oh? a",
                "a Oh?",
                "Oh? b",
                "b Oh?",
            }
    unclear = Pair("a", "b", "not_entailment", "s", "g")
    assert swapped(unclear) == unclear


def test_blocks_are_the_same_each_time_and_shift_to_dialogues(data: Path) -> None:
    corpora = load_corpora(data)
    settings = replace(QUICK, pairs=2000, blocks=4, swap=0.0, pad=0.0)
    drawer = Drawer(corpora.pairs["train"], corpora.fillers, settings)
    assert drawer.block(1) == drawer.block(1) != drawer.block(2)
    first, last = (Counter(p.source == "decode" for p in drawer.block(b)) for b in (0, 3))
    assert first[True] < last[True]
    decode = [p.label for p in drawer.block(3) if p.source == "decode"]
    assert Counter(decode)["contradiction"] / len(decode) == pytest.approx(0.45, abs=0.02)


def test_settings_that_cannot_work() -> None:
    with pytest.raises(TrainingError, match="batch is 0"):
        NliSettings(batch=0)
    with pytest.raises(TrainingError, match="fewer than blocks"):
        NliSettings(pairs=3, blocks=4)


# --- calibration


def test_temperature_is_found_again() -> None:
    dice = np.random.default_rng(0)
    true = dice.normal(size=(6000, 3)) * 2
    p = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    label = np.array([dice.choice(3, p=row) for row in p])
    allowed = np.eye(3, dtype=bool)[label]
    assert fit_temperature(true * 2.5, allowed) == pytest.approx(2.5, rel=0.06)


def test_the_number_of_turns_is_no_evidence_in_itself() -> None:
    """Labels follow the largest of k noises and a signal; contradictions have long histories."""
    dice = np.random.default_rng(0)
    largest, counts, labels = [], [], []
    for _ in range(6000):
        label = dice.random() < 0.5
        k = int(dice.choice([1, 2, 6], p=[0.1, 0.2, 0.7] if label else [0.7, 0.2, 0.1]))
        noise = dice.normal(size=k) - 2
        noise[0] += 3 * label
        largest.append(noise.max())
        counts.append(float(k))
        labels.append(float(label))
    p = 1 / (1 + np.exp(-np.array(largest)))
    fit = fit_dialogue(p, np.array(counts), np.array(labels))
    assert fit.slope > 0.5 and fit.length < 0  # a large one among many says less
    short, long = fit.of_dialogue(np.array([0.4, 0.4]), np.array([1.0, 8.0]))
    assert short > long


def test_a_calibration_that_changes_nothing() -> None:
    p = np.array([0.2, 0.9])
    assert PairCalibration().of_dialogue(p, np.array([1.0, 5.0])) == pytest.approx(p)


# --- training and evaluation


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random RoBERTa that knows the words of the toy data."""
    torch = pytest.importorskip("torch", reason="needs the extra 'train'")
    transformers = pytest.importorskip("transformers", reason="needs the extra 'train'")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    names = ["<s>", "<pad>", "</s>", "<unk>"]
    words = [*THINGS, "i", "love", "hate", "like", "he", "saw", "a", "film", "with", "you", "not"]
    vocabulary = {word: i for i, word in enumerate(names + words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    torch.manual_seed(0)
    config = transformers.RobertaConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=140, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("backbone")
    model = transformers.RobertaModel(config, add_pooling_layer=False)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.mul_(20)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, backbone: Path, tmp_path_factory: pytest.TempPathFactory):
    """The folder of a whole run, and its metrics."""
    pytest.importorskip("onnx", reason="needs the extra 'train'")
    from persona_lab.training.nli_run import train_contradiction

    out = tmp_path_factory.mktemp("run")
    lines: list[str] = []
    metrics = train_contradiction(data, out, QUICK, backbone=str(backbone), tell=lines.append)
    assert sum(line.startswith("block") for line in lines) == 2
    return out, metrics


def test_a_run_learns_what_was_planted(trained) -> None:
    _, metrics = trained
    assert metrics["test"]["decode"]["accuracy"]["value"] > 0.9
    assert metrics["test"]["decode"]["auc"]["value"] > 0.95
    assert metrics["int8_check"]["same_class"] > 0.9
    assert metrics["loss"][1] < metrics["loss"][0]


def test_what_an_earlier_round_has_seen_is_not_held_out(trained, data: Path) -> None:
    from persona_lab.training.nli_questions import questions_of
    from persona_lab.training.nli_seen import seen_by, unseen

    seen = seen_by(trained[0] / "contradiction")
    other = load_corpora(data, QUICK.seed + 1)  # held out there is another part of the data
    kept = unseen(other, seen)
    assert kept.pairs["train"] == other.pairs["train"]
    for split in ("validation", "test"):
        assert len(kept.cases[split]) < len(other.cases[split])
        assert not any(key in seen for q in questions_of(kept, split) for key in q.keys)
        assert not any(p.key in seen for some in kept.pairs[split].values() for p in some)
    lost = kept.facts["seen_before"]
    assert lost["test"]["dialogues"] == len(other.cases["test"]) - len(kept.cases["test"])
    with pytest.raises(TrainingError, match="does not tell what the model has seen"):
        seen_by(data)


def test_the_card_is_what_the_metrics_say(trained) -> None:
    folder = trained[0] / "contradiction"
    card = (folder / "README.md").read_text("utf-8")
    assert write_card(folder) == card
    value = 100 * trained[1]["test"]["decode"]["accuracy"]["value"]
    assert f"| **DECODE dialogues** | {trained[1]['test']['decode']['n']} |" in card
    assert f"{value:.1f} [" in card and "CC BY-NC-SA" in card


def test_rows_that_were_trained_on_are_kept_apart(trained, data: Path) -> None:
    folder = trained[0] / "contradiction"
    result = evaluate_contradiction(data / "decode", "decode", model=folder, n_boot=20)
    corpora = load_corpora(data)
    assert result["n"] == len(corpora.cases["test"])
    assert result["seen_in_training"]["n"] == 160 - result["n"]
    assert result["accuracy"]["value"] == trained[1]["test"]["decode"]["accuracy"]["value"]
    assert (result["task"], result["format"], result["unscored"]) == ("contradiction", "decode", {})
    one_file = evaluate_contradiction(
        data / "decode" / "dev.label", "decode", model=folder, n_boot=20
    )
    assert one_file == result
    some, same, other = (
        evaluate_contradiction(
            data / "decode", "decode", model=folder, n_boot=20, sample=40, seed=seed
        )
        for seed in (1, 1, 2)
    )
    assert some["n"] + some["seen_in_training"]["n"] == 40
    assert some == same and some != other
    (folder / KEYS_FILE).rename(folder / "away")
    assert training_keys(folder) == set()
    (folder / "away").rename(folder / KEYS_FILE)


def test_what_cannot_be_scored_is_counted(trained, tmp_path: Path) -> None:
    folder = trained[0] / "contradiction"
    rows = [
        {"premise": "i love jazz", "hypothesis": "i hate jazz", "label": "contradiction"},
        {"premise": "i love jazz", "hypothesis": "i like jazz", "label": "not_contradiction"},
        {"premise": "i love jazz", "hypothesis": "i do not like jazz", "label": "neutral"},
        {"premise": "i love jazz", "hypothesis": "tea", "label": "not_entailment"},
        {"premise": "i love jazz", "hypothesis": " ", "label": "neutral"},
        {"premise": "我真的很喜欢狗", "hypothesis": "我不喜欢狗。", "label": "contradiction"},
        {"premise": "i love jazz"},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    result = evaluate_contradiction(file, "nli", model=folder, n_boot=20)
    assert result["n"] == 3
    assert result["unscored"] == {
        "label_leaves_it_open": 1, "blank": 1, "language": 1, "unreadable": 1,
    }  # fmt: skip
    assert result["three_way"]["n"] == 2
    assert result["negation"]["negated"]["neutral"]["n"] == 1
    assert result["negation"]["plain"]["contradiction"]["n"] == 1


def test_chinese_dialogues_are_left_unscored(trained, tmp_path: Path) -> None:
    rows = [{"u1": "你好", "b1": "我养狗", "u2": "真的吗", "b2": "我没有狗", "label": 3}] * 2
    rows += [{"b1": "我养狗", "b2": "我没有狗", "label": 1}]
    file = tmp_path / "cdconv.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    result = evaluate_contradiction(file, "cdconv", model=trained[0] / "contradiction")
    assert result["n"] == 0 and result["unscored"] == {"language": 2, "within_one_turn": 1}
    assert result["accuracy"] == {"value": None, "low": None, "high": None}
    json.dumps(result, allow_nan=False)


def test_evaluation_says_what_is_wrong(trained, tmp_path: Path) -> None:
    folder = trained[0] / "contradiction"
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(TrainingError, match="decode, nli, cdconv"):
        evaluate_contradiction(tmp_path, "other", model=folder)
    with pytest.raises(InputError, match="holds no rows"):
        evaluate_contradiction(tmp_path / "empty.jsonl", "decode", model=folder)
    with pytest.raises(InputError, match="cannot be read"):
        evaluate_contradiction(tmp_path / "nowhere", "decode", model=folder)
    (tmp_path / "empty.jsonl").unlink()
    with pytest.raises(FormatError, match="is it DECODE"):
        evaluate_contradiction(tmp_path, "decode", model=folder)


def test_a_killed_run_ends_as_if_it_had_not_been(
    data: Path, backbone: Path, tmp_path: Path
) -> None:
    from persona_lab.training.backbone import load_backbone
    from persona_lab.training.nli_train import train_pairs

    corpora = load_corpora(data)
    drawer = Drawer(corpora.pairs["train"], corpora.fillers, replace(QUICK, pairs=320))
    model, tokenizer = load_backbone(backbone)

    class Killed(Exception):
        pass

    def kill(line: str) -> None:
        raise Killed

    def run(folder: Path, tell=lambda line: None):
        return train_pairs(
            model, tokenizer, drawer, folder, judge=lambda network: {}, tell=tell
        )  # fmt: skip

    whole, _ = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", kill)
    resumed, facts = run(tmp_path / "killed")
    assert len(facts["loss"]) == 2
    for name, tensor in whole.tensors().items():
        assert np.allclose(tensor.detach(), resumed.tensors()[name].detach(), atol=1e-6), name
    other = replace(drawer, settings=replace(drawer.settings, seed=1))
    with pytest.raises(TrainingError, match="another one"):
        train_pairs(model, tokenizer, other, tmp_path / "killed", judge=lambda network: {})


def test_a_student_learns_what_a_teacher_reads(
    trained, data: Path, backbone: Path, tmp_path: Path
) -> None:
    from persona_lab.training.nli_network import PairNetwork
    from persona_lab.training.nli_teacher import open_teacher, read_by, unjudged

    out, _ = trained
    teacher, corpora = open_teacher(out, QUICK), load_corpora(data)
    drawn = unjudged(corpora.talks, 60)
    assert len({pair.key for pair in drawn}) == len(drawn) == 60
    pairs = corpora.pairs["train"]["decode"][:200]
    lines: list[str] = []
    read = read_by([teacher], pairs, tmp_path, tell=lines.append)
    assert [pair.key for pair in read] == [pair.key for pair in pairs]
    told = np.array([pair.read for pair in read])
    assert np.allclose(told.sum(axis=1), 1, atol=1e-5)
    assert told.argmax(axis=1).std() > 0  # it tells some from others
    assert read_by([teacher], pairs, tmp_path, tell=lines.append) == read
    assert len(lines) == 1  # the second time it is only looked up
    with pytest.raises(TrainingError, match="of other pairs"):
        read_by([teacher], pairs[1:], tmp_path)

    from persona_lab.training.backbone import load_backbone
    from persona_lab.training.nli_train import train_pairs

    settings = replace(QUICK, pairs=1600, blocks=1)
    student, _ = train_pairs(
        *load_backbone(backbone), Drawer({"read": read}, [], settings), tmp_path / "work",
        judge=lambda network: {},
    )  # fmt: skip
    assert isinstance(student, PairNetwork)
    said = student.predict([(pair.premise, pair.hypothesis) for pair in read]).argmax(axis=1)
    assert (said == told.argmax(axis=1)).mean() > 0.8
    with pytest.raises(TrainingError, match="not the --out folder"):
        open_teacher(tmp_path / "nothing", QUICK)


def test_the_command(data: Path, backbone: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra 'train'")
    from persona_lab.cli.train_nli import command

    app = typer.Typer()
    app.command()(command)
    given = [
        "--data", str(data), "--out", str(tmp_path), "--pairs", "64", "--batch", "16",
        "--backbone", str(backbone), "--json",
    ]  # fmt: skip
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["settings"]["pairs"] == 64
    assert (tmp_path / "contradiction" / CONFIG).is_file()


def test_the_bundled_model_can_be_trained_further() -> None:
    pytest.importorskip("torch", reason="needs the extra 'train'")
    pytest.importorskip("onnx", reason="needs the extra 'train'")
    from persona_lab.consistency.nli_model import find_folder
    from persona_lab.training.dequantize import network_of

    tensors = network_of(find_folder())
    layers = {int(name.split(".")[1]) for name in tensors if name.startswith("layer.")}
    assert layers == set(range(6))
    for name, tensor in tensors.items():
        assert bool(tensor.isfinite().all()), name
        if name.endswith("LayerNorm.weight"):
            assert 0.1 < float(tensor.abs().mean()) < 10, name
