"""Trait scores and known labels, one row a trait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from persona_lab.dialogue import Dialogue
from persona_lab.errors import RowError
from persona_lab.frames.building import Columns, Kind, build, lacks, listed
from persona_lab.profile import Profile, TraitScore, Unscored
from persona_lab.traits import FRAMEWORKS, MBTI

if TYPE_CHECKING:
    import pandas as pd

_WHO: Final[Columns] = {"id": "text", "speaker": "text", "framework": "text"}
_WHY: Final[Columns] = {
    "status": "text",
    "reason": "text",
    "code": "text",
    "words": "count",
    "model": "text",
}
_SCORE: Final[Columns] = {
    "p_high": "number",
    "low": "number",
    "high": "number",
    "label": "text",
    "threshold": "number",
    "level": "number",
    "level_low": "number",
    "level_high": "number",
    "why": "text",
}
_LONG: Final[Columns] = {**_WHO, "trait": "text", **_SCORE, **_WHY}
_TRAIT_UNSCORED: Final = "trait_unscored"


def score_frame(
    results: Profile
    | Unscored
    | Mapping[str, Any]
    | Iterable[Profile | Unscored | RowError | Mapping[str, Any]],
    *,
    wide: bool = False,
) -> pd.DataFrame:
    """Trait scores.

    Args:
        results: what a detector returns, or rows of ``persona-lab score --json``.
        wide: one row an id, speaker and framework, with columns named as in the ledger
            (``extraversion.p_high``, ``.low``, ``.high``, ``.label``, ``.threshold``) and
            ``type``.

    Returns:
        Columns ``id``, ``speaker``, ``framework``, ``trait``, ``p_high`` (0..1), ``low``,
        ``high`` (90 % interval), ``label`` (high, low, abstain), ``threshold``, what a reader
        sees (``level`` -2..2 with ``level_low``, ``level_high``, and ``why`` there is no label;
        missing for detectors of self-report), ``status``
        (scored, unscored), ``reason``, ``code``, ``words`` of the speaker, ``model``. A
        speaker who could not be scored has a row for each trait of the framework.

    Raises:
        InputError: something else is among the results.
        MissingExtraError: pandas is not installed.
    """
    rows = []
    for number, result in enumerate(listed(results, (Profile, Unscored, RowError)), 1):
        try:
            rows.append(_plain(result))
        except KeyError as error:
            raise lacks(number, "row of 'persona-lab score'", error) from None
    if wide:
        return build(map(_flat, rows), _wide_columns(rows))
    return build((line for row in rows for line in _long(row)), _LONG)


def label_frame(dialogues: Iterable[Dialogue | RowError]) -> pd.DataFrame:
    """Known labels, to be merged with scores on ``id``, ``speaker`` and ``trait``.

    Args:
        dialogues: from ``read_dialogues``; rows that cannot be read have no labels.

    Returns:
        Columns ``id``, ``speaker``, ``trait``, ``actual`` (1 high pole, 0 low pole, or a
        score on the corpus' own scale).
    """
    rows = (
        {"id": dialogue.id, "speaker": name, "trait": trait, "actual": value}
        for dialogue in dialogues
        if not isinstance(dialogue, RowError)
        for name, speaker in dialogue.speakers.items()
        for trait, value in speaker.labels.items()
    )
    return build(rows, {"id": "text", "speaker": "text", "trait": "text", "actual": "number"})


def _plain(result: Any) -> dict[str, Any]:
    """A result row with the fields that the frame needs."""
    if isinstance(result, RowError):
        why = {"status": "unscored", "reason": str(result), "code": "unreadable"}
        return {"id": result.row_id, "traits": {}, **why}
    row = result if isinstance(result, Mapping) else result.to_row()
    model = row.get("model") or {}
    found = {
        **{name: row[name] for name in (*_WHO, "status")},
        "reason": row.get("reason"),
        "code": row.get("code"),
        "words": row.get("word_count"),
        "model": model.get("name"),
        "type": row.get("type"),
        "traits": dict(row["traits"]),
        "warnings": row.get("warnings", ()),
    }
    if isinstance(result, Profile):
        # rows are rounded
        found["traits"] = {
            key: {name: _part(score, name) for name in _SCORE}
            for key, score in result.traits.items()
        }
    return found


def _part(score: TraitScore, name: str) -> Any:
    """A number of a score; what is shown lies one step deeper."""
    return getattr(score, name) if hasattr(score, name) else getattr(score.shown, name, None)


def _keys(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Traits that a row should have; None alone where that is not known."""
    framework = FRAMEWORKS.get(row.get("framework") or "")
    return framework.keys if framework else tuple(row["traits"]) or (None,)


def _long(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key in _keys(row):
        scored = row["traits"].get(key)
        line = {name: row.get(name) for name in (*_WHO, *_WHY)} | {"trait": key}
        if scored is not None:
            line |= {name: scored.get(name) for name in _SCORE}
        elif row["status"] == "scored":
            line |= {"status": "unscored", "code": _TRAIT_UNSCORED, "reason": _why(row, key)}
        yield line


def _why(row: Mapping[str, Any], key: str | None) -> str:
    """Why one trait of a scored speaker has no score; warnings begin with its key."""
    messages = [w["message"] for w in row["warnings"] if w["code"] == _TRAIT_UNSCORED]
    mine = [m for m in messages if m.startswith(f"{key}:")]
    return mine[0] if mine else f"{key} was not scored"


def _wide_columns(rows: list[dict[str, Any]]) -> Columns:
    traits = dict.fromkeys(key for row in rows for key in _keys(row) if key is not None)
    scores: dict[str, Kind] = {
        f"{key}.{name}": kind for key in traits for name, kind in _SCORE.items()
    }
    has_type = any(row.get("framework") == MBTI.name for row in rows)
    return {**_WHO, **scores, **({"type": "text"} if has_type else {}), **_WHY}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    scores = {
        f"{key}.{name}": score.get(name) for key, score in row["traits"].items() for name in _SCORE
    }
    return {**row, **scores}
