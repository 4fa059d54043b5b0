"""Progress, errors, and results as files."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class BenchmarkError(Exception):
    """A worker could not do what it was asked."""


def tell(message: str) -> None:
    """Say on stderr what is going on; stdout is for results."""
    print(message, file=sys.stderr, flush=True)


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Write a result, readable by people too; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, sort_keys=False) + "\n", encoding="utf-8")
