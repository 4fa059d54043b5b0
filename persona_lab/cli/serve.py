"""``persona-lab serve``: the HTTP service with its page, and the workers of its jobs."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_lab.cli.output import note, plain, stdout, write_json
from persona_lab.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from service.config import Config

EXAMPLES = (
    "persona-lab serve",
    "persona-lab serve --port 9000 --workers 2",
    "persona-lab serve --new-key alice",
    "persona-lab serve --settings",
)


def command(
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on; 127.0.0.1 if left out. Others need keys.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="8000 if left out.", show_default=False),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Web processes, each with a model of its own; 1 if left out.",
            show_default=False,
        ),
    ] = None,
    job_workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Processes that work on jobs; 1 if left out, 0 where others do.",
            show_default=False,
        ),
    ] = None,
    jobs_only: Annotated[
        bool, typer.Option("--jobs-only", help="No web server: only work on jobs.")
    ] = False,
    new_key: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Make a key, print it with the line for the settings, and end.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        bool, typer.Option("--settings", help="Print all settings with their values, and end.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Serve profiles over HTTP, with a page to try them on.

    Settings come from environment variables PERSONA_LAB_...; the options here go before
    them. Reachable from this machine only unless --host and a key are given.
    """
    try:
        from service.config import Config
        from service.keys import new_key as make_key
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "service", "service", "persona-lab serve") from error

    if new_key is not None:
        key, line = make_key(new_key)
        if json_:
            write_json({"key": key, "line": line})
            return
        stdout().print(f"key, for the client:         {key}", soft_wrap=True)
        stdout().print(f"line, for PERSONA_LAB_KEYS:  {line}", soft_wrap=True)
        note("The key is shown once; the service keeps only its hash")
        return
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "workers": workers,
        "job_workers": job_workers,
    }
    config = Config.from_env(**{name: v for name, v in options.items() if v is not None})
    if settings:
        _print_settings(config, json_=json_)
        return
    raise typer.Exit(_serve(config, jobs_only=jobs_only))


def _print_settings(config: Config, *, json_: bool) -> None:
    told = config.settings()
    if json_:
        write_json({name: value for name, value, _ in told})
        return
    from rich.table import Table

    table = Table("variable", "value", "what it is", box=None, pad_edge=False)
    for name, value, help in told:
        table.add_row(name, plain(value), help)
    stdout().print(table)


def check_address(host: str, port: int) -> None:
    """See whether the address is free, before any process is started.

    Raises:
        InputError: another program listens there, or it is not an address of this machine.
    """
    import socket

    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name != "nt":  # there it would let two programs share the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"port {port} of {host} is taken by another program; choose one with --port"
        elif error.errno in (errno.EACCES, errno.EPERM):
            why = f"port {port} of {host} is not allowed; choose one above 1023 with --port"
        else:
            why = f"cannot listen on {host}: {error.strerror}; choose an address with --host"
        raise InputError(why) from None


def _serve(config: Config, *, jobs_only: bool) -> int:
    """Run the processes until told to stop; returns the exit code."""
    from tempfile import TemporaryDirectory

    from service.jobs.store import JobStore
    from service.keys import KeyRing
    from service.metrics import FOLDER_VARIABLE
    from service.supervisor import Supervisor

    # mistakes show here, once, and not in every process
    KeyRing(config.keys, config.keys_file)
    if not jobs_only:
        check_address(config.host, config.port)
    JobStore.open(config).close()
    for name, value, _ in config.settings():
        note(f"{name}={value}", style="dim")
    with TemporaryDirectory(prefix="persona-lab-metrics-") as folder:
        supervisor = Supervisor(note, config.to_env() | {FOLDER_VARIABLE: folder})
        if not jobs_only:
            supervisor.add("the web server", "service.web_server")
            shown = f"[{config.host}]" if ":" in config.host else config.host
            note(f"The page is at http://{shown}:{config.port}/ and the API at /docs; Ctrl-C ends")
        for number in range(config.job_workers):
            supervisor.add(f"job worker {number + 1}", "service.jobs.worker")
        return supervisor.run()
