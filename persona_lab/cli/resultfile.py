"""The file of result rows: written row by row, and taken up again after a stop."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.profile import ModelInfo
from persona_lab.scoring import Key
from persona_lab.wholefile import make_parent


class ResultFile:
    """Rows as JSON lines; each is on disk before the next one is made.

    Attributes:
        path: of the file.
        kept: rows that were there before.
    """

    def __init__(
        self, path: Path, model: ModelInfo, *, overwrite: bool = False, resume: bool = False
    ) -> None:
        """Open the file; nothing that should be kept is touched.

        Args:
            path: a new file, whose folder is made, or one that ``overwrite`` or ``resume`` allows.
            model: that scores; a file of another model's rows is not resumed.
            overwrite: replace what is there.
            resume: go on after the last complete dialogue.

        Raises:
            PersonaLabError: it exists and neither is set, or cannot be written.
            InputError: it is a folder; or ``resume``, and it is no file of result rows, or
                another model's.
        """
        if path.is_dir():
            raise InputError(f"--out {path} is a folder; name a file such as {path / 'rows.jsonl'}")
        self.path, self.kept = path, 0
        self._model = model
        self._done: Counter[int] = Counter()
        try:
            make_parent(path)
            mode = "w" if overwrite else "x"
            if resume:
                mode = "a"
                if path.exists():
                    self._repair()
            self._file: IO[str] = path.open(mode, encoding="utf-8", newline="\n")
        except FileExistsError:
            raise PersonaLabError(
                f"{path} exists already; use --resume to go on with it or --overwrite to replace it"
            ) from None
        except OSError as error:
            raise _cannot(path, error) from None

    def __enter__(self) -> ResultFile:
        """Return the file itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self._file.close()

    def done(self, keys: list[Key]) -> bool:
        """Are the rows with these keys there from an earlier run? Each counts once."""
        wanted = Counter(map(hash, keys))
        if not self._done or any(self._done[key] < n for key, n in wanted.items()):
            return False
        self._done.subtract(wanted)
        return True

    def write(self, row: dict[str, Any]) -> None:
        """Write one row.

        Raises:
            PersonaLabError: the disk is full, or the file went away.
        """
        try:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise _cannot(self.path, error) from None

    def _repair(self) -> None:
        """Note the complete rows, and cut off what a stopped run may have left half done.

        That is a torn last line, and the rows of the last dialogue: its other speakers or
        frameworks may be missing, and scoring one dialogue again is cheap.
        """
        last_id: str | None = None
        last_start, pending = 0, list[Key]()
        with self.path.open("rb") as file:
            position = 0
            for number, raw in enumerate(file, start=1):
                key = self._read(raw, number, at_end=not file.peek(1))
                if key is None:
                    break
                if key.id != last_id:
                    self._keep(pending)
                    last_id, last_start, pending = key.id, position, []
                pending.append(key)
                position += len(raw)
        with self.path.open("r+b") as file:
            file.truncate(last_start)

    def _keep(self, keys: list[Key]) -> None:
        self._done.update(map(hash, keys))
        self.kept += len(keys)

    def _read(self, raw: bytes, number: int, *, at_end: bool) -> Key | None:
        """The key of one row; None for a torn last line."""
        try:
            row = json.loads(raw)
            if not raw.endswith(b"\n"):
                return None
            key = Key(row["id"], row["speaker"], row["framework"])
            hash(key)
            sha256 = None if row["model"] is None else str(row["model"]["sha256"])
        except (ValueError, KeyError, TypeError):
            if at_end:
                return None
            raise InputError(
                f"{self.path}:{number} is not a row of an earlier run of this command, so it "
                "cannot be resumed; name another file or use --overwrite"
            ) from None
        if sha256 not in (None, self._model.sha256):
            raise InputError(
                f"{self.path} was scored with another model (sha256 {sha256[:12]}) than "
                f"{self._model.name!r} ({self._model.sha256[:12]}); name that one with --detector, "
                "or another file with --out"
            )
        return key


def _cannot(path: Path, error: OSError) -> PersonaLabError:
    why = error.strerror or type(error).__name__
    return PersonaLabError(f"cannot write {path}: {why}; name another file with --out")
