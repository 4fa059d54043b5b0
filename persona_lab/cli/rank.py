"""``persona-lab rank``: order generated candidates by how well they fit a personality."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from persona_lab.cli.measure import MeasureOption, detector_for
from persona_lab.cli.output import note, plain, stdout, warn, write_json
from persona_lab.errors import ModelError, RowError

if TYPE_CHECKING:
    from persona_lab.consistency.ranking import Candidate, Ranked

EXAMPLES = (
    'persona-lab rank candidates.jsonl --target "E+ A+"',
    "persona-lab rank replies.txt --target INFP --persona persona.txt --json",
)

_TEXT_SHOWN = 100


def command(
    candidates: Annotated[
        str,
        typer.Argument(
            metavar="CANDIDATES",
            help="JSON lines with text, and id and context if you like; or one candidate a "
            "line; - for stdin. Neighbours with the same context compete.",
            show_default=False,
        ),
    ],
    target: Annotated[
        str,
        typer.Option(
            metavar="TARGET",
            help="The personality that was asked for: 'E+ N-', INFP, or a JSON file of traits.",
            show_default=False,
        ),
    ],
    persona: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Persona statements that a candidate should not contradict, one a line.",
            show_default=False,
        ),
    ] = None,
    detector: Annotated[
        str,
        typer.Option(
            metavar="NAME|DIR", help="A name from 'persona-lab models list', or a model's folder."
        ),
    ] = "default",
    measure: MeasureOption = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print result rows as JSON lines on stdout.")
    ] = False,
) -> None:
    """Order generated candidates by personality.

    Each candidate gets the probability that its traits are as wanted; with a persona, the
    probability that it contradicts no statement counts, too. A single reply says little
    about a personality: the order is worth more than the numbers.
    """
    from persona_lab.consistency.judge import load_nli
    from persona_lab.consistency.parts import NotScored
    from persona_lab.consistency.personas import read_persona
    from persona_lab.consistency.ranking import by_context, rank, read_candidates
    from persona_lab.consistency.target import read_target
    from persona_lab.consistency.turns import TurnReader
    from persona_lab.detectors.registry import load_detector
    from persona_lab.formats.source import Source

    wanted = read_target(target)
    statements = read_persona(persona).everybody if persona is not None else ()
    with closing(Source(candidates)) as source:
        found = read_candidates(source)
        model = load_detector(detector_for(detector, measure))
        if wanted.framework not in model.frameworks:
            raise ModelError(
                f"the detector {model.info.name!r} does not score {wanted.framework.title}, "
                "which the target is in; choose another --detector or --target"
            )
        nli = None
        if statements:
            loaded = load_nli()
            if isinstance(loaded, NotScored):
                warn(f"the persona is left out: {loaded.reason}")
            else:
                nli = loaded
        reader = TurnReader(model)
        n_bad = 0

        def good() -> Iterator[Candidate]:
            nonlocal n_bad
            for candidate in found:
                if isinstance(candidate, RowError):
                    n_bad += 1
                    warn(str(candidate))
                else:
                    yield candidate

        n = 0
        for group in by_context(good()):
            ordered = rank(group, wanted, reader, persona=statements, nli=nli)
            n += len(ordered)
            if json_:
                for ranked in ordered:
                    write_json(ranked.to_row())
            else:
                _show(ordered)
        bad = f"; {n_bad} could not be read" if n_bad else ""
        note(f"{n:,} candidate{'s' * (n != 1)} ranked{bad}")


def _show(ordered: list[Ranked]) -> None:
    from persona_lab.consistency.parts import NotScored

    console = stdout()
    context = ordered[0].candidate.context
    if context is not None:
        console.print(plain(context)[:_TEXT_SHOWN], style="bold", soft_wrap=True)
    for ranked in ordered:
        text = plain(ranked.candidate.text)[:_TEXT_SHOWN]
        if isinstance(ranked.score, NotScored):
            place = f"  -  not scored: {ranked.score.reason}"
            console.print(place, style="yellow", soft_wrap=True)
            continue
        agrees = "" if ranked.agreement is None else f"  agrees {ranked.agreement:.2f}"
        console.print(
            f"{ranked.rank:3}  {ranked.score.value:.2f}  match {ranked.match:.2f}{agrees}  "
            f"{plain(ranked.candidate.id)}  {text}",
            soft_wrap=True,
        )
