"""Rubrics from users' files: a prompt with blanks and described scores.

The layout is that of PersonaGym (Samuel et al. 2024, arXiv 2407.18416): text with
``{persona}``, ``{question}``, ``{response}`` and perhaps ``{score_example}``, and a line
``Score = 1: ...`` for each score.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from persona_lab.errors import FormatError, InputError
from persona_lab.llm.asking import Expected
from persona_lab.llm.chat import ChatReply
from persona_lab.llm.errors import ParseFailure
from persona_lab.llm.parsing import is_refusal, parse_rating

BLANKS: Final = ("persona", "question", "response", "score_example")

_BLANK = re.compile("{(" + "|".join(BLANKS) + ")}")
_LEVEL = re.compile(r"^\W*Score\s*=?\s*(\d+)\s*[:.]\s*(.+)$", re.MULTILINE | re.IGNORECASE)
_FORM: Final = "\n\nPersona:\n{persona}\n\nQuestion:\n{question}\n\nResponse to rate:\n{response}\n"
_FINAL: Final = "Therefore, the final score is"
_ENDING: Final = f'\n\nGive your reasons first. End with one sentence: "{_FINAL} N."\n'
_SAID = re.compile(
    r"final\s+score\W+(?:[a-z]+\W+){0,4}?(?:is|of|=|:)?\W*?([-+]?\d+(?:\.\d+)?)", re.IGNORECASE
)
_NO_EXAMPLES: Final = "(There are no examples; go by the criteria.)"
_EXAMPLE_WORDS = 60
_LONGEST_REPLY = 512


@dataclass(frozen=True, slots=True)
class Rubric:
    """What is rated, and what each score means.

    Attributes:
        name: of the file, without its ending.
        template: the prompt with blanks.
        levels: what each score means, lowest first.
    """

    name: str
    template: str
    levels: Mapping[int, str]

    @property
    def low(self) -> int:
        """The lowest score."""
        return min(self.levels)

    @property
    def high(self) -> int:
        """The highest score."""
        return max(self.levels)

    def prompt(self, values: Mapping[str, str]) -> str:
        """The prompt with its blanks filled; what fills them is never read as a blank."""
        known = {"score_example": _NO_EXAMPLES, **{k: v for k, v in values.items() if v}}
        return _BLANK.sub(lambda match: known.get(match[1], "(not given)"), self.template)

    def expected(self) -> Expected[float]:
        """The form of a judge's reply: reasons, and a final score."""
        ending = f"{_FINAL} {self.low}."
        return Expected(
            parse=lambda reply: self.read(reply),
            example="word " * _EXAMPLE_WORDS + ending,
            remedy=f'End with one sentence: "{_FINAL} N.", N a whole number from {self.low} to '
            f"{self.high}.",
            max_tokens=_LONGEST_REPLY,
        )

    def read(self, reply: ChatReply) -> float:
        """The final score of a judge's reply.

        Raises:
            ParseFailure: there is none, or it is not on the rubric's scale.
        """
        found = _SAID.findall(reply.text)
        if found:
            score = float(found[-1])
            if score != int(score) or int(score) not in self.levels:
                raise ParseFailure(
                    "off_scale", f"the final score is none of {self.low} to {self.high}"
                )
            return score
        if is_refusal(reply.text):
            raise ParseFailure("refusal", "the judge declined to rate")
        lines = [line for line in reply.text.splitlines() if line.strip()]
        return float(parse_rating(lines[-1], self.low, self.high))


def load_rubrics(paths: Iterable[Path]) -> list[Rubric]:
    """Read rubrics: text files, or folders of ``.txt`` files.

    Raises:
        InputError: a file cannot be read, or a folder holds none.
        FormatError: a file describes fewer than two scores, or two have one name.
    """
    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.txt")) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"the folder {path} holds no rubric; rubrics are .txt files")
        files += inside
    rubrics = [_read(path) for path in files]
    names = [rubric.name for rubric in rubrics]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise FormatError(f"two rubrics are called {twice!r}; rename one of the files")
    return rubrics


def _read(path: Path) -> Rubric:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"cannot read the rubric {path}: {error.strerror}; name a text file, or a folder of "
            ".txt files"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"the rubric {path} is not UTF-8 text") from None
    levels = {int(score): meaning.strip() for score, meaning in _LEVEL.findall(text)}
    if len(levels) < 2 or sorted(levels) != list(range(min(levels), max(levels) + 1)):
        raise FormatError(
            f"{path.name} must describe each score on a line of its own, two or more without a "
            f"gap: 'Score = 1: ...'; it describes {sorted(levels) or 'none'}"
        )
    if "{response}" not in text:
        text += _FORM
    if "final score" not in text.casefold():
        text += _ENDING
    return Rubric(path.stem, text, dict(sorted(levels.items())))
