"""Can the consistency score tell what is wrong with a dialogue? One table, grouped splits.

Run: PERSONA_LAB_DATA=/path/to/corpora python benchmarks/consistency.py [--out FILE.json]

Every corpus is split in two halves by dialogue (stories: by persona, so that the stories of
one persona and of its opposite stay together). Constants of ``persona_lab.consistency``
were chosen on the first halves (``--half tune``, ``--fit``; the weights of the overall score are
a judgement); the table is of the second halves, which nothing was chosen on. The detector itself
has seen the stories in training, the contradiction model parts of the chats' personas.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from persona_lab.consistency.accommodation import belonging
from persona_lab.consistency.entailment import Conflict
from persona_lab.consistency.judge import ConsistencyJudge
from persona_lab.consistency.overall import WEIGHTS
from persona_lab.consistency.parts import LIKELY, NotScored, Score
from persona_lab.consistency.report import PARTS, Report
from persona_lab.detectors.registry import load_detector
from persona_lab.dialogue import Dialogue, Speaker, Utterance
from persona_lab.formats import read_dialogues
from persona_lab.training.reader.course import SPEAKER, read_known
from persona_lab.traits import BIG_FIVE

CHATS = {
    "Multi-Session Chat": "msc/session_1_valid.jsonl",
    "Synthetic-Persona-Chat": "synthetic_persona_chat/Synthetic-Persona-Chat_valid.csv",
}
STORIES = "personallm/gpt-3.5-turbo-0613_stories.jsonl"
LAYOUTS = ("paragraphs", "pairs of sentences")
PLACES = ("anywhere", "in a row", "at the end")
FEWEST_TURNS = 5
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Case:
    """One speaker, as it was or spoilt."""

    dialogue: Dialogue
    speaker: str
    intact: bool
    group: str
    change: int | None = None


@dataclass(frozen=True)
class Outcome:
    """A case and what came out."""

    case: Case
    report: Report

    def value(self, part: str) -> float | None:
        """A part's value, or that of the overall score."""
        found = self.report.score if part == "score" else self.report.parts[part]
        return found.value if isinstance(found, Score) else None


def read(data: Path, name: str, half: str, limit: int) -> list[Dialogue]:
    """One half of a corpus; odd and even groups."""
    found: list[Dialogue] = []
    groups: dict[str, int] = {}
    for dialogue in read_dialogues(data / name):
        if not isinstance(dialogue, Dialogue):
            continue
        group = _pair_of(dialogue) if name == STORIES else dialogue.group or dialogue.id
        number = groups.setdefault(group, len(groups))
        if number % 2 == (half == "report"):
            found.append(dialogue)
    return found[:limit]


def _pair_of(story: Dialogue) -> str:
    """The same for a persona and its opposite."""
    labels = story.speakers["author"].labels
    code = "".join(str(int(labels[key])) for key in BIG_FIVE.keys)
    return min(code, "".join("10"[int(c)] for c in code))


def spliced(stories: Sequence[Dialogue], layout: str, rng: np.random.Generator) -> Iterator[Case]:
    """Stories, and stories whose end is taken from one of the opposite type."""
    by_labels: dict[tuple[float, ...], list[Dialogue]] = {}
    for story in stories:
        by_labels.setdefault(_labels(story), []).append(story)
    for story in stories:
        opposite = by_labels.get(tuple(1.0 - x for x in _labels(story)), [])
        turns = _turns(story, layout)
        if len(turns) < 6 or not opposite:
            continue
        other = _turns(opposite[int(rng.integers(len(opposite)))], layout)
        cut = int(np.clip(round(len(turns) * rng.uniform(0.3, 0.7)), 2, len(turns) - 2))
        end = other[-(len(turns) - cut) :]
        group = _pair_of(story)
        yield Case(_story(story, turns), "author", True, group)
        yield Case(_story(story, turns[:cut] + end), "author", False, group, cut)


def _labels(story: Dialogue) -> tuple[float, ...]:
    labels = story.speakers["author"].labels
    return tuple(labels[key] for key in BIG_FIVE.keys)


