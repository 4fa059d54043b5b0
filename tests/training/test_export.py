"""The written encoders compute what torch does, each segment for itself."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
transformers = pytest.importorskip("transformers", reason="needs the extra 'train'")
onnx = pytest.importorskip("onnx", reason="needs the extra 'train'")

from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers  # noqa: E402

from persona_lab.encoding import Encoder  # noqa: E402
from persona_lab.errors import TrainingError  # noqa: E402
from persona_lab.training import export  # noqa: E402
from persona_lab.training.export import export_encoder, mean_vectors  # noqa: E402
from persona_lab.training.quantize import channel_factors, quantize_columns  # noqa: E402

MAX_TOKENS = 40
NAMES = ["<s>", "<pad>", "</s>", "<unk>"]


def sentences(count: int, seed: int) -> list[str]:
    """Random sentences of 1 to 60 words."""
    dice = random.Random(seed)
    words = ["i", "you", "we", "love", "hate", "meet", "people", "order", "doubt", "calm", "new"]
    return [" ".join(dice.choices(words, k=dice.randint(1, 60))) + "." for _ in range(count)]


def make_tokenizer() -> Tokenizer:
    """A small byte-pair tokenizer with RoBERTa's special tokens."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=NAMES, show_progress=False)
    tokenizer.train_from_iterator(sentences(50, 0), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def make_model(**changes: object):
    """A random RoBERTa with weights and biases large enough to matter."""
    torch.manual_seed(0)
    settings = {
        "vocab_size": 120,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "type_vocab_size": 1,
        "pad_token_id": 1,
    }
    config = transformers.RobertaConfig(**(settings | changes))
    model = transformers.RobertaModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


@pytest.fixture(scope="module")
def model():
    """The model behind the exported files."""
    return make_model()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory: pytest.TempPathFactory):
    """The folder with both precisions, and the measured facts."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    facts = export_encoder(
        model,
        make_tokenizer(),
        folder,
        max_tokens=MAX_TOKENS,
        calibration_texts=sentences(80, 1),
        keep_fp32=True,
    )
    return folder, facts


@pytest.fixture(scope="module")
def segments(exported) -> list[tuple[int, ...]]:
    """Segments of 3 to 40 tokens the export has not seen, in mixed order."""
    segmenter = Encoder.load(exported[0], device="cpu").segmenter
    found = [s.token_ids for s in segmenter.segments(["i", *sentences(40, 2)], pack=False)]
    assert {len(s) for s in found} >= {3, 40}
    return found


@pytest.mark.parametrize("batch_tokens", [1, 100, 10_000])
def test_the_float_file_computes_what_torch_does(model, exported, segments, batch_tokens) -> None:
    encoder = Encoder.load(exported[0], device="cpu", precision="fp32")
    vectors = encoder.encode(segments, batch_tokens=batch_tokens)
    with torch.no_grad():
        for segment, vector in zip(segments, vectors, strict=True):
            hidden = model(input_ids=torch.tensor([segment])).last_hidden_state[0]
            np.testing.assert_allclose(vector, hidden.mean(dim=0).numpy(), atol=1e-5)


def test_the_integer_file_is_close_to_the_float_file(exported, segments) -> None:
    exact, rounded = (
        Encoder.load(exported[0], device="cpu", precision=name).encode(segments)
        for name in ("fp32", "int8")
    )
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
    assert ((exact * rounded).sum(axis=1) / lengths).min() > 0.995
    assert not np.array_equal(exact, rounded)


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_a_vector_depends_on_its_segment_alone(exported, segments, precision) -> None:
    encoder = Encoder.load(exported[0], device="cpu", precision=precision)
    together = encoder.encode(segments, batch_tokens=100_000)  # padded to the longest
    alone = np.concatenate([encoder.encode([segment]) for segment in segments])
    np.testing.assert_allclose(together, alone, atol=1e-5)

    order = random.Random(3).sample(range(len(segments)), len(segments))
    shuffled = encoder.encode([segments[index] for index in order], batch_tokens=77)
    np.testing.assert_allclose(shuffled, alone[order], atol=1e-5)

    # one extreme batch-mate would stretch a scale that the batch shares
    mate = (0, *[110] * (MAX_TOKENS - 2), 2)
    beside = encoder.encode([*segments[:5], mate], batch_tokens=100_000)
    np.testing.assert_allclose(beside[:5], alone[:5], atol=1e-5)


def test_the_facts_are_those_of_the_files(model, exported) -> None:
    folder, facts = exported
    assert facts["dim"] == 32
    assert facts["max_tokens"] == MAX_TOKENS
    assert facts["parameters"] == sum(p.numel() for p in model.parameters())
    assert facts["bytes_int8"] == (folder / "encoder.onnx").stat().st_size
    assert facts["bytes_fp32"] == (folder / "encoder-fp32.onnx").stat().st_size
    assert facts["max_difference_torch"] <= 1e-5
    assert facts["batch_mate_difference_int8"] <= 1e-5
    assert 0.995 < facts["cosine_min"] <= facts["cosine_mean"] <= 1
    assert facts["tokens_per_second_int8"] > 0
    assert sorted(file.name for file in folder.iterdir()) == [
        "encoder-fp32.onnx",
        "encoder.onnx",
        "tokenizer.json",
    ]
    assert list(folder.parent.iterdir()) == [folder]  # no scratch is left


def test_heavy_tables_are_stored_in_eight_bits(exported) -> None:
    graph = onnx.load(str(exported[0] / "encoder.onnx")).graph
    floats = [t for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    matrices = {t.name for t in floats if len(t.dims) == 2 and min(t.dims) > 1}
    assert matrices == {"positions"}


def test_the_model_is_not_changed_and_may_be_in_half_precision(tmp_path: Path) -> None:
    model = make_model().to(torch.bfloat16).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    facts = export_encoder(
        model, make_tokenizer(), tmp_path, max_tokens=16, calibration_texts=sentences(4, 1)
    )
    assert facts["max_difference_torch"] <= 1e-5
    assert model.training
    assert all(torch.equal(before[name], t) for name, t in model.state_dict().items())
    assert not (tmp_path / "encoder-fp32.onnx").exists()


@pytest.mark.parametrize("activation", ["gelu_new", "gelu_pytorch_tanh"])
def test_other_gelus_are_exported(tmp_path: Path, activation: str) -> None:
    facts = export_encoder(
        make_model(hidden_act=activation),
        make_tokenizer(),
        tmp_path,
        max_tokens=16,
        calibration_texts=sentences(20, 1),
    )
    assert facts["max_difference_torch"] <= 1e-4
    assert facts["cosine_min"] > 0.99


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_act": "silu"}, "'silu'"),
        ({"is_decoder": True}, "is_decoder=True"),
        ({"max_position_embeddings": 12}, "positions for 10 tokens, and max_tokens is 16"),
    ],
)
def test_models_that_cannot_be_exported_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        export_encoder(
            make_model(**changes),
            make_tokenizer(),
            tmp_path / "out",
            max_tokens=16,
            calibration_texts=["i love you"],
        )
    assert not (tmp_path / "out").exists()


def test_no_text_to_calibrate_with_is_an_error(model, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="calibration_texts holds no text"):
        export_encoder(model, make_tokenizer(), tmp_path, calibration_texts=["", " "])


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ("max_difference_torch", "differs from torch by 0.5"),
        ("batch_mate_difference_int8", "changes by 0.5 with its batch-mates"),
    ],
)
def test_a_file_that_computes_something_else_is_not_written(
    model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fact: str, message: str
) -> None:
    measure = export._measure
    monkeypatch.setattr(export, "_measure", lambda *given: measure(*given) | {fact: 0.5})
    with pytest.raises(TrainingError, match=message):
        export_encoder(
            model,
            make_tokenizer(),
            tmp_path / "out",
            max_tokens=16,
            calibration_texts=sentences(3, 1),
        )
    assert list(tmp_path.iterdir()) == []


def test_columns_are_rounded_to_half_a_step() -> None:
    weight = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    weight[:, 1] = 0
    weight[:, 2] *= 1000
    integers, scale = quantize_columns(weight)
    assert integers.dtype == np.int8
    assert np.abs(integers).max(axis=0).tolist() == [127, 0, 127, 127, 127]
    assert (np.abs(integers * scale - weight) <= scale / 2 * 1.001).all()


def test_channel_factors_follow_the_activations_but_not_the_padding(model) -> None:
    ids = torch.tensor([[0, 9, 30, 2, 1, 1], [0, 8, 7, 44, 9, 2]])
    mask = (ids != 1).long()
    factors = channel_factors(model, [(ids, mask)])
    assert sorted(factors) == ["0.attention", "0.intermediate", "1.attention", "1.intermediate"]

    seen = model.embeddings(input_ids=ids)[mask.bool()].abs().amax(dim=0).detach().numpy()
    layer = model.encoder.layer[0].attention.self
    parts = [layer.query, layer.key, layer.value]
    weights = np.max([p.weight.abs().amax(dim=0).detach().numpy() for p in parts], axis=0)
    expected = seen**0.65 / weights**0.35
    expected /= np.exp(np.log(expected).mean())
    np.testing.assert_allclose(factors["0.attention"], expected, rtol=1e-3)


def test_the_reference_leaves_out_padding(model) -> None:
    short, long = (0, 9, 2), (0, *range(10, 40), 2)
    np.testing.assert_allclose(
        mean_vectors(model, [short, long]),
        np.concatenate([mean_vectors(model, [short]), mean_vectors(model, [long])]),
        atol=1e-5,
    )


def make_nomic():
    """A random NomicBERT: rotary positions, a gated feed-forward block, no biases."""
    nomic = pytest.importorskip("transformers.models.nomic_bert", reason="needs transformers 5")
    torch.manual_seed(0)
    config = nomic.NomicBertConfig(
        vocab_size=120, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, head_dim=8,
        intermediate_size=64, max_position_embeddings=64, pad_token_id=1,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
    )  # fmt: skip
    model = nomic.NomicBertModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def test_a_model_with_rotary_positions_is_written_too(tmp_path: Path) -> None:
    facts = export_encoder(
        make_nomic(), make_tokenizer(), tmp_path, max_tokens=MAX_TOKENS,
        calibration_texts=sentences(60, 1),
    )  # fmt: skip
    assert facts["max_difference_torch"] < 1e-4
    assert facts["cosine_min"] > 0.99
    assert facts["batch_mate_difference_int8"] < 1e-4


def test_tokens_trace_what_a_vector_is_made_of(model, tmp_path: Path) -> None:
    directions = np.random.default_rng(0).standard_normal((32, 3)).astype(np.float32)
    export_encoder(
        model, make_tokenizer(), tmp_path, max_tokens=MAX_TOKENS,
        calibration_texts=sentences(60, 1), directions=directions,
    )  # fmt: skip
    encoder = Encoder.load(tmp_path)
    segments = [s.token_ids for s in encoder.segmenter.segments(sentences(9, 2), pack=False)]
    vectors, traces = encoder.encode_traced(segments)
    assert vectors == pytest.approx(encoder.encode(segments), abs=1e-5)
    for segment, vector, trace in zip(segments, vectors, traces, strict=True):
        assert trace.shape == (len(segment), 3)
        assert trace.mean(axis=0) == pytest.approx(vector @ directions, abs=1e-4)


def test_a_file_without_directions_traces_nothing(model, tmp_path: Path) -> None:
    export_encoder(
        model, make_tokenizer(), tmp_path, max_tokens=MAX_TOKENS,
        calibration_texts=sentences(60, 1),
    )  # fmt: skip
    with pytest.raises(TrainingError.__base__, match="does not trace tokens"):
        Encoder.load(tmp_path).encode_traced([[0, 2]])
