"""The encoder's batching and errors, on a graph small enough to check by hand.

The graph gives the mean of a table's rows over the tokens, so that the vector of a segment
is known: the mean of ``(token, token squared)``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, processors

from persona_lab.encoding import Encoder, device, encoder, files
from persona_lab.errors import ModelError

onnx = pytest.importorskip("onnx", reason="writes an ONNX file")

VOCABULARY = 50
FACTS = {
    "persona_lab_format": "1",
    "precision": "int8",
    "dim": "2",
    "max_tokens": "8",
    "pad_id": "1",
}
Write = Callable[..., Path]


def write_encoder(file: Path, facts: dict[str, str], opset: int = 17) -> None:
    """A bag-of-tokens encoder with the inputs and output of a real one."""
    helper, types = onnx.helper, onnx.TensorProto
    tokens = np.arange(VOCABULARY, dtype=np.float32)
    constants = {"table": np.stack([tokens, tokens**2], axis=1), "axis": np.array([1])}
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=types.FLOAT),
        helper.make_node("ReduceSum", ["mask", "axis"], ["length"]),
        helper.make_node("Div", ["mask", "length"], ["share"]),
        helper.make_node("Unsqueeze", ["share", "axis"], ["share3"]),
        helper.make_node("MatMul", ["share3", "rows"], ["mean"]),
        helper.make_node("Squeeze", ["mean", "axis"], ["vectors"]),
    ]
    graph = helper.make_graph(
        nodes,
        "bag",
        [
            helper.make_tensor_value_info(name, types.INT64, ["batch", "length"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("vectors", types.FLOAT, ["batch", 2])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    helper.set_model_props(model, facts)
    onnx.save(model, str(file))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder with the small encoder and a tokenizer of numbers."""
    write_encoder(tmp_path / "encoder.onnx", FACTS)
    vocabulary = {"a": 0} | {str(number): number for number in range(1, VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="1"))
    tokenizer.add_special_tokens(["2", "3"])
    tokenizer.post_processor = processors.BertProcessing(("3", 3), ("2", 2))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


@pytest.fixture
def small(folder: Path) -> Encoder:
    """The small encoder, on the CPU."""
    return Encoder.load(folder, device="cpu", threads=1)


def expected(segments: list[list[int]]) -> np.ndarray:
    """Means of token and squared token."""
    return np.array([[np.mean(s), np.mean(np.square(s))] for s in segments], np.float32)


SEGMENTS = [[7], [2, 4, 6, 8, 10, 12, 14, 16], [1, 1, 1], [49, 0], [5, 5, 5, 5, 6], [3]]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("batch_tokens", [None, 1, 7, 8, 16, 1000])
def test_vectors_come_in_the_given_order(
    folder: Path, batch_tokens: int | None, threads: int
) -> None:
    encoder = Encoder.load(folder, device="cpu", threads=threads)
    vectors = encoder.encode(SEGMENTS, batch_tokens=batch_tokens)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected(SEGMENTS), rtol=1e-6)


