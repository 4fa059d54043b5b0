"""Chats as JSON under other keys: data sets of chats, pairs of replies, exports of programs."""

from __future__ import annotations

from persona_lab.formats.base import Format
from persona_lab.formats.chat_reading import read_chats

FORMAT = Format(
    name="chat",
    help="any other chat as JSON: instruction and output, prompt and replies, turns under other "
    "keys, rows of single turns, exports of ChatGPT, Claude, Discord, Telegram, SillyTavern",
    labels="",
    read=read_chats,
    keys=(("conversation",), ("chat_messages",), ("mapping",)),
)
