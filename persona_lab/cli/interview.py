"""``persona-lab interview``: ask a chatbot, rate what it says, and write a report."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from persona_lab.cli.interview_options import (
    AnswersFile,
    BotName,
    BotSpec,
    Collective,
    DetectorName,
    HistoryFile,
    InstrumentName,
    Interviewer,
    Items,
    Json,
    JudgeModels,
    JudgeSpecs,
    JUnitFile,
    LabelsFile,
    Language,
    LongestAnswer,
    OneConversation,
    Order,
    Out,
    PersonaFile,
    PersonasFile,
    Precision,
    Protocols,
    Raters,
    Repeats,
    Reword,
    ScenariosFile,
    Stories,
    System,
    TargetText,
    Wording,
)
from persona_lab.cli.interview_setup import (
    make_session,
    make_settings,
    open_bot,
    open_judges,
    read_instrument,
    read_subjects,
    trained_on,
)
from persona_lab.cli.interview_view import Follower, oddities, results_table
from persona_lab.cli.llm_options import (
    DEFAULT_CONCURRENCY,
    DEFAULT_TIMEOUT_S,
    CassetteFile,
    Concurrency,
    DryRun,
    MaxCalls,
    MaxTokens,
    ModelName,
    Offline,
    PriceIn,
    PriceOut,
    ReplyRoom,
    RequestFields,
    Seed,
    Temperature,
    Timeout,
    announce,
    report,
)
from persona_lab.cli.output import note, stdout, warn, write_json
from persona_lab.errors import InputError, PersonaLabError

if TYPE_CHECKING:
    from persona_lab.instruments import Instrument
    from persona_lab.llm import Client

EXAMPLES = (
    "persona-lab interview --bot openai:http://localhost:8080/v1 --out runs/plain",
    "persona-lab interview --bot openai:http://localhost:8080/v1 --personas roles.jsonl "
    "--protocol self-report --protocol interview --items 4 --repeats 3 --out runs/roles",
    "persona-lab interview --answers stories.jsonl --instrument ipip-50 --out runs/stories",
)


def command(
    context: typer.Context,
    out: Out,
    bot: BotSpec = None,
    answers: AnswersFile = None,
    name: BotName = None,
    system: System = None,
    persona: PersonaFile = None,
    personas: PersonasFile = None,
    history: HistoryFile = None,
    target: TargetText = None,
    instrument: InstrumentName = "ipip-50",
    language: Language = None,
    items: Items = None,
    protocol: Protocols = None,
    repeats: Repeats = 1,
    one_conversation: OneConversation = False,
    interviewer: Interviewer = None,
    reword: Reword = False,
    scenarios: ScenariosFile = None,
    stories: Stories = 1,
    wording: Wording = "standard",
    order: Order = "ascending",
    precision: Precision = None,
    longest: LongestAnswer = None,
    rater: Raters = None,
    judge: JudgeSpecs = None,
    judge_model: JudgeModels = None,
    collective: Collective = False,
    detector: DetectorName = "default",
    labels: LabelsFile = None,
    junit: JUnitFile = None,
    json_: Json = False,
    model: ModelName = None,
    cassette: CassetteFile = None,
    offline: Offline = False,
    concurrency: Concurrency = DEFAULT_CONCURRENCY,
    timeout: Timeout = DEFAULT_TIMEOUT_S,
    reply_room: ReplyRoom = 0,
    request: RequestFields = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    temperature: Temperature = 0.0,
    seed: Seed = 0,
    dry_run: DryRun = False,
) -> None:
    """Interview a chatbot and rate its personality.

    Asks closed or open questions, keeps every answer in the folder of --out, rates them, and
    writes profile.json and report.html there. A run that was stopped goes on with the same
    command. Limits such as --max-calls hold for the bot and for each judge.
    """
    given = dict(context.params)
    if (bot is None) == (answers is None):
        raise InputError(
            "give --bot SPEC to interview one, or --answers FILE to rate recorded ones"
        )
    with ExitStack() as stack:
        questionnaire = read_instrument(given)
        client = None if bot is None else stack.enter_context(open_bot(bot, model, "--bot", given))
        judges = open_judges(given, client, stack)
        if answers is not None:
            profile = _recorded(given, questionnaire, judges)
        else:
            assert client is not None
            found = _asked(given, questionnaire, client, judges)
            if found is None:
                return
            profile = found
    if junit is not None:
        from persona_lab.interviews.session import write_target_cases

        write_target_cases(junit, profile)
    _tell(profile, out, json_=json_)
    _check(profile)


def _asked(
    given: dict[str, Any], instrument: Instrument, client: Client, judges: tuple[Client, ...]
) -> dict[str, Any] | None:
    """Interview a bot; None after a dry run."""
    subjects, settings = read_subjects(given, client), make_settings(given)
    session = make_session(given, instrument, judges, settings.protocols)
    found = session.forecast(subjects, settings, client)
    if given["dry_run"]:
        if given["json_"]:
            write_json(asdict(found))
        else:
            announce(found)
        return None
    announce(found)
    if settings.repeats > 1 and not given["temperature"]:
        warn("at --temperature 0 repeats mostly say the same; they tell little about reliability")
    try:
        with Follower() as progress:
            return session.interview(subjects, settings, client, progress=progress)
    finally:
        report(client)
        for judge in judges:
            if judge is not client:
                report(judge)


def _recorded(
    given: dict[str, Any], instrument: Instrument, judges: tuple[Client, ...]
) -> dict[str, Any]:
    from persona_lab.interviews.recorded import read_recorded

    recorded = read_recorded(given["answers"], instrument)
    for problem in recorded.problems[:20]:
        warn(str(problem))
    protocols = tuple(dict.fromkeys(record.protocol for record in recorded.records))
    session = make_session(given, instrument, judges, protocols)
    if session.detector is not None:
        session = replace(session, notes=trained_on(given["detector"], recorded))
        for text in session.notes:
            warn(text)
    try:
        with Follower() as progress:
            return session.rate_recorded(recorded, precision=given["precision"], progress=progress)
    finally:
        for judge in judges:
            report(judge)


def _tell(profile: dict[str, Any], out: Path, *, json_: bool) -> None:
    """Results on stdout, and where the files are."""
    unscored = sum(n for codes in profile["answers"]["unscored"].values() for n in codes.values())
    if unscored:
        warn(f"{unscored} of {profile['answers']['n']} answers could not be used; see the report")
    for text in oddities(profile):
        warn(text)
    note(f"The report is {out / 'report.html'}")
    if json_:
        write_json(profile)
    else:
        stdout().print(results_table(profile))


def _check(profile: dict[str, Any]) -> None:
    """A run of which nothing could be used fails, as ``score`` does.

    Raises:
        PersonaLabError: no domain was scored.
    """
    results = [result for m in profile["measurements"] for result in m["domains"].values()]
    if all(result["score"] is None for result in results):
        reason = next((result["reason"] for result in results), "there was nothing to rate")
        raise PersonaLabError(f"nothing could be scored: {reason}")
