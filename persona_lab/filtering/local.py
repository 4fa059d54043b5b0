"""Scoring chunks on one machine: reading, scoring and writing overlap, and order is kept."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence, Set
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice

from persona_lab.dialogue import Dialogue
from persona_lab.encoding.device import share_cores
from persona_lab.errors import PersonaLabError
from persona_lab.filtering.reading import Chunk, RowReader
from persona_lab.filtering.scorer import Columns, PersonalityScorer

_THREADS = 2
"""Threads of a run without worker processes: one cuts text while the other is encoding."""

_AHEAD = 2
"""Chunks read ahead of those that are being scored."""

_scorer: PersonalityScorer | None = None


def score_chunks(
    reader: RowReader, done: Set[int], scorer: PersonalityScorer, workers: int
) -> Iterator[tuple[Chunk, Columns]]:
    """Score all chunks of the inputs; at most a few are in memory at any time.

    Args:
        reader: reads in the calling thread, as needed.
        done: numbers of chunks that need no scoring; their columns are empty.
        scorer: what to score with.
        workers: processes; 1 scores in this process, as does an input of one chunk.

    Yields:
        Each chunk and its columns, in order.

    Raises:
        PersonaLabError: a worker process died.
    """
    scorer.warm_up()
    chunks = reader.chunks()
    head = list(islice(chunks, 2))
    alone = workers == 1 or len(head) < 2
    pool: Executor = ThreadPoolExecutor(_THREADS) if alone else _processes(scorer, workers)
    score = scorer.score if alone else _score
    limit = (_THREADS if alone else workers) + _AHEAD
    waiting: deque[tuple[Chunk, Future[Columns] | None]] = deque()
    try:
        for chunk in chain(head, chunks):
            todo = chunk.to_score
            skip = chunk.number in done or not todo
            waiting.append((chunk, None if skip else pool.submit(score, todo)))
            if len(waiting) >= limit:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())
    except BrokenProcessPool:
        raise PersonaLabError(
            "a worker process died, maybe for want of memory; run again with --resume and "
            "fewer --workers"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _result(chunk: Chunk, future: Future[Columns] | None) -> tuple[Chunk, Columns]:
    return chunk, {} if future is None else future.result()


def _processes(scorer: PersonalityScorer, workers: int) -> ProcessPoolExecutor:
    # a fork would copy locks that the threads of ONNX Runtime hold
    how = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, how, initializer=_begin, initargs=(scorer, workers))


def _begin(scorer: PersonalityScorer, workers: int) -> None:
    global _scorer
    share_cores(workers)
    _scorer = scorer


def _score(dialogues: Sequence[Dialogue]) -> Columns:
    if _scorer is None:
        raise RuntimeError("the worker was not set up")
    return _scorer.score(dialogues)
