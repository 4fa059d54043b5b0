"""Pictures appear in a notebook by themselves."""

from __future__ import annotations

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytest.importorskip("seaborn")

_FRAME = """
import pandas as pd
from persona_lab.reports import plots
frame = pd.DataFrame({"trait": ["openness", "extraversion"], "p_high": [0.4, 0.7]})
"""


def test_every_cell_shows_its_picture() -> None:
    draw = "axes = plots.profile(frame)"
    cells = [nbformat.v4.new_code_cell(code) for code in (_FRAME, draw, draw)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    pictures = [
        sum("image/png" in output.get("data", {}) for output in cell["outputs"])
        for cell in notebook["cells"]
    ]
    assert pictures == [0, 1, 1]
