"""The files of an encoder: which to open, how, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from persona_lab.encoding.device import cuda_device_present, integer_products_saturate
from persona_lab.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Device = Literal["auto", "cpu", "cuda"]
"""Where to compute; ``auto`` is CUDA if there is a device and the float file, else CPU."""

Precision = Literal["auto", "int8", "fp32"]
"""Which file to open; ``auto`` is fp32 on CUDA and int8 on a CPU, if both are there."""

FORMAT = 1
"""Version of the encoder files this code reads; an encoder file names its own."""

ENCODER_FILE = "encoder.onnx"
"""The encoder, on 8-bit integers."""

FLOAT_ENCODER_FILE = "encoder-fp32.onnx"
"""The same encoder in float32, where it was kept: GPUs run it faster."""

TOKENIZER_FILE = "tokenizer.json"
"""In the format of the ``tokenizers`` library."""

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"


def choose_file(folder: Path, device: Device, precision: Precision) -> tuple[Path, str]:
    """Decide which file to open, and with which provider.

    Args:
        folder: a model's folder.
        device: where to compute.
        precision: which file is wanted.

    Returns:
        An existing file, and the name of an ONNX Runtime provider.

    Raises:
        ModelError: the folder or the file is missing, or CUDA is asked for and not there.
    """
    import onnxruntime

    if not folder.is_dir():
        raise ModelError(f"there is no model folder {str(folder)!r}")
    files = {"int8": folder / ENCODER_FILE, "fp32": folder / FLOAT_ENCODER_FILE}
    present = [name for name, file in files.items() if file.is_file()]
    wanted = present if precision == "auto" else [name for name in present if name == precision]
    if not wanted:
        file = FLOAT_ENCODER_FILE if precision == "fp32" else ENCODER_FILE
        raise ModelError(
            f"the model folder {str(folder)!r} has no {file}; write it with "
            "'persona-lab export'" + (" and keep_fp32" if precision == "fp32" else "")
        )
    cuda = cuda_device_present() and CUDA in onnxruntime.get_available_providers()
    if device == "cuda" and not cuda:
        raise ModelError(
            "CUDA was asked for, but there is no CUDA device or this onnxruntime has no "
            "CUDA provider; use device='cpu', or install a driver and onnxruntime-gpu"
        )
    use_cuda = device == "cuda" or (device == "auto" and cuda and "fp32" in wanted)
    preferred = "fp32" if use_cuda else "int8"
    name = preferred if preferred in wanted else wanted[0]
    return files[name], CUDA if use_cuda else CPU


def open_session(file: Path, provider: str) -> InferenceSession:
    """Open a session that runs each batch in one thread.

    Args:
        file: an ONNX file.
        provider: the ONNX Runtime provider to compute with.

    Raises:
        ModelError: the file is damaged, or needs a newer ONNX Runtime.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if integer_products_saturate():
        options.add_session_config_entry("session.x64quantprecision", "1")
    providers = [provider, CPU] if provider == CUDA else [provider]
    if provider == CUDA and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # finds CUDA and cuDNN installed as Python packages
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        message = str(error).lower()
        newer = any(word in message for word in ("opset", "ir_version", "ir version"))
        remedy = "upgrade onnxruntime" if newer else "it is damaged: fetch it again"
        reason = first_line(error)
        raise ModelError(f"{str(file)!r} cannot be opened: {remedy} ({reason})") from error


def read_tokenizer(folder: Path) -> Tokenizer:
    """Read the tokenizer of a model's folder.

    Raises:
        ModelError: it is missing, damaged, or needs a newer version of ``tokenizers``.
    """
    from tokenizers import Tokenizer

    file = folder / TOKENIZER_FILE
    if not file.is_file():
        raise ModelError(f"the model folder {str(folder)!r} has no {TOKENIZER_FILE}")
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(
            f"{str(file)!r} cannot be read: it is damaged, or needs a newer version of the "
            f"package 'tokenizers' ({first_line(error)})"
        ) from error


def check_facts(facts: Mapping[str, Any]) -> None:
    """Refuse files that are no encoder, and those of a later format.

    Args:
        facts: the metadata of an ONNX file.

    Raises:
        ModelError: as said.
    """
    version = str(facts.get("persona_lab_format", ""))
    if version.isdecimal() and int(version) > FORMAT:
        raise ModelError(
            f"this encoder has format {version} and this persona-lab reads up to {FORMAT}: "
            "upgrade persona-lab"
        )
    missing = {"persona_lab_format", "pad_id", "max_tokens", "dim", "precision"} - set(facts)
    if missing:
        raise ModelError(
            f"this ONNX file is no persona-lab encoder (it lacks {', '.join(sorted(missing))}); "
            "write one with 'persona-lab export'"
        )


def first_line(error: Exception) -> str:
    """The first line of an error, without the runtime's prefix."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
