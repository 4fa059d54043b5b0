"""Child processes that are kept alive: web server and job workers under one parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

_CHECK_S = 0.2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_STABLE_S = 60.0
"""A child that lived this long was well; the next pause is short again."""

_STOPPING_S = 40.0


@dataclass(slots=True)
class _Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE_S
    not_before: float = 0.0
    deaths: int = field(default=0)


class Supervisor:
    """Starts commands, starts them anew when they end, and stops them together."""

    def __init__(self, tell: Callable[[str], None], environ: Mapping[str, str]) -> None:
        """Prepare.

        Args:
            tell: is told of children that ended.
            environ: of the children.
        """
        self._tell, self._environ = tell, dict(environ)
        self._children: list[_Child] = []
        self._stopping = False

    def add(self, name: str, module: str) -> None:
        """Keep a Python module running."""
        self._children.append(_Child(name, [sys.executable, "-m", module]))

    def run(self) -> int:
        """Run until a signal to stop, or until a child cannot be started at all.

        Returns:
            The exit code: 0 after a signal, else that of the child.
        """
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._on_signal)
        code = 0
        while not self._stopping:
            for child in self._children:
                code = self._look_after(child)
                if code:
                    self._stopping = True
                    break
            time.sleep(_CHECK_S)
        self._stop()
        return code

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stopping = True

    def _look_after(self, child: _Child) -> int:
        """Start a child that does not run; a code other than 0 to give up."""
        now = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                if child.deaths and now - child.started > _STABLE_S:
                    child.deaths, child.pause = 0, _FIRST_PAUSE_S
                return 0
            child.process = None
            child.deaths += 1
            if child.deaths == 1 and code > 0 and now - child.started < _STABLE_S / 6:
                return code  # it never came up: a port in use, a setting that cannot work
            self._tell(f"{child.name} ended with code {code}; it is started anew")
            child.not_before = now + child.pause
            child.pause = min(2 * child.pause, _LONGEST_PAUSE_S)
        if now >= child.not_before and not self._stopping:
            child.process = subprocess.Popen(child.command, env={**os.environ, **self._environ})
            child.started = now
        return 0

    def _stop(self) -> None:
        running = [c.process for c in self._children if c.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _STOPPING_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
