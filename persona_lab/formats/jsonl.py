"""Our own JSON lines: a text or the turns of a dialogue a record, with labels.

``{"id", "text", "speaker"?, "labels"?, "group"?}`` or ``{"id", "turns": [{"speaker",
"text"}], "speakers"?, "focus"?, ...}``; :mod:`persona_lab.formats.writing` writes the second.
Other chats are read as well, see :mod:`persona_lab.formats.chat_json`.
"""

from __future__ import annotations

from persona_lab.formats.base import Format
from persona_lab.formats.chat_reading import read_chats

FORMAT = Format(
    name="jsonl",
    help='JSON lines {"id", "text"} or {"id", "turns": [{"speaker", "text"}]}',
    labels="'labels': {trait: 0, 1 or a score}",
    read=read_chats,
    keys=(("turns",), ("text",)),
    takes_columns=True,
)
