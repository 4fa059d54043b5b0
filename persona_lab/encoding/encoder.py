"""Segments to vectors with ONNX Runtime.

The encoder runs every segment once, in batches of segments of like length, and the order
and company of the segments make no difference to their vectors.

On a CPU each batch runs in one thread and several batches run at the same time. That is
faster than to share each batch among the threads, whose small operations leave them
waiting for each other, above all where other programs want the processors too; and the
number of processors has no part in the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from persona_lab.encoding.device import usual_threads
from persona_lab.encoding.files import (
    CUDA,
    Device,
    Precision,
    check_facts,
    choose_file,
    first_line,
    open_session,
    read_tokenizer,
)
from persona_lab.encoding.segment import Segmenter
from persona_lab.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

_CPU_BATCH_TOKENS = 512
_CUDA_BATCH_TOKENS = 16_384
_WINDOW = 2048
_MINILM_HIDDEN = 384
_VECTORS, _TOKENS = "vectors", "tokens"
"""The file's outputs."""


class Encoder:
    """Turns segments of tokens into vectors.

    Attributes:
        dim: length of a vector.
        max_tokens: the longest segment, special tokens included.
        provider: name of the ONNX Runtime provider that computes.
        precision: ``int8`` or ``fp32``, as the file says.
        hidden: length of one layer's part of a vector. The last ``hidden`` numbers are the
            last layer's, which of a sentence encoder tell how alike two texts' meanings are.
    """

    def __init__(self, session: InferenceSession, tokenizer: Tokenizer, threads: int = 1) -> None:
        """Wrap an open session; :meth:`load` is the usual way.

        Args:
            session: may be run by several threads at once.
            tokenizer: of the same model.
            threads: batches to run at the same time; on a GPU it is always one.

        Raises:
            ModelError: the session's file is no encoder, or made by a newer version.
        """
        facts = session.get_modelmeta().custom_metadata_map
        check_facts(facts)
        self._session = session
        self._tokenizer = tokenizer
        self._pad = int(facts["pad_id"])
        self.max_tokens = int(facts["max_tokens"])
        self.dim = int(facts["dim"])
        self.precision = facts["precision"]
        self.hidden = int(facts.get("hidden", 0)) or _hidden(self.dim)
        self.provider: str = session.get_providers()[0]
        self._threads = 1 if self.provider == CUDA else max(1, threads)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        threads: int | None = None,
    ) -> Encoder:
        """Open the encoder in a model's folder.

        Args:
            folder: with ``encoder.onnx`` or ``encoder-fp32.onnx``, and ``tokenizer.json``.
            device: where to compute.
            precision: which of the files to open. ``auto`` is int8 on a CPU and fp32 on
                a GPU, and whichever is there if it is the only one. Their vectors differ
                slightly, so pin it where scores must be the same everywhere.
            threads: batches to run at the same time on a CPU; by default as many as
                there are processors this process may use, or as ``PERSONA_LAB_THREADS``
                says.

        Returns:
            The encoder, ready to run.

        Raises:
            ModelError: a file is missing, damaged, no encoder, or made by a newer
                version; or CUDA was asked for and is not there.
        """
        folder = Path(folder)
        file, provider = choose_file(folder, device, precision)
        session, tokenizer = open_session(file, provider), read_tokenizer(folder)
        encoder = cls(session, tokenizer, threads or usual_threads())
        if device == "cuda" and encoder.provider != CUDA:
            raise ModelError(
                "CUDA was asked for and there is a device, but ONNX Runtime cannot use it: "
                "install the CUDA and cuDNN versions it wants, or use device='cpu'"
            )
        return encoder

    @cached_property
    def segmenter(self) -> Segmenter:
        """Cuts text into segments that this encoder takes."""
        return Segmenter(self._tokenizer, max_tokens=self.max_tokens)

    def encode(
        self, segments: Sequence[Sequence[int]], *, batch_tokens: int | None = None
    ) -> NDArray[np.float32]:
        """Encode segments; a segment's vector does not depend on the others.

        Args:
            segments: token ids with special tokens, 1 to ``max_tokens`` each.
            batch_tokens: tokens in one batch, padding included, or one segment if that
                has more. Changes speed and memory only. By default 16,384 on a GPU and
                512 on a CPU, where larger batches leave the cache and are slower; less
                where that leaves a processor without a batch.

        Returns:
            Float32 ``(n_segments, dim)``, row ``i`` for segment ``i``.

        Raises:
            ModelError: a token id is not in the model's vocabulary.
            ValueError: a segment is empty or too long, or ``batch_tokens`` is below 1.
        """
        if batch_tokens is not None and batch_tokens < 1:
            raise ValueError(f"batch_tokens is {batch_tokens}; it must be 1 or more")
        return self._encode(segments, batch_tokens, traced=False)[0]

    def encode_traced(
        self, segments: Sequence[Sequence[int]]
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """Encode segments, and tell what each token adds along the file's directions.

        Args:
            segments: as for :meth:`encode`.

        Returns:
            Vectors as of :meth:`encode`, and for each segment ``(n_tokens, n_directions)``,
            special tokens included; the mean over the tokens is the vector along each
            direction.

        Raises:
            ModelError: the file was written without directions.
            ValueError: as for :meth:`encode`.
        """
        if _TOKENS not in [output.name for output in self._session.get_outputs()]:
            raise ModelError("this encoder's file does not trace tokens; export it anew")
        return self._encode(segments, None, traced=True)

    def _encode(
        self, segments: Sequence[Sequence[int]], batch_tokens: int | None, *, traced: bool
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        lengths = [len(segment) for segment in segments]
        for index, length in enumerate(lengths):
            if not 1 <= length <= self.max_tokens:
                raise ValueError(
                    f"segment {index} has {length} tokens; this encoder takes 1 to "
                    f"{self.max_tokens}: cut texts with Encoder.segmenter"
                )
        batches = _batches(lengths, batch_tokens or self._usual_batch(sum(lengths)))
        vectors = np.empty((len(segments), self.dim), dtype=np.float32)
        tokens = [np.empty((0, 0), np.float32)] * (len(segments) if traced else 0)

        def run(batch: list[int]) -> None:
            found = self._run([segments[index] for index in batch], traced=traced)
            vectors[batch] = found[0]
            if traced:
                for index, rows in zip(batch, found[1], strict=True):
                    tokens[index] = rows[: lengths[index]]

        if self._threads == 1 or len(batches) < 2:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(min(self._threads, len(batches))) as pool:
                list(pool.map(run, batches))  # the list makes errors come out
        return vectors, tokens

    def encode_stream(
        self, segments: Iterable[Sequence[int]], *, batch_tokens: int | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Encode any number of segments in constant memory.

        Args:
            segments: read 2,048 at a time; sorting by length happens among those.
            batch_tokens: as in :meth:`encode`.

        Yields:
            Float32 ``(dim,)`` for each segment, in order.

        Raises:
            ModelError: as in :meth:`encode`.
            ValueError: as in :meth:`encode`; the index counts within the 2,048.
        """
        source = iter(segments)
        while window := list(islice(source, _WINDOW)):
            yield from self.encode(window, batch_tokens=batch_tokens)

    def _usual_batch(self, tokens: int) -> int:
        """Tokens in a batch where the caller does not say."""
        if self.provider == CUDA:
            return _CUDA_BATCH_TOKENS
        return max(1, min(_CPU_BATCH_TOKENS, -(-tokens // self._threads)))

    def _run(self, batch: Sequence[Sequence[int]], *, traced: bool) -> list[NDArray[np.float32]]:
        """Pad one batch on the right and run it."""
        shape = (len(batch), max(map(len, batch)))
        ids = np.full(shape, self._pad, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for row, segment in enumerate(batch):
            ids[row, : len(segment)] = segment
            mask[row, : len(segment)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask}
        try:
            found: list[NDArray[np.float32]] = self._session.run(
                [_VECTORS, _TOKENS] if traced else [_VECTORS], inputs
            )
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise ModelError(
                f"the encoder cannot run on token ids {ids.min()} to {ids.max()}; "
                f"do encoder and tokenizer belong together? ({first_line(error)})"
            ) from error
        return found


def _hidden(dim: int) -> int:
    """The size of a layer where the file does not tell: MiniLM's, if it goes into ``dim``."""
    return _MINILM_HIDDEN if dim % _MINILM_HIDDEN == 0 else dim


def _batches(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Group indices by falling length, each group's padded size within the budget."""
    batches: list[list[int]] = []
    room = 0
    for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if room < 1:
            batches.append([])
            room = max(1, batch_tokens // lengths[index])
        batches[-1].append(index)
        room -= 1
    return batches
