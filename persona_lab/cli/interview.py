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
from persona_lab.cli.interview_view import Follower, results_table
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
    Seed,
    Temperature,
    Timeout,
    announce,
    open_client,
    report,
)
from persona_lab.cli.output import note, stdout, warn, write_json
from persona_lab.errors import InputError

if TYPE_CHECKING:
    from persona_lab.detectors import Detector
    from persona_lab.instruments import Instrument
    from persona_lab.interviews.recorded import Recorded
    from persona_lab.interviews.run import Settings, Subject
    from persona_lab.interviews.session import Session
    from persona_lab.llm import Client

_CLIENT = (
    "cassette",
    "offline",
    "concurrency",
    "timeout",
    "max_calls",
    "max_tokens",
    "price_in",
    "price_out",
)
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
        questionnaire = _instrument(given)
        client = None if bot is None else stack.enter_context(_client(bot, model, "--bot", given))
        judges = _judges(given, client, stack)
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


def _asked(
    given: dict[str, Any], instrument: Instrument, client: Client, judges: tuple[Client, ...]
) -> dict[str, Any] | None:
    """Interview a bot; None after a dry run."""
    subjects, settings = _subjects(given, client), _settings(given)
    session = _session(given, instrument, judges, settings.protocols)
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
    session = _session(given, instrument, judges, protocols)
    if session.detector is not None:
        session = replace(session, notes=_trained_on(given["detector"], recorded))
        for text in session.notes:
            warn(text)
    try:
        with Follower() as progress:
            return session.rate_recorded(recorded, precision=given["precision"], progress=progress)
    finally:
        for judge in judges:
            report(judge)


def _trained_on(name: str, recorded: Recorded) -> tuple[str, ...]:
    """A note where answers are among a detector's training texts."""
    from persona_lab.detectors.registry import find_model
    from persona_lab.interviews.self_report import PROTOCOL
    from persona_lab.training.corpora import text_hash
    from persona_lab.training.evaluate import training_folds

    texts = [r.answer for r in recorded.records if r.protocol != PROTOCOL and r.answer]
    known = training_folds(find_model(name))
    seen = sum(text_hash([text]) in known for text in texts)
    if not seen:
        return ()
    return (
        f"The detector was trained on {seen:,} of these {len(texts):,} answers, so its scores of "
        "them are better than on new ones; 'persona-lab evaluate' measures it honestly.",
    )


def _session(
    given: dict[str, Any],
    instrument: Instrument,
    judges: tuple[Client, ...],
    protocols: tuple[str, ...],
) -> Session:
    from persona_lab.interviews.labels import read_labels
    from persona_lab.interviews.raters.judges import BATCH
    from persona_lab.interviews.raters.rate import RatingSettings
    from persona_lab.interviews.raters.rating import DETECTOR
    from persona_lab.interviews.session import Session, usual_raters

    usual = usual_raters(protocols, instrument, has_judge=bool(judges))
    raters = tuple(dict.fromkeys(given["rater"] or usual))
    labels = None if given["labels"] is None else read_labels(given["labels"])
    for problem in labels.problems if labels else ():
        warn(str(problem))
    return Session(
        instrument=instrument,
        folder=given["out"],
        rating=RatingSettings(raters, None if given["collective"] else BATCH),
        judges=judges,
        detector=_detector(given["detector"]) if DETECTOR in raters else None,
        labels=labels,
        concurrency=given["concurrency"],
    )


def _detector(name: str) -> Detector:
    from persona_lab.detectors.registry import load_detector

    return load_detector(name)


def _instrument(given: dict[str, Any]) -> Instrument:
    from persona_lab.instruments import load_instrument

    instrument = load_instrument(given["instrument"], language=given["language"])
    return instrument if given["items"] is None else instrument.subset(given["items"])


def _settings(given: dict[str, Any]) -> Settings:
    from persona_lab.interviews.open_answers import LONGEST_ANSWER
    from persona_lab.interviews.run import Settings

    return Settings(
        protocols=tuple(dict.fromkeys(given["protocol"] or ("self-report",))),
        repeats=given["repeats"],
        one_conversation=given["one_conversation"],
        interviewer=given["interviewer"],
        wording=given["wording"],
        order=given["order"],
        precision=given["precision"],
        longest=given["longest"] or LONGEST_ANSWER,
        stories=given["stories"],
        scenarios=given["scenarios"],
        reworded=given["reword"],
    )


def _subjects(given: dict[str, Any], client: Client) -> list[Subject]:
    from persona_lab.interviews.bots import Bot, personas_or_error, read_history, read_persona
    from persona_lab.interviews.run import Subject
    from persona_lab.traits import Target

    roles = [key for key in ("system", "persona", "personas") if given[key] is not None]
    if len(roles) > 1:
        raise InputError(f"--{' and --'.join(roles)} are ways to say the same; give one of them")
    if given["personas"] is not None and given["target"] is not None:
        raise InputError("--target is for one bot; in --personas each record has its 'targets'")
    system = given["system"]
    if given["persona"] is not None:
        system = read_persona(given["persona"])
    history = () if given["history"] is None else read_history(given["history"])
    bot = Bot(
        given["name"] or client.name, client, system, history, given["temperature"], given["seed"]
    )
    if given["personas"] is not None:
        personas = personas_or_error(given["personas"])
        return [Subject(bot.with_persona(p), p.id, p.targets) for p in personas]
    targets = {} if given["target"] is None else Target.parse(given["target"]).values
    return [Subject(bot, None, targets)]


def _client(spec: str, model: str | None, option: str, given: dict[str, Any]) -> Client:
    try:
        return open_client(spec, model=model, **{name: given[name] for name in _CLIENT})
    except InputError:
        raise
    except Exception as error:
        error.args = (str(error).replace("--llm", option),)
        raise


def _judges(given: dict[str, Any], client: Client | None, stack: ExitStack) -> tuple[Client, ...]:
    specs, models = given["judge"] or [], given["judge_model"] or []
    if len(models) > len(specs):
        raise InputError(f"there are {len(models)} --judge-model and {len(specs)} --judge")
    judges = []
    for number, spec in enumerate(specs):
        model = models[number] if number < len(models) else None
        if client is not None and (spec, model) == (given["bot"], given["model"]):
            judges.append(client)
        else:
            judges.append(stack.enter_context(_client(spec, model, "--judge", given)))
    names = [judge.name for judge in judges]
    if len(set(names)) < len(names):
        raise InputError(f"two judges have the same name {names[0]!r}; give --judge-model to each")
    return tuple(judges)


def _tell(profile: dict[str, Any], out: Path, *, json_: bool) -> None:
    """Results on stdout, and where the files are."""
    unscored = sum(n for codes in profile["answers"]["unscored"].values() for n in codes.values())
    if unscored:
        warn(f"{unscored} of {profile['answers']['n']} answers could not be used; see the report")
    note(f"The report is {out / 'report.html'}")
    if json_:
        write_json(profile)
    else:
        stdout().print(results_table(profile))
