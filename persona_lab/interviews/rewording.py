"""Let a language model put interview questions more naturally; kept, so that a rerun asks alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from persona_lab.errors import InputError, PersonaLabError
from persona_lab.interviews.questions import OpenQuestion
from persona_lab.llm.asking import Expected
from persona_lab.llm.chat import ChatModel, ChatReply, Message
from persona_lab.llm.errors import ParseFailure
from persona_lab.llm.rehearsal import begin

_SYSTEM: Final = (
    "You put interview questions into natural spoken English. You keep what is asked for and "
    "which answer would mean yes; you never suggest an answer."
)
_LONGEST: Final = 600
"""Characters: a question that has become a speech is no rewording."""


def reword(
    questions: Sequence[OpenQuestion], model: ChatModel, path: Path, interviewer: str | None
) -> dict[str, str]:
    """Reword questions, or read how they were reworded before.

    A question whose rewording cannot be used keeps its text.

    Args:
        questions: to reword.
        model: that does it.
        path: JSON lines of ``item`` and ``text``; appended to as texts come.
        interviewer: in whose manner; None for a plain one.

    Returns:
        Texts by item id.

    Raises:
        LLMError: the model cannot be asked.
        PersonaLabError: the file cannot be read or written.
    """
    texts = _read(path)
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            for question in questions:
                if question.item in texts:
                    continue
                texts[question.item] = _ask(question, model, interviewer)
                line = {"item": question.item, "text": texts[question.item]}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
    except OSError as error:
        raise PersonaLabError(f"cannot write {path}: {error.strerror}") from None
    return texts


def _ask(question: OpenQuestion, model: ChatModel, interviewer: str | None) -> str:
    manner = f" as {interviewer} would ask it" if interviewer else ""
    asked = (
        f"Put this question differently{manner}, in one to three sentences, and reply with the "
        f"question only:\n\n{question.text}"
    )
    expected = Expected(
        parse=_parse,
        example=question.text,
        remedy="Reply with the reworded question only; it must end with a question mark.",
        max_tokens=120,
    )
    try:
        return begin(model, (Message("system", _SYSTEM),)).ask(asked, expected).value
    except ParseFailure:
        return question.text


def _parse(reply: ChatReply) -> str:
    text = " ".join(reply.text.strip().strip('"').split())
    if "?" not in text or len(text) > _LONGEST:
        raise ParseFailure("no_question", "the reply is no question")
    return text


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    texts = {}
    # a torn last line would run into the next one, so it is cut off
    whole = path.read_bytes().rpartition(b"\n")
    if whole[2]:
        path.write_bytes(whole[0] + whole[1])
    for number, line in enumerate(whole[0].splitlines(), 1):
        try:
            record = json.loads(line)
            texts[str(record["item"])] = str(record["text"])
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path.name}:{number} is no reworded question") from None
    return texts
