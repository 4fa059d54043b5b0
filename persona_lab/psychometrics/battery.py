"""The factorial protocol: one questionnaire, asked in every way that should not matter.

Each respondent (a bot, or a bot in a role) answers in every combination of wording, order of
options, temperature and repeat. The transcript is resumable; a forecast is a rehearsal of
the same run.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.instruments import Instrument
from persona_lab.interviews.bots import Bot, Persona
from persona_lab.interviews.records import Record, RecordFile
from persona_lab.interviews.self_report import WORDINGS, Administration, self_report
from persona_lab.llm.budget import Forecast, Prices
from persona_lab.llm.client import Client
from persona_lab.llm.flows import run_flows
from persona_lab.llm.rehearsal import RehearsalModel
from persona_lab.wholefile import write_whole

TRANSCRIPT = "answers.jsonl"
"""Name of the transcript in the folder of a run."""

RUN = "run.json"
"""Name of the file that says what the folder is about."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """In which ways a questionnaire is given; all combinations are.

    Attributes:
        wordings: names of wordings.
        orders: of the options.
        temperatures: of the sampling.
        repeats: how often each combination is asked.

    Raises:
        InputError: a part is empty, holds something twice, or an entry is out of range.
    """

    wordings: tuple[str, ...] = ("standard", "first-person", "question")
    orders: tuple[str, ...] = ("ascending", "descending")
    temperatures: tuple[float, ...] = (0.0, 0.7)
    repeats: int = 2

    def __post_init__(self) -> None:
        for name in ("wordings", "orders", "temperatures"):
            levels = getattr(self, name)
            if not levels or len(set(levels)) < len(levels):
                raise InputError(f"the {name} must be different ones, at least one; not {levels}")
        if self.repeats < 1:
            raise InputError(f"repeats is {self.repeats}; give 1 or more")

    @classmethod
    def of_size(
        cls, wordings: int, orders: int, temperatures: Sequence[float], repeats: int
    ) -> Protocol:
        """The first so many wordings and orders (after two, orders are shuffled ones).

        Raises:
            InputError: there are not so many wordings, or a number is below 1.
        """
        if not 1 <= wordings <= len(WORDINGS):
            raise InputError(
                f"there are {len(WORDINGS)} wordings ({', '.join(WORDINGS)}), not {wordings}"
            )
        if orders < 1:
            raise InputError(f"orders is {orders}; give 1 or more")
        shuffled = (f"shuffled:{seed}" for seed in range(1, orders - 1))
        return cls(
            tuple(WORDINGS)[:wordings],
            ("ascending", "descending", *shuffled)[:orders],
            tuple(temperatures),
            repeats,
        )

    def administrations(self) -> Iterator[Administration]:
        """Every way, repeats last."""
        for wording, order, temperature, repeat in product(
            self.wordings, self.orders, self.temperatures, range(self.repeats)
        ):
            yield Administration(wording, order, temperature, repeat)


@dataclass(frozen=True, slots=True)
class Respondent:
    """Who answers: a bot, and the id of its role; None for the bot as it is."""

    bot: Bot
    persona: str | None = None

    @property
    def name(self) -> str:
        """For people."""
        return self.persona or self.bot.name


@dataclass(frozen=True, slots=True)
class Sitting:
    """One respondent answers one questionnaire in one way."""

    respondent: Respondent
    instrument: Instrument
    administration: Administration

    @property
    def key(self) -> tuple[object, ...]:
        """What its records have in common."""
        how = self.administration
        return (
            self.respondent.bot.name, self.respondent.persona, self.instrument.name,
            how.wording, how.order, float(how.temperature), how.repeat,
        )  # fmt: skip


def respondents_of(bot: Bot, personas: Iterable[Persona]) -> list[Respondent]:
    """The bot in each role; the bot as it is where there are none.

    Raises:
        InputError: two personas have one id, or one has the bot's name.
    """
    found = [Respondent(bot.with_persona(p), p.id) for p in personas]
    names = [bot.name, *(r.name for r in found)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"two respondents are called {twice!r}; give each persona an id of its own, not the "
            "bot's name"
        )
    return found or [Respondent(bot)]


def plan(
    respondents: Iterable[Respondent],
    instrument: Instrument,
    protocol: Protocol,
    twins: Instrument | None = None,
) -> list[Sitting]:
    """All sittings of a battery.

    Args:
        respondents: who answers.
        instrument: what is asked.
        protocol: in which ways.
        twins: negated items; asked once a respondent, in the protocol's first way.

    Raises:
        InputError: other wordings than the printed one for items that are not English.
    """
    if not instrument.language.startswith("en") and protocol.wordings != ("standard",):
        raise InputError(
            f"{instrument.name!r} is not in English ({instrument.language}); only its own wording "
            "can be asked: --wordings 1"
        )
    ways = list(protocol.administrations())
    sittings = []
    for respondent in respondents:
        sittings += [Sitting(respondent, instrument, way) for way in ways]
        if twins is not None:
            sittings.append(Sitting(respondent, twins, ways[0]))
    return sittings


def forecast(
    sittings: Iterable[Sitting], done: Iterable[str] = (), prices: Prices | None = None
) -> Forecast:
    """What a run would use, by rehearsing it without the model.

    Args:
        sittings: of the run, all of one bot's model.
        done: ids of records from an earlier run.
        prices: of tokens.
    """
    done = frozenset(done)
    rehearsal: RehearsalModel | None = None
    for sitting in sittings:
        bot = sitting.respondent.bot
        rehearsal = rehearsal or RehearsalModel(bot.model)
        twin = replace(bot, model=rehearsal)
        for _ in self_report(twin, sitting.instrument, sitting.administration, done=done,
                             persona=sitting.respondent.persona):  # fmt: skip
            pass
    return Forecast(0, 0, 0) if rehearsal is None else rehearsal.forecast(prices)


def run(
    sittings: Sequence[Sitting],
    file: RecordFile,
    client: Client,
    *,
    concurrency: int = 4,
    on_record: Callable[[Record], None] = lambda record: None,
) -> None:
    """Ask what is not in the transcript yet; each answer is on disk as soon as it is there.

    Args:
        sittings: to hold; several are under way at once.
        file: the transcript.
        client: the one that the bots ask.
        concurrency: sittings under way at once.
        on_record: called after each new record, one at a time.

    Raises:
        PersonaLabError: the first error that ended a sitting, once the others have ended; or
            nothing at all was answered. The transcript keeps what was.
    """
    done = file.ids()
    lock = threading.Lock()
    fresh: list[Record] = []

    def hold(sitting: Sitting) -> None:
        who = sitting.respondent
        for record in self_report(
            who.bot, sitting.instrument, sitting.administration, persona=who.persona, done=done
        ):
            with lock:
                file.append(record)
                fresh.append(record)
                on_record(record)

    errors = [
        found
        for _, found in run_flows(sittings, hold, concurrency=concurrency, client=client)
        if isinstance(found, PersonaLabError)
    ]
    if errors:
        raise errors[0]
    if fresh and all(record.answer is None for record in fresh):
        raise PersonaLabError(f"none of {len(fresh)} questions was answered: {fresh[0].reason}")


def answers_of(sittings: Sequence[Sitting], records: Iterable[Record]) -> list[Record]:
    """The records that belong to the sittings; a folder may hold those of earlier runs."""
    keys = {sitting.key for sitting in sittings}
    return [
        r
        for r in records
        if (r.bot, r.persona, r.instrument, r.wording, r.order, float(r.temperature), r.repeat)
        in keys
    ]


def claim_folder(folder: Path, sittings: Iterable[Sitting]) -> None:
    """Make the folder of a run, or check that it is about the same bots and questionnaires.

    A protocol may grow from run to run; what a name stands for must not change.

    Raises:
        InputError: the folder holds answers of another bot, role or questionnaire of the
            same name.
        PersonaLabError: it cannot be written.
    """
    about: dict[str, str] = {}
    for sitting in sittings:
        who = sitting.respondent
        told = [who.bot.system, [[m.role, m.content] for m in who.bot.history], who.bot.seed]
        about[f"respondent {who.name}"] = digest(json.dumps([who.bot.name, *told]))
        about[f"instrument {sitting.instrument.name}"] = digest(sitting.instrument.to_json())
    claim(folder, about)


def claim(folder: Path, about: Mapping[str, str]) -> None:
    """Make a folder, or check that what its answers are about has not changed.

    Args:
        folder: of the run.
        about: a digest of each thing by name; things may be added from run to run.

    Raises:
        InputError: a thing has changed, or the folder is of something else.
        PersonaLabError: it cannot be written.
    """
    path = folder / RUN
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        changed = [name for name, value in about.items() if known.get(name, value) != value]
    except (ValueError, AttributeError):
        raise InputError(f"{path} was not written by persona-lab; name another folder") from None
    except OSError as error:
        raise PersonaLabError(
            f"cannot use the folder {folder}: {error.strerror}; name another with --out"
        ) from None
    if changed:
        raise InputError(
            f"{folder} holds answers about another {changed[0]}: its name is the same and its text "
            "or settings are not; name another folder with --out"
        )
    write_whole(path, json.dumps({**known, **about}, ensure_ascii=False, indent=1) + "\n")


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
