"""Templates to one HTML file that opens anywhere, offline, in light and dark."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_DASH = "\u2013"
_MINUS = "\u2212"
_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(template: str, **values: Any) -> str:
    """Fill a template; all texts are escaped.

    Args:
        template: a file of ``reports/templates``.
        values: what it shows.
    """
    return _environment().get_template(template).render(**values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "signed": signed, "percent": percent}
    return environment


def number(value: float | None, digits: int = 2) -> str:
    """A figure with thousands separators; a dash where there is none."""
    return _DASH if value is None else f"{value:,.{digits}f}"


def signed(value: float | None, digits: int = 2) -> str:
    """A difference with its sign; what rounds to 0 has none."""
    if value is None:
        return _DASH
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", _MINUS)


def percent(value: float | None) -> str:
    """A share as whole per cent."""
    return _DASH if value is None else f"{value:.0%}"
