"""One run of the reader: rated texts in, a model folder with its card out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from persona_lab.detectors.reader.detector import ReaderDetector
from persona_lab.detectors.reader.head import ReaderHead
from persona_lab.detectors.reader.rule import Rule
from persona_lab.detectors.store import READER, SIGNS, open_folder, write_config
from persona_lab.encoding import Encoder
from persona_lab.encoding.files import ENCODER_FILE, TOKENIZER_FILE, Precision
from persona_lab.encoding.segment import Segmenter
from persona_lab.errors import MissingExtraError, TrainingError
from persona_lab.training.encoder_network import Ids, keep, kept
from persona_lab.training.reader.calibrate import Read, fit_rule, read_with
from persona_lab.training.reader.card import write_card
from persona_lab.training.reader.corpora import persona_statements, rebuild, unrated
from persona_lab.training.reader.course import fit_signs, read_known
from persona_lab.training.reader.fit import Lesson, ReaderSettings, teach
from persona_lab.training.reader.labels import Rated, read_written, statements
from persona_lab.training.reader.lessons import lesson_from, lesson_of, units_of
from persona_lab.training.reader.measure import agreement, measure
from persona_lab.training.reader.network import Floats, ReaderNetwork
from persona_lab.traits import FRAMEWORKS
from persona_lab.version import __version__

Tell = Callable[[str], None]

NAME = "reader"

SUMMARY = "reads what a text shows, as an attentive reader would rate it; the default"

_STATEMENT_WEIGHT = 0.4
_TAUGHT_WEIGHT = 0.7
_EXPORT_TEXTS = 600
_UNIT_TOKENS = 128
_TEST_RATINGS = 3


def train_reader(
    out: str | Path,
    settings: ReaderSettings,
    *,
    data: str | Path | None = None,
    backbone: str = "minilm",
    start: str | Path | None = None,
    teachers: Sequence[str | Path] = (),
    pieces: int = 0,
    name: str = NAME,
    tell: Tell = lambda line: None,
) -> dict[str, Any]:
    """Train, export, fit the rule, measure, and write the card.

    A killed run started again goes on after its last whole epoch: checkpoints are kept in
    ``OUT/work``.

    Args:
        out: gets the model's folder and ``work``.
        settings: of training.
        data: folder of corpora; our own texts alone if left out.
        backbone: as for ``load_backbone``.
        start: the ``out`` folder of an earlier run whose network is trained further; it knows
            its backbone and its frozen layers.
        teachers: the ``out`` folders of earlier runs, whose ratings of unrated texts are
            learnt, too. They need the same tokenizer.
        pieces: how many unrated pieces of the corpora they rate.
        name: of the model and its folder.
        tell: is given lines about what is going on.

    Returns:
        What ``metrics.json`` holds.

    Raises:
        MissingExtraError: the extra ``train`` is not installed.
        TrainingError: the data do not do, or the work folder belongs to another run.
    """
    try:
        from persona_lab.training.backbone import load_backbone
    except ImportError as error:
        raise MissingExtraError(str(error.name), "train", "training a reader") from error

    work = Path(out) / "work"
    corpora = Path(data) if data is not None else None
    texts, lost = read_texts(corpora)
    tell(f"{len(texts):,} rated texts" + (f"; {lost} not found in the corpora" if lost else ""))
    if start is not None:
        network, backbone = open_network(start)
    else:
        network = ReaderNetwork(
            *load_backbone(backbone, rotary=True), frozen=settings.frozen, seed=settings.seed
        )
    shown = [one for one in texts if one.split == "train"] + statements()
    shown += persona_statements(corpora) if corpora else []
    weights = [_STATEMENT_WEIGHT if one.kind == "statement" else 1.0 for one in shown]
    lesson = lesson_of(shown, network.segmenter, weights=weights)
    if teachers:
        lesson = Lesson.joined(
            [lesson, _taught(teachers, corpora, pieces, network, work, settings.seed, tell)]
        )
    held_out = [one for one in texts if one.split == "valid"]
    facts = teach(
        network, lesson, settings, work,
        judge=lambda net: agreement(held_out, read_with(net.predict, held_out, net.segmenter)),
        tell=tell,
    )  # fmt: skip
    keep(network, work, backbone)
    facts |= {"backbone": backbone, "continued": start is not None}
    facts |= {"teachers": len(teachers), "not_found": lost}
    facts["data"] = {
        split: sum(one.split == split for one in texts) for split in ("train", "valid")
    }
    return finish(network, texts, Path(out) / name, facts, tell=tell)


def read_texts(corpora: Path | None) -> tuple[list[Rated], int]:
    """Our own texts and those of the corpora that are there, and how many were not found."""
    if corpora is None:
        return read_written(), 0
    found, lost = rebuild(corpora)
    return [*read_written(), *found], lost


def finish(
    network: ReaderNetwork,
    texts: Sequence[Rated],
    folder: Path,
    facts: Mapping[str, Any],
    *,
    tell: Tell = lambda line: None,
) -> dict[str, Any]:
    """From a trained network to a finished model folder.

    Args:
        network: trained.
        texts: all rated ones; those held out fit the rule and test.
        folder: the model's, named as the model is.
        facts: of training, for the card.
        tell: is given lines about what is going on.

    Returns:
        What ``metrics.json`` holds.
    """
    from persona_lab.training.export import export_encoder

    # what is shown is learnt already; only held-out texts are read from here on
    sample = [one.text for one in texts if one.split == "train"][:_EXPORT_TEXTS]
    texts = [one for one in texts if one.split != "train"]
    tell("exporting")
    head = ReaderHead(*(network.head[name].detach().cpu().numpy() for name in ("weight", "bias")))
    scratch = folder.parent / "work" / "export"
    exported = export_encoder(
        network.model.cpu(), network.tokenizer, scratch,
        max_tokens=_UNIT_TOKENS,
        calibration_texts=sample,
        directions=head.directions,
        keep_fp32=True,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name in (ENCODER_FILE, TOKENIZER_FILE):
        shutil.copyfile(scratch / name, folder / name)
    head.save(folder)
    reads, exact = _reads(folder, head, texts, "int8"), _reads(scratch, head, texts, "fp32")
    tell("fitting the rule")
    valid = [i for i, one in enumerate(texts) if one.split == "valid"]
    rule = fit_rule([texts[i] for i in valid], [reads[i] for i in valid])
    write_reader(folder, rule)
    tell("measuring")
    test = [
        i for i, one in enumerate(texts) if one.split == "test" and len(one.blind) >= _TEST_RATINGS
    ]
    held = [texts[i] for i in test]
    metrics = {
        **facts,
        "data": {**facts["data"], "test": len(held)},
        "export": exported,
        "test": measure(held, [reads[i] for i in test], rule),
        "test_fp32": agreement(held, [exact[i] for i in test], rule),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    write_card(folder)
    return metrics


def write_reader(folder: Path, rule: Rule) -> None:
    """Write a reader's config; encoder and head lie in the folder already.

    What turns of a character show is counted on the dialogues that come with the package.
    """
    more = {
        "measure": "shown",
        "frameworks": list(FRAMEWORKS),
        "default": folder.name == NAME,
        "summary": SUMMARY,
    }
    facts: dict[str, Any] = {
        "name": folder.name,
        "version": __version__,
        "components": {READER: "."},
        "calibration": rule,
    }
    write_config(folder, **facts, more=more)
    reader = open_folder(folder)
    if not isinstance(reader, ReaderDetector):
        raise TrainingError(f"{folder} holds no reader")
    signs = fit_signs(reader, [one for one in read_known() if one.split == "train"])
    write_config(folder, **facts, more=more | {SIGNS: signs.to_json()})


def open_network(out: str | Path) -> tuple[ReaderNetwork, str]:
    """The network of an earlier run, and its backbone.

    Raises:
        TrainingError: there is none in the folder.
    """
    from persona_lab.training.backbone import load_backbone

    was = kept(out, "train-reader")
    network = ReaderNetwork(*load_backbone(was.backbone, rotary=True), frozen=was.frozen)
    network.load(was.tensors)
    return network, was.backbone


def _taught(
    teachers: Sequence[str | Path],
    corpora: Path | None,
    pieces: int,
    network: ReaderNetwork,
    work: Path,
    seed: int,
    tell: Tell,
) -> Lesson:
    """What the teachers say of unrated units; kept, since it takes long."""
    if corpora is None or pieces < 1:
        raise TrainingError("a teacher needs --data and --pieces: unrated texts that it rates")
    units = draw_units(list(unrated(corpora)), pieces, network.segmenter, seed)
    file = work / "taught.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as kept:
            if len(kept["chances"]) == len(units):
                return lesson_from(units, kept["chances"], _TAUGHT_WEIGHT)
    tell(f"{len(teachers)} teachers rate {len(units):,} pieces")
    said: Floats = np.mean([open_network(one)[0].predict(units) for one in teachers], axis=0)
    work.mkdir(parents=True, exist_ok=True)
    np.savez(file, allow_pickle=False, chances=said)
    return lesson_from(units, said, _TAUGHT_WEIGHT)


def draw_units(
    said: Sequence[tuple[str, str, str]], count: int, segmenter: Segmenter, seed: int
) -> list[Ids]:
    """Units by chance, none twice; a corpus counts by the square root of its size.

    Args:
        said: text, kind and corpus of what is drawn from.
        count: units at most.
        segmenter: of the encoder.
        seed: of the draw.
    """
    units, counts = units_of([(text, kind) for text, kind, _ in said], segmenter)
    corpus = np.repeat([name for _, _, name in said], counts)
    kept = list({unit.tobytes(): i for i, unit in enumerate(units)}.values())
    _, place, size = np.unique(corpus[kept], return_inverse=True, return_counts=True)
    # drawing without replacement by weight: the largest of u ** (1 / weight)
    keys = np.log(np.random.default_rng(seed).random(len(kept))) * np.sqrt(size[place])
    return [units[kept[i]] for i in np.sort(np.argsort(-keys)[:count])]


def _reads(
    folder: Path, head: ReaderHead, texts: Sequence[Rated], precision: Precision
) -> list[Read]:
    """All texts as an exported encoder reads them."""
    encoder = Encoder.load(folder, device="cpu", precision=precision)

    def predict(ids: Sequence[Ids]) -> Floats:
        return head.chances(encoder.encode([tuple(map(int, one)) for one in ids]))

    return read_with(predict, texts, encoder.segmenter)
