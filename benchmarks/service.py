"""Load on the service, against the library on the same machine.

    python benchmarks/service.py [--seconds 20] [--workers 2] [--json]

Prints a table: throughput of 32 clients with single dialogues against the offline batch,
latency of single short requests against the library's own, and what an overload of four
times as many clients meets. Server and clients share the machine.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from persona_lab.detectors import Request
from persona_lab.detectors.registry import load_detector
from persona_lab.dialogue import Dialogue
from persona_lab.formats import dialogue_record, read_dialogues
from persona_lab.samples import sample_path

CLIENTS = 32
OVERLOAD = 4 * CLIENTS
SHORT = "I love meeting new people, and I hate sitting still for long."


def samples() -> list[Dialogue]:
    with read_dialogues(str(sample_path())) as reader:
        return [d for d in reader if isinstance(d, Dialogue)]


def offline(seconds: float) -> tuple[float, list[float]]:
    """Dialogues a second of the library, and times of single short texts (s)."""
    detector = load_detector()
    requests = [Request.of(d, d.choose(None)[0]) for d in samples()]
    short = Request.of(Dialogue.from_text(SHORT), "author")
    list(detector.profiles(requests))
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        list(detector.profiles(requests * 4, frameworks=("bigfive",)))
        count += 4 * len(requests)
    rate = count / (time.perf_counter() - start)
    times = [timed(lambda: list(detector.profiles([short], frameworks=("bigfive",))))
             for _ in range(100)]  # fmt: skip
    return rate, times


def timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@dataclass
class Load:
    """What clients saw."""

    statuses: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    without_wait: int = 0
    seconds: float = 0.0


class Server:
    """The web server in processes of its own."""

    def __init__(self, folder: Path, workers: int) -> None:
        """Start it and wait until its models are loaded."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        environ = {
            **os.environ,
            "PERSONA_LAB_PORT": str(self.port),
            "PERSONA_LAB_WORKERS": str(workers),
            "PERSONA_LAB_DATA_DIR": str(folder),
            "PERSONA_LAB_RATE_LIMIT": "1000000/second",
        }
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service.web_server"], env=environ, stderr=log
            )
        self.until_ready()

    def until_ready(self) -> None:
        """Wait for the models."""
        for _ in range(600):
            with suppress(OSError):
                if self.ask("GET", "/health/ready")[0] == 200:
                    return
            time.sleep(0.1)
        raise SystemExit(f"the server did not start; see {self.log}")

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Ask once: status and Retry-After."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            return send(connection, method, path, body)
        finally:
            connection.close()

    def memory_mb(self) -> float:
        """Resident memory of all its processes (Linux)."""
        pids = [self.process.pid]
        with suppress(OSError):
            for task in Path(f"/proc/{self.process.pid}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
        total = 0
        for pid in pids:
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmRSS:"):
                        total += int(line.split()[1])
        return total / 1024

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def send(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None
) -> tuple[int, Any]:
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers.get("Retry-After")


def load(server: Server, clients: int, seconds: float, bodies: list[bytes]) -> Load:
    """Let clients ask one request after the other for some time."""
    found, lock, end = Load(), threading.Lock(), time.monotonic() + seconds

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        turn = number
        while time.monotonic() < end:
            start = time.perf_counter()
            try:
                status, wait = send(connection, "POST", "/v1/profiles", bodies[turn % len(bodies)])
            except (OSError, http.client.HTTPException) as error:
                status, wait = type(error).__name__, None
                connection.close()
            elapsed = time.perf_counter() - start
            turn += 1
            with lock:
                found.statuses[str(status)] += 1
                if status == 200:
                    found.times.append(elapsed)
                elif wait is None:
                    found.without_wait += 1
            if status != 200:
                time.sleep(0.2)  # a patient client would wait longer
        connection.close()

    start = time.perf_counter()
    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.seconds = time.perf_counter() - start
    return found


def p95(times: list[float]) -> float:
    return sorted(times)[max(0, int(0.95 * len(times)) - 1)] if times else float("nan")


def body_of(*items: dict[str, Any]) -> bytes:
    return json.dumps({"items": items}).encode()


def measure(seconds: float, workers: int) -> list[tuple[str, str, str, bool]]:
    rows: list[tuple[str, str, str, bool]] = []
    rate, own = offline(seconds)
    bodies = [body_of({k: v for k, v in dialogue_record(d).items() if k != "speakers"})
              for d in samples()]  # fmt: skip
    with TemporaryDirectory() as folder:
        server = Server(Path(folder), workers)
        try:
            load(server, 4, 2.0, bodies)
            short = body_of({"text": SHORT})
            low = load(server, 1, min(seconds, 10.0), [short])
            limit = 2 * p95(own) + 0.005
            rows.append((
                "p95 of single short requests",
                f"{1e3 * p95(low.times):.1f} ms (median {1e3 * statistics.median(low.times):.1f})",
                f"<= {1e3 * limit:.1f} ms: 2 x {1e3 * p95(own):.1f} ms + 5 ms",
                p95(low.times) <= limit,
            ))  # fmt: skip
            before = server.memory_mb()
            many = load(server, CLIENTS, seconds, bodies)
            through = many.statuses["200"] / many.seconds
            rows.append((
                f"dialogues/s, {CLIENTS} clients",
                f"{through:.1f} ({through / rate:.0%} of offline), p95 {p95(many.times):.2f} s",
                f">= 80 % of {rate:.1f}",
                through >= 0.8 * rate and set(many.statuses) == {"200"},
            ))  # fmt: skip
            over = load(server, OVERLOAD, seconds, bodies)
            after = server.memory_mb()
            clean = set(over.statuses) <= {"200", "429", "503"} and not over.without_wait
            rows.append((
                f"answers, {OVERLOAD} clients",
                ", ".join(f"{n} x {status}" for status, n in sorted(over.statuses.items())),
                "200, 429 and 503 with Retry-After only",
                clean and server.process.poll() is None,
            ))  # fmt: skip
            rows.append((
                "memory before and after",
                f"{before:.0f} and {after:.0f} MB",
                "bounded: at most half as much again",
                after <= 1.5 * before,
            ))  # fmt: skip
            start, recovery = time.perf_counter(), float("nan")
            while time.perf_counter() - start < 30:
                if timed(lambda: server.ask("POST", "/v1/profiles", short)) <= limit + 0.02:
                    recovery = time.perf_counter() - start
                    break
            rows.append(("recovery", f"{recovery:.2f} s", "<= 2 s", recovery <= 2))
        finally:
            server.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--workers", type=int, default=2, help="web processes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure(options.seconds, options.workers)
    if options.json:
        names = ("what", "measured", "wanted", "met")
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=1))
        return
    for what, measured, wanted, met in rows:
        print(f"{'ok ' if met else 'NOT'}  {what:30}  {measured:44}  {wanted}")


if __name__ == "__main__":
    main()