def _turns(story: Dialogue, layout: str) -> list[str]:
    if layout == "paragraphs":
        return [u.text for u in story.utterances]
    sentences = [s for u in story.utterances for s in SENTENCE_END.split(u.text) if s.strip()]
    return [" ".join(sentences[i : i + 2]) for i in range(0, len(sentences), 2)]


def _story(story: Dialogue, turns: Sequence[str]) -> Dialogue:
    told = tuple(Utterance(str(i), "author", text) for i, text in enumerate(turns))
    return replace(story, utterances=told)


def mixed(chats: Sequence[Dialogue], place: str, rng: np.random.Generator) -> Iterator[Case]:
    """Chats, and chats with a third of a speaker's turns from another dialogue's speaker."""
    for chat in chats:
        speaker = chat.speaker_names[rng.integers(len(chat.speaker_names))]
        own = [i for i, u in enumerate(chat.utterances) if u.speaker == speaker]
        n = round(len(own) / 3)
        donor = _donor(chats, chat, n, rng)
        if len(own) < FEWEST_TURNS:
            continue
        if place == "anywhere":
            chosen = sorted(rng.choice(len(own), n, replace=False))
            taken = sorted(rng.choice(len(donor), n, replace=False))
        else:
            start = len(own) - n if place == "at the end" else int(rng.integers(len(own) - n + 1))
            chosen, taken = list(range(start, start + n)), list(range(len(donor) - n, len(donor)))
        utterances = list(chat.utterances)
        for i, j in zip(chosen, taken, strict=True):
            utterances[own[i]] = replace(utterances[own[i]], text=donor[j])
        yield Case(chat, speaker, True, chat.id)
        yield Case(replace(chat, utterances=tuple(utterances)), speaker, False, chat.id)


def _donor(
    chats: Sequence[Dialogue], chat: Dialogue, n: int, rng: np.random.Generator
) -> list[str]:
    while True:
        other = chats[int(rng.integers(len(chats)))]
        name = other.speaker_names[rng.integers(len(other.speaker_names))]
        texts = [u.text for u in other.by(name)]
        if other.id != chat.id and len(texts) >= n:
            return texts


def swapped(chats: Sequence[Dialogue], rng: np.random.Generator) -> Iterator[Case]:
    """Chats with the speaker's persona, and with another dialogue's."""
    for chat in chats:
        for name in chat.speaker_names[:2]:
            if len(chat.by(name)) < FEWEST_TURNS or not chat.speakers[name].persona:
                continue
            while True:
                other = chats[int(rng.integers(len(chats)))]
                sides = [s.persona for s in other.speakers.values() if s.persona]
                if other.id != chat.id and sides:
                    break
            persona = sides[rng.integers(len(sides))]
            given = dict(chat.speakers) | {name: Speaker(name, {}, persona)}
            yield Case(chat, name, True, chat.id)
            yield Case(replace(chat, speakers=given), name, False, chat.id)


