"""Functions and programs that stand in for models."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any


def shout(messages: list[dict[str, str]], **settings: Any) -> str:
    return messages[-1]["content"].upper()


def detailed(messages: list[dict[str, str]], **settings: Any) -> dict[str, Any]:
    logprobs = [{"token": "x", "logprob": -0.5, "top_logprobs": [{"token": "x", "logprob": -0.5}]}]
    return {
        "text": json.dumps(settings, sort_keys=True),
        "finish_reason": "length",
        "tokens_in": 11,
        "tokens_out": 22,
        "logprobs": logprobs,
    }


def misbehave(messages: list[dict[str, str]], **settings: Any) -> Any:
    match messages[-1]["content"]:
        case "number":
            return 4
        case "blank":
            return " "
        case "no network":
            raise ConnectionError("lost")
        case secret:
            raise ValueError(f"bad: {secret}")


def only_text(prompt: str) -> str:
    return prompt


async def awaited(messages: list[dict[str, str]], **settings: Any) -> str:
    return "late"


not_callable = 3


def main() -> None:
    """A program that does what the last message says."""
    sys.stderr.write("noise\n" * 20_000)  # more than a pipe holds
    sys.stderr.flush()
    count = 0
    for line in sys.stdin:
        asked = json.loads(line)
        said = asked["messages"][-1]["content"]
        count += 1
        if said == "die":
            os._exit(3)
        if said == "sleep":
            time.sleep(30)
        if said == "garble":
            print("no json", flush=True)
            continue
        replies = {
            "settings": {"text": json.dumps(asked)},
            "error": {"error": "the model has no weights"},
            "pid": str(os.getpid()),
            "count": str(count),
        }
        print(json.dumps(replies.get(said, said.upper())), flush=True)


if __name__ == "__main__":
    main()
