"""Where the time of the pooled model goes."""

from __future__ import annotations

from typing import Any

from speed.figures import Ways, alternate_ways, spread
from speed.files import RunFiles
from speed.ours import pooled_of


def where_time_goes(files: RunFiles, repeats: int) -> dict[str, float]:
    """Median seconds of the parts of scoring all texts with the pooled model."""
    from persona_lab.detectors.calibration import judge
    from persona_lab.detectors.language import foreign_language
    from persona_lab.detectors.masking import mask
    from persona_lab.detectors.pooled import segment_shares
    from persona_lab.detectors.reading import count_words
    from persona_lab.detectors.registry import load_detector
    from persona_lab.traits import BIG_FIVE

    detector, texts = load_detector("pooled"), files.read_texts()
    pooled = pooled_of(detector)
    found: dict[str, Any] = {}

    def check() -> None:
        found["masked"] = [mask(text) for text in texts]
        found["words"] = [count_words(text) for text in texts]
        for text in texts:
            foreign_language(text)

    def cut() -> None:
        found["cut"] = [pooled.encoder.segmenter.segments([text]) for text in found["masked"]]

    def encode() -> None:
        found["vectors"] = pooled.encoder.encode([s.token_ids for one in found["cut"] for s in one])

    def judge_all() -> None:
        start = 0
        for segments, n_words in zip(found["cut"], found["words"], strict=True):
            vectors = found["vectors"][start : start + len(segments)]
            start += len(segments)
            reading = pooled.head.read(vectors, segment_shares(segments))
            judge([reading], detector.calibration, BIG_FIVE.keys, n_words).interval()

    parts: Ways = {
        "mask, count words, check the language": check,
        "tokenise and cut into segments": cut,
        "encode": encode,
        "experts, calibration and intervals": judge_all,
    }
    times = alternate_ways(parts, repeats)
    return {name: spread(seconds)["median"] for name, seconds in times.items()}
