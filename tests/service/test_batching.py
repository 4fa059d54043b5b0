"""Batches: what they hold, in which order, and that they change no result."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from persona_lab.detectors import Request
from persona_lab.detectors.registry import load_detector
from persona_lab.dialogue import Utterance
from service.batching import BatchedDetector, QueueLimits
from tests.service.conftest import LOUD, QUIET, wait_for


def request(id: str, text: str) -> Request:
    return Request(id, "author", (Utterance("0", "author", text),))


class Spy:
    """The toy detector, with a record of what was read together."""

    def __init__(self) -> None:
        self.toy = load_detector("toy")
        self.info, self.frameworks = self.toy.info, self.toy.frameworks
        self.batches: list[tuple[list[str], tuple[str, ...], bool]] = []
        self.gate = threading.Event()
        self.gate.set()

    def profile(self, *given: Any, **how: Any) -> Any:
        return self.toy.profile(*given, **how)

    def profiles(
        self, requests: Sequence[Request], *, frameworks: tuple[str, ...], explain: bool
    ) -> Iterator[Any]:
        self.batches.append(([r.id for r in requests], frameworks, explain))
        assert self.gate.wait(20)
        return self.toy.profiles(requests, frameworks=frameworks, explain=explain)


@pytest.fixture
def spy() -> Spy:
    return Spy()


def together(detector: BatchedDetector, *asked: tuple[list[Request], dict[str, Any]]) -> list[Any]:
    """Ask from several threads at once; results in the order of what was asked."""
    found: list[Any] = [None] * len(asked)

    def ask(place: int) -> None:
        requests, how = asked[place]
        found[place] = list(detector.profiles(requests, **how))

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found


def test_calls_that_come_together_share_a_batch_and_get_their_own_results(spy: Spy) -> None:
    detector = BatchedDetector(spy, QueueLimits(10_000, 0.3, 64, 100_000, 20.0))
    asked = [
        ([request(f"{i}-{j}", LOUD if j else QUIET) for j in range(2)], {"frameworks": (name,)})
        for i, name in enumerate(("bigfive", "mbti", "bigfive"))
    ]
    found = together(detector, *asked)
    detector.close()
    alone = [list(spy.toy.profiles(requests, **how)) for requests, how in asked]
    assert found == alone
    assert len(spy.batches) == 1
    assert len(spy.batches[0][0]) == 6
    assert spy.batches[0][1] == ("bigfive", "mbti")


def test_evidence_is_made_only_for_those_who_want_it(spy: Spy) -> None:
    detector = BatchedDetector(spy, QueueLimits(10_000, 0.3, 64, 100_000, 20.0))
    plain, explained = together(
        detector,
        ([request("a", LOUD)], {"frameworks": ("bigfive",)}),
        ([request("b", LOUD)], {"frameworks": ("bigfive",), "explain": True}),
    )
    detector.close()
    assert plain[0].evidence == ()
    assert explained[0].evidence[0].trait == "extraversion"
    assert sorted((ids, explain) for ids, _, explain in spy.batches) == [
        (["a"], False),
        (["b"], True),
    ]


def test_a_long_request_does_not_keep_a_short_one_waiting(spy: Spy) -> None:
    detector = BatchedDetector(spy, QueueLimits(50, 0.0, 64, 100_000, 20.0))
    long = [request(f"long-{i}", LOUD) for i in range(8)]
    spy.gate.clear()  # the model is busy while both of the others queue up
    threads = [
        threading.Thread(target=lambda given=given: list(detector.profiles(given)))
        for given in ([request("first", "party")], long, [request("short", "party")])
    ]
    for length, thread in enumerate(threads):
        thread.start()
        wait_for(lambda length=length: spy.batches and len(detector._queue) == length, 10)
    spy.gate.set()
    for thread in threads:
        thread.join(20)
    detector.close()
    read = [id for ids, _, _ in spy.batches for id in ids]
    assert read[:4] == ["first", "long-0", "short", "long-1"]
    assert len(read) == 10


def test_nothing_asked_is_nothing_read(spy: Spy) -> None:
    detector = BatchedDetector(spy, QueueLimits(50, 0.0, 64, 100_000, 20.0))
    assert list(detector.profiles([])) == []
    detector.close()
    assert spy.batches == []
