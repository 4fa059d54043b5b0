"""The rater ``closed``: closed answers by the questionnaire's key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from persona_lab.instruments import Instrument
from persona_lab.interviews.raters.rating import (
    CLOSED,
    Rating,
    agreement_words,
    of_record,
    position,
)
from persona_lab.interviews.records import Record


def rate_closed(records: Iterable[Record], instrument: Instrument) -> Iterator[Rating]:
    """Rate closed answers.

    Args:
        records: of the protocol ``self-report``.
        instrument: with their items.

    Raises:
        InstrumentError: an item is not the instrument's.
    """
    for record in records:
        item = instrument.item(record.item)
        if record.status != "scored" or record.rating is None:
            yield of_record(
                record, CLOSED, score=None, code=record.code, reason=record.reason or "",
                n_answers=0, n_unusable=1,
            )  # fmt: skip
            continue
        said = agreement_words(instrument, record.rating)
        yield of_record(
            record,
            CLOSED,
            score=position(item, record.rating, instrument),
            reason=f'{said} to "{item.text}"',
        )
