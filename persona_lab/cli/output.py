"""What all commands share: results on stdout, messages on stderr, and how errors end.

Results can be piped, so nothing but results goes to stdout. An error that persona-lab
raises on purpose becomes one line and exit code 2, as does an option that there is not and a
file or folder that the system refuses; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from persona_lab.errors import InputError, PersonaLabError

if TYPE_CHECKING:
    from rich.console import Console

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Of options that cannot be understood; typer has it from click, or brings its own click."""

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
"""As the shell reports a program that a closed pipe ended."""


def stdout() -> Console:
    """The console for results meant for people."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def stderr() -> Console:
    """The console for messages and progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def plain(text: str) -> str:
    """A text from a file, safe to print on one line.

    Control characters could move the cursor or recolour the terminal, and those that turn
    the direction of writing could make a line read as another one.
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def note(message: str, *, style: str = "", console: Console | None = None) -> None:
    """Print one line on stderr, never broken into several."""
    (console or stderr()).print(plain(message), style=style or None, soft_wrap=True)


def warn(message: str, *, console: Console | None = None) -> None:
    """Print a warning on stderr."""
    note(f"Warning: {message}", style="yellow", console=console)


def write_json(value: Any) -> None:
    """Print one line of JSON on stdout."""
    # a terminal or pipe that is not UTF-8 gets escapes, which mean the same
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    line = json.dumps(value, ensure_ascii=encoding != "utf8")
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def check_out(input: str, out: Path | None, *, overwrite: bool, resume: bool) -> None:
    """Check ``--out`` and what goes with it, before anything is read.

    Args:
        input: as given on the command line.
        out: the file of ``--out``.
        overwrite: ``--overwrite`` was given.
        resume: ``--resume`` was given.

    Raises:
        InputError: the options contradict each other, or the file is the input itself or in it.
    """
    from persona_lab.formats.source import STDIN  # the list of commands does without

    if out is None:
        if overwrite or resume:
            raise InputError("--overwrite and --resume are about the file of --out; name one")
        return
    if overwrite and resume:
        raise InputError("--overwrite starts anew and --resume goes on; give one of them")
    if input != STDIN and Path(input).exists() and out.exists() and out.samefile(input):
        raise InputError(f"--out {out} is the input itself; name another file")
    if input != STDIN and Path(input).is_dir() and Path(input).resolve() in out.resolve().parents:
        raise InputError(f"--out {out} lies in the folder that is read; name a file outside of it")


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn errors into a line on stderr and an exit code.

    Raises:
        typer.Exit: 2 for a :class:`~persona_lab.errors.PersonaLabError` or a refused file,
            130 after Ctrl-C, 141 when nobody reads stdout any more.
    """
    try:
        yield
        sys.stdout.flush()
    except PersonaLabError as error:
        note(f"Error: {error}", style="bold red")
        raise typer.Exit(EXIT_ERROR) from None
    except UsageError as error:
        _tell_usage(error)
        raise typer.Exit(EXIT_ERROR) from None
    except BrokenPipeError:
        _close_stdout()
        raise typer.Exit(EXIT_BROKEN_PIPE) from None
    except OSError as error:
        if error.filename is None:
            raise  # about no file that somebody named: a bug
        note(f"Error: cannot use {error.filename}: {error.strerror}", style="bold red")
        raise typer.Exit(EXIT_ERROR) from None
    except KeyboardInterrupt:
        note("Interrupted", style="yellow")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _tell_usage(error: Any) -> None:
    """One line about options that cannot be understood; help that was not asked for stays.

    Raises:
        UsageError: it stands for a page of help.
    """
    message = " ".join(error.format_message().replace("Value error, ", "").split("\n"))
    if "NoArgs" in type(error).__name__:
        raise error
    path = error.ctx.command_path if error.ctx is not None else "persona-lab"
    note(f"Error: {message.rstrip('.')}; see: {path} --help", style="bold red")


def _close_stdout() -> None:
    """Let Python's own flush at exit go nowhere, or it would complain of the pipe again."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass  # a stand-in without a file descriptor needs no closing
