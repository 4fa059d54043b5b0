"""Which run a folder holds: what decides the answers, so that two runs are never mixed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.instruments import Instrument
from persona_lab.interviews.run import Settings, Subject
from persona_lab.wholefile import write_whole

SETTINGS: Final = "run.json"


def check_settings(
    folder: Path,
    subjects: Sequence[Subject],
    instrument: Instrument,
    settings: Settings,
) -> None:
    """Note what decides the answers of a run, or refuse to mix it with another run's.

    More repeats, protocols or personas may be added later; what is told and asked may not
    change.

    Raises:
        InputError: the folder holds a run with other settings.
        PersonaLabError: it cannot be written.
    """
    path = folder / SETTINGS
    now = _deciding(subjects, instrument, settings)
    try:
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            _compare(before, now, folder)
            now["personas"] = before["personas"] | now["personas"]
    except OSError as error:
        raise PersonaLabError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} is damaged; name another folder with --out") from None
    write_whole(path, json.dumps(now, indent=1) + "\n")


def _deciding(
    subjects: Sequence[Subject], instrument: Instrument, settings: Settings
) -> dict[str, Any]:
    bot = subjects[0].bot
    history = "\n".join(f"{m.role}: {m.content}" for m in bot.history)
    return {
        "bot": bot.name,
        "model": bot.model.name,
        "temperature": bot.temperature,
        "seed": bot.seed,
        "--request": dict(getattr(bot.model, "request_fields", {})) or None,
        "history": _digest(history),
        "personas": {s.persona or "": _digest(s.bot.system or "") for s in subjects},
        "instrument": instrument.name,
        "items": _digest(instrument.to_json()),
        "wording": settings.wording,
        "order": settings.order,
        "one conversation": settings.one_conversation,
        "interviewer": settings.interviewer,
        "reworded": settings.reworded,
        "longest": settings.longest,
        "precision": settings.precision,
    }


def _compare(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    changed = [key for key in now if key != "personas" and before.get(key) != now[key]]
    personas = before["personas"]
    changed += [
        f"persona {id!r}" if id else "system prompt"
        for id, digest in now["personas"].items()
        if personas.get(id, digest) != digest
    ]
    if changed:
        raise InputError(
            f"{folder} holds a run with another {', another '.join(changed)}; name another "
            "folder with --out, or give the same options to go on"
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
