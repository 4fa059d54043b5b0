"""Fine-tuning learns, freezes what it must, resumes exactly, and refuses what differs."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
transformers = pytest.importorskip("transformers", reason="needs the extra 'train'")
pytest.importorskip("onnx", reason="needs the extra 'train'")

from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402

from persona_lab.errors import MissingExtraError, TrainingError  # noqa: E402
from persona_lab.training.corpora import BACKGROUND, Example, text_hash  # noqa: E402
from persona_lab.training.export import mean_vectors  # noqa: E402
from persona_lab.training.finetune import FineTuneSettings, fine_tune  # noqa: E402
from persona_lab.training.segments import Network, Targets, cut, draw, spread  # noqa: E402

NAMES = ["<s>", "<pad>", "</s>", "<unk>"]
WORDS = ["party", *(f"word{number}" for number in range(60))]

QUICK = FineTuneSettings(
    unfreeze=1,
    epochs=3,
    batch_texts=8,
    segments_per_text=2,
    learning_rate=3e-3,
    head_learning_rate=1e-2,
    patience=9,
    bf16=False,
    max_tokens=16,
)


def make_tokenizer() -> Tokenizer:
    """A tokenizer that knows a dozen words."""
    vocabulary = {word: i for i, word in enumerate(NAMES + WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def make_model(layers: int = 2):
    """A small random RoBERTa."""
    torch.manual_seed(0)
    config = transformers.RobertaConfig(
        vocab_size=len(NAMES + WORDS),
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=40,
        type_vocab_size=1,
        pad_token_id=1,
    )
    return transformers.RobertaModel(config, add_pooling_layer=False).eval()


def example(number: int, said: str, register: str = "essay", **labels: float) -> Example:
    """One labelled text; groups of two."""
    known = np.full(9, np.nan, np.float32)
    for name, value in labels.items():
        known[{"openness": 0, "extraversion": 2, "EI": 5}[name]] = value
    words = len(said.split())
    hashed = text_hash([said, str(number)])
    return Example(f"e{number}", register, (said,), known, known, f"g{number // 2}", words, hashed)


def corpus(count: int, seed: int = 0) -> list[Example]:
    """Texts of five segments of which each tells: introverts mention no party."""
    dice = random.Random(seed)
    found = []
    for number in range(count):
        label = dice.randint(0, 1)
        words = dice.choices(WORDS[1:], k=70)
        if label:
            words[::14] = ["party"] * 5
        found.append(example(number, " ".join(words), extraversion=label))
    return found


def weights(model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(first, second) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory):
    """An uninterrupted run of three epochs: weights and facts."""
    folder = tmp_path_factory.mktemp("run")
    model, facts = fine_tune(make_model(), make_tokenizer(), corpus(120), QUICK, folder=folder)
    return weights(model), facts, folder


def test_it_learns_the_word_that_decides(tmp_path: Path) -> None:
    # 61 words in 16 dimensions: a linear probe of random layers hardly sees one of them
    settings = replace(QUICK, unfreeze=2, epochs=8)
    examples = corpus(200)
    model, facts = fine_tune(make_model(), make_tokenizer(), examples, settings, folder=tmp_path)
    assert facts["loss"][-1] < 0.5 * facts["loss"][0]
    assert facts["auc"][0] < 0.92 < 0.97 < max(facts["auc"])
    assert facts["best_epoch"] == int(np.argmax(facts["auc"])) > 0
    assert len(facts["auc"]) == facts["epochs"] + 1 == len(facts["aucs"])
    assert facts["texts"] == {"train": 160, "validation": 40}
    assert facts["tokens_per_second"] > 0
    assert not model.training and model.dtype == torch.float32


def test_only_the_layers_asked_for_change(short_run) -> None:
    after, facts, _ = short_run
    before = weights(make_model())
    assert facts["best_epoch"] > 0
    for name, tensor in before.items():
        assert torch.equal(after[name], tensor) == ("layer.1." not in name), name


def test_nothing_is_trained_where_nothing_is_unfrozen(tmp_path: Path) -> None:
    settings = replace(QUICK, unfreeze=0)
    model, facts = fine_tune(make_model(), make_tokenizer(), corpus(120), settings, folder=tmp_path)
    assert same(weights(model), weights(make_model()))
    assert (facts["epochs"], facts["best_epoch"], len(facts["auc"])) == (0, 0, 1)


def test_the_model_given_is_not_changed(tmp_path: Path) -> None:
    given = make_model().train()
    before = weights(given)
    state = torch.get_rng_state()
    model, _ = fine_tune(given, make_tokenizer(), corpus(120), QUICK, folder=tmp_path)
    assert given.training and same(before, weights(given))
    assert torch.equal(state, torch.get_rng_state())
    assert len(model.encoder.layer) == 2
    assert model.encoder.layer[1].attention.self.dropout.p == 0.1
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("moment", [0.0, 0.4, 0.7])
def test_a_killed_run_ends_like_an_uninterrupted_one(short_run, tmp_path, moment: float) -> None:
    expected, facts, _ = short_run

    def kill(stage: str, share: float) -> None:
        if stage == "fine-tuning" and share > moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fine_tune(
            make_model(), make_tokenizer(), corpus(120), QUICK, folder=tmp_path, progress=kill
        )
    shares: list[float] = []
    model, again = fine_tune(
        make_model(),
        make_tokenizer(),
        corpus(120),
        QUICK,
        folder=tmp_path,
        progress=lambda stage, share: shares.append(share) if stage == "fine-tuning" else None,
    )
    assert min(shares) > moment // (1 / 3) / 3  # whole epochs are not repeated
    assert same(expected, weights(model))
    for name in ("auc", "aucs", "loss", "best_epoch"):
        assert again[name] == facts[name]


def test_a_finished_run_is_read_from_its_checkpoint(short_run) -> None:
    expected, facts, folder = short_run
    shares: list[float] = []
    model, again = fine_tune(
        make_model(),
        make_tokenizer(),
        corpus(120),
        QUICK,
        folder=folder,
        progress=lambda stage, share: shares.append(share),
    )
    assert same(expected, weights(model))
    assert again == facts
    assert shares == [0.0, 1.0]
    best = facts["best_epoch"]
    assert {file.name for file in folder.iterdir()} == {
        "checkpoint.json",
        "optimizer-3.pt",
        "weights-3.safetensors",
        f"weights-{best}.safetensors",
    }


def test_seeds_decide(short_run, tmp_path: Path) -> None:
    expected, facts, _ = short_run
    model, again = fine_tune(
        make_model(), make_tokenizer(), corpus(120), QUICK, folder=tmp_path / "same"
    )
    assert same(expected, weights(model)) and again["loss"] == facts["loss"]
    _, other = fine_tune(
        make_model(),
        make_tokenizer(),
        corpus(120),
        replace(QUICK, seed=1),
        folder=tmp_path / "other",
    )
    assert other["loss"] != facts["loss"]


@pytest.mark.parametrize("changed", ["settings", "examples", "model"])
def test_checkpoints_of_other_runs_are_refused(short_run, changed: str) -> None:
    folder = short_run[2]
    model = make_model()
    if changed == "model":
        with torch.no_grad():
            model.encoder.layer[0].output.dense.bias[0] += 1
    with pytest.raises(TrainingError, match=f"other {changed}: delete the folder .*run"):
        fine_tune(
            model,
            make_tokenizer(),
            corpus(120, seed=int(changed == "examples")),
            replace(QUICK, epochs=4) if changed == "settings" else QUICK,
            folder=folder,
        )


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.json").write_text("{", "utf-8")
    with pytest.raises(TrainingError, match=r"cannot be read: delete the folder"):
        fine_tune(make_model(), make_tokenizer(), corpus(120), QUICK, folder=tmp_path)


def test_it_stops_when_nothing_is_gained(tmp_path: Path) -> None:
    settings = replace(QUICK, learning_rate=0.0, head_learning_rate=0.0, epochs=9, patience=2)
    model, facts = fine_tune(make_model(), make_tokenizer(), corpus(120), settings, folder=tmp_path)
    assert (facts["epochs"], facts["best_epoch"]) == (2, 0)
    assert same(weights(model), weights(make_model()))


def mixed() -> list[Example]:
    """Two registers with different labels, and background."""
    essays = [example(n, "party word1", "essay", openness=n // 2 % 2) for n in range(40)]
    posts = [example(n, "word2 word3", "post", openness=n // 2 % 2, EI=n % 2) for n in range(10)]
    return [*essays, *posts, example(99, "word4", BACKGROUND)]


def test_registers_train_together(tmp_path: Path) -> None:
    _, facts = fine_tune(make_model(), make_tokenizer(), mixed(), QUICK, folder=tmp_path)
    assert sum(facts["texts"].values()) == 50
    assert set(facts["aucs"][0]) <= {"essay/openness", "post/openness", "post/EI"}


def test_registers_count_by_the_square_root_of_their_size() -> None:
    targets = Targets.of(mixed()[:50])
    assert targets.columns == [(None, 0), (None, 5), ("essay", 0), ("post", 0), ("post", 5)]
    sums = targets.weights[:40].sum(), targets.weights[40:].sum()
    assert sums[0] / sums[1] == pytest.approx(2.0)
    assert (~np.isnan(targets.labels)).sum(axis=0).tolist() == [50, 10, 40, 10, 10]


def test_unknown_labels_have_no_gradient() -> None:
    examples = mixed()[:50]
    targets, pieces = Targets.of(examples), cut(make_tokenizer(), examples, 16)
    network = Network(make_model(), 5, (1, 2), 1, False)
    rows = np.arange(7)  # essays only
    pooled = network.pooled([pieces[row] for row in rows])
    network.loss(pooled, targets.labels[rows], targets.weights[rows]).backward()
    moved = network.head["weight"].grad.abs().sum(dim=1) > 0
    assert moved.tolist() == [True, False, True, False, False]
    assert (network.head["bias"].grad != 0).tolist() == moved.tolist()


@pytest.mark.parametrize("layers", [(2,), (1,), (0, 2)])
def test_a_query_of_zero_is_the_mean_of_what_is_exported(layers: tuple[int, ...]) -> None:
    pieces = cut(make_tokenizer(), [*corpus(5), *mixed()[:2]], 16)
    network = Network(make_model(), 1, layers, 0, False)
    expected = [mean_vectors(make_model(), [p.tolist() for p in ps], layers) for ps in pieces]
    np.testing.assert_allclose(
        network.frozen(pieces), [vectors.mean(axis=0) for vectors in expected], atol=1e-5
    )
    dim = 16 * len(layers)
    query = np.random.default_rng(0).normal(size=dim).astype(np.float32)
    network.load({"head.query": query})
    shares = [np.exp(vectors @ query) for vectors in expected]
    np.testing.assert_allclose(
        network.frozen(pieces),
        [s @ v / s.sum() for s, v in zip(shares, expected, strict=True)],
        atol=1e-4,
    )


def test_segments_are_drawn_from_anywhere() -> None:
    pieces = [np.array([n], np.int32) for n in range(50)]
    dice = np.random.default_rng(0)
    seen = {int(piece[0]) for _ in range(100) for piece in draw(pieces, 4, dice)}
    assert seen == set(range(50))
    assert [int(p[0]) for p in spread(pieces, 5)] == [5, 15, 25, 35, 45]
    assert len(draw(pieces[:3], 4, dice)) == len(spread(pieces[:3], 4)) == 3


def test_bfloat16_and_lower_layers_train(tmp_path: Path) -> None:
    settings = replace(QUICK, bf16=True, unfreeze=1)
    model, facts = fine_tune(
        make_model(3), make_tokenizer(), corpus(120), settings, folder=tmp_path, layers=(1, 2)
    )
    after, before = weights(model), weights(make_model(3))
    changed = {name.split(".")[2] for name in before if not torch.equal(after[name], before[name])}
    assert changed == ({"1"} if facts["best_epoch"] else set())
    assert facts["bf16"] and model.dtype == torch.float32
    assert model(input_ids=torch.tensor([[0, 5, 2]])).last_hidden_state.shape == (1, 3, 16)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unfreeze": 3}, "unfreeze=3.* 2 layers in use"),
        ({"max_tokens": 128}, "takes 38 tokens"),
    ],
)
def test_settings_that_do_not_fit_the_model_are_refused(tmp_path, changes, message) -> None:
    settings = replace(QUICK, **changes)
    with pytest.raises(TrainingError, match=message):
        fine_tune(make_model(), make_tokenizer(), corpus(120), settings, folder=tmp_path)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (corpus(2), "labelled texts: give more groups"),
        ([example(n, "party", openness=1) for n in range(60)], "no trait has both poles"),
    ],
)
def test_too_little_data_is_an_error(tmp_path: Path, examples, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        fine_tune(make_model(), make_tokenizer(), examples, QUICK, folder=tmp_path)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(TrainingError, match="epochs is 0"):
        FineTuneSettings(epochs=0)
    with pytest.raises(TrainingError, match=r"dropout is 1\.0"):
        FineTuneSettings(dropout=1.0)


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"persona-lab\[train\]"):
        fine_tune(None, None, [], QUICK, folder=tmp_path)  # type: ignore[arg-type]
