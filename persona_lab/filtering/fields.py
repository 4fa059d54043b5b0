"""The fields of a score: what the ledger holds and what an expression may ask for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from persona_lab.errors import PersonaLabError
from persona_lab.filtering.values import label_help, trait_hint
from persona_lab.traits import ALL_TRAITS, FRAMEWORKS, MBTI

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["number", "count", "text", "flag"]


class FieldError(PersonaLabError):
    """An expression or ``--fields`` names a field that there is not, or misuses one."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the ledger.

    Attributes:
        name: as in expressions.
        kind: what it holds; any field may be empty (unknown) in a row.
        help: for people.
    """

    name: str
    kind: Kind
    help: str


SPEAKER_FIELDS = (
    Field("id", "text", "the row's id as in the file, else made from its position"),
    Field("source", "text", "name of the input file"),
    Field("row", "count", "position in its file, from 1"),
    Field("line", "count", "line of the file where it begins (tables: the row)"),
    Field("group", "text", "author, scene or other group that the file names"),
    Field("content", "text", "hash of turns, personas and labels; equal for duplicates"),
    Field("duplicate", "flag", "an earlier row has the same content"),
    Field("speaker", "text", "who is scored"),
    Field("words", "count", "words of the speaker"),
    Field("turns", "count", "turns of the speaker"),
    Field("dialogue.turns", "count", "turns of everybody"),
    Field("dialogue.speakers", "count", "how many speak"),
    Field("language", "text", "en, another code, or non-latin"),
    Field("too_short", "flag", "fewer words than texts of this kind need for labels"),
    Field("status", "text", "scored or unscored"),
    Field("code", "text", "why unscored, for programs"),
    Field("unscored_reason", "text", "why unscored, for people"),
    Field("model", "text", "name of the model that scored"),
    Field("model.version", "text", "its version"),
    Field("model.sha256", "text", "its hash"),
)
"""Fields that every ledger has."""

TARGET_FIELDS = (
    Field("target.match", "number", "probability that a trait is on the target's side, mean"),
    Field("target.hits", "number", "share of the target's traits measured on its side"),
    Field("target.traits", "count", "traits that the target names"),
)
"""Fields of a run with a target."""

CONSISTENCY_FIELDS = (
    Field("consistency", "number", "overall consistency of the speaker, 0..1"),
    Field("stability", "number", "how steady the traits are over the turns, 0..1"),
    Field("contradictions", "count", "pairs of statements that contradict each other"),
)
"""Fields that cost extra and are computed only if they are asked for."""

COSTLY = tuple(field.name for field in CONSISTENCY_FIELDS)
"""Their names."""

AGREES = "cascade.agrees"
CASCADE_FIELDS = (
    Field(AGREES, "flag", "a sample: would the detector have decided as the lexical model did?"),
)
"""Fields of a run with a cascade."""

TRAIT_PARTS = (".p_high", ".low", ".high", ".label", ".level", ".why")
"""Endings of the fields that a trait has; the last two are empty for self-report."""

INTERNAL = "ordinal"
"""Column of the ledger that numbers the rows of all inputs together, from 0."""

VERDICT_COLUMNS = ("passes", "verdict", "reason")


def trait_fields(frameworks: Sequence[str]) -> tuple[Field, ...]:
    """The fields of the frameworks' traits.

    Args:
        frameworks: names.
    """
    found: list[Field] = []
    for name in frameworks:
        for trait in FRAMEWORKS[name].traits:
            found += [
                Field(f"{trait.key}.p_high", "number", f"probability of {trait.high}, 0..1"),
                Field(f"{trait.key}.low", "number", "lower end of its 90 % interval"),
                Field(f"{trait.key}.high", "number", "upper end of its 90 % interval"),
                Field(f"{trait.key}.label", "text", label_help(trait)),
                Field(f"{trait.key}.level", "number", "what is shown, -2 low to 2 high"),
                Field(f"{trait.key}.why", "text", "why no label: nothing_shown, mixed, too_short"),
            ]
        if name == MBTI.name:
            found.append(Field("type", "text", "MBTI type, X for a letter that is unsure"))
    return tuple(found)


def label_fields() -> tuple[Field, ...]:
    """The known labels of the speaker in the file: 1 the high pole, 0 the other, or a score."""
    return tuple(
        Field(f"label.{trait}", "number", "the file's own label: 1 high, 0 low, or a score")
        for trait in ALL_TRAITS
    )


def ledger_fields(
    frameworks: Sequence[str],
    *,
    target: bool = False,
    extra: Iterable[str] = (),
    cascade: bool = False,
) -> dict[str, Field]:
    """All fields of a run by name, in the order of the columns.

    Args:
        frameworks: names.
        target: does the run have a target?
        extra: names of consistency fields that are computed.
        cascade: does it score with two models?
    """
    fields = (
        *SPEAKER_FIELDS,
        *trait_fields(frameworks),
        *label_fields(),
        *(TARGET_FIELDS if target else ()),
        *(field for field in CONSISTENCY_FIELDS if field.name in set(extra)),
        *(CASCADE_FIELDS if cascade else ()),
    )
    return {field.name: field for field in fields}


def arrow_schema(fields: Mapping[str, Field], *, verdicts: bool = False) -> pa.Schema:
    """The ledger's columns.

    Args:
        fields: of the run.
        verdicts: with :data:`VERDICT_COLUMNS` at the end.
    """
    import pyarrow as pa

    kinds = {"number": pa.float64(), "count": pa.int64(), "text": pa.string(), "flag": pa.bool_()}
    columns = [pa.field(INTERNAL, pa.int64())]
    columns += [pa.field(field.name, kinds[field.kind]) for field in fields.values()]
    if verdicts:
        columns += [
            pa.field("passes", pa.bool_()),
            pa.field("verdict", pa.string()),
            pa.field("reason", pa.string()),
        ]
    return pa.schema(columns)


def unknown_field(name: str, known: Iterable[str], *, where: str) -> FieldError:
    """The error for a field that there is not; it lists those that there are.

    Args:
        name: as given.
        known: all names.
        where: the option that named it.
    """
    names = list(known)
    if hint := trait_hint(name, names):
        return FieldError(f"{where}: {name!r} {hint}")
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return FieldError(f"{where} names an unknown field {name!r}{hint}; fields: {_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    """Names for a message; the parts of a trait and the labels share one entry."""
    shown: dict[str, list[str]] = {}
    for name in names:
        head, _, tail = name.partition(".")
        if head == "label":
            shown.setdefault("label.TRAIT", [])
        elif name.endswith(TRAIT_PARTS):
            shown.setdefault(head, []).append(tail)
        else:
            shown.setdefault(name, [])
    return ", ".join(
        f"{head}.{'|'.join(tails)}" if tails else head for head, tails in shown.items()
    )