def known(judge: ConsistencyJudge) -> Iterator[tuple[str, str, str]]:
    """Measure, count and figure on the package's own dialogues that nothing was fitted to."""
    from sklearn.metrics import roc_auc_score

    rows = [one for one in read_known() if one.split == "test"]
    pairs = ((one, next(judge.reports(one.dialogue, SPEAKER))) for one in rows)
    found = [(one, report) for one, report in pairs if isinstance(report, Report)]

    def chance(report: Report) -> float:
        return 0.0 if isinstance(report.drift, NotScored) else 1.0 - report.drift.score.value

    switched = [(one, r) for one, r in found if one.changes]
    stable = [(one, r) for one, r in found if one.kind == "stable"]
    others = [(one, r) for one, r in found if not one.changes]
    y = [True] * len(switched) + [False] * len(stable)
    p = [chance(r) for _, r in (*switched, *stable)]
    yield "switched against stable: AUC of the change", f"{len(y)}", f"{roc_auc_score(y, p):.3f}"
    called = sum(chance(r) >= LIKELY for _, r in switched)
    yield "switched: called a change", f"{len(switched)}", f"{called}"
    false = sum(chance(r) >= LIKELY for _, r in others)
    yield "all others: called a change", f"{len(others)}", f"{false}"
    near = 0
    for one, r in switched:
        if not isinstance(r.drift, NotScored):
            near += abs(one.own.index(r.drift.change_point.turn) - one.truth["turn"]) <= 1
    yield "switched: located within one turn", f"{len(switched)}", f"{near}"

    def conflicts(report: Report) -> tuple[Conflict, ...]:
        part = report.contradiction
        return () if isinstance(part, NotScored) else part.conflicts

    wrong = [(one, r) for one, r in found if one.kind == "contradicting"]
    named = 0
    for one, r in wrong:
        pair = tuple(one.own[i] for i in one.truth["pair"])
        named += any((c.earlier_turn, c.later_turn) == pair for c in conflicts(r))
    yield "contradicting: the two turns named", f"{len(wrong)}", f"{named}"
    for kinds in (("near_miss",), ("stable", "switched", "moody", "plain", "off_persona")):
        some = [r for one, r in found if one.kind in kinds]
        false = sum(bool(conflicts(r)) for r in some)
        yield f"{', '.join(kinds)}: a pair listed all the same", f"{len(some)}", f"{false}"
    broken = [r for one, r in found if one.kind == "breaks_persona"]
    held = sum(any(c.earlier_turn is None for c in conflicts(r)) for r in broken)
    yield "breaks_persona: a persona statement named", f"{len(broken)}", f"{held}"


def without_persona(cases: Iterator[Case]) -> Iterator[Case]:
    for case in cases:
        yield replace(case, dialogue=replace(case.dialogue, speakers={}))


def judged(judge: ConsistencyJudge, cases: Iterator[Case]) -> list[Outcome]:
    outcomes = []
    for case in cases:
        report = next(judge.reports(case.dialogue, case.speaker))
        if isinstance(report, Report):
            outcomes.append(Outcome(case, report))
    return outcomes


def auc(outcomes: Sequence[Outcome], part: str, seed: int = 0) -> dict[str, float] | None:
    """Area under the curve of intact against spoilt, with a 95 % interval over groups."""
    from sklearn.metrics import roc_auc_score

    known = [(o.case.group, o.case.intact, v) for o in outcomes if (v := o.value(part)) is not None]
    if len({intact for _, intact, _ in known}) < 2:
        return None
    labels, values = (np.array([row[i] for row in known]) for i in (1, 2))
    places: dict[str, list[int]] = {}
    for i, (group, _, _) in enumerate(known):
        places.setdefault(group, []).append(i)
    groups = list(places.values())
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(500):
        picked = [i for g in rng.integers(len(groups), size=len(groups)) for i in groups[g]]
        draws.append(roc_auc_score(labels[picked], values[picked]))
    low, high = np.quantile(draws, (0.025, 0.975))
    return {
        "auc": float(roc_auc_score(labels, values)),
        "low": float(low),
        "high": float(high),
        "n": len(known),
    }


def change_points(outcomes: Sequence[Outcome], window: int = 5) -> dict[str, float]:
    """How often the likeliest change point lies within one window of the splice."""
    hits, likely = [], []
    for outcome in outcomes:
        drift = outcome.report.drift
        if outcome.case.change is None or isinstance(drift, NotScored):
            continue
        point = drift.change_point
        hits.append(abs(point.turn - outcome.case.change) <= window)
        likely.append(point.probability >= 0.5)
    return {"within_window": float(np.mean(hits)), "called": float(np.mean(likely))}


