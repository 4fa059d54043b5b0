"""Does a detector see what readers see? One table, each figure beside that of another detector.

Run: PERSONA_LAB_DATA=/path/to/corpora python benchmarks/reader.py [--detectors reader blend]

- **texts**: those with three ratings that the reader was not trained on (authors, scenes and one
  writer apart); without the corpora, only the texts of our own.
- **dialogues**: those between a user and a chatbot whose character is known, writers held out
  (`persona_lab/training/data/dialogues.jsonl`); the reader was not trained on them.
- **stories**: of GPT-3.5 with five assigned traits, trait words masked, whole, of persona runs of
  which no text was rated for training; **vlogs**: impressions of observers, of vlogs of which
  none was. Sentences of other runs and vlogs were rated. The bundled detectors of self-report
  learnt from all of these stories and vlogs, so they have no figure there.

Chance is an r of 0 and an AUC of .5. Intervals are 90 %, by resampling authors.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from persona_lab.consistency.drift import Drift, drift
from persona_lab.consistency.turns import TurnReader
from persona_lab.detectors.base import Request, Result
from persona_lab.detectors.registry import LoadedDetector, load_detector
from persona_lab.dialogue import Dialogue
from persona_lab.errors import RowError
from persona_lab.formats import read_dialogues
from persona_lab.profile import SELF_REPORT, Profile
from persona_lab.training.metrics import auc
from persona_lab.training.reader.corpora import rebuild
from persona_lab.training.reader.course import SPEAKER, read_known
from persona_lab.training.reader.labels import DATA, RATED, levels, read_written, rows_of
from persona_lab.training.reader.lessons import request_of
from persona_lab.training.reader.measure import groups_of
from persona_lab.traits import BIG_FIVE

CLEAR, NOTHING, RATINGS = 1.5, 0.34, 3
DRAWS = 500

Line = tuple[str, int, list[str]]


def scores(detector: LoadedDetector, requests: Sequence[Request]) -> list[Result]:
    return list(detector.profiles(requests, frameworks=("bigfive",)))


def value(result: Result, trait: str) -> float:
    """What is correlated: the level where there is one, else the log-odds."""
    if not isinstance(result, Profile):
        return 0.0
    score = result.traits[trait]
    if score.shown is not None:
        return score.shown.level
    return float(np.log(score.p_high / (1 - score.p_high)))


def label(result: Result, trait: str) -> int:
    if not isinstance(result, Profile):
        return 0
    return {"high": 1, "low": -1, "abstain": 0}[result.traits[trait].label]


def mean_r(x: np.ndarray, y: np.ndarray) -> float:
    """Mean over columns of the correlation."""
    found = [np.corrcoef(a, b)[0, 1] for a, b in zip(x.T, y.T, strict=True) if a.std() and b.std()]
    return float(np.mean(found))


def with_interval(x: np.ndarray, y: np.ndarray, groups: Sequence[str]) -> str:
    dice = np.random.default_rng(0)
    names, place = np.unique(groups, return_inverse=True)
    rows = [np.flatnonzero(place == i) for i in range(len(names))]
    draws = []
    for _ in range(DRAWS):
        picked = np.concatenate([rows[i] for i in dice.integers(len(rows), size=len(rows))])
        draws.append(mean_r(x[picked], y[picked]))
    low, high = np.quantile(draws, [0.05, 0.95])
    return f"{mean_r(x, y):.2f} [{low:.2f}, {high:.2f}]"


def texts_table(detectors: dict[str, LoadedDetector], data: Path | None) -> Iterator[Line]:
    texts = read_written() + (rebuild(data)[0] if data else [])
    texts = [one for one in texts if one.split == "test" and len(one.blind) >= RATINGS]
    wanted = levels(texts)[:, : len(BIG_FIVE.keys)]
    groups = groups_of(texts)
    requests = [request_of(one.id, one.text, one.kind) for one in texts]
    found = {name: scores(detector, requests) for name, detector in detectors.items()}
    x = {
        name: np.array([[value(r, key) for key in BIG_FIVE.keys] for r in results])
        for name, results in found.items()
    }
    said = {
        name: np.array([[label(r, key) for key in BIG_FIVE.keys] for r in results])
        for name, results in found.items()
    }
    for group in sorted(set(groups)):
        rows = np.flatnonzero(groups == group)
        owners = [texts[i].group for i in rows]
        cells = [with_interval(x[name][rows], wanted[rows], owners) for name in detectors]
        yield f"{group}: r with the mean of three readers", len(rows), cells
    clear, nothing = np.abs(wanted) >= CLEAR, np.abs(wanted) <= NOTHING
    right = {name: said[name] == np.sign(wanted) for name in detectors}
    yield (
        "clear cases: labelled right",
        int(clear.sum()),
        [f"{right[name][clear].mean():.1%}" for name in detectors],
    )
    yield (
        "clear cases: right among those labelled",
        int(clear.sum()),
        [f"{right[n][clear & (said[n] != 0)].mean():.1%}" for n in detectors],
    )
    yield (
        "nothing shown: labelled all the same",
        int(nothing.sum()),
        [f"{(said[name][nothing] != 0).mean():.1%}" for name in detectors],
    )


def dialogues_table(detectors: dict[str, LoadedDetector]) -> Iterator[Line]:
    known = [one for one in read_known() if one.split == "test"]
    for name in ("stable", "moody", "plain"):
        some = [one for one in known if one.kind == name]
        requests = [Request.of(one.dialogue, SPEAKER) for one in some]
        right, other, wrong = [], [], []
        for detector in detectors.values():
            found = scores(detector, requests)
            signs = [
                (key, label(result, key), pole)
                for one, result in zip(some, found, strict=True)
                for key, pole in zip(BIG_FIVE.keys, one.poles(1)[0], strict=True)
            ]
            right.append(sum(truth != 0 and said == truth for _, said, truth in signs))
            wrong.append(sum(truth != 0 and said == -truth for _, said, truth in signs))
            other.append(sum(truth == 0 and said != 0 for _, said, truth in signs))
        poles = sum("trait" in one.truth for one in some)
        if poles:
            yield (
                f"chatbots, {name}: the pole labelled right / wrong",
                poles,
                [f"{a} / {b}" for a, b in zip(right, wrong, strict=True)],
            )
        silent = len(some) * len(BIG_FIVE.keys) - poles
        yield f"chatbots, {name}: other traits labelled", silent, [str(n) for n in other]


def changes_table(detectors: dict[str, LoadedDetector]) -> Iterator[Line]:
    """Is a character that switches told from one that does not, and is the place found?"""
    known = [one for one in read_known() if one.split == "test"]
    switched = np.array([float(one.changes) for one in known])
    cells, places = [], []
    for detector in detectors.values():
        reader = TurnReader(detector)
        chance, near = [], 0
        for one in known:
            found = drift(reader.read(one.dialogue, BIG_FIVE), SPEAKER)
            chance.append(found.change_point.probability if isinstance(found, Drift) else 0.0)
            if one.changes and isinstance(found, Drift):
                near += abs(one.own.index(found.change_point.turn) - one.truth["turn"]) <= 1
        p = np.array(chance)
        called = [int(((p >= 0.5) & (switched == kind)).sum()) for kind in (1.0, 0.0)]
        cells.append(f"{auc(switched, p, np.ones(len(p))):.2f} ({called[0]} / {called[1]})")
        places.append(f"{near} of {int(switched.sum())}")
    yield "chatbots, switched against others: AUC of the change (called / false)", len(known), cells
    yield "chatbots, switched: change located within one turn", int(switched.sum()), places


def unseen(data: Path, corpus: str) -> Callable[[Dialogue], bool]:
    """Was none of a row rated for training or for fitting the rule?"""
    seen = {
        label["row"]
        for label in rows_of(DATA / RATED)
        if label["corpus"] == corpus and label["split"] != "test"
    }
    del data
    return lambda dialogue: dialogue.id not in seen


def labelled_table(
    detectors: dict[str, LoadedDetector], data: Path, corpus: str, file: str, what: str
) -> Iterator[Line]:
    fresh = unseen(data, corpus)
    talks = [
        d for d in read_dialogues(str(data / file)) if not isinstance(d, RowError) and fresh(d)
    ]
    known = [(d, d.speakers[d.focus or ""]) for d in talks]
    y = np.array(
        [[speaker.labels.get(key, np.nan) for key in BIG_FIVE.keys] for _, speaker in known]
    )
    requests = [Request.of(d, speaker.name) for d, speaker in known]
    labelled = set(np.unique(y)) <= {0.0, 1.0}
    cells, sides = [], []
    for detector in detectors.values():
        if detector.measure == SELF_REPORT:
            cells.append("trained on them")
            if labelled:
                sides.append("trained on them")
            continue
        found = scores(detector, requests)
        x = np.array([[value(r, key) for key in BIG_FIVE.keys] for r in found])
        p = np.array([[r.traits[k].p_high if isinstance(r, Profile) else 0.5 for k in BIG_FIVE.keys]
                      for r in found])  # fmt: skip
        if labelled:
            each = [auc(y[:, t], x[:, t], np.ones(len(y))) for t in range(y.shape[1])]
            cells.append(f"{np.mean(each):.2f} ({' '.join(f'{a:.2f}' for a in each)})")
            sides.append(f"{((p >= 0.5) == (y == 1)).mean():.1%}")
        else:
            each = [np.corrcoef(x[:, t], y[:, t])[0, 1] for t in range(y.shape[1])]
            cells.append(f"{np.mean(each):.2f} ({' '.join(f'{a:.2f}' for a in each)})")
    yield f"{what} (O C E A N)", len(known), cells
    if sides:
        yield f"{what.split(':')[0]}: on the assigned side at `p_high` .5", len(known), sides


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--detectors", nargs="+", default=["reader", "blend"])
    parser.add_argument("--data", default=os.environ.get("PERSONA_LAB_DATA"))
    arguments = parser.parse_args()
    data = Path(arguments.data) if arguments.data else None
    detectors = {name: load_detector(name) for name in arguments.detectors}
    lines = [*texts_table(detectors, data), *dialogues_table(detectors), *changes_table(detectors)]
    if data:
        stories = "personallm/gpt-3.5-turbo-0613_stories.jsonl"
        lines += labelled_table(
            detectors, data, "personallm", stories, "GPT-3.5 stories: mean AUC of assigned traits"
        )
        lines += labelled_table(
            detectors, data, "youtube_personality", "youtube_personality",
            "vlogs: mean r with observers' impressions",
        )  # fmt: skip
    print(f"| measure | n | {' | '.join(detectors)} |")
    print("|---|---|" + "---|" * len(detectors))
    for name, n, cells in lines:
        print(f"| {name} | {n} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
