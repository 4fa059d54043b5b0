"""ShareGPT conversations: ``{"conversations": [{"from", "value"}]}``."""

from __future__ import annotations

from functools import partial

from persona_lab.formats.base import Format
from persona_lab.formats.chat_reading import read_chats

_TURNS = "conversations"

FORMAT = Format(
    name="sharegpt",
    help='{"conversations": [{"from": "human|gpt|system", "value"}]}: JSON array or lines',
    labels="",
    read=partial(read_chats, wanted=_TURNS),
    keys=((_TURNS,),),
)
