"""Killed at any moment and resumed: the same bytes as an uninterrupted run."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.filtering import filter_dialogues
from tests.filtering.conftest import FILLER, LOUD, Filter, talk, tree, write_lines

_WORDS = ["party", "alone", "worry", "calm", "dream", "bus", "plan", "kind", "them", "stupid"]

SCRIPT = """
import sys
from persona_lab.filtering import filter_dialogues
if __name__ == "__main__":
    inputs, out, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
    filter_dialogues(inputs, out, "extraversion.p_high >= 0.5 and words > 20", detector="toy",
                     workers=workers, resume=True)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files, 1,200 rows: repeats near and far, bad rows, foreign ones."""
    rng = random.Random(7)
    folder = tmp_path_factory.mktemp("resume") / "data"
    records: list[object] = []
    for i in range(900):
        said = " ".join(rng.choices(_WORDS, k=30))
        records.append(talk(str(i), ("a", said), ("b", FILLER * rng.randint(1, 3))))
    for i in range(0, 600, 2):
        records.append(records[i])
    for at in (5, 350, 950):
        records.insert(at, "{broken")
    write_lines(folder / "one.jsonl", *records[:500])
    write_lines(folder / "two.jsonl", *records[500:])
    return folder


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("script") / "run_filter.py"
    path.write_text(SCRIPT)
    return path


def start(script: Path, data: Path, out: Path, workers: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(script), str(data), str(out), str(workers)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def test_kill_at_random_moments(script: Path, data: Path, tmp_path: Path) -> None:
    """Each start takes another number of workers, which may not matter either."""
    began = time.monotonic()
    assert start(script, data, tmp_path / "whole", 1).wait(120) == 0
    needed = time.monotonic() - began
    expected = tree(tmp_path / "whole")
    assert len(expected) == 3 + 6 + 2
    rng = random.Random(3)
    out, kills = tmp_path / "out", 0
    for attempt in range(12):
        process = start(script, data, out, 1 + attempt % 2)
        try:
            # the first fall into loading and scoring; then it is left to come to its end
            patience = needed * rng.uniform(0.4, 0.9) if kills < 3 else 120
            assert process.wait(patience) == 0
            break
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills > 0
    assert tree(out) == expected


class _Stop(BaseException):
    """As sudden as a kill, at a chosen moment."""


def test_stop_at_every_rename(
    run_filter: Filter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file appears by a rename: stop before the n-th, resume, compare."""
    records = [talk(str(i), ("a", f"party {i} {FILLER}")) for i in range(260)]
    path = write_lines(tmp_path / "in.jsonl", *records)
    replace, calls, last = os.replace, 0, -1

    def stop(source: object, target: object) -> None:
        nonlocal calls
        if calls == last:
            raise _Stop
        calls += 1
        replace(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", stop)
    run_filter(path, out=tmp_path / "whole")
    expected, renames = tree(tmp_path / "whole"), calls
    assert renames > 8
    for moment in range(renames):
        out = tmp_path / f"stopped-{moment}"
        calls, last = 0, moment
        with pytest.raises(_Stop):
            run_filter(path, out=out)
        last = -1
        run_filter(path, out=out, resume=True)
        assert tree(out) == expected, f"stopped before rename {moment}"


class TestWhatIsResumed:
    def test_a_finished_run_is_left_alone(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "in.jsonl", {"text": LOUD})
        first = run_filter(path)
        before = tree(tmp_path / "out")
        assert run_filter(path, resume=True) == first
        assert tree(tmp_path / "out") == before

    def test_other_options_are_refused(self, run_filter: Filter, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "in.jsonl", {"text": LOUD})
        run_filter(path)
        with pytest.raises(InputError, match="was begun with another keep"):
            run_filter(path, "words > 1", resume=True)
        other = write_lines(tmp_path / "other.jsonl", {"text": LOUD})
        with pytest.raises(InputError, match="was begun with other inputs"):
            run_filter(other, resume=True)

    def test_an_input_that_changed_is_noticed(
        self, run_filter: Filter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        records = [{"id": i, "text": f"party {i:04} {FILLER}"} for i in range(600)]
        path = write_lines(tmp_path / "in.jsonl", *records)
        _stop_after_parts(monkeypatch, run_filter, path, 1)
        records[3]["text"] = f"party 9999 {FILLER}"
        write_lines(path, *records)
        with pytest.raises(InputError, match=r"in\.jsonl is not as it was when the run began"):
            run_filter(path, resume=True)
        write_lines(path, *records[:-1])
        with pytest.raises(InputError, match="has become shorter since the run began"):
            run_filter(path, resume=True)

    def test_parts_that_are_there_are_not_scored_again(
        self, run_filter: Filter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from persona_lab.filtering.scorer import PersonalityScorer

        records = [{"id": i, "text": f"party {i} {FILLER}"} for i in range(700)]
        path = write_lines(tmp_path / "in.jsonl", *records)
        _stop_after_parts(monkeypatch, run_filter, path, 2)
        asked: list[int] = []
        score = PersonalityScorer.score
        monkeypatch.setattr(
            PersonalityScorer,
            "score",
            lambda self, dialogues: asked.append(len(dialogues)) or score(self, dialogues),
        )
        run_filter(path, resume=True)
        assert sum(asked) == 700 - 2 * 256


def _stop_after_parts(
    monkeypatch: pytest.MonkeyPatch, run_filter: Filter, path: Path, count: int
) -> None:
    from persona_lab.filtering.ledger import Parts

    write, written = Parts.write, 0

    def stop(self: Parts, *args: object) -> object:
        nonlocal written
        if written == count:
            raise _Stop
        written += 1
        return write(self, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "write", stop)
        with pytest.raises(_Stop):
            run_filter(path)


@pytest.mark.parametrize("size", ["80k", "300k"])
def test_a_full_disk(tmp_path: Path, data: Path, size: str) -> None:
    """On a small file system: one clear error, and it goes on when there is room."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs to mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("may not mount a file system")
    keep = "extraversion.p_high >= 0.5"
    try:
        with pytest.raises(PersonaLabError, match=r"No space left on device; .* --resume"):
            filter_dialogues(data, disk / "out", keep, detector="toy")
        assert not (disk / "out/summary.json").exists()
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        filter_dialogues(data, disk / "out", keep, detector="toy", resume=True)
        filter_dialogues(data, tmp_path / "whole", keep, detector="toy")
        assert tree(disk / "out") == tree(tmp_path / "whole")
    finally:
        subprocess.run(["umount", str(disk)], check=False)
