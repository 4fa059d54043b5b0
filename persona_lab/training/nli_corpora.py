"""What the contradiction model learns from: a folder of corpora, as kinds of pairs.

Dialogues are put into components that share a sentence, over all corpora: the makers of
DECODE wrote a contradicting and a plain last turn to the same conversations, and took those
from public corpora. Pairs of a component go to the same split.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.errors import InputError, RowError, TrainingError
from persona_lab.training.nli_augment import made_pairs, sentences
from persona_lab.training.nli_decode import Case, read_decode, turn_in_context
from persona_lab.training.nli_own import own_pairs, talk_pairs
from persona_lab.training.nli_pairs import (
    SPLITS,
    Pair,
    cap,
    components,
    normal,
    pair_key,
    read_pairs,
    split_of,
)

PAIR_SHARES = (0.03, 0.07)
CASE_SHARES = (0.10, 0.15)
"""Shares of validation and test, of premises and of dialogues."""

KINDS = ("general", "dialogue", "decode", "clean", "made", "own", "talks")
"""Inference pairs; those of dialogues; DECODE; turns of one speaker in dialogues without a
contradiction; pairs made by rule; pairs of our own; turns of dialogues of our own."""

JUDGED = ("general", "dialogue", "own", "talks")
"""Kinds whose pairs calibrate and test; DECODE is judged by dialogue."""

TALK = ("decode", "clean", "own", "talks")
"""Kinds whose pairs are turns of one speaker."""

CAPS = {
    "breaking_nli": 1500,  # nearly all contradictions
    "cannot_wikifactcheck": 2500,  # only contradictions
    "cannot_sentiment_negated": 1000,  # only contradictions
    "cannot_semantoneg": 3000,
    "conjnli_adv": 1500,
    "dnc_recast_sentiment": 3000,
    "help": 2500,
    "med": 1500,
    "monli": 600,
    "scone": 3000,
}
"""Most pairs of a source, where a source is one-sided or full of repeated patterns."""

_SCENES = frozenset(
    {
        "snli", "cad_nli_original", "cad_nli_revised", "sick", "negnli_snli",
        "snli_genadv_inverse",
    }
)  # fmt: skip
"""Sources of picture captions. There "contradiction" means another event in the same picture
("A man sleeps", "A man cooks"), which two turns of a speaker may both tell of: a model that
learnt from them contradicts "I live in Norway" with "I work in a bank"."""

_DIALOGUE_SOURCES = frozenset({"dnli", "gu_clasp_dnli"})
_EVIDENCE_SOURCE = "decode_dev_structured"
_LONG_WORDS = 6
_CLEAN_PER_SPEAKER = 3
_FILLER_WORDS = 9


Kinds = dict[str, dict[str, list[Pair]]]
"""Pairs by split and kind."""


@dataclass(frozen=True, slots=True)
class Corpora:
    """Pairs and dialogues by split.

    Attributes:
        pairs: by split and kind.
        cases: DECODE dialogues by split.
        fillers: sentences that say nothing about their speaker.
        talks: speakers and texts of the dialogues to learn from.
        facts: counts for the card.
    """

    pairs: Kinds
    cases: dict[str, list[Case]]
    fillers: list[str]
    talks: list[list[tuple[str, str]]]
    facts: dict[str, object]


def load_corpora(folder: str | Path, seed: int = 0) -> Corpora:
    """Read all that is in the folder.

    Args:
        folder: with ``nli/*.jsonl.gz`` (premise, hypothesis, label, source) and ``decode/``;
            ``msc/``, ``synthetic_persona_chat/`` and ``negated_items/`` are used where they
            are there.
        seed: of splits and samples.

    Raises:
        TrainingError: it holds no pairs, or too few dialogues of DECODE to split them.
    """
    folder = Path(folder)
    files = sorted((folder / "nli").glob("*.jsonl*"))
    if not files or not (folder / "decode").is_dir():
        raise TrainingError(
            f"{folder} must hold nli/*.jsonl.gz (premise, hypothesis, label, source) and decode/"
        )
    given = [pair for file in files for pair in read_pairs(file) if isinstance(pair, Pair)]
    evidence = {
        pair.key
        for pair in given
        if (pair.source, pair.label) == (_EVIDENCE_SOURCE, "contradiction")
    }
    cases = [case for case in read_decode(folder / "decode") if isinstance(case, Case)]
    talks = _clean_dialogues(folder)
    numbers = components(
        [_long(text for _, text in case.turns) for case in cases]
        + [_long(u.text for u in talk.utterances) for talk in talks]
    )
    groups = [f"dialogue-{number}" for number in numbers]
    splits = [split_of(group, CASE_SHARES, seed) for group in groups]

    found: Kinds = {split: {kind: [] for kind in KINDS} for split in SPLITS}
    by_split: dict[str, list[Case]] = {split: [] for split in SPLITS}
    n = len(cases)
    for case, group, split in zip(cases, groups[:n], splits[:n], strict=True):
        by_split[split].append(case)
        found[split]["decode"] += _case_pairs(case, group, evidence)
        found[split]["clean"] += _clean_pairs(case.turns[:-1], group, "decode contexts", seed)
    _check(by_split, folder)
    to_learn = []
    for talk, group, split in zip(talks, groups[n:], splits[n:], strict=True):
        turns = [(u.speaker, u.text) for u in talk.utterances]
        found[split]["clean"] += _clean_pairs(turns, group, "dialogues", seed)
        if split == "train":
            to_learn.append(talk)
    found["train"]["made"] += made_pairs(_statements(to_learn), "made by rule", seed)
    found["train"]["made"] += _negated_items(folder)
    for kind, ours in (("own", own_pairs(seed)), ("talks", talk_pairs(seed))):
        for split, pair in ours:
            found[split][kind].append(pair)
    _add_inference_pairs(found, given, _held_out(by_split), seed)
    _drop_known(found)
    heard = [[(u.speaker, u.text) for u in talk.utterances] for talk in to_learn]
    heard += [list(case.turns[:-1]) for case in by_split["train"]]
    return Corpora(found, by_split, _fillers(to_learn), heard, _facts(found, by_split))


def _held_out(cases: Mapping[str, Sequence[Case]]) -> set[str]:
    """What is said in dialogues that are not trained on; other corpora took turns from there."""
    return {
        text
        for split in ("validation", "test")
        for case in cases[split]
        for text in _long(text for _, text in case.turns)
    }


def _add_inference_pairs(found: Kinds, given: Sequence[Pair], held: set[str], seed: int) -> None:
    """Put the pairs of inference corpora into their splits and kinds."""
    by_source: dict[str, list[Pair]] = defaultdict(list)
    for pair in given:
        by_source[pair.source].append(pair)
    by_source.pop(_EVIDENCE_SOURCE, None)  # these come with their dialogues
    for source in _SCENES:
        by_source.pop(source, None)
    for source, pairs in sorted(by_source.items()):
        kind = "dialogue" if source in _DIALOGUE_SOURCES else "general"
        for pair in cap(pairs, CAPS[source], seed) if source in CAPS else pairs:
            split = split_of(pair.group, PAIR_SHARES, seed)
            if split != "train" or held.isdisjoint((normal(pair.premise), normal(pair.hypothesis))):
                found[split][kind].append(pair)


def _drop_known(found: Kinds) -> None:
    """Some corpora hold a pair twice, or turned round: leave out what is learnt elsewhere."""
    known = {pair.key for pairs in found["train"].values() for pair in pairs}
    for split in ("validation", "test"):
        for kind, pairs in found[split].items():
            found[split][kind] = [pair for pair in pairs if pair.key not in known]
        known |= {pair.key for pairs in found[split].values() for pair in pairs}


def _check(cases: Mapping[str, Sequence[Case]], folder: Path) -> None:
    for split, mine in cases.items():
        labels = {case.label for case in mine}
        if not {True, False} <= labels:
            raise TrainingError(
                f"not both labels occur among the {len(mine)} dialogues of {folder / 'decode'} in "
                f"the {split} split: give more dialogues (those that share a sentence count as one)"
            )


def _case_pairs(case: Case, group: str, evidence: set[int]) -> list[Pair]:
    """The last turn with each earlier one of its speaker.

    Of a contradiction only the turns that annotators named are one; where none is known the
    dialogue is left out.
    """
    named = {case.turns[i][1] for i in case.evidence}
    texts = [case.turns[i][1] for i in case.own]
    contradicted = [text in named or pair_key(text, case.last) in evidence for text in texts]
    if case.label is None or (case.label and not any(contradicted)):
        return []
    last = case.said(len(case.turns) - 1)
    return [
        Pair(
            case.said(i), last,
            "contradiction" if case.label and wrong else "not_contradiction", "decode", group,
        )
        for i, wrong in zip(case.own, contradicted, strict=True)
    ]  # fmt: skip


def _clean_pairs(
    turns: Sequence[tuple[str, str]], group: str, source: str, seed: int
) -> list[Pair]:
    """Some pairs of turns of one speaker: those that share most words, and some by chance."""
    dice = np.random.default_rng([seed, len(turns)])
    pairs = []
    for speaker in dict.fromkeys(who for who, _ in turns):
        mine = [turn_in_context(turns, i) for i, (who, _) in enumerate(turns) if who == speaker]
        every = list(combinations(range(len(mine)), 2))
        words = [set(normal(text).split()) for text in mine]
        every.sort(key=lambda ij: len(words[ij[0]] & words[ij[1]]), reverse=True)
        picked, rest = every[: _CLEAN_PER_SPEAKER - 1], every[_CLEAN_PER_SPEAKER - 1 :]
        if rest:
            picked.append(rest[dice.integers(len(rest))])
        pairs += [Pair(mine[i], mine[j], "not_contradiction", source, group) for i, j in picked]
    return pairs


def _clean_dialogues(folder: Path) -> list[Dialogue]:
    """Dialogues without a contradiction.

    The jsonl files of DECODE are read for their plain rows. Among these are dialogues whose last
    turn was written as a contradiction and whose contradicted turns were taken out (RCT in Nie
    et al. 2021): hard ones, because the turn still sounds like denying something.
    """
    from persona_lab.formats import read_dialogues

    found = []
    for name in ("msc", "synthetic_persona_chat"):
        for file in sorted((folder / name).glob("*.*")):
            found += [row for row in read_dialogues(file) if not isinstance(row, RowError)]
    for file in sorted((folder / "decode").glob("*.jsonl")):
        found += [
            Dialogue(
                id=case.id,
                utterances=tuple(
                    Utterance(str(i), who, text) for i, (who, text) in enumerate(case.turns)
                ),
            )
            for case in read_decode(file)
            if isinstance(case, Case) and case.label is False
        ]
    return found


def _statements(talks: Sequence[Dialogue]) -> list[tuple[str, str]]:
    """Persona lines and short sentences of turns, each once, with their dialogue."""
    found: dict[str, str] = {}
    for talk in talks:
        for speaker in talk.speakers.values():
            for line in speaker.persona:
                found.setdefault(line, talk.id)
        for utterance in talk.utterances:
            for sentence in sentences(utterance.text):
                if 4 <= len(sentence.split()) <= 15:
                    found.setdefault(sentence, talk.id)
    return list(found.items())


def _fillers(talks: Sequence[Dialogue]) -> list[str]:
    """Questions and exclamations without a first person, each once."""
    found = dict.fromkeys(
        sentence
        for talk in talks
        for utterance in talk.utterances
        for sentence in sentences(utterance.text)
        if len(sentence.split()) <= _FILLER_WORDS
        and (sentence.endswith(("?", "!")) or len(sentence.split()) <= 3)
        and not {"i", "i'm", "my", "me", "i've", "mine"} & set(normal(sentence).split())
    )
    return list(found)


def _negated_items(folder: Path) -> list[Pair]:
    """Questionnaire items with their negated twins."""
    pairs = []
    for file in sorted((folder / "negated_items").glob("*.csv")):
        try:
            with file.open(encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines):
                    item = row.get("Prompt") or ""
                    for column in ("Negated Prompt (negation word)", "Negated Prompt (semantic)"):
                        twin = row.get(column) or ""
                        if item.strip() and twin.strip() and normal(item) != normal(twin):
                            pairs.append(
                                Pair(item, twin, "contradiction", "negated items", normal(item))
                            )
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file} cannot be read: {error}") from error
    return pairs


def _long(texts: Iterable[str]) -> set[str]:
    """Texts long enough to be said only once."""
    return {normal(text) for text in texts if len(text.split()) >= _LONG_WORDS}


def _facts(pairs: Kinds, cases: dict[str, list[Case]]) -> dict[str, object]:
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for split, kinds in pairs.items():
        for kind, found in kinds.items():
            for pair in found:
                row = counts.setdefault(f"{kind}: {pair.source}", {}).setdefault(split, {})
                row[pair.label] = row.get(pair.label, 0) + 1
    return {
        "pairs": counts,
        "decode": {
            split: {
                "dialogues": len(found),
                "contradictions": sum(case.label is True for case in found),
            }
            for split, found in cases.items()
        },
    }
