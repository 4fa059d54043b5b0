"""``--detector psycot``: the options that it adds to ``score`` and ``evaluate``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_lab.cli.llm_options import announce, client_options, open_client, report
from persona_lab.cli.output import note, write_json
from persona_lab.dialogue import Dialogue
from persona_lab.errors import InputError, RowError, SpeakerError

if TYPE_CHECKING:
    from persona_lab.detectors import Request
    from persona_lab.detectors.psycot import Correction, PsyCotDetector

PSYCOT = "psycot"
"""What ``--detector`` is for a language model with a questionnaire."""

_PANEL = "PsyCoT (--detector psycot)"

Variant = Annotated[
    str,
    typer.Option(
        "--variant",
        metavar="NAME",
        help="How to ask: standard, cot (baselines), psycot (item by item), psycot-batch (all "
        "items of a trait at once), psycot-expect (and ratings from token probabilities).",
        rich_help_panel=_PANEL,
    ),
]
Instruments = Annotated[
    list[str] | None,
    typer.Option(
        "--instrument",
        metavar="NAME|FILE",
        help="Questionnaire whose items are rated; once a framework. Left out: ipip-50 and "
        "jungian-48. See: persona-lab instruments list.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Calibration = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        metavar="FILE.json",
        help="What 'evaluate --detector psycot --json' printed for this model: turns shares of "
        "answers into probabilities.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
DEFAULT_VARIANT = "psycot-batch"


@contextmanager
def open_psycot(options: Mapping[str, Any]) -> Iterator[PsyCotDetector]:
    """The detector that a command's options describe; its usage is told in the end.

    Args:
        options: the command's parameters by name, as ``typer.Context.params`` holds them.

    Raises:
        PersonaLabError: an option cannot be used.
    """
    from persona_lab.detectors.psycot import VARIANTS, PsyCotDetector, Settings
    from persona_lab.instruments import load_instrument
    from persona_lab.llm.asking import Sampling

    variants = {str(name): name for name in VARIANTS}
    if options["variant"] not in variants:
        raise InputError(f"there is no --variant {options['variant']!r}; use {', '.join(variants)}")
    if not options["llm"]:
        raise InputError("--detector psycot asks a language model; name it with --llm SPEC")
    settings = Settings(
        variant=variants[options["variant"]],
        sampling=Sampling(options["temperature"], options["seed"]),
        concurrency=options["concurrency"],
        mask=not options["no_mask"],
    )
    chosen = options["instrument"]
    instruments = [load_instrument(name) for name in chosen] if chosen else None
    file = options["calibration"]
    corrections = None if file is None else read_calibration(file)
    with open_client(
        options["llm"], model=options["llm_model"], **client_options(options)
    ) as client:
        detector = PsyCotDetector(
            client, settings, instruments=instruments, corrections=corrections
        )
        try:
            yield detector
        finally:
            usage = client.usage
            if usage.calls or usage.replayed:
                note(detector.report.summary())
            if usage.calls or usage.replayed or usage.failures:
                report(client)


def refuse_llm_options(context: typer.Context) -> None:
    """Say so where options of a language model were given to a detector that asks none.

    Raises:
        InputError: naming the first of them.
    """
    for name in ("llm", "llm_model", "cassette", "offline", "variant", "instrument", "dry_run"):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(
                f"--{name.removeprefix('llm_').replace('_', '-')} is about --detector {PSYCOT}; "
                "the trained detectors ask no language model"
            )


def requests_of(records: Iterable[Dialogue | RowError], speaker: str | None) -> Iterator[Request]:
    """What scoring these records will ask for.

    Args:
        records: rows that cannot be read, and speakers that do not occur, are left out.
        speaker: as given to ``--speaker``.
    """
    from persona_lab.detectors import Request

    for record in records:
        if isinstance(record, Dialogue):
            with suppress(SpeakerError):
                for name in record.choose(speaker):
                    yield Request.of(record, name)


def tell_forecast(
    detector: PsyCotDetector,
    requests: Iterable[Request],
    frameworks: tuple[str, ...] | None,
    *,
    json_: bool,
) -> None:
    """Say what these requests will use: on stderr, or as JSON on stdout.

    Args:
        detector: that will score them.
        requests: all of the run.
        frameworks: to score; None for all.
        json_: on stdout.
    """
    prices = getattr(detector.model, "prices", None)
    found = detector.forecast(requests, frameworks=frameworks, prices=prices)
    if json_:
        write_json(asdict(found))
    else:
        announce(found)


def read_calibration(file: Path) -> dict[str, Correction]:
    """Corrections by trait from the JSON of ``evaluate``.

    Raises:
        InputError: the file cannot be read, or holds no calibration.
    """
    from persona_lab.detectors.psycot import Correction

    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        by_trait: Mapping[str, Any] = found["calibration"]
        return {
            trait: Correction(float(c["slope"]), float(c["intercept"]))
            for trait, c in by_trait.items()
        }
    except OSError as error:
        raise InputError(f"cannot read --calibration {file}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"--calibration {file} holds no calibration; give the JSON that 'persona-lab evaluate "
            "... --detector psycot --json' printed, of 20 texts or more"
        ) from error
