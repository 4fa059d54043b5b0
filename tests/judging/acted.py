"""Players and judges that act, for ``callable:``."""

from __future__ import annotations

import re
from random import Random
from typing import Any

Messages = list[dict[str, str]]


def player(messages: Messages, **settings: Any) -> str:
    """Answers with its persona and about 80 words, as the forecast assumes."""
    told = messages[0]["content"] if messages[0]["role"] == "system" else ""
    turn = sum(m["role"] == "assistant" for m in messages)
    return f"As {told[:40]} I say ({turn}): " + "word " * 70


def mute(messages: Messages, **settings: Any) -> str:
    return "I'm sorry, but I can't help with that."


def _quality(messages: Messages) -> int:
    """Responses say how good they are: "quality 4"."""
    # a remedy may follow; the case is in the first question
    asked = next(m["content"] for m in messages if m["role"] == "user")
    found = re.search(r"quality (\d)", asked)
    return int(found[1]) if found else 3


def fair(messages: Messages, **settings: Any) -> str:
    return "word " * 60 + f"Therefore, the final score is {_quality(messages)}."


def noisy(messages: Messages, **settings: Any) -> str:
    """Off by one now and then."""
    random = Random(f"{settings['seed']} {messages[-1]['content']}")
    score = min(5, max(1, _quality(messages) + random.choice((-1, 0, 0, 0, 1))))
    return f"Because of this and that. Therefore, the final score is **{score}**."


def dice(messages: Messages, **settings: Any) -> str:
    score = Random(f"{settings['seed']} {messages[-1]['content']}").randint(1, 5)
    return f"Therefore, the final score is {score}."


def five(messages: Messages, **settings: Any) -> str:
    return "Wonderful. Therefore, the final score is 5."


def mumbles(messages: Messages, **settings: Any) -> str:
    """Never says a score for good responses."""
    if _quality(messages) >= 4:
        return "Hard to tell, all in all."
    return fair(messages, **settings)


def parrot_user(messages: Messages, **settings: Any) -> str:
    """An interrogator who tells what it was told and what it hears."""
    situation = messages[0]["content"].partition("\n")[2].partition("\n")[0]
    turn = sum(m["role"] == "user" for m in messages)
    return f"{turn}: {situation} / {messages[-1]['content'][:60]}"
