"""Recipes of the field by name: what to keep, and what that needs.

- ``induced-trait``: the measured traits are those that were prompted, as PSYDIAL keeps
  only dialogues whose speaker shows the assigned trait (Han et al. 2024) and PsyPlay counts
  a success (Yang et al. 2025). The row's labels are the prompt.
- ``faithful``: nothing that the speaker says contradicts the persona or earlier turns, as
  the faithfulness expert among the critics of Synthetic-Persona-Chat asks (Jandaghi et
  al. 2023).
- ``representative[:SHARE]``: of each author, the entries nearest to the author's mean
  profile, after Journal Intensive Conversations (Pal et al. 2025), which keeps each
  author's most representative cluster of journal entries.
- ``balance:TRAIT=SHARE,...``: resample until the high poles have these shares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from persona_lab.errors import PersonaLabError
from persona_lab.filtering.stages import Stage
from persona_lab.filtering.targets import TargetField
from persona_lab.traits import ALL_TRAITS


@dataclass(frozen=True, slots=True)
class Preset:
    """What a recipe adds to a job.

    Attributes:
        keep: an expression; None for none.
        target_field: what each row brings as its target; None for none.
        stage: choice after the expression; None for none.
    """

    keep: str | None = None
    target_field: TargetField | None = None
    stage: Stage | None = None

    def and_keep(self, keep: str | None) -> str | None:
        """The recipe's expression and another one, both."""
        if self.keep is None or keep is None:
            return self.keep or keep
        return f"({self.keep}) and ({keep})"


def _induced(argument: str) -> Preset:
    _no_argument("induced-trait", argument)
    return Preset("target.hits = 1", "profile")


def _faithful(argument: str) -> Preset:
    _no_argument("faithful", argument)
    return Preset("contradictions = 0")


def _representative(argument: str) -> Preset:
    share = _share(argument or "0.5", f"representative:{argument}")
    return Preset(stage=Stage("representative", share))


def _balance(argument: str) -> Preset:
    shares = []
    for part in filter(None, argument.split(",")):
        trait, _, value = part.partition("=")
        if trait.strip() not in ALL_TRAITS:
            raise PersonaLabError(
                f"--preset balance names no trait {trait.strip()!r}; use {', '.join(ALL_TRAITS)}"
            )
        shares.append((trait.strip(), _share(value or "0.5", part)))
    if not shares:
        raise PersonaLabError("--preset balance needs traits: balance:extraversion=0.5")
    return Preset(stage=Stage("balance", shares=tuple(shares)))


PRESETS: Mapping[str, Callable[[str], Preset]] = {
    "induced-trait": _induced,
    "faithful": _faithful,
    "representative": _representative,
    "balance": _balance,
}
"""Recipes by name; each is called with what stands behind the colon."""


def find_preset(given: str) -> Preset:
    """The recipe ``NAME`` or ``NAME:ARGUMENT``.

    Raises:
        PersonaLabError: there is none, or the argument cannot be used.
    """
    name, _, argument = given.partition(":")
    if name not in PRESETS:
        raise PersonaLabError(f"there is no preset {name!r}; presets: {', '.join(PRESETS)}")
    return PRESETS[name](argument.strip())


def _share(text: str, given: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise PersonaLabError(f"cannot read {given!r} in --preset; a share is a number in 0..1")
    return share


def _no_argument(name: str, argument: str) -> None:
    if argument:
        raise PersonaLabError(f"--preset {name} takes no argument")
