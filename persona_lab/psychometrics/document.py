"""Reports for people: Markdown, and the same as one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from persona_lab.psychometrics.estimate import Estimate
from persona_lab.wholefile import write_whole

NOTHING = "–"  # noqa: RUF001 - a dash is what people read as an empty cell
"""An empty cell."""

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;display:block;overflow-x:auto;margin:1rem 0}
th,td{border-bottom:1px solid #ccc;padding:.3rem .7rem;text-align:left;vertical-align:top}
h1,h2{line-height:1.2}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}th,td{border-color:#444}}
"""


class Document:
    """A report that grows from top to bottom."""

    def __init__(self, title: str) -> None:
        """Begin with a title."""
        self.title = title
        self._blocks = [f"# {escaped(title)}"]

    def heading(self, text: str) -> None:
        """Add a section."""
        self._blocks.append(f"## {escaped(text)}")

    def paragraph(self, text: str) -> None:
        """Add a paragraph."""
        self._blocks.append(escaped(text))

    def bullets(self, lines: Iterable[str]) -> None:
        """Add a list; nothing where there are no lines."""
        found = [f"- {escaped(line)}" for line in lines]
        if found:
            self._blocks.append("\n".join(found))

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add a table; nothing where there are no rows."""
        found = [_row(row) for row in rows]
        if found:
            self._blocks.append("\n".join([_row(header), "|" + " --- |" * len(header), *found]))

    def markdown(self) -> str:
        """The whole as Markdown."""
        return "\n\n".join(self._blocks) + "\n"

    def html(self) -> str:
        """The whole as one HTML page without scripts or outside parts."""
        return page_of(self.title, self.markdown())

    def write(self, folder: Path, name: str = "report") -> None:
        """Write ``name.md`` and ``name.html``.

        Raises:
            PersonaLabError: the folder cannot be written to.
        """
        write_whole(folder / f"{name}.md", self.markdown())
        write_whole(folder / f"{name}.html", self.html())


def page_of(title: str, markdown: str) -> str:
    """Markdown as one HTML page without scripts or outside parts; HTML in it stays text."""
    from html import escape

    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body}</body></html>\n"
    )


def escaped(text: str) -> str:
    """A text whose marks mean themselves, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def number(value: float | None, digits: int = 2) -> str:
    """A number for a cell; no minus before a zero."""
    if value is None:
        return NOTHING
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def figure(estimate: Estimate, digits: int = 2) -> str:
    """An estimate with its interval for a cell, or why there is none."""
    if estimate.estimate is None:
        return f"unscored: {estimate.reason}"
    value = number(estimate.estimate, digits)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{number(estimate.low, digits)}, {number(estimate.high, digits)}]"


def percent(estimate: Estimate) -> str:
    """A share for a cell."""
    if estimate.estimate is None:
        return NOTHING
    return f"{100 * estimate.estimate:.0f} %"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(cell) or NOTHING for cell in cells) + " |"
