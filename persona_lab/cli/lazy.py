"""Commands that are imported when they are called.

``persona-lab --help`` lists a dozen commands; importing what each needs (scikit-learn,
torch, flask) would take seconds. So the group holds a stand-in a command, with its name
and one line of help, and the module behind it is imported when it is asked for.

A command module defines

- ``command``: a function with typer annotations (its docstring is the help), or a
  ``typer.Typer`` that holds sub-commands;
- ``EXAMPLES``, optional: command lines, shown under the help.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from types import ModuleType
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from persona_lab.cli.output import reported_errors
from persona_lab.errors import MissingExtraError

MARKUP: Final = "rich"


@dataclass(frozen=True, slots=True)
class Entry:
    """One command.

    Attributes:
        name: as typed.
        module: that defines it.
        help: one line for the list of commands.
        extra: optional dependencies it may need, for the message if they are missing.
    """

    name: str
    module: str
    help: str
    extra: str | None = None

    def exists(self) -> bool:
        """Is the module there? It is not imported."""
        return find_spec(self.module) is not None

    def load(self) -> Any:
        """Import the module and build the real command.

        Raises:
            MissingExtraError: an optional dependency is not installed.
        """
        try:
            module = import_module(self.module)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if self.extra is None or package in ("", "persona_lab"):
                raise
            raise MissingExtraError(package, self.extra, f"persona-lab {self.name}") from error
        return build(module, self.name)


def build(module: ModuleType, name: str) -> Any:
    """Make a click command of a command module."""
    given = module.command
    epilog = examples(getattr(module, "EXAMPLES", ()))
    if isinstance(given, typer.Typer):
        given.info.epilog = epilog
        command = typer.main.get_command(given)
    else:
        holder = typer.Typer(add_completion=False, rich_markup_mode=MARKUP)
        holder.command(name=name, epilog=epilog)(given)
        command = typer.main.get_command(holder)
    command.name = name
    for part in (command, *getattr(command, "commands", {}).values()):
        part.help = unwrapped(part.help)
    return command


def unwrapped(text: str | None) -> str | None:
    """A docstring with each paragraph on one line, to be wrapped as wide as the terminal."""
    if text is None:
        return None
    return "\n\n".join(" ".join(part.split()) for part in cleandoc(text).split("\n\n"))


def examples(lines: tuple[str, ...]) -> str | None:
    """Command lines as an epilog."""
    from rich.markup import escape

    if not lines:
        return None
    # typer keeps empty lines and, in some versions, no others
    return "\n\n".join(["[bold]Examples[/bold]", *(f"  {escape(line)}" for line in lines)])


class LazyCommand(TyperCommand):
    """Stands in for a command until somebody calls it."""

    def __init__(self, entry: Entry) -> None:
        """Keep the entry; nothing is imported."""
        super().__init__(name=entry.name, help=entry.help, rich_markup_mode=MARKUP)
        self._entry = entry

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the arguments with the real command; its context runs the real one, too."""
        return self._entry.load().make_context(*args, **kwargs)


class LazyGroup(TyperGroup):
    """A group of lazy commands that reports errors in one place."""

    entries: tuple[Entry, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Put the stand-ins in; a command whose module is not there is left out."""
        super().__init__(*args, **kwargs)
        self.help = unwrapped(self.help)
        for entry in self.entries:
            if entry.exists():
                self.add_command(LazyCommand(entry))

    def invoke(self, ctx: Any) -> Any:
        """Run a command; errors become a line and an exit code."""
        with reported_errors():
            return super().invoke(ctx)
