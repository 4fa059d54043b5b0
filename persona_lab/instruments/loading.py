"""Finding and loading instruments: the bundled ones, and files in known layouts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from persona_lab.formats.source import Source
from persona_lab.formats.tables import split_header
from persona_lab.instruments.errors import InstrumentError
from persona_lab.instruments.interview import choose, is_interview, read_interview
from persona_lab.instruments.layouts import (
    MPI_COLUMNS,
    FileFacts,
    read_ipip,
    read_mpi,
    read_own,
)
from persona_lab.instruments.model import Instrument
from persona_lab.instruments.validate import validate

_BUNDLED = Path(__file__).resolve().parent / "data"
_NEO = "ipip-120"
_LANGUAGE = re.compile(r"[a-z]{2}(-[a-z]{2})?")
_LAYOUTS = (
    "a JSON object with 'items' (ours), a JSON object with 'questions' and 'categories' "
    "(InCharacter, PsychoBench), a JSON list of IPIP items, or a csv with the columns "
    + ", ".join(MPI_COLUMNS)
)


@dataclass(frozen=True, slots=True)
class InstrumentInfo:
    """One bundled instrument, as ``persona-lab instruments list`` shows it.

    Attributes:
        name: for ``load_instrument``.
        title: for people.
        language: of the items.
        licence: of the items.
        framework: ``bigfive``, ``mbti`` or None.
        n_items: how many items.
        domains: keys, in order.
    """

    name: str
    title: str
    language: str
    licence: str
    framework: str | None
    n_items: int
    domains: tuple[str, ...]


def list_instruments() -> list[InstrumentInfo]:
    """The bundled instruments, shortest first within a framework."""
    found = [load_instrument(path.stem) for path in _BUNDLED.glob("*.json")]
    return [
        InstrumentInfo(
            i.name,
            i.title,
            i.language,
            i.licence,
            i.framework,
            len(i.items),
            tuple(domain.key for domain in i.domains),
        )
        for i in sorted(found, key=lambda i: (i.framework or "", len(i.items)))
    ]


def load_instrument(
    name_or_path: str | os.PathLike[str], *, language: str | None = None
) -> Instrument:
    """Load a bundled instrument by name, or a file.

    Args:
        name_or_path: ``ipip-20``, ``ipip-50``, ``ipip-120``, ``jungian-48``; or a file in
            our JSON layout, an InCharacter questionnaire, one of PsychoBench
            (``questionnaires.json#BFI`` where the file holds several), a JSON list of IPIP
            items, or an MPI table.
        language: for InCharacter files ``en`` or ``zh``; for IPIP lists, what the items
            are written in (default: the file's folder if it is named like a language).
            Other files state their language.

    Returns:
        The instrument, checked: unique ids, known keys, both keys in each domain or a
        reason why not, a sane scale.

    Raises:
        InstrumentError: naming the file, the item and the remedy.
        InputError: the file is missing, empty or not text.
    """
    if isinstance(name_or_path, str) and _is_bundled(name_or_path):
        return _load_bundled(name_or_path)
    path, one = Path(name_or_path), None
    if not path.exists() and "#" in path.name:
        stem, _, one = path.name.rpartition("#")
        path = path.with_name(stem)
    if not path.exists() and not path.suffix:
        names = ", ".join(sorted(p.stem for p in _BUNDLED.glob("*.json")))
        raise InstrumentError(
            f"there is no instrument {str(name_or_path)!r}; bundled are {names}; or name a file"
        )
    if path.is_dir():
        raise InstrumentError(f"{path.name} is a folder; name one instrument file in it")
    return _read(path, language, one)


def _is_bundled(name: str) -> bool:
    return any(path.stem == name for path in _BUNDLED.glob("*.json"))


@lru_cache
def _load_bundled(name: str) -> Instrument:
    return _read(_BUNDLED / f"{name}.json", None)


def _read(path: Path, language: str | None, one: str | None = None) -> Instrument:
    source = Source(path)
    try:
        folder = path.resolve().parent.name
        guess = folder if _LANGUAGE.fullmatch(folder) else "en"
        if path.suffix.lower() in (".csv", ".tsv"):
            header = split_header(source.peek(1)[0].text)
            if not set(MPI_COLUMNS) <= set(header):
                raise InstrumentError(f"{source.name} is no instrument; known are {_LAYOUTS}")
            return validate(
                read_mpi(source, _facts(source.name, path.stem, language or "en")), source.name
            )
        value = _parse(source)
    finally:
        source.close()
    if isinstance(value, list) and value and is_interview(value[0]):
        value = choose(value, one, source.name)
    return validate(_from_json(value, source.name, path.stem, language, guess), source.name)


def _parse(source: Source) -> Any:
    try:
        return json.loads(source.whole())
    except json.JSONDecodeError as error:
        raise InstrumentError(
            f"{source.place(error.lineno)}: not valid JSON ({error.msg}); known layouts are "
            f"{_LAYOUTS}"
        ) from None


def _from_json(value: Any, place: str, stem: str, language: str | None, guess: str) -> Instrument:
    if isinstance(value, list) and value:
        return read_ipip(value, _facts(place, stem, language or guess))
    if isinstance(value, Mapping) and "items" in value:
        return read_own(value, place)
    if is_interview(value):
        return read_interview(value, _facts(place, stem, language or "en"))
    raise InstrumentError(f"{place} is no instrument; known are {_LAYOUTS}")


def _facts(place: str, stem: str, language: str) -> FileFacts:
    return FileFacts(place, stem, language, _neo_facets())


@lru_cache
def _neo_facets() -> Mapping[str, tuple[str, ...]]:
    """Facets by domain; the IPIP-NEO numbers them in the order of their first items."""
    neo = _load_bundled(_NEO)
    return {d.key: tuple(dict.fromkeys(i.facet or "" for i in neo.of(d.key))) for d in neo.domains}
