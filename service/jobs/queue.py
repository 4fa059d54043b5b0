"""The queue: Huey on sqlite, or on Redis by one setting; its messages are JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from huey import Huey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

from service.config import Config

_NAME = "personalab-jobs"
_TASK = "work"


class JsonSerializer(Serializer):  # type: ignore[misc]
    """Messages as JSON: whoever can write into the queue cannot run code by it."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data._asdict() if isinstance(data, Message) else data).encode()

    def _deserialize(self, data: bytes) -> Any:
        found = json.loads(data)
        return Message(**found) if isinstance(found, dict) else found


class Queue:
    """Tells workers which jobs there are to do.

    Attributes:
        huey: for the consumer.
    """

    def __init__(self, config: Config, work: Callable[[str], None] | None = None) -> None:
        """Connect.

        Args:
            config: where the queue is.
            work: does the job of this id, in the process of a worker; None where jobs are
                only sent.
        """
        common: dict[str, Any] = {"results": False, "serializer": JsonSerializer()}
        if config.queue_url:
            self.huey: Huey = RedisHuey(_NAME, url=config.queue_url, **common)
        else:
            config.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = str(config.folder / "queue.sqlite")
            self.huey = SqliteHuey(_NAME, filename=file, timeout=20, **common)

        def work_on(id: str) -> None:
            (work or _nobody)(id)

        # the name that messages carry is made of this function's module: one for all processes
        self._task = self.huey.task(name=_TASK)(work_on)

    def send(self, id: str) -> None:
        """Tell the workers of a job."""
        self._task(id)

    def is_empty(self) -> bool:
        """Is no message waiting?"""
        return int(self.huey.pending_count()) == 0

    def work_on_all(self) -> int:
        """Do all jobs that wait, in this thread; returns how many messages there were."""
        count = 0
        while (task := self.huey.dequeue()) is not None:
            self.huey.execute(task)
            count += 1
        return count

    def close(self) -> None:
        """Let go of the connection."""
        self.huey.storage.close()


def _nobody(id: str) -> None:
    raise RuntimeError(f"this process only sends jobs, it cannot do {id}")
