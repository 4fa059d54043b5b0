"""Scoring chunks on a Ray cluster: a Ray Data pipeline with a pool of actors.

The inputs are read in one task on the node that asked for the run, where the files are,
and stream from there: Ray holds the reading back while the actors are busy. Each actor
loads the model once. What an actor or node was working on when it died is read and scored
again; chunks come back in their order.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from persona_lab.encoding.device import THREADS_VARIABLE
from persona_lab.errors import InputError, MissingExtraError, PersonaLabError
from persona_lab.filtering.reading import Chunk, RowReader
from persona_lab.filtering.scorer import Columns, PersonalityScorer, ScorerSettings

if TYPE_CHECKING:
    import pyarrow as pa

_MESSAGE = "message"
_BLOCK_BYTES = 1 << 16
"""Ray joins what a task yields into blocks of this size; a chunk is larger."""


@dataclass(frozen=True, slots=True)
class _Message:
    """What travels through the pipeline.

    Attributes:
        chunk: with texts on the way to an actor; without rows in the last message.
        count: rows read so far.
        stops: as of the reader.
        problem: why reading stopped, in the last message.
        columns: scores, on the way back.
    """

    chunk: Chunk
    count: int
    stops: dict[int, int]
    problem: str = ""
    columns: Columns = field(default_factory=dict)


class ChunkScorer:
    """What the actors run: :class:`PersonalityScorer` on the chunks of a run."""

    def __init__(self, settings: ScorerSettings) -> None:
        """Load the model, once an actor."""
        self._scorer = PersonalityScorer(settings=settings)
        self._scorer.warm_up()

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Put the columns of scores in the place of the texts."""
        return _table([self._scored(_unpack(message)) for message in batch[_MESSAGE]])

    def _scored(self, message: _Message) -> _Message:
        todo = message.chunk.to_score
        columns = self._scorer.score(todo) if todo else {}
        return replace(message, chunk=message.chunk.without_texts(), columns=columns)


def score_chunks_on_ray(
    reader: RowReader, done: Set[int], scorer: PersonalityScorer, workers: int
) -> Iterator[tuple[Chunk, Columns]]:
    """Score all chunks of the inputs on the Ray cluster, or on one started here.

    Args:
        reader: is sent to the node of this process and read there.
        done: numbers of chunks that need no scoring; their columns are empty.
        scorer: its settings are sent to the actors.
        workers: actors, one processor each.

    Yields:
        Each chunk (without texts) and its columns, in order.

    Raises:
        MissingExtraError: Ray is not installed.
        PersonaLabError: what went wrong in a task; or the cluster failed.
    """
    try:
        import ray
        from ray.data import ActorPoolStrategy, DataContext, read_datasource
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "ray", "ray", "--engine ray") from error

    from persona_lab.filtering.ray_source import ChunkSource

    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level=logging.WARNING)
    context = DataContext.get_current()
    before = context.target_max_block_size, context.execution_options.preserve_order
    progress = context.enable_progress_bars
    context.target_max_block_size = _BLOCK_BYTES
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    here = {"ray.io/node-id": ray.get_runtime_context().get_node_id()}
    try:
        dataset = read_datasource(
            ChunkSource(reader, frozenset(done)),
            override_num_blocks=1,
            num_cpus=0,
            label_selector=here,
        ).map_batches(
            ChunkScorer,
            fn_constructor_args=[scorer.settings],
            batch_size=1,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(size=workers),
            num_cpus=1,
            runtime_env={"env_vars": {THREADS_VARIABLE: "1"}},
        )
        for batch in dataset.iter_batches(batch_size=1, batch_format="pyarrow"):
            message = _unpack(batch[_MESSAGE][0])
            if message.problem:
                raise InputError(message.problem)
            reader.count, reader.stops = message.count, message.stops
            if message.chunk.rows:
                yield message.chunk, message.columns
    except ray.exceptions.RayError as error:
        raise _ours(error) from error
    finally:
        context.target_max_block_size, context.execution_options.preserve_order = before
        context.enable_progress_bars = progress


def read_messages(reader: RowReader, done: Set[int]) -> Iterator[pa.Table]:
    """The chunks of the inputs as one-row tables; a last one without rows tells the end.

    Args:
        reader: of the inputs.
        done: numbers of chunks whose texts are not needed.
    """
    number, problem = 0, ""
    try:
        for chunk in reader.chunks():
            number = chunk.number + 1
            needed = chunk.without_texts() if chunk.number in done else chunk
            yield _table([_Message(needed, reader.count, reader.stops)])
    except PersonaLabError as error:
        problem = str(error)  # an exception of ours would come out of Ray as one of its own
    yield _table([_Message(Chunk(number, ()), reader.count, reader.stops, problem)])


def _table(messages: list[_Message]) -> pa.Table:
    import pyarrow as pa
    from ray.cloudpickle import dumps

    packed: list[bytes] = [dumps(message) for message in messages]  # type: ignore[no-untyped-call]
    return pa.table({_MESSAGE: pa.array(packed, pa.large_binary())})


def _unpack(message: Any) -> _Message:
    from ray.cloudpickle import loads

    found: _Message = loads(message.as_py())
    return found


def _ours(error: BaseException) -> PersonaLabError:
    """Our own error behind one of Ray's, else a line about the cluster."""
    cause: BaseException | None = error
    while cause is not None:
        inner = getattr(cause, "cause", None) or cause.__cause__
        if isinstance(inner, PersonaLabError):
            return inner
        cause = inner
    first = str(error).strip().splitlines()
    return PersonaLabError(
        f"the Ray run failed ({type(error).__name__}: {first[0] if first else ''}); what was "
        "scored is kept, run again with --resume"
    )
