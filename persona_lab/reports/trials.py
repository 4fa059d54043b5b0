"""Reports of the commands that put bots to the test, as one page.

``reliability``, ``populations``, ``judge`` and ``converse`` write what they found as
``report.json`` and ``report.md``; a page holds the reports of one or several runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from persona_lab.errors import InputError
from persona_lab.psychometrics.document import escaped, page_of

TrialKind = Literal["reliability", "populations", "judge", "converse"]

REPORT: Final = "report.json"
_TEXT: Final = "report.md"
_MARKS: Final[Mapping[TrialKind, frozenset[str]]] = {
    "reliability": frozenset({"protocol", "respondents", "traits"}),
    "populations": frozenset({"personas", "robustness", "traits"}),
    "judge": frozenset({"rubrics", "rouge_l_recall"}),
    "converse": frozenset({"talks", "speakers", "convergence"}),
}
"""Keys by which the report of each command is known."""

_HEADING: Final = re.compile(r"^#", re.MULTILINE)


def trial_kind(folder: Path) -> TrialKind | None:
    """Which command's report lies in a folder; None if none does."""
    try:
        found = json.loads((folder / REPORT).read_bytes())
    except (OSError, ValueError):
        return None
    if isinstance(found, dict):
        for kind, keys in _MARKS.items():
            if keys <= found.keys():
                return kind
    return None


def trials_figures(folders: Sequence[tuple[str, Path]]) -> dict[str, Any]:
    """What the page is made of.

    Args:
        folders: names and folders of runs, with reports of one kind.

    Returns:
        JSON types: ``reports``, each with its ``name`` and, as ``report``, what
        ``report.json`` holds.
    """
    return {
        "reports": [
            {"name": name, "report": json.loads((folder / REPORT).read_bytes())}
            for name, folder in folders
        ]
    }


def trials_page(folders: Sequence[tuple[str, Path]], title: str) -> tuple[str, str]:
    """The page and its title.

    Args:
        folders: as for :func:`trials_figures`.
        title: as asked for; empty for the report's own.

    Raises:
        InputError: a folder lacks ``report.md``.
    """
    texts = [_text(folder) for _, folder in folders]
    if len(texts) == 1:
        own, _, rest = texts[0].partition("\n")
        title = title or own.removeprefix("# ").replace("\\", "")
        return title, page_of(title, f"# {escaped(title)}\n{rest}")
    title = title or " and ".join(name for name, _ in folders)
    parts = [f"# {escaped(title)}"]
    for (name, _), text in zip(folders, texts, strict=True):
        parts += [f"*{escaped(name)}*", _HEADING.sub("##", text)]
    return title, page_of(title, "\n\n".join(parts))


def _text(folder: Path) -> str:
    try:
        return (folder / _TEXT).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            f"{folder / _TEXT} cannot be read; run the command that wrote the folder again (it "
            "asks nothing twice)"
        ) from None
