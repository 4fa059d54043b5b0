"""The Ray engine on a real cluster of two nodes, and a worker that dies."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_lab.errors import PersonaLabError
from tests.filtering.conftest import FILLER, LOUD, QUIET, Filter, talk, tree, write_lines

pytestmark = pytest.mark.ray
ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'persona-lab[ray]'")


@pytest.fixture(scope="module")
def cluster(toy_model: Path) -> Iterator[Any]:
    """Two nodes of one processor each, in processes of their own."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:  # the nodes inherit it
        patch.setenv("PERSONA_LAB_MODELS", str(toy_model.parent))
        found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        found.add_node(num_cpus=1)
    ray.init(address=found.address, log_to_driver=False, logging_level="warning")
    yield found
    ray.shutdown()
    found.shutdown()


def rows(count: int) -> list[Any]:
    rng = random.Random(5)
    words = ["party", "alone", "worry", "calm", "dream", "bus", "plan", "kind", "them"]
    found: list[Any] = [
        talk(str(i), ("a", " ".join(rng.choices(words, k=40))), ("b", FILLER)) for i in range(count)
    ]
    return [*found, "{broken", found[3], found[count // 2]]


def test_same_bytes_as_one_machine(cluster: Any, run_filter: Filter, tmp_path: Path) -> None:
    assert len([node for node in ray.nodes() if node["Alive"]]) == 2
    path = write_lines(tmp_path / "in.jsonl", *rows(520))
    local = run_filter(path, out=tmp_path / "local")
    on_ray = run_filter(path, out=tmp_path / "ray", engine="ray", workers=2)
    assert on_ray == local and local["duplicates"] == 2 and local["unreadable"] == 1
    assert tree(tmp_path / "ray") == tree(tmp_path / "local")


def test_a_worker_that_dies(
    cluster: Any, run_filter: Filter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from persona_lab.filtering.ledger import Parts

    path = write_lines(tmp_path / "in.jsonl", *rows(2500))
    run_filter(path, out=tmp_path / "local")
    killed: list[int] = []
    write = Parts.write

    def kill_one(self: Parts, *args: Any) -> Any:
        if len(killed) < 2:
            killed.extend(_kill_actors(2 - len(killed)))
        return write(self, *args)

    monkeypatch.setattr(Parts, "write", kill_one)
    run_filter(path, out=tmp_path / "ray", engine="ray", workers=2)
    assert killed
    assert tree(tmp_path / "ray") == tree(tmp_path / "local")


def _kill_actors(count: int) -> list[int]:
    """SIGKILL processes of the pool, found by their command lines."""
    import psutil

    found = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(
            "MapWorker(MapBatches(ChunkScorer))" in part for part in process.info["cmdline"] or ()
        )
        and any(parent.pid == os.getpid() for parent in process.parents())
    ]
    for pid in found[:count]:
        os.kill(pid, signal.SIGKILL)
    return found[:count]


def test_resume_on_ray_what_one_machine_began(
    cluster: Any, run_filter: Filter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from persona_lab.filtering.ledger import Parts

    path = write_lines(tmp_path / "in.jsonl", *rows(520))
    run_filter(path, out=tmp_path / "whole")
    write, left = Parts.write, [2]

    def stop(self: Parts, *args: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return write(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            run_filter(path)
    run_filter(path, engine="ray", workers=2, resume=True)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_our_errors_come_through(cluster: Any, tmp_path: Path) -> None:
    from persona_lab.filtering.run import Job, run
    from persona_lab.filtering.scorer import ScorerSettings

    path = write_lines(tmp_path / "in.jsonl", {"text": LOUD}, "{", {"text": QUIET})
    job = Job("words > 1", scorer=ScorerSettings("toy"), strict=True)
    with pytest.raises(PersonaLabError, match=r"in\.jsonl:2: not valid JSON"):
        run(path, tmp_path / "out", job, engine="ray", workers=1)


def test_the_operator_in_a_pipeline_of_ray(cluster: Any) -> None:
    from persona_lab.filtering.scorer import PersonalityScorer

    dataset = ray.data.from_items([{"text": LOUD}, {"text": QUIET}] * 4)
    scored = dataset.map_batches(
        PersonalityScorer, concurrency=1, fn_constructor_args=["toy"], batch_size=4
    ).take_all()
    assert sorted(row["extraversion.p_high"] > 0.5 for row in scored) == [False] * 4 + [True] * 4
