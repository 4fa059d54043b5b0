"""Chats in the templates that language models are taught with: marks of roles in one text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from persona_lab.formats.roles import ASSISTANT, NOBODY, SYSTEM, USER, role_of

_ASKS = "human|user|prompter|instruction|input|question|query"
_ANSWERS = "assistant|gpt|chatgpt|ai|bot|chatbot|model|response|output|answer"
_WORDS = {
    "[inst]": USER,
    "[/inst]": ASSISTANT,
    "[system_prompt]": SYSTEM,
    "instruction": USER,
    "question": USER,
    "query": USER,
    "input": USER,
    "response": ASSISTANT,
    "output": ASSISTANT,
    "answer": ASSISTANT,
    "you": USER,
    "prompt": USER,
    "claude": ASSISTANT,
    "gemini": ASSISTANT,
    "context": SYSTEM,
}
_SPECIAL = re.compile(
    r"</?s>|<\|(?:begin_of_text|end_of_text|endoftext|eot_id|eom_id|im_end|end|return|call)\|>"
    r"|<\uff5c(?:begin|end)\u2581of\u2581sentence\uff5c>|<(?:bos|eos|end_of_turn)>"
    r"|<\|END_OF_TURN_TOKEN\|>|<BOS_TOKEN>|\[/SYSTEM_PROMPT\]"
)
_SYS = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_PLAIN = frozenset({"input", "output"})
"""Headings of manuals, too."""

_QUOTES = frozenset("`\"'")
"""Before a mark that is spoken of."""

_PREFACE = 300
_SILENT = frozenset({"analysis", "commentary"})


@dataclass(frozen=True, slots=True)
class _Template:
    """One way to mark turns.

    Attributes:
        mark: begins a turn; its group ``role`` names who speaks.
        strong: the marks occur in no other text, so both sides need not speak.
    """

    mark: re.Pattern[str]
    strong: bool = True


_TEMPLATES = (
    _Template(re.compile(r"<\|im_start\|>\s*(?P<role>\w+)[^\S\n]*\n?")),
    _Template(re.compile(r"<\|start_header_id\|>\s*(?P<role>\w+)\s*<\|end_header_id\|>")),
    _Template(
        re.compile(
            r"<\|start\|>(?P<role>\w+)(?:[ =.\w]*<\|channel\|>(?P<channel>\w+))?[ =.\w]*"
            r"(?:<\|constrain\|>\w*)?<\|message\|>"
        )
    ),
    _Template(re.compile(r"<start_of_turn>\s*(?P<role>\w+)")),
    _Template(re.compile(r"<\|START_OF_TURN_TOKEN\|>\s*<\|(?P<role>[A-Z]+)_TOKEN\|>")),
    _Template(
        re.compile(
            rf"<[|\uff5c](?P<role>{_ASKS}|{_ANSWERS}|system|tool|observation)[|\uff5c]>:?", re.I
        )
    ),
    _Template(re.compile(r"(?P<role>\[/?INST\]|\[SYSTEM_PROMPT\])")),
    _Template(
        re.compile(rf"#{{2,4}}\s*(?P<role>{_ASKS}|{_ANSWERS}|system|context)\s*:", re.I), False
    ),
    _Template(  # as chats are saved from the pages of assistants
        re.compile(
            r"(?:\A|\n)(?:\#{1,4}\s*|\*\*)(?P<role>user|human|you|prompt|assistant|chatgpt|claude|"
            r"gemini|response|system)(?:\s+said)?(?:\*\*)?\s*:?(?:\*\*)?[^\S\n]*(?=\n)",
            re.IGNORECASE,
        ),
        strong=False,
    ),
    _Template(re.compile(r"(?:\A|\n)\s*(?P<role>Human|Assistant)[^\S\n]*:"), False),
    _Template(re.compile(r"\b(?P<role>USER|ASSISTANT|SYSTEM):(?=\s|$)"), False),
)
_HINT = re.compile(
    r"<[|\uff5c]|_turn>|INST\]|##|\*\*\w+(?:\*\*)?:?(?:\*\*)?\s*\n|(?:human|assistant)\s*:",
    re.IGNORECASE,
)


def split_template(text: str) -> tuple[tuple[str, str], ...] | None:
    """The turns of a text in a chat template.

    Args:
        text: chatml, the templates of Llama, Mistral, Gemma, Command R, Zephyr and gpt-oss,
            ``### Instruction:``, ``Human: ... Assistant: ...``.

    Returns:
        Role (``user``, ``assistant`` or ``system``) and words. None where the text is in no
        template. Calls of tools and thoughts in a channel of their own are left out.
    """
    if not _HINT.search(text):
        return None
    for template in _TEMPLATES:
        marks = list(template.mark.finditer(text))
        told = [mark for mark in marks if text[mark.start() - 1 : mark.start()] not in _QUOTES]
        sides = {_role(mark) for mark in told if mark["role"].casefold() not in _PLAIN}
        both = {USER, ASSISTANT} <= sides and (template.strong or _begins(text, marks))
        if both or (template.strong and sides & {USER, ASSISTANT} and len(told) > 1):
            return tuple(_turns(text, marks))
    return None


def is_one_a_line(lines: Sequence[str]) -> bool:
    """Does each line hold a chat of its own?

    Args:
        lines: the first lines of a text.
    """
    full = [line for line in lines if line.strip()]
    return len(full) > 1 and all(split_template(line) is not None for line in full)


def _begins(text: str, marks: Sequence[re.Match[str]]) -> bool:
    """Is the text a chat, rather than one that quotes a chat at its end?"""
    return marks[0].start() < max(_PREFACE, len(text) - marks[0].start())


def _role(mark: re.Match[str]) -> str:
    word = mark["role"].casefold()
    return _WORDS.get(word) or role_of(word) or NOBODY


def _turns(text: str, marks: list[re.Match[str]]) -> Iterator[tuple[str, str]]:
    held: tuple[str, str] | None = None
    for mark, after in zip(marks, [*marks[1:], None], strict=True):
        body = text[mark.end() : None if after is None else after.start()]
        role, said = _role(mark), _SPECIAL.split(body.lstrip(), maxsplit=1)[0].strip()
        if role == NOBODY or mark.groupdict().get("channel") in _SILENT:
            continue
        if role == USER and (rules := _SYS.match(said)) is not None:
            yield SYSTEM, rules[1].strip()
            said = said[rules.end() :].strip()
        if not said:  # a mark that asks the model to go on
            continue
        if mark["role"].casefold() == "input" and held is not None and held[0] == USER:
            held = (USER, f"{held[1]}\n{said}")
            continue
        if held is not None:
            yield held
        held = (role, said)
    if held is not None:
        yield held
