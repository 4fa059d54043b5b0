"""The command line: ``persona-lab COMMAND``, one module a command."""

from __future__ import annotations

from typing import Annotated

import typer

from persona_lab.cli.lazy import MARKUP, Entry, LazyGroup
from persona_lab.version import __version__

_TRAIN = "train"


class _Commands(LazyGroup):
    """All commands, in the order of the help."""

    entries = (
        Entry("score", "persona_lab.cli.score", "Score texts and dialogues."),
        Entry("inspect", "persona_lab.cli.inspect", "Show how a file is read."),
        Entry("consistency", "persona_lab.cli.consistency", "Does each speaker stay the same?"),
        Entry("rank", "persona_lab.cli.rank", "Order candidates by how well they fit a target."),
        Entry(
            "filter", "persona_lab.cli.filter", "Keep the dialogues that show what you want.", "ray"
        ),
        Entry("report", "persona_lab.cli.report", "Make one page of results, to read or print."),
        Entry("models", "persona_lab.cli.models", "List the detectors, or show one's card."),
        Entry("instruments", "persona_lab.cli.instruments", "Questionnaires: show, audit, score."),
        Entry("evaluate", "persona_lab.cli.evaluate", "Measure a detector on labelled data."),
        Entry("interview", "persona_lab.cli.interview", "Interview a chatbot, rate its answers."),
        Entry("compare", "persona_lab.cli.compare", "Has a bot's personality changed?"),
        Entry("reliability", "persona_lab.cli.reliability", "Can a bot's scores be trusted?"),
        Entry("populations", "persona_lab.cli.populations", "One questionnaire, many personas."),
        Entry("judge", "persona_lab.cli.judge", "Rate role-play by your rubrics."),
        Entry("converse", "persona_lab.cli.converse", "Let two bots talk, and test them."),
        Entry("serve", "persona_lab.cli.serve", "Serve an HTTP API and a page.", "service"),
        Entry("reproduce", "persona_lab.cli.reproduce", "Recompute a published study."),
        Entry("train", "persona_lab.cli.train", "Train a detector on your own data.", _TRAIN),
        Entry(
            "train-reader",
            "persona_lab.cli.train_reader",
            "Train the detector that reads what is shown.",
            _TRAIN,
        ),
        Entry(
            "train-contradiction",
            "persona_lab.cli.train_nli",
            "Train the model that finds contradictions.",
            _TRAIN,
        ),
        Entry("tune", "persona_lab.cli.tune", "Search for the best training settings.", _TRAIN),
        Entry("export", "persona_lab.cli.export", "Write a trained encoder as ONNX.", _TRAIN),
    )


app = typer.Typer(
    name="persona-lab",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=MARKUP,
    pretty_exceptions_enable=False,
    epilog="Example:  persona-lab score talk.txt --explain",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"persona-lab {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Which personality a text or a chatbot shows, and how sure we can be.

    Scores are probabilities with an interval, from trained Big Five and MBTI detectors.
    What cannot be told is said to be unsure; what cannot be read comes with the reason.
    """


def main() -> None:
    """Run the command line; the entry point of the script ``persona-lab``."""
    app(prog_name="persona-lab")
