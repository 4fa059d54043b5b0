"""OpenAI chat messages: ``{"messages": [{"role", "content"}]}``."""

from __future__ import annotations

from functools import partial

from persona_lab.formats.base import Format
from persona_lab.formats.chat_reading import read_chats

_TURNS = "messages"

FORMAT = Format(
    name="openai",
    help='chat messages {"messages": [{"role", "content"}]}: JSON lines, array or document',
    labels="",
    read=partial(read_chats, wanted=_TURNS),
    keys=((_TURNS,), ("role", "content")),
)
