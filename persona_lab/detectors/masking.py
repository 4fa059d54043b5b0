r"""The leakage guard: hide words that name the answer.

People in MBTI forums write "as an INFP ..."; a model that reads it knows the label and
learns nothing. GPT's stories open with "As an extraverted person ...". These words are
masked in training and, by default, when scoring.

Almost no text holds such a word, so each :class:`Rule` comes with cheap conditions that
are necessary for a match. Only rules whose conditions hold are put into the expression
that reads the text; the others could not match anyway, so the result is that of all of
them. For the same reason some expressions say ``[ns](?<=\b.)`` where ``\b[ns]`` would do:
the engine can then skip to the next such letter, the rarer the better.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

MASK = " "
"""What stands in a masked word's place: nothing, so that even their number stays hidden."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of word to hide, and what the lower-cased text must hold for it to occur.

    Attributes:
        pattern: what is hidden, in verbose syntax, in any case.
        needles: one of these must occur; none asked for if empty.
        hint: this must match too.
    """

    pattern: str
    needles: tuple[str, ...] = ()
    hint: re.Pattern[str] | None = None


class RuleSet:
    """Rules that are applied in one pass; where several match the first one counts."""

    def __init__(self, *rules: Rule) -> None:
        """Sort the conditions by their cost."""
        self.rules = rules
        self._needles = [
            (needle, place) for place, rule in enumerate(rules) for needle in rule.needles
        ]
        self._hints = [
            (rule.hint.search, place)
            for place, rule in enumerate(rules)
            if rule.hint is not None and not rule.needles
        ]

    def hide(self, text: str) -> str:
        """Replace all that a rule matches."""
        lowered = _lower(text)
        places = self._places(lowered)
        if not places:
            return text
        needed = []
        for place in sorted(places):
            rule = self.rules[place]
            if rule.hint is None or rule.hint.search(lowered):
                needed.append(rule.pattern)
        return _expression(tuple(needed)).sub(MASK, text) if needed else text

    def may_match(self, lowered: str) -> bool:
        """Whether a rule's conditions hold somewhere in a text, or in several joined by lines."""
        return bool(self._places(lowered))

    def _places(self, lowered: str) -> set[int]:
        """Rules whose conditions hold."""
        # this runs for every text of a corpus: no call that can be left out
        places = {place for needle, place in self._needles if needle in lowered}
        places.update([place for search, place in self._hints if search(lowered)])
        return places


_NAMED = RuleSet(
    Rule(  # INFP, intps, infpish; xNFP and IxTJ have an open letter
        r"""
        \b[IE][NS][FT][JP](?:['\u2019]?s|\b|\w{1,5}\b)
        | \b(?:[xie][xns][xft][xjp])s?\b(?<!\b[a-wyz]{4})(?<!\b[a-wyz]{5})
        """,
        hint=re.compile(r"[xjp](?<=[xie][xns][xft].)"),
    ),
    Rule(
        r"\b(?:introver|extrover|extraver|ambiver)\w*",
        ("introver", "extrover", "extraver", "ambiver"),
    ),
    Rule(
        r"""
        \bintuitiv\w* | \bintuitors?\b | \bsensors?\b | \bperceiv(?:er|ing)\w*
        | \bjudg(?:er|ing)s?\b
        """,
        ("intuit", "sensor", "perceiv", "judging", "judger"),
    ),
    Rule(
        r"""
        \b(?:thinking|feeling|sensing|intuition|thinker|feeler)s?[ -]?
        (?:types?|function\w*|dom\w*|axis|preference\w*|users?|over)\b
        """,
        ("thinking", "feeling", "sensing", "intuition", "thinker", "feeler"),
        re.compile(
            r"(?:thinking|feeling|sensing|intuition|thinker|feeler)s?[ -]?"
            r"(?:type|function|dom|axis|preference|user|over)"
        ),
    ),
    Rule(r"\b(?:thinker|feeler)s?\b", ("thinker", "feeler")),
    Rule(
        r"\b(?:nt|nf|sj|sp|st|sf|fj|fp|tj|tp)'?s?\b",
        hint=re.compile(r"[tfjp](?<=\b[nsft].)'?s?\b"),
    ),
    Rule(
        r"\bmbti\b|\bmyers[ -]?briggs\b|\bkeirsey\w*|\bsocionics?\b|\benneagram\w*",
        ("mbti", "briggs", "keirsey", "socionic", "enneagram"),
    ),
    Rule(r"\b\dw\d\b", hint=re.compile(r"w\d(?<=\dw.)")),  # types of the enneagram: 5w4
    Rule(
        r"\bcognitive\ functions?\b|\b(?:inferior|dominant|auxiliary|tertiary)\ function\w*",
        ("e function", "r function", "t function", "y function"),
    ),
    Rule(r"\b16\ ?personalities\b", ("16 personalities", "16personalities")),
)
"""Types, axes and the words around them."""

