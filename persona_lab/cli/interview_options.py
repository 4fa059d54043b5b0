"""The options of ``persona-lab interview``, grouped as its help shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from persona_lab.cli.llm_options import SPEC_HELP

_WHO = "Who is interviewed"
_HOW = "How"
_RATE = "Rating"


Out = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder for the transcript, profile.json and report.html. The same command goes "
        "on where a run stopped.",
        show_default=False,
    ),
]
BotSpec = Annotated[
    str | None,
    typer.Option(
        metavar="SPEC",
        help="The chatbot: " + SPEC_HELP,
        rich_help_panel=_WHO,
        show_default=False,
    ),
]
AnswersFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Rate these recorded answers instead: our JSON lines, or files of ChatHaruhi, "
        "PersonaLLM, InCharacter or PsychoBench.",
        rich_help_panel=_WHO,
        show_default=False,
    ),
]
BotName = Annotated[
    str | None,
    typer.Option(help="The bot's name in the report.", rich_help_panel=_WHO),
]
System = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Its system prompt.", rich_help_panel=_WHO),
]
PersonaFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A text file that is its system prompt, or a character card (SillyTavern V1 to V3, "
        "JSON or PNG).",
        rich_help_panel=_WHO,
    ),
]
PersonasFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.jsonl",
        help="Several personas, one JSON object a line: id, system (or persona), targets.",
        rich_help_panel=_WHO,
    ),
]
HistoryFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.jsonl",
        help="Turns said before (few-shot), one role and content a line.",
        rich_help_panel=_WHO,
    ),
]
TargetText = Annotated[
    str | None,
    typer.Option(
        metavar="TARGET",
        help="What the bot should be like: 'E+ N-' or INFP.",
        rich_help_panel=_WHO,
    ),
]
InstrumentName = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE",
        help="The questionnaire. See: persona-lab instruments list.",
        rich_help_panel=_HOW,
    ),
]
Language = Annotated[
    str | None,
    typer.Option(help="Of an InCharacter file: en or zh.", rich_help_panel=_HOW),
]
Items = Annotated[
    int | None,
    typer.Option(
        "--items",
        min=1,
        metavar="N",
        help="Use a short form of N items a domain.",
        rich_help_panel=_HOW,
    ),
]
Protocols = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="self-report (closed answers; the usual one), interview (open questions), "
        "situational (scenarios), story. Give it several times for several.",
        rich_help_panel=_HOW,
        show_default=False,
    ),
]
Repeats = Annotated[int, typer.Option(min=1, metavar="K", help="How often.", rich_help_panel=_HOW)]
OneConversation = Annotated[
    bool,
    typer.Option(
        "--one-conversation",
        help="Ask all questions in one conversation; else each begins its own.",
        rich_help_panel=_HOW,
    ),
]
Interviewer = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="Who asks, such as 'an old school friend'.",
        rich_help_panel=_HOW,
    ),
]
Reword = Annotated[
    bool,
    typer.Option(
        "--reword",
        help="Let the first judge put open questions into other words.",
        rich_help_panel=_HOW,
    ),
]
ScenariosFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE.json", help="Own scenarios for situational.", rich_help_panel=_HOW),
]
Stories = Annotated[
    int, typer.Option(min=1, metavar="N", help="Stories to tell.", rich_help_panel=_HOW)
]
Wording = Annotated[
    str,
    typer.Option(help="Of closed items: standard, first-person, question.", rich_help_panel=_HOW),
]
Order = Annotated[
    str,
    typer.Option(
        help="Of the options: ascending, descending, shuffled:SEED.", rich_help_panel=_HOW
    ),
]
Precision = Annotated[
    float | None,
    typer.Option(
        metavar="SE",
        help="Adaptive length: end a self-report when each domain's standard error (scale "
        "points) is this small. With --answers: tell what that would have saved.",
        rich_help_panel=_HOW,
    ),
]
LongestAnswer = Annotated[
    int | None,
    typer.Option(
        "--longest-answer",
        min=16,
        metavar="TOKENS",
        help="Of open answers; 256 if left out, 700 for stories.",
        rich_help_panel=_HOW,
        show_default=False,
    ),
]
Raters = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="closed, detector, llm, option; several times for several. Left out: closed, "
        "detector, and llm if there is a judge.",
        rich_help_panel=_RATE,
        show_default=False,
    ),
]
JudgeSpecs = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SPEC",
        help="A language model that rates, as --bot; several times for several.",
        rich_help_panel=_RATE,
        show_default=False,
    ),
]
JudgeModels = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="The judges' models, in the order of --judge.",
        rich_help_panel=_RATE,
        show_default=False,
    ),
]
Collective = Annotated[
    bool,
    typer.Option(
        "--collective",
        help="Rate all answers on a domain at once; else in groups of four at most.",
        rich_help_panel=_RATE,
    ),
]
DetectorName = Annotated[
    str,
    typer.Option(metavar="NAME|DIR", help="For the rater 'detector'.", rich_help_panel=_RATE),
]
LabelsFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.jsonl",
        help="What people say: id and label (a type such as ENFX) or targets (0 to 1).",
        rich_help_panel=_RATE,
    ),
]
JUnitFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE.xml", help="Write targets met and missed as JUnit, for CI."),
]
Json = Annotated[bool, typer.Option("--json", help="Print profile.json on stdout.")]
