"""Is an instrument fit for use?"""

from __future__ import annotations

from collections import Counter

from persona_lab.instruments.errors import InstrumentError
from persona_lab.instruments.model import Instrument, Scale
from persona_lab.traits import ALL_TRAITS, FRAMEWORKS


def validate(instrument: Instrument, place: str) -> Instrument:
    """Check what scoring and prompts rely on.

    Args:
        instrument: to check.
        place: the file it came from, for messages.

    Returns:
        The same instrument.

    Raises:
        InstrumentError: naming the file, the item or domain, and the remedy.
    """
    try:
        _check_scale(instrument.scale)
        _check_items(instrument)
        _check_domains(instrument)
    except InstrumentError as error:
        raise InstrumentError(f"{place}: {error}") from None
    return instrument


def _check_scale(scale: Scale) -> None:
    n_points = scale.high - scale.low + 1
    if n_points < 2:
        raise InstrumentError(
            f"the scale goes from {scale.low} to {scale.high}; 'low' must be below 'high'"
        )
    if len(scale.anchors) != n_points:
        raise InstrumentError(
            f"the scale has {n_points} points and {len(scale.anchors)} anchors; give one for "
            'each point from low to high, "" for a point without words'
        )


def _check_items(instrument: Instrument) -> None:
    domains = {domain.key for domain in instrument.domains}
    counts = Counter([*(item.id for item in instrument.items), *instrument.fillers])
    for item in instrument.items:
        where = f"item {item.id!r}"
        if counts[item.id] > 1:
            raise InstrumentError(f"{where} occurs twice; give every item its own id")
        if not item.id or not item.text.strip():
            raise InstrumentError(f"{where} has no id or no text; write one")
        if item.domain not in domains:
            known = ", ".join(sorted(domains))
            raise InstrumentError(f"{where} has the domain {item.domain!r}; declared are: {known}")
        if item.keyed not in (1, -1):
            raise InstrumentError(
                f"{where} has the key {item.keyed!r}; write 1 where agreement points to the high "
                "pole, -1 where it points to the low one"
            )


def _check_domains(instrument: Instrument) -> None:
    repeated = [k for k, n in Counter(d.key for d in instrument.domains).items() if n > 1]
    if repeated:
        raise InstrumentError(f"domain {repeated[0]!r} occurs twice; give every domain its own key")
    if not instrument.domains:
        raise InstrumentError("there are no domains; declare what the items measure")
    if instrument.framework is not None and instrument.framework not in FRAMEWORKS:
        known = ", ".join(FRAMEWORKS)
        raise InstrumentError(f"framework {instrument.framework!r} is not known; use {known}")
    for domain in instrument.domains:
        where = f"domain {domain.key!r}"
        if domain.trait is not None and domain.trait not in ALL_TRAITS:
            known = ", ".join(ALL_TRAITS)
            raise InstrumentError(f"{where} has the trait {domain.trait!r}; use one of: {known}")
        items = [item for item in instrument.items if item.domain == domain.key]
        if not items:
            raise InstrumentError(f"{where} has no items; add some or take it out")
        if len({item.keyed for item in items}) == 1 and not domain.one_sided:
            raise InstrumentError(
                f"{where}: all {len(items)} items have the key {items[0].keyed:+d}, so whoever "
                "agrees with everything gets an extreme score; add items of the other key, or "
                "say in its field 'one_sided' why there are none"
            )
