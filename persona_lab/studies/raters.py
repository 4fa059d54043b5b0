"""Our raters on the recorded interviews of published studies, against the studies' own labels.

- ChatHaruhi (Wang et al. 2023): the answers are Chinese, so a detector that reads English leaves
  them unscored and says so. Mapping them to the scale needs a language model, which recomputing a
  study does not ask.
- PersonaLLM (Jiang et al. 2024): stories of chatbots with assigned traits, trait words masked.
  The bundled detectors were trained on stories of this corpus. Each of their ensemble members has
  not seen one fold of runs (pairs of neighbouring runs), so for a story that was trained on only
  the member that has never seen its run is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from persona_lab.detectors import Detector
from persona_lab.detectors.registry import find_model, load_detector
from persona_lab.errors import InputError
from persona_lab.formats import read_dialogues
from persona_lab.instruments import load_instrument
from persona_lab.interviews.labels import Labels, align
from persona_lab.interviews.raters.detector import rate_with_detector
from persona_lab.interviews.raters.judges import BATCH
from persona_lab.interviews.raters.rating import DETECTOR, OPTION, Rating, groups
from persona_lab.interviews.recorded import read_recorded
from persona_lab.interviews.result import measurements
from persona_lab.profile import SELF_REPORT
from persona_lab.studies.alignment import Proportion
from persona_lab.studies.files import Object, find_files
from persona_lab.studies.result import Row, StudyResult
from persona_lab.traits import BIG_FIVE

_INSTRUMENT: Final = "jungian-48"
_MODEL: Final = "bigfive"
_NO_JUDGE = (
    "mapping open answers to a scale needs a language model; run: persona-lab interview "
    "--answers FILE --instrument QUESTIONNAIRE --rater option --judge SPEC --labels FILE"
)


def rate_chatharuhi(
    folder: Path, types: Mapping[str, str], detector: Detector
) -> tuple[list[Row], dict[str, Any]]:
    """Rate ChatHaruhi's recorded open answers.

    Args:
        folder: with the file of answers.
        types: of people, by character.
        detector: that knows the MBTI axes.

    Returns:
        Rows for the table, and details as JSON types. Both say so where there are no answers.
    """
    details: dict[str, Any] = {OPTION: {"status": "unscored", "code": "no_judge"}}
    details[OPTION]["reason"] = _NO_JUDGE
    try:
        (path, *_) = find_files(
            folder,
            _is_answer,
            study="chatharuhi",
            usual_name="mbti_results.jsonl",
            holds="'character', 'question', 'response_open' and 'factor', one answer a line",
        )
    except InputError as error:
        reason = str(error)
        details[DETECTOR] = {"status": "unscored", "code": "no_answers", "reason": reason}
        return [Row("detector: groups of answers rated", None, 0, 0)], details
    instrument = load_instrument(_INSTRUMENT)
    recorded = read_recorded(path, instrument)
    ratings = list(
        rate_with_detector(groups(recorded.records, instrument, BATCH), instrument, detector)
    )
    details[DETECTOR] = _counted(ratings) | {"problems": list(map(str, recorded.problems))}
    (aligned,) = align(Labels(types=types), measurements(ratings, instrument))
    details[DETECTOR] |= {"model": detector.info.name, "types": aligned["types"]}
    return _rows(details[DETECTOR]), details


def _is_answer(record: Object) -> bool:
    return {"character", "question", "response_open", "factor"} <= set(record)


def _counted(ratings: Sequence[Rating]) -> dict[str, Any]:
    codes = Counter(rating.code for rating in ratings if rating.code is not None)
    scored = len(ratings) - codes.total()
    found = {"status": "scored" if scored else "unscored", "groups": len(ratings)}
    return found | {"scored": scored, "unscored": dict(codes.most_common())}


def _rows(found: Mapping[str, Any]) -> list[Row]:
    types = found["types"]
    rows = [
        Row(f"detector: groups of answers rated, of {found['groups']}", None, found["scored"], 0)
    ]
    rows += [
        Row(f"detector: unscored: {code}", None, count, 0)
        for code, count in found["unscored"].items()
    ]
    rows.append(Row(f"detector: letters right, of {types['total']}", None, types["correct"], 0))
    return rows


def run(folder: Path) -> StudyResult:
    """Assigned traits told from PersonaLLM's stories; see :func:`persona_lab.studies.run_study`."""
    from persona_lab.training.evaluate import (
        judge_examples,
        label_matrix,
        labelled,
        training_folds,
    )

    files = sorted(folder.glob("*_stories.jsonl"))
    if not files:
        raise InputError(f"personallm-stories needs files MODEL_stories.jsonl; {folder} has none")
    model = find_model(_MODEL, SELF_REPORT)
    detector = load_detector(str(model))
    rows: list[Row] = []
    models: dict[str, Any] = {}
    for file in files:
        with read_dialogues(str(file), "personallm") as dialogues:
            examples, left_out = labelled(dialogues, BIG_FIVE)
        judged = judge_examples(detector, examples, BIG_FIVE, seen=training_folds(model))
        # the best guess at the middle: each trait was assigned to half of the chatbots
        right = (judged.p >= 0.5) == (label_matrix(examples, BIG_FIVE) == 1)
        known = judged.p == judged.p
        shares = {
            trait: Proportion.of(int((right & known)[:, t].sum()), int(known[:, t].sum()))
            for t, trait in enumerate(BIG_FIVE.keys)
        }
        overall = Proportion.of(int((right & known).sum()), int(known.sum()))
        name = file.name.removesuffix("_stories.jsonl")
        rows += [_share_row(f"{name}: {trait}", share) for trait, share in shares.items()]
        rows.append(_share_row(f"{name}: all traits", overall))
        models[name] = {
            "stories": len(examples),
            "seen_in_training": int(judged.seen.sum()),
            "left_out": left_out,
            "unscored": judged.unscored,
            "traits": {trait: share.to_row() for trait, share in shares.items()},
            "all": overall.to_row(),
        }
    return StudyResult(
        "personallm-stories",
        "Assigned traits told from stories by our detector, trait words masked",
        "stories: Jiang et al. 2024, arXiv 2305.02547",
        tuple(rows),
        {"detector": detector.info.name, "models": models},
        (
            "A story whose text the detector was trained on is judged by the one member of its "
            "ensemble that has not seen the story's run or the neighbouring one.",
        ),
    )


def _share_row(measure: str, share: Proportion) -> Row:
    found = share.estimate.estimate
    return Row(f"{measure}, % of {share.total}", None, None if found is None else 100 * found, 1)
