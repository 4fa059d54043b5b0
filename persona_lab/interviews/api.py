"""Interviewing a chatbot from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from persona_lab.instruments import load_instrument
from persona_lab.interviews.bots import Bot
from persona_lab.interviews.raters.rate import RatingSettings
from persona_lab.interviews.raters.rating import DETECTOR
from persona_lab.interviews.run import Settings, Subject
from persona_lab.interviews.self_report import PROTOCOL as SELF_REPORT
from persona_lab.interviews.session import Session, usual_raters
from persona_lab.llm.callable import CallableModel
from persona_lab.llm.chat import ChatModel
from persona_lab.llm.client import Client
from persona_lab.traits import Target


def interview(
    bot: Callable[..., object] | ChatModel,
    out: str | Path,
    *,
    name: str = "bot",
    system: str | None = None,
    instrument: str = "ipip-20",
    protocols: Sequence[str] = (SELF_REPORT,),
    repeats: int = 1,
    target: str | Mapping[str, float] | None = None,
    detector: str = "default",
    temperature: float = 0.0,
    seed: int = 0,
    concurrency: int = 1,
) -> dict[str, Any]:
    """Interview a chatbot and rate its personality.

    Args:
        bot: a function that takes a list of ``{"role": ..., "content": ...}`` and keywords
            (see :data:`persona_lab.llm.callable.Answer`) and returns the reply's text; or a
            model, such as :func:`persona_lab.llm.open_chat_model` opens.
        out: folder for the answers, ``profile.json`` and ``report.html``; an interview that
            was stopped goes on there.
        name: of the bot, in records and reports.
        system: its system prompt or persona.
        instrument: name or file of a questionnaire.
        protocols: some of ``self-report``, ``interview``, ``situational`` and ``story``.
        repeats: how often each.
        target: wanted personality, such as ``"E+ N-"``.
        detector: name or folder; rates open answers.
        temperature: of the sampling of open answers.
        seed: of the sampling.
        concurrency: conversations under way at once; a function must bear as many threads.

    Returns:
        The profile, as ``profile.json`` holds it.

    Raises:
        PersonaLabError: nothing could be asked, or a file cannot be written.
    """
    model = cast(ChatModel, bot) if hasattr(bot, "reply") else CallableModel(bot, name)
    questionnaire = load_instrument(instrument)
    settings = Settings(protocols=tuple(protocols), repeats=repeats)
    raters = usual_raters(settings.protocols, questionnaire, has_judge=False)
    targets = Target.parse(target).values if isinstance(target, str) else dict(target or {})
    rating = None
    if DETECTOR in raters:
        from persona_lab.detectors.registry import load_detector

        rating = load_detector(detector)
    session = Session(
        questionnaire, Path(out), RatingSettings(raters), detector=rating, concurrency=concurrency
    )
    with Client(model, concurrency=concurrency) as client:
        asked = Bot(name, client, system, temperature=temperature, seed=seed)
        return session.interview([Subject(asked, None, targets)], settings, client)
