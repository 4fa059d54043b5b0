"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of research corpora; tests that need it are skipped where it is missing."""
    given = os.environ.get("PERSONA_LAB_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(given) if given else beside
    if not folder.is_dir():
        pytest.skip("no research corpora: set PERSONA_LAB_DATA to the folder that holds them")
    return folder
