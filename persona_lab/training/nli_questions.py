"""Labelled files as questions: does the last text contradict any of the earlier ones?

A row that is no question comes out as the reason why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from persona_lab.consistency.contradiction import CONTRADICTION
from persona_lab.detectors.language import foreign_language
from persona_lab.errors import InputError, RowError
from persona_lab.training.nli_corpora import Corpora
from persona_lab.training.nli_decode import Case, read_decode
from persona_lab.training.nli_pairs import LABELS, Pair, pair_key, read_pairs


@dataclass(frozen=True, slots=True)
class Question:
    """One row: does the last text contradict any of the earlier ones?

    Attributes:
        earlier: texts of the same speaker; one premise of a pair.
        last: the text in question.
        label: the answer.
        source: corpus, where the row names one.
        classes: the classes that the label allows, for pairs; else empty.
        evidence: positions in ``earlier`` known to be contradicted.
    """

    earlier: tuple[str, ...]
    last: str
    label: bool
    source: str = ""
    classes: tuple[int, ...] = ()
    evidence: frozenset[int] = frozenset()

    @property
    def keys(self) -> list[int]:
        """Hashes of its pairs."""
        return [pair_key(text, self.last) for text in self.earlier]


def _decode_rows(path: Path) -> Iterator[Question | str]:
    for case in read_decode(path):
        yield "unreadable" if isinstance(case, RowError) else case_question(case)


def case_question(case: Case) -> Question | str:
    """A dialogue as a question; a reason where it is none."""
    if case.label is None:
        return "no_label"
    own = case.own
    if not own:
        return "no_earlier_turn"
    return Question(
        earlier=tuple(case.said(i) for i in own),
        last=case.said(len(case.turns) - 1),
        label=case.label,
        evidence=frozenset(own.index(i) for i in case.evidence if i in own),
    )


def _nli_rows(path: Path) -> Iterator[Question | str]:
    files = sorted(path.glob("*.jsonl*")) if path.is_dir() else [path]
    for file in files:
        for pair in read_pairs(file):
            yield "unreadable" if isinstance(pair, RowError) else pair_question(pair)


def pair_question(pair: Pair) -> Question | str:
    """A pair as a question; a reason where its label leaves contradiction open."""
    classes = LABELS[pair.label]
    if CONTRADICTION in classes and len(classes) > 1:
        return "label_leaves_it_open"
    return Question(
        (pair.premise,), pair.hypothesis, CONTRADICTION in classes, pair.source, classes
    )


def _cdconv_rows(path: Path) -> Iterator[Question | str]:
    """CDConv (Zheng et al. 2022): does the bot's second reply go against its first?

    Labels 2 (role confusion) and 3 (against the history) are contradictions of the first
    reply; label 1, within the reply itself, is another question.
    """
    file = path / "cdconv.jsonl" if path.is_dir() else path
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as UTF-8 text: {error}") from error
    for line in filter(str.strip, lines):
        try:
            row = json.loads(line)
            first, second, label = str(row["b1"]), str(row["b2"]), int(row["label"])
        except (ValueError, KeyError, TypeError):
            yield "unreadable"
            continue
        yield "within_one_turn" if label == 1 else Question((first,), second, label in (2, 3))


READERS: dict[str, Callable[[Path], Iterator[Question | str]]] = {
    "decode": _decode_rows,
    "nli": _nli_rows,
    "cdconv": _cdconv_rows,
}
"""By format: questions, or the reason why a row is none."""


def problem_of(question: Question) -> str | None:
    """Why a question cannot be answered."""
    if not question.last.strip() or not all(text.strip() for text in question.earlier):
        return "blank"
    # one text may be too short to tell, and all together may hide one
    texts = (*question.earlier, question.last)
    if any(map(foreign_language, (" ".join(texts), *texts))):
        return "language"
    return None


def questions_of(corpora: Corpora, split: str) -> list[Question]:
    """What is asked of the dialogues of a split."""
    found = (case_question(case) for case in corpora.cases[split])
    return [question for question in found if isinstance(question, Question)]


def pair_questions(pairs: Sequence[Pair]) -> list[Question]:
    """What is asked of pairs that have one class."""
    return [q for q in map(pair_question, pairs) if isinstance(q, Question)]
