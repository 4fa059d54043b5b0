"""``persona-lab filter``: a data set in; kept, dropped and unscored rows out, with reasons."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from persona_lab.cli import filter_preview, filter_run, filter_sweep
from persona_lab.cli.lazy import MARKUP, examples

_DEFAULT = "run"


class _DefaultRun(TyperGroup):
    """``filter INPUT`` means ``filter run INPUT``; the other words are commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front where none is named."""
        if not args or args[0] not in self.commands:
            args = [_DEFAULT, *args]
        return list(super().parse_args(ctx, args))


command = typer.Typer(
    cls=_DefaultRun,
    add_completion=False,
    rich_markup_mode=MARKUP,
    help="Score a data set once, keep what you ask for; see also filter sweep, filter preview.",
)
command.command(_DEFAULT, epilog=examples(filter_run.EXAMPLES))(filter_run.command)
command.command("sweep", epilog=examples(filter_sweep.EXAMPLES))(filter_sweep.command)
command.command("preview", epilog=examples(filter_preview.EXAMPLES))(filter_preview.command)
