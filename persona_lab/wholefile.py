"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from errno import ENOTDIR
from pathlib import Path

from persona_lab.errors import PersonaLabError


def write_whole(path: Path, text: str) -> None:
    """Write a text file; whoever reads it meanwhile, or after a crash, sees the old one.

    Args:
        path: of the file; what is there is replaced, and its folder is made.
        text: written as UTF-8, line ends as they are.

    Raises:
        PersonaLabError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        make_parent(path)
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise PersonaLabError(f"cannot write {path}: {error.strerror}") from None


def make_parent(path: Path) -> None:
    """Make the folder that a file will lie in, and those around it.

    Raises:
        OSError: it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(path.parent)) from None
