"""Chats as JSON under other keys: data sets of chats, pairs of replies, exports of programs."""

from __future__ import annotations

from persona_lab.formats.base import Format
from persona_lab.formats.chat_reading import read_chats

FORMAT = Format(
    name="chat",
    help="other chats as JSON: instruction and output, rows of turns, exports of programs",
    labels="",
    read=read_chats,
    keys=(("conversation",), ("chat_messages",), ("mapping",)),
)
