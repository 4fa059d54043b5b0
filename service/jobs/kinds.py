"""Kinds of jobs: what each is given, and who does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from service.config import Config


class JobRun(Protocol):
    """What a kind of job has at hand while it runs."""

    @property
    def config(self) -> Config:
        """Settings of the service."""

    @property
    def body(self) -> Mapping[str, Any]:
        """What was asked, as it was checked when it came."""

    @property
    def folder(self) -> Path:
        """A folder of its own, kept over attempts, deleted in the end."""

    def rows(self) -> list[dict[str, Any]]:
        """Result rows of earlier attempts."""

    def write(self, rows: Sequence[Mapping[str, Any]], *, done: int) -> None:
        """Keep result rows; ``done`` of the units are finished then.

        Raises:
            Stop: the job is to end here.
        """

    def set_total(self, total: int) -> None:
        """Correct the number of units."""

    def check(self) -> None:
        """Look whether to go on.

        Raises:
            Stop: the job is to end here.
        """

    def on_stop(self, call: Callable[[], None]) -> None:
        """Call this from another thread when the job is to stop."""


class Stop(Exception):
    """The job is to end here: it was cancelled, the worker is stopping, or the lease is lost."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job.

    Attributes:
        name: as in its address.
        run: does it; rows of earlier attempts are there, and it goes on after them.
    """

    name: str
    run: Callable[[JobRun], None]


def load_kinds() -> dict[str, Kind]:
    """All kinds by name; what they need is imported when they run."""
    from service.jobs import filters, interviews, psycot

    return {module.KIND.name: module.KIND for module in (psycot, filters, interviews)}
