"""Has a bot changed? Planted drift, noise, and what cannot be compared."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest

from persona_lab.errors import InputError
from persona_lab.instruments import load_instrument
from persona_lab.interviews.comparing import cases_of, compare, effects
from persona_lab.interviews.junit import Case, write_junit
from persona_lab.interviews.raters.rating import Rating
from persona_lab.interviews.result import Measurement, measurements
from persona_lab.interviews.summary import FORMAT, read_profile, target_cases

FULL = load_instrument("ipip-50")


def ratings(
    shift: float = 0.0, *, repeats: int = 1, noise: float = 0.0, seed: int = 0, persona: str = "p"
) -> list[Rating]:
    """Answers around the middle, extraversion shifted, with noise from repeat to repeat."""
    items, run = Random("items"), Random(f"run {seed}")
    base = {item.id: items.uniform(0.3, 0.6) for item in FULL.items}
    return [
        Rating(
            f"{item.id}{r}", "closed", None, "b", persona, "self-report", item.domain, None,
            item.id, r,
            base[item.id] + run.gauss(0, noise)
            + shift * (item.domain == "extraversion") * (1 + 0.2 * (int(item.id) % 3)),
        )
        for r in range(repeats) for item in FULL.items
    ]  # fmt: skip


def profile(given: list[Rating], name: str = "ipip-50") -> dict:
    rows = [m.to_row() for m in measurements(given, FULL)]
    return {"format": FORMAT, "instrument": {"name": name}, "measurements": rows, "targets": {}}


def drifted(a: list[Rating], b: list[Rating]) -> set[str]:
    return {c.domain for c in compare(profile(a), profile(b)) if c.drifted}


def test_the_same_bot_has_not_drifted() -> None:
    assert drifted(ratings(), ratings()) == set()
    changes = compare(profile(ratings()), profile(ratings()))
    assert [c.difference.estimate for c in changes] == [0.0] * 5
    assert not any(c.reason for c in changes)


def test_a_planted_shift_is_found_and_nothing_else() -> None:
    changes = compare(profile(ratings()), profile(ratings(0.2)))
    (found,) = [c for c in changes if c.drifted]
    assert found.domain == "extraversion" and found.p_holm is not None and found.p_holm < 1e-6
    assert found.difference.estimate == pytest.approx(0.24, abs=0.03)
    assert found.difference.n == 10


def test_an_equal_shift_of_all_items_is_no_accident() -> None:
    from dataclasses import replace

    moved = [replace(r, score=r.score + 0.1) for r in ratings()]
    changes = compare(profile(ratings()), profile(moved))
    assert all(c.drifted for c in changes)


def test_noise_is_no_drift() -> None:
    false = [
        domain
        for seed in range(20)
        for domain in drifted(
            ratings(repeats=3, noise=0.1, seed=seed), ratings(repeats=3, noise=0.1, seed=seed + 100)
        )
    ]
    # 20 comparisons at .05 each
    assert len(false) <= 2


def test_a_change_below_the_detectable_one_is_no_drift() -> None:
    steady, shaky = ratings(repeats=2), ratings(0.02, repeats=2)
    assert drifted(steady, shaky) == {"extraversion"}

    def wobble(given: list[Rating]) -> list[Rating]:
        from dataclasses import replace

        return [replace(r, score=r.score + (0.1 if r.repeat else -0.1)
                        * (-1) ** ("oc".find(r.domain[0]) + 1)) for r in given]  # fmt: skip

    changes = compare(profile(wobble(steady)), profile(wobble(shaky)))
    found = next(c for c in changes if c.domain == "extraversion")
    assert found.p_holm is not None and found.p_holm < 0.01
    assert found.mdc.estimate is not None and found.mdc.estimate > 0.1
    assert not found.drifted


def test_what_cannot_be_compared_is_said() -> None:
    only = [r for r in ratings() if r.domain != "openness"]
    changes = {c.domain: c for c in compare(profile(ratings()), profile(only))}
    assert "unscored in the second profile" in (changes["openness"].reason or "")
    outcomes = {case.name: case.outcome for case in cases_of(list(changes.values()))}
    assert outcomes["openness"] == "skipped" and outcomes["extraversion"] == "passed"
    with pytest.raises(InputError, match="like with like"):
        compare(profile(ratings()), profile(ratings(), name="ipip-120"))
    with pytest.raises(InputError, match="in common"):
        compare(profile(ratings()), profile(ratings(persona="other")))


def test_effects_between_personas() -> None:
    both = measurements([*ratings(0.3, persona="x"), *ratings(persona="y")], FULL)
    (found,) = effects(both)
    assert (found["first"], found["second"]) == ("x", "y")
    extraversion = found["domains"]["extraversion"]
    assert extraversion["difference"]["low"] > 0.3 and extraversion["cohens_d"]["low"] > 1
    assert extraversion["cliffs_delta"]["estimate"] == 1.0
    assert found["domains"]["openness"]["difference"]["estimate"] == 0
    many: list[Measurement] = measurements(
        [r for i in range(5) for r in ratings(persona=str(i))], FULL
    )
    assert effects(many) == []


def test_targets_as_test_cases() -> None:
    given = profile(ratings(0.4))
    given["targets"] = {"p": {"extraversion": 1.0, "openness": 1.0, "neuroticism": 0.5}}
    given["measurements"][0]["bot"] = "b"
    outcomes = {case.name: case.outcome for case in target_cases(given)}
    assert outcomes == {"extraversion": "passed", "openness": "failed"}


def test_junit_is_xml_whatever_it_says(tmp_path: Path) -> None:
    path = tmp_path / "j.xml"
    cases = [
        Case("a.<b>", "x", "failed", 'it "moved" \x00 & more'),
        Case("a", "y", "skipped", "why"),
        Case("a", "z", "passed", "fine"),
    ]
    write_junit(path, "suite & co", cases)
    suite = ElementTree.parse(path).getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    assert suite[0].find("failure").get("message") == 'it "moved"  & more'


def test_another_file_is_no_profile(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text in ("{", "[]", json.dumps({"format": "else"})):
        path.write_text(text)
        with pytest.raises(InputError, match="is no profile"):
            read_profile(path)
    with pytest.raises(InputError, match="cannot read"):
        read_profile(tmp_path)
