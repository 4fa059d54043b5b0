"""Options that commands share: which column holds what, labelled files, and progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_lab.cli.output import warn
from persona_lab.errors import TrainingError

if TYPE_CHECKING:
    from persona_lab.formats import DialogueReader
    from persona_lab.formats.many import ManyFiles
    from persona_lab.training.corpora import Example

_ROLES = (
    "Roles: text, id, speaker, dialogue (rows with the same value are one), persona, turns, "
    "group, labels (JSON), type and the traits (csv). Dots reach nested keys: "
    "speaker=author.name."
)

ColumnsOption = Annotated[
    str | None,
    typer.Option(
        metavar="ROLE=NAME,...",
        help=f"Which column or key holds what, for csv and jsonl: text=body,id=user. {_ROLES}",
        show_default=False,
    ),
]

DataColumns = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[REGISTER:]ROLE=NAME,...",
        help=f"Which column or key holds what, in all files of --data or in those of a register: "
        f"essay:text=body,openness=o. {_ROLES}",
        show_default=False,
    ),
]


@contextmanager
def opened_dialogues(
    input: str, format: str = "auto", columns: str | None = None, *, strict: bool = False
) -> Iterator[DialogueReader | ManyFiles]:
    """The dialogues of an input; remarks about it are printed when it is left.

    Args:
        input: a file, the folder of a known corpus, ``-``, or a folder or glob of files.
        format: layout, or ``auto``.
        columns: as for ``--columns``.
        strict: raise the first bad row.

    Raises:
        InputError: it cannot be read, or is of no known layout.
    """
    from persona_lab.formats import read_dialogues
    from persona_lab.formats.inputs import expand
    from persona_lab.formats.many import ManyFiles, stands_for_many

    opened: DialogueReader | ManyFiles
    if stands_for_many(input, format):
        given = expand([input], columns)
        for remark in given.warnings():
            warn(remark)
        opened = ManyFiles(given.files, format, columns, strict=strict)
    else:
        opened = read_dialogues(input, format, columns=columns, strict=strict)
    with opened as reader:
        try:
            yield reader
        finally:
            tell_notes(reader.notes)


def tell_notes(notes: Sequence[str], *, name: str = "") -> None:
    """Print remarks about a file as warnings, each once.

    Args:
        notes: of a reader.
        name: of the file, where there are several.
    """
    for remark in dict.fromkeys(notes):
        warn(f"{name}: {remark}" if name else remark)


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


def load_data(
    data: Sequence[str], background: Sequence[Path], columns: Sequence[str] = ()
) -> list[Example]:
    """Read all files of a training command.

    Args:
        data: as given to ``--data``.
        background: unlabelled files.
        columns: as given to ``--columns``; the last one that is about a register counts.

    Raises:
        TrainingError: none is given, or one cannot be used.
        FormatError: the columns cannot be read.
    """
    from persona_lab.training.corpora import BACKGROUND, load_examples

    if not data:
        raise TrainingError("give at least one labelled file: --data REGISTER=PATH")
    examples = []
    by_register = dict(_register_columns(given) for given in columns)
    for given in data:
        register, layout, path = parse_data(given)
        chosen = by_register.get(register, by_register.get(""))
        examples += load_examples(
            path, register, format=layout, columns=chosen, tell=partial(tell_notes, name=path)
        )
    for file in background:
        examples += load_examples(file, BACKGROUND)
    return examples


def _register_columns(given: str) -> tuple[str, str]:
    """A register and its columns; the register is empty where they are for all."""
    before, colon, after = given.partition(":")
    return (before, after) if colon and "=" not in before else ("", given)


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
