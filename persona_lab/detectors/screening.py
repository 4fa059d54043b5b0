"""What every trained detector asks before it reads: are there words, and are they English?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from persona_lab.detectors.base import Request
from persona_lab.detectors.language import OTHER_SCRIPT, foreign_language
from persona_lab.detectors.reading import count_words
from persona_lab.profile import ModelInfo, Unscored, Warning_


@dataclass(frozen=True, slots=True)
class Options:
    """How to score.

    Attributes:
        mask: hide words that name a type or trait before reading.
        check_language: leave texts that are clearly not English unscored.
    """

    mask: bool = True
    check_language: bool = True


def screen(
    request: Request, texts: Sequence[str], info: ModelInfo, options: Options
) -> tuple[int, Unscored | None]:
    """Can this be read at all?

    Args:
        request: who is asked for.
        texts: what may be read of each utterance, type words hidden.
        info: of the detector.
        options: how to score.

    Returns:
        Words of the speaker, and why they cannot be scored; None where they can.
    """
    n_words = sum(count_words(u.text) for u in request.utterances)

    def unscored(reason: str, code: str, *warnings: Warning_) -> Unscored:
        return Unscored(
            request.id, request.speaker, None, reason, code,
            word_count=n_words, model=info, warnings=warnings,
        )  # fmt: skip

    if n_words == 0:
        reason = (
            "the speaker says nothing that contains a word"
            if request.utterances
            else "there are no utterances of this speaker"
        )
        return n_words, unscored(reason, "no_words")
    language = foreign_language(request.text) if options.check_language else None
    if language is not None:
        what = (
            "is not in Latin letters"
            if language == OTHER_SCRIPT
            else f"seems to be in the language {language!r}"
        )
        reason = f"the text {what}; this model was trained on English only"
        return n_words, unscored(reason, "language", Warning_("language", reason))
    if not any(map(count_words, texts)):
        return n_words, unreadable(request, n_words, info)
    return n_words, None


def unreadable(request: Request, n_words: int, info: ModelInfo) -> Unscored:
    """Nothing is left to read once type words are hidden."""
    reason = "all its words name types or traits, and those are masked"
    return Unscored(
        request.id, request.speaker, None, reason, "no_words", word_count=n_words, model=info
    )
