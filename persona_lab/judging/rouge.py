"""ROUGE-L recall (Lin 2004): how much of a reference an answer says, in order."""

from __future__ import annotations

import re

_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]|[^\W\u2e80-\u9fff\uac00-\ud7af]+")


def rouge_l_recall(answer: str, reference: str) -> float | None:
    """Length of the longest common subsequence of words over the length of the reference.

    Words are compared without case, without stemming; an ideograph counts as a word.

    Args:
        answer: to rate.
        reference: what a good answer says.

    Returns:
        0..1; None where the reference has no words.
    """
    said, wanted = _words(answer), _words(reference)
    if not wanted:
        return None
    row = [0] * (len(wanted) + 1)
    for word in said:
        diagonal = 0
        for i, other in enumerate(wanted, start=1):
            above = row[i]
            row[i] = diagonal + 1 if word == other else max(above, row[i - 1])
            diagonal = above
    return row[-1] / len(wanted)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