def layout(judge: ConsistencyJudge, chats: Sequence[Dialogue]) -> dict[str, float]:
    """Share of rows that stay equal where ids, white space and names change."""
    same = []
    for chat in chats:
        names = {name: f"Person {i}" for i, name in enumerate(reversed(chat.speaker_names))}
        changed = replace(
            chat,
            id=f"other-{chat.id}",
            utterances=tuple(
                Utterance(f"x{i}", names[u.speaker], "  " + u.text.replace(" ", "  ") + "\n")
                for i, u in enumerate(chat.utterances)
            ),
            speakers={names[n]: replace(s, name=names[n]) for n, s in chat.speakers.items()},
        )
        pairs = zip(judge.reports(chat), judge.reports(changed), strict=True)
        same += [a.to_row()["parts"] == b.to_row()["parts"] for a, b in pairs]
    return {"equal": float(np.mean(same)), "n": len(same)}


def cost(judge: ConsistencyJudge, chats: Sequence[Dialogue]) -> dict[str, float]:
    """Seconds for dialogues of given length, both speakers, all parts, best of three."""
    lines = [u.text for chat in chats for u in chat.utterances]
    persona = [s for chat in chats for side in chat.speakers.values() for s in side.persona]

    def made(n: int, start: int) -> Dialogue:
        told = tuple(Utterance(str(i), "ab"[i % 2], lines[start + i]) for i in range(n))
        given = {
            name: Speaker(name, {}, tuple(persona[5 * k + start : 5 * k + start + 5]))
            for k, name in enumerate("ab")
        }
        return Dialogue(f"made-{n}-{start}", told, given)

    def seconds(n: int) -> float:
        found = []
        for start in (0, 200, 400):
            dialogue = made(n, start)
            judge.reader.forget()
            began = time.perf_counter()
            list(judge.reports(dialogue))
            found.append(time.perf_counter() - began)
        return min(found)

    seconds(10)
    times = {n: seconds(n) for n in (40, 50, 200)}
    return {f"seconds_{n}": t for n, t in times.items()} | {"ratio_200_50": times[200] / times[50]}


def fit(judge: ConsistencyJudge, data: Path, limit: int) -> None:
    """Print the constants that the first halves give."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    blind = ConsistencyJudge(judge.reader.detector, nli=NotScored("not needed", "not_asked"))
    fits: dict[str, tuple[list[tuple[float, ...]], list[bool]]] = {}
    personas: list[tuple[float, ...]] = []
    labels = list[bool]()
    for name in CHATS.values():
        chats = read(data, name, "tune", limit)
        for place in PLACES:
            near, intact = fits.setdefault(f"{name} {place}", ([], []))
            for o in judged(blind, mixed(chats, place, np.random.default_rng(0))):
                part = o.report.accommodation
                if not isinstance(part, NotScored):
                    near.append(part.nearness)
                    intact.append(o.case.intact)
        for o in judged(judge, swapped(chats, np.random.default_rng(0))):
            pairs = o.report.contradiction
            if not isinstance(pairs, NotScored) and pairs.persona_evidence:
                personas.append(pairs.persona_evidence)
                labels.append(o.case.intact)
    grid = {}
    for constants in product((0.05, 0.1, 0.15, 0.2, 0.25, 0.3), (5.0, 10.0, 15.0, 20.0, 30.0)):
        grid[constants] = [
            float(roc_auc_score(intact, [belonging(np.array(n), constants) for n in near]))
            for near, intact in fits.values()
        ]
    best = max(grid, key=lambda constants: float(np.mean(grid[constants])))
    print("accommodation.BELONGS", best, [round(x, 3) for x in grid[best]])
    if personas:
        model = LogisticRegression(C=100.0).fit(np.array(personas), np.array(labels))
        print("entailment.MATCH", model.intercept_.round(2), model.coef_.round(2))
    print("overall.WEIGHTS", fit_weights(judge, data, limit))


def own_cases(split: str) -> Iterator[Case]:
    """The package's own dialogues: who keeps the character, and who does not."""
    kept = {"stable": True, "moody": True, "near_miss": True, "plain": True}
    kept |= {"switched": False, "contradicting": False, "breaks_persona": False}
    for one in read_known():
        if one.split == split and one.kind in kept:
            yield Case(one.dialogue, SPEAKER, kept[one.kind], one.dialogue.id)


