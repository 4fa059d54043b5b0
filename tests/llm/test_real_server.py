"""Two calls to a real model; set PERSONA_LAB_TEST_LLM to the base URL of a server."""

from __future__ import annotations

import math
import os

import pytest

from persona_lab.llm import ChatRequest, Message, open_chat_model, parse_json_reply, parse_rating

URL = os.environ.get("PERSONA_LAB_TEST_LLM")

pytestmark = [
    pytest.mark.llm,
    pytest.mark.skipif(not URL, reason="no model to ask: set PERSONA_LAB_TEST_LLM to its URL"),
]

SCHEMA = {
    "type": "object",
    "properties": {"rating": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["rating"],
    "additionalProperties": False,
}
ITEM = (
    "How accurately does this describe you, from 1 (very inaccurate) to 5 (very accurate)? "
    "I am the life of the party."
)


def request(wish: str, **how: object) -> ChatRequest:
    return ChatRequest((Message("user", f"{ITEM}\n{wish}"),), **how)  # type: ignore[arg-type]


def test_a_rating_with_logprobs_and_one_as_json() -> None:
    model = os.environ.get("PERSONA_LAB_TEST_LLM_MODEL")
    with open_chat_model(f"openai:{URL}", model=model, timeout=300.0) as client:
        plain = client.reply(request("Reply with the number only.", max_tokens=4, top_logprobs=10))
        assert 1 <= parse_rating(plain.text, 1, 5) <= 5
        assert plain.tokens_in > 20 and plain.tokens_out >= 1
        if plain.logprobs is not None:
            for token in plain.logprobs:
                spread = [logprob for _, logprob in token.alternatives]
                assert spread == sorted(spread, reverse=True)
                assert sum(map(math.exp, spread)) <= 1.001
        told = client.reply(request("Reply as JSON.", max_tokens=30, json_schema=SCHEMA))
        assert 1 <= parse_json_reply(told.text, SCHEMA)["rating"] <= 5
        assert client.usage.calls == 2 and not client.usage.failures
