"""Batches of sequences."""

from __future__ import annotations

from collections.abc import Sequence


def grouped(
    lengths: Sequence[int], *, tokens: int = 0, rows: int = 0, ordered: bool = True
) -> list[list[int]]:
    """Put sequences into batches, each at least one.

    Args:
        lengths: of the sequences.
        tokens: in a batch at most, padding included; where ``rows`` is 0.
        rows: sequences in a batch.
        ordered: longest first, so that little is padded; else as they come.

    Returns:
        Positions of the sequences of each batch.
    """
    order = list(range(len(lengths)))
    if ordered:
        order.sort(key=lengths.__getitem__, reverse=True)
    batches: list[list[int]] = []
    longest = 0
    for place in order:
        longest = max(longest, lengths[place])
        size = len(batches[-1]) + 1 if batches else 0
        if not size or (size > rows if rows else size * longest > tokens):
            batches.append([])
            longest = lengths[place]
        batches[-1].append(place)
    return batches
