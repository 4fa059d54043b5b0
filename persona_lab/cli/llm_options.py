"""Options that all commands with a language model share, and the client they make.

A command takes the ones it needs, each under the same name:

    def command(
        llm: LLM, model: ModelName = None, cassette: CassetteFile = None, ...
    ) -> None:
        with open_client(llm, model=model, cassette=cassette, ...) as client:
            ...
            report(client)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_lab.cli.output import note, warn
from persona_lab.errors import InputError

if TYPE_CHECKING:
    from persona_lab.llm import Client, Forecast, Prices

DEFAULT_CONCURRENCY = 4
DEFAULT_TIMEOUT_S = 120.0

_PANEL = "Language model"
_CLIENT = (
    "cassette", "offline", "concurrency", "timeout", "max_calls", "max_tokens",
    "price_in", "price_out", "reply_room", "request",
)  # fmt: skip
_OWN_FIELDS = {
    "messages": "what is asked",
    "model": "--model",
    "max_tokens": "--reply-room",
    "max_completion_tokens": "--reply-room",
    "temperature": "--temperature",
    "seed": "--seed",
    "stream": "the server: where it only streams, it is asked so",
    "n": "--repeats",
}
"""Fields that cannot be given to ``--request``, and what tells them."""

SPEC_HELP = (
    "openai:URL (any compatible server), openai (api.openai.com), callable:MODULE:FUNCTION "
    "(def FUNCTION(messages, **settings) -> str, where messages are a list of role and content), "
    'command:PROGRAM ARGS (reads one JSON request a line, {"messages": [...], ...}, and writes '
    'one reply a line, {"text": "..."}), or cassette:FILE. The key is read from '
    "PERSONA_LAB_LLM_KEY or OPENAI_API_KEY."
)
"""What can be given to ``--llm``, ``--bot`` and ``--judge``."""

_LLM = typer.Option(
    "--llm",
    metavar="SPEC",
    help="Which model to ask: " + SPEC_HELP,
    rich_help_panel=_PANEL,
    show_default=False,
)
LLM = Annotated[str, _LLM]
MaybeLLM = Annotated[str | None, _LLM]
"""For commands that ask a language model only if told to."""
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="The model's name; may be left out where there is only one.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
CassetteFile = Annotated[
    Path | None,
    typer.Option(
        "--cassette",
        metavar="FILE",
        help="Keep all replies there, and take from there what was asked before.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Offline = Annotated[
    bool,
    typer.Option(
        "--offline",
        help="Answer from --cassette only; ask nothing.",
        rich_help_panel=_PANEL,
    ),
]
Concurrency = Annotated[
    int,
    typer.Option(
        "--concurrency",
        min=1,
        metavar="N",
        help="Requests under way at once.",
        rich_help_panel=_PANEL,
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0.1,
        metavar="SECONDS",
        help="How long one reply may take.",
        rich_help_panel=_PANEL,
    ),
]
ReplyRoom = Annotated[
    int,
    typer.Option(
        "--reply-room",
        min=0,
        metavar="TOKENS",
        help="Tokens that each reply may have beyond what is asked for: room for a model that "
        "thinks first. One that thinks until there is no room is asked again with up to 4,096.",
        rich_help_panel=_PANEL,
    ),
]
RequestFields = Annotated[
    list[str] | None,
    typer.Option(
        "--request",
        metavar="KEY=JSON",
        help="A further field of each request, such as reasoning_effort=low or "
        "'chat_template_kwargs={\"enable_thinking\": false}'. Several times for several.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
MaxCalls = Annotated[
    int | None,
    typer.Option(
        "--max-calls",
        min=1,
        metavar="N",
        help="Stop after so many calls; replies from the cassette are free.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        "--max-tokens",
        min=1,
        metavar="N",
        help="Stop before the run uses more tokens than this, in and out together.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
PriceIn = Annotated[
    float | None,
    typer.Option(
        "--price-in",
        min=0.0,
        metavar="PRICE",
        help="Price of a million tokens in, to tell what the run costs.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
PriceOut = Annotated[
    float | None,
    typer.Option(
        "--price-out",
        min=0.0,
        metavar="PRICE",
        help="Price of a million tokens out.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Say what the run would use and cost; ask nothing.",
        rich_help_panel=_PANEL,
    ),
]
Temperature = Annotated[
    float,
    typer.Option(
        "--temperature",
        min=0.0,
        metavar="T",
        help="0 takes the likeliest words; above, replies vary.",
        rich_help_panel=_PANEL,
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        metavar="N",
        help="Seed of the model's sampling, where the server knows seeds.",
        rich_help_panel=_PANEL,
    ),
]


def open_client(
    llm: str,
    *,
    model: str | None = None,
    cassette: Path | None = None,
    offline: bool = False,
    concurrency: int = DEFAULT_CONCURRENCY,
    timeout: float = DEFAULT_TIMEOUT_S,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    price_in: float | None = None,
    price_out: float | None = None,
    reply_room: int = 0,
    request: Sequence[str] | None = None,
) -> Client:
    """Make the client that the options ask for.

    Raises:
        LLMError: an option cannot be used; see
            :func:`~persona_lab.llm.opening.open_chat_model`.
        InputError: only one of the two prices is given, or a field cannot be read.
    """
    from persona_lab.llm import Budget, open_chat_model

    return open_chat_model(
        llm,
        model=model,
        cassette=cassette,
        offline=offline,
        concurrency=concurrency,
        timeout=timeout,
        budget=Budget(max_calls, max_tokens),
        prices=read_prices(price_in, price_out),
        reply_room=reply_room,
        request_fields=read_request_fields(request or ()),
    )


def client_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Of a command's parameters those that :func:`open_client` takes, besides spec and model."""
    return {name: options[name] for name in _CLIENT}


def read_request_fields(given: Iterable[str]) -> dict[str, Any]:
    """The fields of ``--request``: ``KEY=JSON``, or a text that does not look like JSON.

    Raises:
        InputError: one is something else, or is told by an option of its own.
    """
    fields: dict[str, Any] = {}
    for text in given:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (key and equals and value):
            raise InputError(f"cannot read --request {text!r}; write KEY=JSON")
        if key in _OWN_FIELDS:
            raise InputError(f"--request {key} is told by {_OWN_FIELDS[key]}")
        try:
            fields[key] = json.loads(value)
        except ValueError as error:
            if value[0] in '{["':
                raise InputError(f"--request {key} holds JSON that is none: {error}") from None
            fields[key] = value
    return fields


def read_prices(price_in: float | None, price_out: float | None) -> Prices | None:
    """The two price options as one value; None where neither is given.

    Raises:
        InputError: only one is given.
    """
    from persona_lab.llm import Prices

    if price_in is None and price_out is None:
        return None
    if price_in is None or price_out is None:
        raise InputError("--price-in and --price-out belong together; give both")
    return Prices(price_in, price_out)


def announce(forecast: Forecast) -> None:
    """Say on stderr what a run will probably use, before it starts."""
    note(f"This run makes {forecast.summary()}")


def report(client: Client) -> None:
    """Say on stderr what a run used, and what the server turned out not to support."""
    for warning in client.warnings:
        warn(warning)
    note(client.usage.summary(client.prices))