_FUNCTION_NEAR_WORD = RuleSet(
    Rule(
        r"\b[nstf][ie][ -](?:dom|aux|user|tert|inf|loop|grip|function)\w*",
        hint=re.compile(r"[ -](?<=\b[nstf][ie].)(?:dom|aux|user|tert|inf|loop|grip|func)"),
    ),
)
"""Two-letter functions in any case, where the phrase shows what is meant."""

_TYPE_WORDS = (_NAMED, _FUNCTION_NEAR_WORD)
"""In the order in which they are applied."""

_CASED = re.compile(
    r"""
    [EINSTFJPXxie](?<=\b.)(?:
        [ie](?<=[NSTF].)\b                                         # Ne, but not ne
        | (?:[NSTF](?<=[ie].)[ie]|[ie](?<=[NSTF].))[- /]?(?:dom|aux|tert|inf)\w*\b
        | (?<=[IE])/?[EI]\b | (?<=[SN])/[NS]\b | (?<=[TF])/[FT]\b | (?<=[JP])/[PJ]\b
        | (?:
            [NSXx](?<=[EIXx].)[FTXx][JPXx] | E(?<=I.) | I(?<=E.)
            | [FTJP](?<=[NS].) | [JP](?<=[FT].)
          )s?\b
    )
    """,
    re.VERBOSE,
)
"""Two-letter functions and axes that count only when written as such.

``IN``, ``IS`` and ``IT`` are left alone: somebody shouting is likelier than an axis.
"""

_CASED_HINT = re.compile(r"[EINSTFJPX](?:[ie](?:\b|[- /]?[dati])|/?[EINSTFJPXx])|x[JPX]|xxxx")

_BIG_FIVE = RuleSet(
    Rule(r"\b(?:extra|extro)ver\w* | \bintrover\w*", ("extraver", "extrover", "introver")),
    Rule(r"\b(?:dis)?agreeable\w* | \bantagonis\w*", ("agreeable", "antagonis")),
    Rule(r"\b(?:un)?conscientious\w*", ("conscientious",)),
    Rule(
        r"\bneurotic\w* | \bemotional(?:ly)?[ -](?:un)?stab\w+ | \bemotional[ -](?:in)?stability",
        ("neurotic", "emotional"),
    ),
    Rule(
        r"\bopen(?:ness)?[ ]to[ ](?:new[ ])?experiences? | \bopenness\b | \bopen[ -]?minded\w*",
        ("open to ", "openness", "open minded", "open-minded", "openminded"),
    ),
    Rule(
        r"\bclosed[ ]to[ ](?:new[ ])?experiences? | \bclosed[ -]?(?:minded\w*|off\b)",
        ("closed to ", "closed minded", "closed-minded", "closedminded", "closed off", "closed-off",
         "closedoff"),
    ),
    Rule(r"\bbig[ -]five\b | \bocean[ ]model\b", ("big five", "big-five", "ocean model")),
)  # fmt: skip
"""Names of the Big Five poles."""


def mask_type_words(text: str) -> str:
    """Replace words that name an MBTI type, axis or cognitive function.

    Lower-case words that are also everyday English ("ne", "fi", "feel", "si") are left
    alone unless the phrase around them shows that a function is meant.
    """
    for rules in _TYPE_WORDS:
        text = rules.hide(text)
    return _CASED.sub(MASK, text) if _CASED_HINT.search(text) else text


def mask_trait_words(text: str) -> str:
    """Replace words that name a pole of a Big Five trait."""
    return _BIG_FIVE.hide(text)


_LINK = re.compile(r"(?:https?://|\bwww\.(?=\w))\S+", re.IGNORECASE)  # not: awwww...


def _may_hold_link(text: str, lowered: str) -> bool:
    return "://" in text or "www." in lowered


def mask(text: str) -> str:
    """Hide both kinds of words, as all bundled detectors do by default.

    Links become one word: the letters of an address say nothing about its poster.
    """
    if _may_hold_link(text, text.lower()):
        text = _LINK.sub(" https ", text)
    return mask_trait_words(mask_type_words(text))


def mask_all(texts: Sequence[str]) -> list[str]:
    """:func:`mask` on each text; a look at all of them together spares most the closer one."""
    joined = "\n".join(texts)
    lowered = _lower(joined)
    if not (
        _may_hold_link(joined, lowered)
        or _CASED_HINT.search(joined)
        or any(rules.may_match(lowered) for rules in (*_TYPE_WORDS, _BIG_FIVE))
    ):
        return list(texts)
    return [mask(text) for text in texts]


def _lower(text: str) -> str:
    if text.isascii():
        return text.lower()
    # letters that match i and s regardless of case, but are not lower-cased to them
    lowered = text.replace("\u0130", "i").lower()
    return lowered.replace("\u0131", "i").replace("\u017f", "s")


@lru_cache(maxsize=1024)
def _expression(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression of some patterns."""
    return re.compile("|".join(patterns), re.IGNORECASE | re.VERBOSE)
