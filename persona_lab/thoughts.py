"""What a reasoning model thinks before it speaks is not what it says.

Models write their thought into the reply: between tags, in a channel of its own, or with its end
marked only, where the chat template has written the beginning. A thought is said to nobody, so
nothing rates it, and no history repeats it.

======================================================  ===================================
written as                                              by
======================================================  ===================================
``<think>``, ``<thinking>``, ``<thought>``,             DeepSeek R1, Qwen 3, EXAONE, and
``<reasoning>``                                         prompts of many data sets
``[THINK]``                                             Magistral
``◁think▷``                                             Kimi
``<seed:think>``                                        Seed-OSS
``<|begin_of_thought|>``, ``<|START_THINKING|>``        Sky-T1 and OpenThoughts, Command A
``<|channel|>analysis<|message|>``                      gpt-oss (harmony)
======================================================  ===================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_TAGS: Final = (
    (r"<(?:think|thinking|thought|thoughts|reasoning)>",) * 2,
    (r"<seed:think>",) * 2,
    (r"\[(?:think|thinking)\]",) * 2,
    (r"◁think▷",) * 2,
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|start_thinking\|>", r"<\|end_thinking\|>"),
)
"""How a thought begins and ends; where both are the same, a slash goes before the name."""


def _closing(opening: str, closing: str) -> str:
    if opening != closing:
        return closing
    first = 2 if opening.startswith("\\") else 1
    return opening[:first] + "/" + opening[first:]


_KINDS: Final = tuple((opening, _closing(opening, closing)) for opening, closing in _TAGS)
# a tag in quotation marks is talked about, not used
_QUOTED: Final = r"(?<![`'\"\u2018\u201c])"
_PAIR = re.compile(
    "|".join(rf"{_QUOTED}{opening}(.*?){closing}" for opening, closing in _KINDS),
    re.IGNORECASE | re.DOTALL,
)
_OPEN = re.compile(
    # words before a tag that is never closed may be about tags, those on lines before it not
    r"^[ \t]*(?:" + "|".join(opening for opening, _ in _KINDS) + ")",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSE = re.compile(
    _QUOTED + "(?:" + "|".join(closing for _, closing in _KINDS) + ")", re.IGNORECASE
)
_AROUND_ANSWER = re.compile(
    r"\A\s*(?:<answer>(.*?)(?:</answer>|\Z)"
    r"|<\|begin_of_solution\|>(.*?)(?:<\|end_of_solution\|>|\Z)"
    r"|<\|start_response\|>(.*?)(?:<\|end_response\|>|\Z))",
    re.IGNORECASE | re.DOTALL,
)
"""What some models put around the answer that follows a thought."""

_CHANNEL = re.compile(
    r"<\|channel\|>\s*(\w+)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>(.*?)"
    r"(?=<\|(?:end|return|call|start|channel)\|>|\Z)",
    re.DOTALL,
)
_SPOKEN: Final = "final"
# decoding that leaves out special tokens leaves the names of the channels
_BARE_CHANNELS = re.compile(r"\A\s*analysis(?=\S)(.*?)assistantfinal(.*)\Z", re.DOTALL)
# most texts hold none of these, and need no closer look
_HINTS: Final = ("<", "[", "◁", "assistantfinal")


@dataclass(frozen=True, slots=True)
class Thought:
    """A text in two parts.

    Attributes:
        said: without thoughts, and without white space around it; as it came where there
            are none.
        thought: all of them, one a paragraph; ``""`` for none.
        cut_off: the text ends inside a thought, so that what would have been said is missing.
    """

    said: str
    thought: str = ""
    cut_off: bool = False


def split_thought(text: str) -> Thought:
    """Tell what is said from what is thought.

    A thought counts where its tags are complete, where only its end is marked (all before it is
    the thought), and where a line begins with a tag that is never closed (all after it is, and
    the text is cut off). Tags in quotation marks or backticks are left alone.

    Args:
        text: a reply, or a turn of a data set.
    """
    if not any(mark in text for mark in _HINTS):
        return Thought(text)
    if "<|channel|>" in text:
        return _by_channels(text)
    bare = _BARE_CHANNELS.match(text)
    if bare is not None:
        return Thought(bare[2].strip(), bare[1].strip())
    return _by_tags(text)


def _by_tags(text: str) -> Thought:
    thoughts: list[str] = []

    def keep(match: re.Match[str]) -> str:
        thoughts.extend(part for part in match.groups() if part)
        return "\n" if "\n" in match[0] else " "

    said = _PAIR.sub(keep, text)
    found = said != text
    *_, last = [None, *_CLOSE.finditer(said)]
    if last is not None:
        thoughts.insert(0, said[: last.start()])
        said, found = said[last.end() :], True
    opened = _OPEN.search(said)
    if opened is not None:
        thoughts.append(said[opened.end() :])
        said, found = said[: opened.start()], True
    if not found:
        return Thought(text)
    answer = _AROUND_ANSWER.match(said)
    if answer is not None:
        said = next(part for part in answer.groups() if part is not None)
    return Thought(said.strip(), _joined(thoughts), opened is not None)


def _by_channels(text: str) -> Thought:
    channels = _CHANNEL.findall(text)
    said = [content for name, content in channels if name == _SPOKEN]
    thoughts = [content for name, content in channels if name != _SPOKEN]
    return Thought("\n".join(said).strip(), _joined(thoughts), not said)


def _joined(thoughts: Sequence[str]) -> str:
    return "\n\n".join(part.strip() for part in thoughts if part.strip())
