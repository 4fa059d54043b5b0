"""Data sets of known content, the toy model, and how folders are compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from persona_lab.detectors.registry import MODELS_VARIABLE
from persona_lab.filtering import filter_dialogues
from persona_lab.filtering.run import Summary

FILLER = "and then we did this and that and the other thing with them. "
LOUD = "The party was a party. " + FILLER * 3
QUIET = "I was alone. " + FILLER * 3
GERMAN = "Ich habe heute lange darüber nachgedacht, was ich in den Ferien machen will. " * 2


@pytest.fixture(autouse=True)
def _models(toy_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(toy_model.parent))


Filter = Callable[..., Summary]


@pytest.fixture
def run_filter(tmp_path: Path) -> Filter:
    """Filter with the toy model; the folder is ``tmp_path/out`` unless another is named."""

    def run(inputs: Any, keep: str = "extraversion.p_high >= 0.6", **how: Any) -> Summary:
        how = {"detector": "toy", "out": tmp_path / "out"} | how
        return filter_dialogues(inputs, how.pop("out"), keep, **how)

    return run


def talk(id: str | None, *turns: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A record of our own layout."""
    own = {} if id is None else {"id": id}
    return {**own, "turns": [{"speaker": who, "text": said} for who, said in turns], **more}


def write_lines(path: Path, *records: Any) -> Path:
    """A jsonl file; texts are written as they are."""
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder with their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def ledger(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's ledger."""
    paths = sorted((folder / "ledger").glob("*.parquet"))
    found: list[dict[str, Any]] = pa.concat_tables(pq.read_table(p) for p in paths).to_pylist()
    return found


def reasons(folder: Path, verdict: str) -> list[dict[str, Any]]:
    """The lines of a file of reasons."""
    text = (folder / f"{verdict}.reasons.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
