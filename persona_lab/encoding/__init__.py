"""From text to vectors: cut into segments, then encode each segment once.

Example:
    >>> from persona_lab.encoding import Encoder
    >>> encoder = Encoder.load("models/bigfive")  # doctest: +SKIP
    >>> segments = encoder.segmenter.segments(["I love people!", "Me too."])  # doctest: +SKIP
    >>> encoder.encode([s.token_ids for s in segments]).shape  # doctest: +SKIP
    (1, 384)
"""

from persona_lab.encoding.encoder import Encoder
from persona_lab.encoding.segment import Segment, Segmenter

__all__ = ["Encoder", "Segment", "Segmenter"]
