"""From the options of ``persona-lab interview`` to what an interview needs."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from persona_lab.cli.llm_options import client_options, open_client
from persona_lab.cli.output import warn
from persona_lab.errors import InputError

if TYPE_CHECKING:
    from persona_lab.detectors import Detector
    from persona_lab.instruments import Instrument
    from persona_lab.interviews.recorded import Recorded
    from persona_lab.interviews.run import Settings, Subject
    from persona_lab.interviews.session import Session
    from persona_lab.llm import Client


def trained_on(name: str, recorded: Recorded) -> tuple[str, ...]:
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


def make_session(
    given: dict[str, Any],
    instrument: Instrument,
    judges: tuple[Client, ...],
    protocols: tuple[str, ...],
) -> Session:
    """What asks and rates; labels that cannot be read are warned of."""
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


def read_instrument(given: dict[str, Any]) -> Instrument:
    """The questionnaire, shortened if so asked."""
    from persona_lab.instruments import load_instrument

    instrument = load_instrument(given["instrument"], language=given["language"])
    return instrument if given["items"] is None else instrument.subset(given["items"])


def make_settings(given: dict[str, Any]) -> Settings:
    """How to ask."""
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


def read_subjects(given: dict[str, Any], client: Client) -> list[Subject]:
    """Who is asked: the bot as it is, or one subject a persona.

    Raises:
        InputError: options contradict each other, or a file cannot be read.
    """
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


def open_bot(spec: str, model: str | None, option: str, given: dict[str, Any]) -> Client:
    """The client of a bot or judge; errors name ``option``, which told its spec."""
    try:
        return open_client(spec, model=model, **client_options(given))
    except InputError:
        raise
    except Exception as error:
        error.args = (str(error).replace("--llm", option),)
        raise


def open_judges(
    given: dict[str, Any], client: Client | None, stack: ExitStack
) -> tuple[Client, ...]:
    """The judges' clients, closed with the stack; a judge that is the bot shares its client.

    Raises:
        InputError: judges cannot be told apart.
    """
    specs, models = given["judge"] or [], given["judge_model"] or []
    if len(models) > len(specs):
        raise InputError(f"there are {len(models)} --judge-model and {len(specs)} --judge")
    judges = []
    for number, spec in enumerate(specs):
        model = models[number] if number < len(models) else None
        if client is not None and (spec, model) == (given["bot"], given["model"]):
            judges.append(client)
        else:
            judges.append(stack.enter_context(open_bot(spec, model, "--judge", given)))
    names = [judge.name for judge in judges]
    if len(set(names)) < len(names):
        raise InputError(f"two judges have the same name {names[0]!r}; give --judge-model to each")
    return tuple(judges)
