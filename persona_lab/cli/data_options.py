"""Options that the training commands share: labelled files and progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from persona_lab.errors import TrainingError

if TYPE_CHECKING:
    from persona_lab.training.corpora import Example


def parse_data(given: str) -> tuple[str, str, str]:
    """Read ``REGISTER=PATH`` or ``REGISTER=FORMAT:PATH``.

    Returns:
        Register, format (``auto`` where none is named) and path.

    Raises:
        TrainingError: it is something else.
    """
    from persona_lab.formats import FORMATS

    register, equals, rest = given.partition("=")
    layout, colon, path = rest.partition(":")
    if not (register and equals and rest):
        raise TrainingError(
            f"cannot read --data {given!r}; write REGISTER=PATH, for example essay=essays.csv"
        )
    if colon and layout in FORMATS:
        return register, layout, path
    return register, "auto", rest


def load_data(data: Sequence[str], background: Sequence[Path]) -> list[Example]:
    """Read all files of a training command.

    Raises:
        TrainingError: none is given, or one cannot be used.
    """
    from persona_lab.training.corpora import BACKGROUND, load_examples

    if not data:
        raise TrainingError("give at least one labelled file: --data REGISTER=PATH")
    examples = []
    for given in data:
        register, layout, path = parse_data(given)
        examples += load_examples(path, register, format=layout)
    for file in background:
        examples += load_examples(file, BACKGROUND)
    return examples


@contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator[Callable[[str, float], None]]:
    """A progress bar on stderr with one line a stage; silent where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description:18}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    tasks = {}
    with bar:

        def tell(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=1.0)
            bar.update(tasks[stage], completed=share)

        yield tell