def test_batches_keep_to_the_budget_and_hold_like_lengths(
    small: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []
    run = small._run

    def spy(batch: list[list[int]], *, traced: bool) -> list[np.ndarray]:
        shapes.append((len(batch), max(map(len, batch))))
        return run(batch, traced=traced)

    monkeypatch.setattr(small, "_run", spy)
    small.encode([[9] * n for n in (8, 2, 1, 8, 1, 2, 5)], batch_tokens=6)
    assert shapes == [(1, 8), (1, 8), (1, 5), (3, 2), (1, 1)]


def test_no_segments_give_no_vectors(small: Encoder) -> None:
    assert small.encode([]).shape == (0, 2)
    assert list(small.encode_stream([])) == []


def test_a_stream_is_read_in_windows(small: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_WINDOW", 4)
    read = 0

    def source():
        nonlocal read
        for segment in SEGMENTS:
            read += 1
            yield segment

    stream = small.encode_stream(source())
    first = next(stream)
    assert read == 4
    np.testing.assert_allclose([first, *stream], expected(SEGMENTS), rtol=1e-6)


@pytest.mark.parametrize(("segment", "length"), [([], 0), ([5] * 9, 9)])
def test_segments_of_a_wrong_length_are_named(
    small: Encoder, segment: list[int], length: int
) -> None:
    with pytest.raises(ValueError, match=f"segment 1 has {length} tokens.*1 to 8"):
        small.encode([[5], segment])


def test_a_batch_must_hold_a_token(small: Encoder) -> None:
    with pytest.raises(ValueError, match="batch_tokens is 0"):
        small.encode([[5]], batch_tokens=0)


@pytest.mark.parametrize("threads", [1, 2])
def test_tokens_outside_the_vocabulary_are_an_error(folder: Path, threads: int) -> None:
    encoder = Encoder.load(folder, device="cpu", threads=threads)
    with pytest.raises(ModelError, match="belong together"):
        encoder.encode([[5], [VOCABULARY], [6]], batch_tokens=1)


def test_the_usual_batch_leaves_no_processor_idle(folder: Path) -> None:
    encoder = Encoder.load(folder, device="cpu", threads=4)
    assert [encoder._usual_batch(tokens) for tokens in (0, 3, 80, 10_000)] == [1, 1, 20, 512]


def test_the_segmenter_makes_what_the_encoder_takes(small: Encoder) -> None:
    assert (small.dim, small.max_tokens, small.precision) == (2, 8, "int8")
    (segment,) = small.segmenter.segments(["a"])
    assert segment.token_ids == (2, 0, 3)
    np.testing.assert_allclose(small.encode([segment.token_ids])[0], [5 / 3, 13 / 3], rtol=1e-6)


def test_the_float_file_is_opened_where_asked_for(folder: Path) -> None:
    write_encoder(folder / "encoder-fp32.onnx", FACTS | {"precision": "fp32"})
    assert Encoder.load(folder, device="cpu").precision == "int8"
    assert Encoder.load(folder, device="cpu", precision="fp32").precision == "fp32"
    (folder / "encoder.onnx").unlink()
    assert Encoder.load(folder, device="cpu").precision == "fp32"
    with pytest.raises(ModelError, match=r"no encoder\.onnx"):
        Encoder.load(folder, device="cpu", precision="int8")


def test_missing_files_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder"):
        Encoder.load(tmp_path / "nowhere")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"no tokenizer\.json"):
        Encoder.load(folder)
    (folder / "encoder.onnx").unlink()
    with pytest.raises(ModelError, match=r"no encoder\.onnx"):
        Encoder.load(folder)


@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_damaged_encoders_are_an_error(
    folder: Path, content: bytes | None, capfd: pytest.CaptureFixture[str]
) -> None:
    file = folder / "encoder.onnx"
    file.write_bytes(file.read_bytes()[:-200] if content is None else content)
    with pytest.raises(ModelError):
        Encoder.load(folder, device="cpu")
    assert capfd.readouterr().err == ""


def test_a_damaged_tokenizer_is_an_error(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer\.json.*damaged"):
        Encoder.load(folder, device="cpu")


def test_files_of_a_later_version_ask_for_an_upgrade(folder: Path) -> None:
    write_encoder(folder / "encoder.onnx", FACTS | {"persona_lab_format": "2"})
    with pytest.raises(ModelError, match=r"format 2.*upgrade persona-lab"):
        Encoder.load(folder, device="cpu")
    write_encoder(folder / "encoder.onnx", FACTS, opset=99)
    with pytest.raises(ModelError, match="upgrade onnxruntime"):
        Encoder.load(folder, device="cpu")


def test_other_onnx_files_are_no_encoders(folder: Path) -> None:
    write_encoder(folder / "encoder.onnx", {})
    with pytest.raises(ModelError, match="no persona-lab encoder"):
        Encoder.load(folder, device="cpu")


def test_cuda_is_not_asked_for_where_there_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_encoder(folder / "encoder-fp32.onnx", FACTS | {"precision": "fp32"})
    monkeypatch.setattr(files, "cuda_device_present", lambda: False)
    assert Encoder.load(folder).provider == "CPUExecutionProvider"
    with pytest.raises(ModelError, match="no CUDA device"):
        Encoder.load(folder, device="cuda")
    assert capfd.readouterr().err == ""


def test_a_cuda_provider_that_cannot_start_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device without its libraries: ONNX Runtime falls back to the CPU by itself."""
    onnxruntime = pytest.importorskip("onnxruntime")
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: available)
    monkeypatch.setattr(files, "cuda_device_present", lambda: True)
    open_session = files.open_session
    monkeypatch.setattr(
        encoder, "open_session", lambda file, _: open_session(file, "CPUExecutionProvider")
    )
    with pytest.raises(ModelError, match="cannot use it"):
        Encoder.load(folder, device="cuda")
    assert Encoder.load(folder).provider == "CPUExecutionProvider"


def test_probing_for_a_device_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    device.cuda_device_present.cache_clear()
    assert device.cuda_device_present() in {True, False}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("machine", "flags", "saturates"),
    [
        ("x86_64", "flags : avx2 avx512f avx512_vnni", False),
        ("AMD64", "flags : avx2 avx_vnni", False),
        ("x86_64", "flags : avx2 avx512f", True),
        ("x86_64", None, True),
        ("aarch64", "", False),
    ],
)
def test_processors_that_clip_integer_sums_are_known(
    machine: str,
    flags: str | None,
    saturates: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    info = tmp_path / "cpuinfo"
    if flags is not None:
        info.write_text(flags)
    monkeypatch.setattr(device, "_CPU_INFO", info)
    monkeypatch.setattr(device.platform, "machine", lambda: machine)
    device.integer_products_saturate.cache_clear()
    try:
        assert device.integer_products_saturate() is saturates
    finally:
        device.integer_products_saturate.cache_clear()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="affinity is Linux's")
def test_threads_follow_the_processors_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {3, 5, 8})
    assert device.available_cores() == 3
