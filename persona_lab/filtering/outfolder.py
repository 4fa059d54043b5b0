"""The folder of a run: what lies where, and how it survives being killed.

::

    manifest.json           what was run, on which inputs
    ledger/part-*.parquet   scores and verdicts, one line a row and speaker
    kept/ dropped/ unscored/    the rows, one file an input, in the input's own format
    dropped.reasons.jsonl   a line a row: where it stood and why it is there
    unscored.reasons.jsonl
    summary.json            counts; written last, so its presence means finished
    input/stdin             a copy of standard input, where that was read
    .work/                  parts of a run that is not finished

A part is renamed into place when it is complete. So is the set of all results: what a
killed run leaves is either without them or has them all waiting in ``.work/ready``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.filtering.ledger import cannot_write

MANIFEST, SUMMARY, LEDGER = "manifest.json", "summary.json", "ledger"
REASONS = "{}.reasons.jsonl"
_STDIN = Path("input") / "stdin"
_OURS = frozenset(
    {MANIFEST, SUMMARY, LEDGER, "kept", "dropped", "unscored", "input", ".work"}
    | {REASONS.format(verdict) for verdict in ("dropped", "unscored")}
)
_BLOCK = 1 << 20


class OutFolder:
    """One run's folder.

    Attributes:
        path: of the folder.
        work: for what is not finished.
        parts: for parts of the ledger, one a chunk.
        building: for results while they are made.
    """

    def __init__(self, path: Path, *, resume: bool, overwrite: bool) -> None:
        """Check the folder, and make it if it is not there.

        Args:
            path: of the folder.
            resume: go on with what is there.
            overwrite: throw away what an earlier run left there.

        Raises:
            InputError: it holds something and neither is set, or holds other files.
            PersonaLabError: it cannot be made.
        """
        self.path = path
        self.work = path / ".work"
        self.parts = self.work / "parts"
        self.building = self.work / "building"
        self._ready = self.work / "ready"
        try:
            there = {entry.name for entry in path.iterdir()} if path.exists() else set[str]()
            self._check(there, resume=resume, overwrite=overwrite)
            if overwrite:
                for name in there:
                    _remove(path / name)
            self.work.mkdir(parents=True, exist_ok=True)
        except NotADirectoryError:
            raise InputError(f"--out {path} is a file; name a folder") from None
        except OSError as error:
            raise cannot_write(path, error) from None

    def _check(self, there: set[str], *, resume: bool, overwrite: bool) -> None:
        if not there:
            return
        if not (resume or overwrite):
            raise InputError(
                f"the folder {self.path} is not empty; use --resume to go on with a run there, "
                "--overwrite to replace it, or name another with --out"
            )
        if foreign := sorted(there - _OURS):
            raise InputError(
                f"the folder {self.path} holds {foreign[0]!r}, which no run wrote; name another "
                "with --out"
            )

    @property
    def manifest(self) -> dict[str, Any] | None:
        """What an earlier run noted; None if there was none."""
        return read_json(self.path / MANIFEST)

    @property
    def finished(self) -> dict[str, Any] | None:
        """The summary of a run that came to its end; None for any other."""
        if self._ready.exists():
            self._publish()
        return read_json(self.path / SUMMARY)

    def begin(self, manifest: Mapping[str, Any]) -> None:
        """Note what is run."""
        write_json(self.path / MANIFEST, manifest, self.work)

    def spool(self, stream: IO[bytes]) -> Path:
        """Keep a copy of a stream, which could not be read a second time.

        Raises:
            PersonaLabError: the disk is full.
        """
        path = self.path / _STDIN
        if path.exists():
            return path
        unfinished = self.work / "stdin"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                shutil.copyfileobj(stream, file, _BLOCK)
            os.replace(unfinished, path)
        except OSError as error:
            raise cannot_write(path, error) from None
        return path

    def build(self) -> Path:
        """An empty folder for results."""
        try:
            _remove(self.building)
            self.building.mkdir(parents=True)
        except OSError as error:
            raise cannot_write(self.building, error) from None
        return self.building

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Put all results in their places."""
        write_json(self.building / SUMMARY, summary, self.work)
        os.replace(self.building, self._ready)
        self._publish()

    def _publish(self) -> None:
        """Move results; may be done again after having been cut short."""
        names = sorted(entry.name for entry in self._ready.iterdir())
        for name in (*(n for n in names if n != SUMMARY), *(n for n in names if n == SUMMARY)):
            _remove(self.path / name)
            os.replace(self._ready / name, self.path / name)
        self._ready.rmdir()
        self.close()

    def close(self) -> None:
        """Throw away what only an unfinished run needs."""
        _remove(self.work)


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object; None where there is no file.

    Raises:
        InputError: it is damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read; was it changed by hand?") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} is not what a run writes")
    return found


def write_json(path: Path, value: Mapping[str, Any], work: Path) -> None:
    """Write a JSON file that is there as a whole or not at all.

    Args:
        path: of the file.
        value: to write.
        work: folder for the unfinished file.

    Raises:
        PersonaLabError: it cannot be written.
    """
    unfinished = work / path.name
    try:
        unfinished.write_text(
            json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        os.replace(unfinished, path)
    except OSError as error:
        raise cannot_write(path, error) from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def refuse_input_as_output(inputs: list[Path], out: Path) -> None:
    """An output folder must neither be an input nor lie around one.

    Raises:
        PersonaLabError: it is, or does.
    """
    resolved = out.resolve()
    for path in inputs:
        one = path.resolve()
        if (
            one == resolved
            or resolved in one.parents
            or (path.is_dir() and one in resolved.parents)
        ):
            raise PersonaLabError(
                f"--out {out} and the input {path} lie within each other; name another folder"
            )
