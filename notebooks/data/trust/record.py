"""How the numbers in this folder were measured; notebook 05 reads them.

Run: PERSONA_LAB_DATA=/path/to/corpora python notebooks/data/trust/record.py

The corpora are not ours to ship, so only numbers are kept:

``out_of_fold.csv``  what the bundled default detector says of texts, each judged by the members
                     of its ensemble that never saw it: counts by register, trait, probability
                     (two digits) and label
``personallm.csv``   the 320 GPT-3.5 personas of PersonaLLM (Jiang et al. 2024, arXiv 2305.02547,
                     MIT licence): traits assigned (0/1), mean answers to the Big Five Inventory
                     (1..5, from the study's own files), and out-of-fold probabilities from the
                     persona's story
``leak.json``        the MBTI forum posts, words and pairs of words with linear models,
                     cross-validated with type words masked and with them left in
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from persona_lab import load_detector, read_dialogues
from persona_lab.detectors.masking import mask_type_words
from persona_lab.detectors.registry import find_model
from persona_lab.training.corpora import assign_folds, load_examples, prior_weights
from persona_lab.training.evaluate import judge_examples, labelled, training_folds
from persona_lab.training.experts import (
    fit_linear,
    lexical_features,
    make_tasks,
    text_matrix,
    unseen_scores,
)
from persona_lab.training.metrics import best_threshold, mean_metrics, trait_metrics
from persona_lab.training.settings import LexicalSettings
from persona_lab.traits import ALL_TRAITS, BIG_FIVE, MBTI

HERE = Path(__file__).parent
MODEL = "blend"
REGISTERS = {
    "statement": "persona_statements",
    "scene": "friends_persona/friends-personality.csv",
    "story": "personallm/gpt-3.5-turbo-0613_stories.jsonl",
    "vlog": "youtube_personality",
    "essay": "essays/essays.csv",
}
SCORES = "personallm/scores/gpt3.5_turbo_0613_all_scores.csv"
FORUM = "kaggle_mbti/mbti_1.csv"
FOLDS = 5


def main() -> None:
    """Measure all that is not there yet."""
    data = Path(os.environ["PERSONA_LAB_DATA"])
    if not (HERE / "leak.json").exists():
        found = leak(data / FORUM)
        (HERE / "leak.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    counts: Counter[tuple[Any, ...]] = Counter()
    for register, place in REGISTERS.items():
        examples, _ = labelled(read_dialogues(data / place), BIG_FIVE)
        judged = judge_examples(
            load_detector(MODEL), examples, BIG_FIVE, seen=training_folds(find_model(MODEL))
        )
        assert judged.seen.all(), f"{register}: not all texts were in the training data"
        for example, p in zip(examples, judged.p, strict=True):
            for key, said in zip(BIG_FIVE.keys, p, strict=True):
                actual = example.labels[ALL_TRAITS.index(key)]
                if not np.isnan(said) and not np.isnan(actual):
                    counts[register, key, round(float(said), 2), int(actual)] += 1
        if register == "story":
            personas(data / SCORES, examples, judged.p)
        print(register, len(examples), flush=True)
    with (HERE / "out_of_fold.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("register", "trait", "p_high", "actual", "n"))
        rows.writerows((*key, n) for key, n in sorted(counts.items()))


def personas(scores: Path, examples: list[Any], p: Any) -> None:
    """Assigned traits, questionnaire and story of each persona, one a line."""
    said: dict[tuple[str, int], dict[str, float]] = {}
    with scores.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            persona = row["personality_type"], int(row["run"])
            said.setdefault(persona, {})[row["trait"].lower()] = float(row["mean_score"])
    with (HERE / "personallm.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        methods = ("assigned", "questionnaire", "story")
        rows.writerow(f"{method}.{key}" for method in methods for key in BIG_FIVE.keys)
        for example, read in zip(examples, p, strict=True):
            answers = said[example.group, example.run]
            rows.writerow(
                [int(example.labels[ALL_TRAITS.index(key)]) for key in BIG_FIVE.keys]
                + [round(answers[key], 3) for key in BIG_FIVE.keys]
                + [round(float(value), 3) for value in read]
            )


def leak(file: Path) -> dict[str, Any]:
    """The same recipe twice: with type words masked, and with them left in."""
    found: dict[str, Any] = {}
    bare = load_examples(file, "forum", masked=False)
    own = [_type_of(e) for e in bare]
    named = [
        any(code in u.upper() for u in e.utterances) for e, code in zip(bare, own, strict=True)
    ]
    touched = [any(mask_type_words(u) != u for u in e.utterances) for e in bare]
    found["users"] = len(bare)
    found["name_their_own_type"] = round(float(np.mean(named)), 4)
    found["hold_a_type_word"] = round(float(np.mean(touched)), 4)
    for name, examples in (("masked", load_examples(file, "forum")), ("left in", bare)):
        found[name] = cross_validated(examples)
        print(name, found[name]["mean"]["macro_f1"], flush=True)
    return found


def cross_validated(examples: list[Any]) -> dict[str, Any]:
    """Metrics weighted to the forum's real types; thresholds from the other folds."""
    settings = replace(LexicalSettings(), max_chars=0)
    folds = assign_folds(examples, FOLDS)
    x = text_matrix(lexical_features(examples, settings), examples)
    tasks = make_tasks(examples, prior_power=settings.prior_power)
    z = unseen_scores(x, *fit_linear(x, tasks, folds, settings), folds).astype(float)
    p = 1 / (1 + np.exp(-z))
    weights = prior_weights(examples).astype(float)
    traits = {}
    for r, task in enumerate(tasks):
        y = np.array([e.labels[ALL_TRAITS.index(task.row.trait)] for e in examples], float)
        limit = np.empty(len(y))
        for fold in range(FOLDS):
            rest = folds != fold
            limit[~rest] = best_threshold(y[rest], p[rest, r], weights[rest])
        traits[task.row.trait] = trait_metrics(y, p[:, r], limit, weights=weights)
    return {"traits": traits, "mean": mean_metrics(traits)}


def _type_of(example: Any) -> str:
    labels = (example.labels[ALL_TRAITS.index(t.key)] for t in MBTI.traits)
    return "".join(t.high if y else t.low for t, y in zip(MBTI.traits, labels, strict=True))


if __name__ == "__main__":
    main()
