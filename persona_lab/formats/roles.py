"""Who speaks, by the words that chat files use for the sides; upper and lower case alike."""

from __future__ import annotations

import re

USER, ASSISTANT = "user", "assistant"

SYSTEM = "system"
"""Says who the assistant is: its persona, not something that anybody says."""

NOBODY = "nobody"
"""Calls of tools and what they return: no person's words."""

_WORDS = {
    USER: "user human prompter customer you_said",
    ASSISTANT: "assistant gpt chatgpt model bot chatbot bing bard ai ai_assistant "
    "chatgpt_said claude_said gemini_said copilot_said",
    SYSTEM: "system developer system_prompt chatbot_role",
    NOBODY: "tool tools tool_call tool_calls tool_use tool_response tool_result tool_output "
    "function function_call function_response function_result observation ipython",
}
_ROLES = {word: role for role, words in _WORDS.items() for word in words.split()}
_MODEL = re.compile(r"gpt[-_. ]?\d[\w.-]*")


def role_of(word: str) -> str | None:
    """The role that a word stands for.

    Args:
        word: as in a file, such as ``Human``, ``gpt`` or ``function-call``.

    Returns:
        ``user``, ``assistant``, ``system``, ``nobody``; None for a name.
    """
    folded = word.strip().casefold()
    if _MODEL.fullmatch(folded):
        return ASSISTANT
    return _ROLES.get(folded.replace("-", "_").replace(" ", "_"))
