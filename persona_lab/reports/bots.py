"""Interviews of several bots side by side, in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from persona_lab.errors import InputError
from persona_lab.interviews.comparing import ALPHA, compare
from persona_lab.interviews.summary import read_profile
from persona_lab.reports.results import Given

Profile = Mapping[str, Any]

_ALL_PAIRS: Final = 4
"""Up to so many bots each is compared with each; of more, each with the first."""

_MOST_BOTS: Final = 24
_NEEDED: Final = ("bots", "instrument", "settings", "measurements", "answers", "targets", "notes")


def read_profiles(given: Sequence[Given]) -> list[dict[str, Any]]:
    """Read interviews.

    Raises:
        InputError: one cannot be read, lacks something, or holds no measurement.
    """
    found = []
    for one in given:
        profile = read_profile(one.path)
        missing = [key for key in _NEEDED if key not in profile]
        if missing:
            raise InputError(f"{one.path} lacks {missing[0]!r}; make it again with interview")
        if not profile["measurements"]:
            raise InputError(f"{one.path} holds no measurement; rate its answers with interview")
        found.append(profile)
    return found


def bots_figures(given: Sequence[Given], profiles: Sequence[Profile]) -> dict[str, Any]:
    """All figures of a comparison.

    Args:
        given: two interviews or more.
        profiles: what they hold.

    Returns:
        JSON types: ``instrument``, ``bots`` (name, answers, settings, notes),
        ``settings_that_differ``, ``profiles`` (a persona, protocol and rater each, with the
        domains' scores in the order of the bots), ``alpha`` of each comparison, and
        ``comparisons`` with their ``changes`` as ``persona-lab compare`` makes them.

    Raises:
        InputError: they are about different questionnaires, or too many.
    """
    if len(given) > _MOST_BOTS:
        raise InputError(f"{len(given)} interviews are too many for a page; give {_MOST_BOTS}")
    for one, profile in zip(given, profiles, strict=True):
        if profile["instrument"]["name"] != profiles[0]["instrument"]["name"]:
            raise InputError(
                f"{given[0].path} is about {profiles[0]['instrument']['name']!r} and {one.path} "
                f"about {profile['instrument']['name']!r}; compare interviews with the same "
                "questionnaire"
            )
    profiles, names = _named(given, profiles)
    pairs = list(combinations(range(len(names)), 2))
    if len(names) > _ALL_PAIRS:
        pairs = [(0, other) for other in range(1, len(names))]
    return {
        "instrument": {
            key: profiles[0]["instrument"][key]
            for key in ("name", "title", "framework", "citation", "domains")
        },
        "bots": [_bot(name, profile) for name, profile in zip(names, profiles, strict=True)],
        "settings_that_differ": _differing([profile["settings"] for profile in profiles]),
        "profiles": _profiles(profiles),
        "alpha": ALPHA,
        "comparisons": [
            {"first": names[a], "second": names[b]} | _compared(profiles[a], profiles[b])
            for a, b in pairs
        ],
    }


def _named(given: Sequence[Given], profiles: Sequence[Profile]) -> tuple[list[Profile], list[str]]:
    """Profiles that can be held together, and a name for each that the others have not.

    Where each interview is of one persona of its own, that is what is compared.
    """
    personas = [{m["persona"] for m in profile["measurements"]} for profile in profiles]
    alone = all(len(found) == 1 for found in personas)
    if alone and len(set.union(*personas)) > 1:
        pairs = zip(personas, profiles, strict=True)
        names = [next(iter(found)) or _bots(profile) for found, profile in pairs]
        profiles = [_without_persona(profile) for profile in profiles]
    else:
        names = [_bots(profile) for profile in profiles]
    if len(set(names)) < len(names):
        names = [f"{name} ({one.name})" for name, one in zip(names, given, strict=True)]
    return list(profiles), names


def _bots(profile: Profile) -> str:
    return ", ".join(profile["bots"][:3]) + (" ..." if len(profile["bots"]) > 3 else "")


def _without_persona(profile: Profile) -> Profile:
    measured = [{**m, "persona": None} for m in profile["measurements"]]
    targets = {"": next(iter(profile["targets"].values()))} if profile["targets"] else {}
    return {**profile, "measurements": measured, "targets": targets}


def _bot(name: str, profile: Profile) -> dict[str, Any]:
    answers = profile["answers"]
    unscored: dict[str, int] = {}
    for codes in answers["unscored"].values():
        for code, n in codes.items():
            unscored[code] = unscored.get(code, 0) + n
    return {
        "name": name,
        "answers": answers["n"],
        "usable": answers["scored"],
        "unscored": unscored,
        "settings": dict(profile["settings"]),
        "targets": profile["targets"],
        "notes": list(profile["notes"]),
    }


def _differing(settings: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Settings in which the interviews are not alike, in the order of the bots."""
    keys = dict.fromkeys(key for one in settings for key in one)
    found = {key: [one.get(key) for one in settings] for key in keys}
    return {
        key: values for key, values in found.items() if any(value != values[0] for value in values)
    }


def _profiles(profiles: Sequence[Profile]) -> list[dict[str, Any]]:
    """Each persona, protocol and rater that one of the bots has, with the scores of all.

    Those that most bots have come first.
    """
    by_key = [
        {(m["persona"], m["protocol"], m["rater"]): m["domains"] for m in profile["measurements"]}
        for profile in profiles
    ]
    found = []
    keys = dict.fromkeys(key for one in by_key for key in one)
    for key in sorted(keys, key=lambda key: -sum(key in one for one in by_key)):
        domains = [
            {
                "domain": domain["key"],
                "scores": [
                    _score(one[key].get(domain["key"])) if key in one else None for one in by_key
                ],
                "targets": [
                    p["targets"].get(key[0] or "", {}).get(domain["key"]) for p in profiles
                ],
            }
            for domain in profiles[0]["instrument"]["domains"]
        ]
        persona, protocol, rater = key
        found.append({"persona": persona, "protocol": protocol, "rater": rater, "domains": domains})
    return found


def _score(result: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if result is None:
        return None
    kept = ("score", "low", "high", "worst", "best", "n_scored", "n_unscored", "code", "reason")
    return {key: result[key] for key in kept if key in result}


def _compared(first: Profile, second: Profile) -> dict[str, Any]:
    try:
        changes = compare(first, second)
    except InputError as error:
        return {"changes": [], "differ": 0, "compared": 0, "reason": str(error)}
    return {
        "changes": [change.to_row() for change in changes],
        "differ": sum(change.drifted for change in changes),
        "compared": sum(change.reason is None for change in changes),
        "reason": None,
    }
