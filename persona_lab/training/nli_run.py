"""One run of the contradiction model: corpora in, a model folder with its card out."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_lab.consistency.contradiction import (
    ContradictionModel,
    PairCalibration,
)
from persona_lab.consistency.nli_model import (
    FOLDER,
    HEAD_FILE,
    read_config,
    write_config,
)
from persona_lab.encoding.files import ENCODER_FILE, TOKENIZER_FILE
from persona_lab.errors import MissingExtraError
from persona_lab.training.encoder_network import keep
from persona_lab.training.evaluate_contradiction import (
    answer,
    measure,
    three_way,
)
from persona_lab.training.nli_calibrate import calibrate, fit_rare
from persona_lab.training.nli_card import write_card
from persona_lab.training.nli_corpora import JUDGED, TALK, Corpora, load_corpora
from persona_lab.training.nli_draw import Drawer, NliSettings
from persona_lab.training.nli_judge import validation_judge
from persona_lab.training.nli_questions import pair_questions, questions_of
from persona_lab.training.nli_seen import seen_by, unseen, write_seen
from persona_lab.training.nli_teacher import open_teacher, read_by, unjudged
from persona_lab.training.nli_train import train_pairs
from persona_lab.version import __version__

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from persona_lab.training.backbone import Backbone

Tell = Callable[[str], None]

_EXPORT_TEXTS = 600
_CHECKED_PAIRS = 2000
_TIMED_PAIRS = 1000
_SPEED_SAMPLE = 640


def train_contradiction(
    data: str | Path,
    out: str | Path,
    settings: NliSettings,
    *,
    minutes: float | None = None,
    backbone: str = "minilm",
    start: str | Path | None = None,
    teachers: Sequence[str | Path] = (),
    unjudged_pairs: int = 0,
    tell: Tell = lambda line: None,
) -> dict[str, Any]:
    """Train, export, calibrate, measure, and write the card.

    A network with rotary positions is a teacher: it stays in ``OUT/work`` and is not exported.

    A killed run started again goes on: checkpoints are kept in ``OUT/work``.

    Args:
        data: folder of corpora, see :func:`load_corpora`.
        out: gets the folder ``contradiction``, and ``work``.
        settings: of training.
        minutes: choose ``settings.pairs`` so that training takes about this long here.
        backbone: as for ``load_backbone``.
        start: folder of a finished contradiction model to go on from; its embeddings must be
            the backbone's.
        teachers: the ``out`` folders of earlier runs, which read pairs that nobody judged.
        unjudged_pairs: how many they read.
        tell: is given lines about what is going on.

    Returns:
        What ``metrics.json`` holds.

    Raises:
        MissingExtraError: the extra ``train`` is not installed.
        TrainingError: the data do not do, or the work folder belongs to another run.
    """
    try:
        from persona_lab.training.backbone import load_backbone
        from persona_lab.training.export import export_encoder
    except ImportError as error:
        name = str(error.name)
        raise MissingExtraError(name, "train", "training a contradiction model") from error

    out = Path(out)
    work, folder = out / "work", out / FOLDER
    corpora = load_corpora(data, settings.seed)
    seen = frozenset[int]() if start is None else seen_by(start)
    corpora = unseen(corpora, seen)
    model, tokenizer = load_backbone(backbone, rotary=True)
    pairs = dict(corpora.pairs["train"])
    if teachers:
        opened = [open_teacher(one, settings) for one in teachers]
        some = unjudged(corpora.talks, unjudged_pairs, settings.seed)
        pairs["read"] = read_by(opened, some, work, tell=tell)
    drawer = Drawer(pairs, corpora.fillers, settings)
    if minutes is not None:
        drawer = replace(drawer, settings=_plan(work, model, tokenizer, drawer, minutes))
        tell(f"{drawer.settings.pairs:,} pairs fit into {minutes:g} minutes")
    network, facts = train_pairs(
        model, tokenizer, drawer, work, judge=validation_judge(corpora), start=start, tell=tell
    )
    keep(network, work, backbone)
    facts |= {"backbone": backbone, "teachers": len(teachers)}
    if start is not None:
        facts["continued"] = read_config(Path(start))["sha256"]
    if hasattr(model, "rotary_emb"):
        return facts
    tell("exporting")
    exported = export_encoder(
        network.model.cpu(), tokenizer, work / "export",
        max_tokens=drawer.settings.max_tokens,
        calibration_texts=_sample_texts(corpora, settings.seed),
        keep_fp32=True,
    )  # fmt: skip
    head = {name: tensor.detach().cpu().numpy() for name, tensor in network.head.items()}
    np.savez(work / "export" / HEAD_FILE, allow_pickle=False, **head)
    facts |= {"export": exported}
    return finish(corpora, work / "export", folder, facts, seen=seen, tell=tell)


def finish(
    corpora: Corpora,
    exported: Path,
    folder: Path,
    facts: Mapping[str, Any],
    *,
    seen: Collection[int] = (),
    tell: Tell = lambda line: None,
) -> dict[str, Any]:
    """From exported files to a finished model folder.

    Args:
        corpora: that were trained on.
        exported: folder with both encoder files, tokenizer and linear layer.
        folder: the model's, made anew.
        facts: of training and export, for the card.
        seen: keys of what earlier rounds have seen.
        tell: is given lines about what is going on.

    Returns:
        What ``metrics.json`` holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (ENCODER_FILE, TOKENIZER_FILE, HEAD_FILE):
        shutil.copyfile(exported / name, folder / name)
    write_seen(corpora, folder, seen)
    _configure(folder, PairCalibration())
    model = ContradictionModel.load(folder, precision="int8", device="cpu")
    tell("calibrating")
    calibration, calibrated = calibrate(
        model,
        [pair for kind in JUDGED for pair in corpora.pairs["validation"][kind]],
        questions_of(corpora, "validation"),
    )
    talk = [pair for kind in TALK for pair in corpora.pairs["validation"][kind]]
    calibration = fit_rare(model, talk, calibration)
    _configure(folder, calibration)
    model.calibration = calibration
    tell("measuring")
    metrics = {
        **facts,
        "data": corpora.facts,
        "calibration": calibrated,
        "test": _test(model, corpora),
        "int8_check": _compare_precisions(exported, model, corpora),
        "pairs_per_second": _speed(model, corpora),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    write_card(folder)
    return metrics


def _configure(folder: Path, calibration: PairCalibration) -> None:
    write_config(folder, name=FOLDER, version=__version__, calibration=asdict(calibration))


def _plan(
    work: Path, model: Backbone, tokenizer: Tokenizer, drawer: Drawer, minutes: float
) -> NliSettings:
    """Settings with as many pairs as fit; a run that goes on keeps its first plan."""
    file = work / "plan.json"
    if file.is_file():
        return replace(drawer.settings, pairs=int(json.loads(file.read_text())["pairs"]))
    settings = replace(drawer.settings, pairs=_SPEED_SAMPLE, blocks=1)
    with_sample = replace(drawer, settings=settings)
    _, facts = train_pairs(model, tokenizer, with_sample, work / "speed", judge=lambda network: {})
    shutil.rmtree(work / "speed")
    pairs = max(drawer.settings.blocks, int(minutes * 60 * _SPEED_SAMPLE / facts["seconds"]))
    file.write_text(json.dumps({"pairs": pairs}) + "\n", encoding="utf-8")
    return replace(drawer.settings, pairs=pairs)


def _test(model: ContradictionModel, corpora: Corpora) -> dict[str, Any]:
    """Figures of the finished model on the test split."""
    dialogues = questions_of(corpora, "test")
    said = answer(model, dialogues)
    by_history = {}
    counts = np.array([len(q.earlier) for q in dialogues])
    for name, low, high in (("1", 1, 1), ("2", 2, 2), ("3-4", 3, 4), ("5+", 5, 99)):
        rows = np.flatnonzero((counts >= low) & (counts <= high))
        by_history[name] = measure(dialogues, said, rows)
    pairs = pair_questions([pair for kind in JUDGED for pair in corpora.pairs["test"][kind]])
    every = np.arange(len(pairs))
    answers = answer(model, pairs)
    return {
        "decode": measure(dialogues, said, np.arange(len(dialogues))),
        "decode_by_history": by_history,
        "pairs": measure(pairs, answers, every) | three_way(pairs, answers, every),
    }


def _compare_precisions(
    exported: Path, model: ContradictionModel, corpora: Corpora
) -> dict[str, Any]:
    """The rounded model against the float one, on test pairs and dialogues."""
    _configure(exported, model.calibration)
    exact = ContradictionModel.load(exported, precision="fp32", device="cpu")
    test = corpora.pairs["test"]
    chosen = pair_questions([pair for kind in JUDGED for pair in test[kind]])
    pairs = chosen[:: max(1, len(chosen) // _CHECKED_PAIRS)]
    dialogues = questions_of(corpora, "test")
    found: dict[str, Any] = {"pairs": len(pairs), "dialogues": len(dialogues)}
    p = {}
    for name, one in (("int8", model), ("fp32", exact)):
        said = answer(one, pairs)
        p[name] = said.classes
        told = measure(dialogues, answer(one, dialogues), np.arange(len(dialogues)), n_boot=1)
        found[f"decode_accuracy_{name}"] = told["accuracy"]["value"]
        found[f"decode_auc_{name}"] = told["auc"]["value"]
        found[f"accuracy_{name}"] = measure(pairs, said, np.arange(len(pairs)), n_boot=1)[
            "accuracy"
        ]["value"]
    found["same_class"] = round(float((p["int8"].argmax(1) == p["fp32"].argmax(1)).mean()), 4)
    found["mean_p_difference"] = round(float(np.abs(p["int8"] - p["fp32"]).mean()), 4)
    found["max_p_difference"] = round(float(np.abs(p["int8"] - p["fp32"]).max()), 4)
    return found


def _speed(model: ContradictionModel, corpora: Corpora) -> int:
    """Pairs of chat turns a second, on all processors this process may use: one short run."""
    some = corpora.pairs["test"]["decode"] or corpora.pairs["train"]["decode"]
    pairs = [(pair.premise, pair.hypothesis) for pair in some[:_TIMED_PAIRS]]
    model.predict(pairs[:8])
    start = time.perf_counter()
    model.predict(pairs)
    return round(len(pairs) / (time.perf_counter() - start))


def _sample_texts(corpora: Corpora, seed: int) -> list[str]:
    """Pairs as single texts, to set the factors of the rounding with."""
    dice = np.random.default_rng(seed)
    train = corpora.pairs["train"]
    texts = []
    for kind in ("general", "dialogue", "decode"):
        pairs = train[kind]
        picked = dice.choice(len(pairs), min(len(pairs), _EXPORT_TEXTS // 3), replace=False)
        texts += [f"{pairs[i].premise} {pairs[i].hypothesis}" for i in picked]
    return [texts[i] for i in dice.permutation(len(texts))]
