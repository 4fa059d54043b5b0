"""Sample dialogues to try things on: eight different people, and two chatbots that drift.

All of it was written for persona-lab and has its licence. Nobody in it exists, and no
test was filled in by anybody: the ids say which character was meant, not what is true.
"""

from __future__ import annotations

from pathlib import Path

from persona_lab.errors import InputError


def sample_path(name: str = "dialogues.jsonl") -> Path:
    """Where a sample file lies.

    Args:
        name: of the file.

    Raises:
        InputError: there is no such sample.
    """
    folder = Path(__file__).resolve().parent
    path = folder / name
    known = sorted(file.name for file in folder.iterdir() if file.suffix == ".jsonl")
    if name not in known:
        raise InputError(f"there is no sample {name!r}; samples: {', '.join(known)}")
    return path