def fit_weights(judge: ConsistencyJudge, data: Path, limit: int) -> dict[str, float]:
    """What each part should take off: least squared error of the score, each test alike."""
    from scipy.optimize import minimize

    names = [name for name in WEIGHTS if name != "target"]
    lost, kept, share = [], [], []
    sets = [(1.0, cases) for _, _, cases in tests(data, "tune", limit)]
    # our own dialogues count for three tests: they hold three kinds of damage
    for times, cases in ((3.0, own_cases("train")), *sets):
        outcomes = judged(judge, cases)
        intact = np.array([o.case.intact for o in outcomes])
        for o in outcomes:
            values = (o.value(name) for name in names)
            lost.append([0.0 if value is None else 1.0 - value for value in values])
            kept.append(float(o.case.intact))
            share.append(0.5 * times / (intact == o.case.intact).mean() / len(outcomes))
    x, y, w = np.array(lost), np.array(kept), np.array(share)

    def error(weights: np.ndarray) -> float:
        return float(w @ np.square(np.prod(1.0 - weights * x, axis=1) - y))

    best = minimize(error, np.full(len(names), 0.5), bounds=[(0.0, 1.0)] * len(names)).x
    return dict(zip(names, best.round(2).tolist(), strict=True))


def tests(data: Path, half: str, limit: int) -> Iterator[tuple[str, str, Iterator[Case]]]:
    """Name, target and cases of each comparison."""
    rng = np.random.default_rng
    stories = read(data, STORIES, half, 10 * limit)
    for cut in LAYOUTS:
        yield f"spliced stories, {cut}", ">= .90", spliced(stories, cut, rng(0))
    for title, name in CHATS.items():
        chats = read(data, name, half, limit)
        for place in PLACES:
            yield f"mixed speakers {place}, {title}", ">= .75", mixed(chats, place, rng(0))
        bare = without_persona(mixed(chats, PLACES[0], rng(0)))
        yield f"mixed speakers {PLACES[0]}, no persona, {title}", "", bare
        yield f"persona swap, {title}", ">= .90", swapped(chats, rng(0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", default="default")
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--limit", type=int, default=10_000, help="dialogues of a corpus' half")
    parser.add_argument("--match", default="", help="only tests whose name holds this")
    parser.add_argument("--fit", action="store_true", help="print constants, measure nothing")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    data = Path(os.environ.get("PERSONA_LAB_DATA", "../shared/data"))
    judge = ConsistencyJudge(load_detector(arguments.detector))
    if arguments.fit:
        fit(judge, data, arguments.limit)
        return
    print("| own dialogues, test split | n | found |")
    print("| --- | --- | --- |")
    for measure_, n, value in known(judge) if arguments.match in "own dialogues" else ():
        print(f"| {measure_} | {n} | {value} |", flush=True)
    columns = ("score", *PARTS)
    print(f"\n| test | aimed at | n | {' | '.join(columns)} | change point |")
    print("|" + " --- |" * (len(columns) + 4))
    figures: dict[str, Any] = {"model": judge.info.name, "half": arguments.half}
    for name, target, cases in tests(data, arguments.half, arguments.limit):
        if arguments.match not in name:
            continue
        outcomes = judged(judge, cases)
        found = {part: auc(outcomes, part) for part in columns}
        figures[name] = dict(found)
        cells = " | ".join(_cell(found[part]) for part in columns)
        points = ""
        if any(o.case.change is not None for o in outcomes):
            figures[name]["change_point"] = hits = change_points(outcomes)
            points = f"{hits['within_window']:.0%} within a window, {hits['called']:.0%} called"
        print(f"| {name} | {target} | {len(outcomes)} | {cells} | {points} |", flush=True)
    chats = read(data, CHATS["Multi-Session Chat"], arguments.half, 100)
    for name, measure in (("layout", layout), ("cost", cost)):
        if arguments.match in name:
            figures[name] = measure(judge, chats)
            print(f"{name}: {json.dumps(figures[name])}", flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _cell(found: dict[str, float] | None) -> str:
    if found is None:
        return ""
    return f"{found['auc']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


if __name__ == "__main__":
    main()
