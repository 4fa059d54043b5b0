"""A process for each contender, which answers requests one after the other.

Thread pools and memory of the contenders do not meet, all of them stay loaded, and repeats
can alternate (A B C, A B C, ...), so that a slow minute of the machine hits all alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from speed.output import BenchmarkError

Handlers = Mapping[str, Callable[..., Any]]
"""What a worker can be asked: a name, and a function of JSON values."""


class Worker:
    """A process that answers one request after the other; see :func:`serve`."""

    def __init__(self, script: str, *arguments: str) -> None:
        """Start ``python script arguments``."""
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, script, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        self._name = " ".join(arguments)

    def ask(self, what: str, **given: Any) -> Any:
        """Ask for one of the worker's handlers and wait for the answer.

        Raises:
            BenchmarkError: it failed or died; its traceback is on stderr.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"what": what, "given": given}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise BenchmarkError(f"the worker {self._name!r} died; its last words are above")
        answer = json.loads(line)
        if "error" in answer:
            raise BenchmarkError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        """Let it end, and wait for that."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def serve(open_handlers: Callable[[], Handlers]) -> None:
    """Answer requests from stdin until it closes; the other side is :class:`Worker`.

    Args:
        open_handlers: loads what is needed, at the first request; a failure is answered.
    """
    # what libraries print must not get between the answers
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    handlers: Handlers | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            handlers = open_handlers() if handlers is None else handlers
            answer = {"value": handlers[request["what"]](**request["given"])}
        except Exception as error:  # whatever a contender raises is its result
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {str(error).strip()[:300]}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
