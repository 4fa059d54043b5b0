"""Request bodies: read, checked, and turned into dialogues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from flask import json, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.errors import TargetError
from persona_lab.formats.base import BadRow
from persona_lab.formats.chat_json import How, dialogues_of
from persona_lab.formats.own_rows import unique_utterances
from persona_lab.formats.records import Record, mend
from persona_lab.traits import Target
from service.config import Config
from service.problems import FieldError, Problem, invalid
from service.schemas.common import Item

M = TypeVar("M", bound=BaseModel)


def read_body(model: type[M]) -> M:
    """The body of the current request.

    Raises:
        Problem: it is no JSON, no object, or does not fit.
    """
    if request.mimetype != "application/json":
        raise Problem("unsupported-media-type", "send JSON as 'Content-Type: application/json'")
    try:
        given = json.loads(request.get_data(cache=False))
    except HTTPException:
        raise
    except (ValueError, RecursionError):
        raise Problem("malformed", "the body is no valid JSON in UTF-8") from None
    if not isinstance(given, dict):
        raise Problem("malformed", "the body must be a JSON object")
    try:
        return model.model_validate(_mended(given))
    except ValidationError as error:
        raise invalid(error) from None


def read_query(model: type[M]) -> M:
    """The query parameters of the current request.

    Raises:
        Problem: one is unknown or does not fit.
    """
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise invalid(error, prefix="?") from None


def to_dialogues(items: Sequence[Item], config: Config, *, job: bool = False) -> list[Dialogue]:
    """Items as dialogues, in order.

    Args:
        items: of the body.
        config: the limits.
        job: do the limits of jobs count?

    Raises:
        Problem: too many, too long, a chat that cannot be read, or two with the same id.
    """
    check_count(len(items), config, job=job)
    dialogues = []
    for i, item in enumerate(items):
        try:
            dialogues.append(_to_dialogue(item, f"item-{i + 1}").spoken())
        except BadRow as bad:
            key = "messages" if item.messages is not None else "conversations"
            raise Problem.at(f"/items/{i}/{key}", str(bad)) from None
    check_lengths([sum(len(u.text) for u in d.utterances) for d in dialogues], config, job=job)
    seen: set[str] = set()
    for i, dialogue in enumerate(dialogues):
        if dialogue.id in seen:
            raise Problem.at(f"/items/{i}/id", "two items have this id; ids must differ")
        seen.add(dialogue.id)
    return dialogues


def check_count(count: int, config: Config, *, job: bool = False, pointer: str = "/items") -> None:
    """Refuse too many items.

    Raises:
        Problem: ``too-many-items``.
    """
    name, most = ("max_job_items", config.max_job_items) if job else ("max_items", config.max_items)
    if count > most:
        detail = f"{count:,} items; a request may have {most:,} ({name})"
        raise Problem("too-many-items", detail, errors=[FieldError(pointer, detail)])


def check_lengths(
    lengths: Sequence[int], config: Config, *, job: bool = False, pointer: str = "/items"
) -> None:
    """Refuse too much text.

    Raises:
        Problem: ``too-long``.
    """
    for i, length in enumerate(lengths):
        if length > config.max_item_characters:
            detail = (
                f"{length:,} characters; an item may have {config.max_item_characters:,} "
                "(max_item_characters)"
            )
            raise Problem("too-long", detail, errors=[FieldError(f"{pointer}/{i}", detail)])
    total = sum(lengths)
    if not job and total > config.max_request_characters:
        detail = (
            f"{total:,} characters; a request may have {config.max_request_characters:,} "
            "(max_request_characters): send fewer items at a time"
        )
        raise Problem("too-long", detail, errors=[FieldError(pointer, detail)])


def read_target(given: str | None, *, pointer: str = "/target") -> Target | None:
    """A target as :meth:`persona_lab.traits.Target.parse` reads it.

    Raises:
        Problem: it cannot be understood.
    """
    if given is None:
        return None
    try:
        return Target.parse(given)
    except TargetError:
        raise Problem.at(
            pointer, "use Big Five signs such as 'E+ N-', or a type such as INFP or IXFP"
        ) from None


def _to_dialogue(item: Item, default: str) -> Dialogue:
    id = default if item.id is None else item.id
    if item.text is not None:
        return Dialogue.from_text(item.text, id=id)
    if item.turns is None:
        return _from_chat(item, id)
    utterances = unique_utterances(
        Utterance(str(i) if turn.id is None else turn.id, turn.speaker, turn.text)
        for i, turn in enumerate(item.turns or ())
    )
    speakers = {
        name: Speaker(name, persona=tuple(statements)) for name, statements in item.personas.items()
    }
    return Dialogue(id=id, utterances=utterances, speakers=speakers, focus=item.focus)


def _from_chat(item: Item, id: str) -> Dialogue:
    """A chat as files hold it, read as files are.

    Raises:
        BadRow: a turn cannot be read.
    """
    given = item.model_dump(include={"messages", "conversations", "focus"}, exclude_none=True)
    given["speakers"] = {name: {"persona": said} for name, said in item.personas.items()}
    (dialogue,) = dialogues_of(Record(id, "", given), How(lambda remark: None))
    return dialogue


def _mended(given: Any) -> Any:
    """JSON can spell halves of surrogate pairs, which nothing after this can take."""
    if isinstance(given, str):
        return mend(given)
    if isinstance(given, list):
        return [_mended(part) for part in given]
    if isinstance(given, dict):
        return {mend(key): _mended(part) for key, part in given.items()}
    return given
