"""A program as a language model: ``command:PROGRAM ARGS``.

The program is started once and kept running. It reads one request a line on stdin,

    {"messages": [{"role": "user", "content": "Hi"}], "temperature": 0.0, "max_tokens": 256,
     "seed": 0, "top_logprobs": 0, "json_schema": null, "stop": []}

and writes one reply a line on stdout: a JSON string, an object with ``text`` (and any other
field of :class:`~persona_lab.llm.chat.ChatReply`), or ``{"error": "what went wrong"}``.
It gets one request at a time. What it writes to stderr is dropped.

A program that reads its input to the end before it answers is started anew for each request: if it
stays silent, its input is ended after a while, and the reply may then take several lines.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import Final

from persona_lab.llm.chat import ChatReply, ChatRequest
from persona_lab.llm.errors import LLMBadReply, LLMBadRequest, LLMError, LLMUnavailable
from persona_lab.llm.replies import (
    local_reply,
    message_records,
    quotable,
    request_arguments,
)

_END_S = 2.0
_SILENCE_S = 10.0
"""After so long without a first answer the program's input is ended, in case it waits for that."""

CONTRACT: Final = (
    'it must read one JSON request a line from stdin, {"messages": [{"role": "user", "content": '
    '"Hi"}], ...}, and write one reply a line to stdout, {"text": "Hello"} or "Hello" in '
    "quotation marks, and flush it"
)
"""What a program must do, for messages."""


class CommandModel:
    """A :class:`~persona_lab.llm.chat.ChatModel` that talks to a program."""

    context_length: int | None = None

    def __init__(
        self,
        command: str,
        *,
        name: str | None = None,
        timeout: float = 120.0,
        silence: float = _SILENCE_S,
    ) -> None:
        """Remember the program; it is started with the first request.

        Args:
            command: program and arguments as in a shell; no shell runs it.
            name: the model's name; ``command`` where it is None.
            timeout: seconds a reply may take; a program that takes longer is ended.
            silence: seconds after which its input is ended where nothing has come yet.

        Raises:
            LLMError: the command is empty or its quotes do not match.
        """
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise LLMError(f"cannot read the command {command!r}: {error}") from None
        if not self._arguments:
            raise LLMError("'command:' needs a program; write command:PROGRAM ARGS")
        self.name = name or command
        self._timeout, self._silence = timeout, silence
        self._answered = self._reads_to_end = False
        self._lock = threading.Lock()
        self._program: _Program | None = None

    def reply(self, request: ChatRequest) -> ChatReply:
        """Ask the program; starts it again if it has died.

        Raises:
            LLMUnavailable: it cannot be started, died, or took too long.
            LLMBadRequest: it answered with an error.
            LLMBadReply: its line is no JSON or holds no text.
        """
        line = json.dumps({"messages": message_records(request), **request_arguments(request)})
        with self._lock:
            start = time.perf_counter()
            answer = self._exchange(line)
            seconds = time.perf_counter() - start
        source = f"the program {self._arguments[0]}"
        try:
            given = json.loads(answer)
        except ValueError:
            raise LLMBadReply(f"{source} wrote a line that is no JSON; {CONTRACT}") from None
        if isinstance(given, dict) and "error" in given:
            raise LLMBadRequest(
                f"{source} answered with an error{quotable(given['error'], request)}"
            )
        return local_reply(given, request, source=source, model=self.name, seconds=seconds)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the program turned out to do in another way."""
        if not self._reads_to_end:
            return ()
        return (
            f"the program {self._arguments[0]} answers only when its input ends, so it is started "
            f"anew for each request; to keep it running {CONTRACT}",
        )

    def close(self) -> None:
        """End the program: its stdin is closed, and soon after it is killed."""
        program, self._program = self._program, None
        if program is not None:
            program.end(_END_S)

    def _exchange(self, line: str) -> str:
        if self._program is None:
            self._program = _Program(self._arguments)
        program = self._program
        try:
            if not self._reads_to_end:
                silence = None if self._answered else min(self._silence, self._timeout / 2)
                answer = program.exchange(line, self._timeout, silence)
                self._reads_to_end = program.input_ended
            else:
                answer = program.exchange(line, self._timeout, 0.0)
        except LLMUnavailable:
            # a late answer would be taken for the one to the next request
            program.end(0.0)
            self._program = None
            raise
        self._answered = True
        if program.input_ended:
            program.end(_END_S)
            self._program = None
        return answer


class _Program:
    """The running program; one line in, one line out."""

    def __init__(self, arguments: list[str]) -> None:
        self._label = f"the program {arguments[0]}"
        self.input_ended = False
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                errors="replace",
                # a group of its own: Ctrl-C is for us, and a wrapper ends with its children
                start_new_session=True,
            )
        except OSError as error:
            raise LLMUnavailable(
                f"cannot start {self._label}: {error.strerror}", retryable=False
            ) from None

    def exchange(self, line: str, timeout: float, silence: float | None) -> str:
        """Send one line and wait for one.

        Args:
            line: to send.
            timeout: seconds to wait.
            silence: seconds after which the input is ended if no line has come; then all that
                the program writes is its answer. None never ends it.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        late, ended = threading.Event(), threading.Event()

        def give_up() -> None:
            late.set()
            self.kill()

        def end_input() -> None:
            ended.set()
            with suppress(OSError, ValueError):
                self._process.stdin.close()  # type: ignore[union-attr]

        timers = [threading.Timer(timeout, give_up)]
        if silence:
            timers.append(threading.Timer(silence, end_input))
        for timer in timers:
            timer.daemon = True
            timer.start()
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            if silence == 0:
                end_input()
            answer = self._process.stdout.readline()
            if ended.is_set():
                answer += self._process.stdout.read()
        except (OSError, ValueError):
            answer = ""  # it ended, or close() was called meanwhile
        finally:
            for timer in timers:
                timer.cancel()
        self.input_ended = ended.is_set()
        if late.is_set():
            raise LLMUnavailable(
                f"{self._label} did not answer within {timeout:g} s; raise --timeout, or see that "
                f"{CONTRACT}"
            )
        if not answer:
            raise LLMUnavailable(
                f"{self._label} ended without an answer; run it by hand to see why: {CONTRACT}"
            )
        return answer

    def kill(self) -> None:
        """End it and whatever it started."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def end(self, patience: float) -> None:
        """Close its stdin, wait, and kill what is left."""
        if patience == 0.0:
            self.kill()
        with suppress(OSError, ValueError):
            # what it has not read is lost, as it should be
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(patience or None)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        with suppress(OSError, ValueError):
            self._process.stdout.close()  # type: ignore[union-attr]
