"""Populations: collapse, inertia, control, groups, and what a changed profile moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from persona_lab.errors import FormatError, InputError
from persona_lab.instruments import InstrumentError
from persona_lab.interviews.bots import Bot, Persona
from persona_lab.interviews.records import RecordFile
from persona_lab.llm import ChatRequest, Client
from persona_lab.psychometrics import battery as b
from persona_lab.psychometrics.perturb import variant
from persona_lab.psychometrics.population_report import document, sentences, to_row
from persona_lab.psychometrics.populations import Population, measure_population
from persona_lab.psychometrics.reference import Reference, read_reference
from tests.psychometrics.acted import INSTRUMENT, STEADY, Actor


def person(i: int) -> Persona:
    high, kind = i % 2, (i // 2) % 2
    return Persona(
        f"p{i}",
        f"You are Ann, {20 + i} years old.\nextraversion={5 if high else 1}\n"
        f"agreeableness={2 + 2 * kind}\nYou like tea.",
        {"extraversion": float(high)},
        group="kind" if kind else "harsh",
        facts={"name": "Ann Lee"},
    )


PEOPLE = [person(i) for i in range(12)]
Run = Callable[..., Population]


@pytest.fixture
def population(tmp_path: Path) -> Run:
    def go(
        actor: Actor,
        personas: Sequence[Persona] = PEOPLE,
        kinds: Sequence[str] = (),
        reference: dict[str, Reference] | None = None,
        temperature: float = 0.0,
        repeats: int = 1,
    ) -> Population:
        client = Client(actor)
        bot = Bot("bare", client)
        changed = [v for k in kinds for p in personas if (v := variant(p, k)) is not None]
        who = [*b.respondents_of(bot, [*personas, *changed]), b.Respondent(bot)]
        how = b.Protocol(("standard",), ("ascending",), (temperature,), repeats)
        sittings = b.plan(who, INSTRUMENT, how)
        with RecordFile(tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl") as file:
            b.run(sittings, file, client)
            records = file.read()
        return measure_population(
            records, INSTRUMENT, personas, baseline="bare", reference=reference
        )

    return go


def trait(found: Population, key: str):
    return next(t for t in found.traits if t.key == key)


def test_targets_that_are_followed(population: Run) -> None:
    found = population(STEADY)
    extraversion = trait(found, "extraversion")
    control = extraversion.control
    assert (control.high, control.low) == (6, 6)
    assert control.shift == 4.0
    assert control.delta.estimate == 1.0
    assert control.reached.estimate == 1.0
    assert control.follows.estimate == pytest.approx(1.0)
    assert control.elsewhere["agreeableness"] == 0.0
    # without a persona the bot is at 4
    assert extraversion.baseline == 4.0
    assert (control.raised.estimate, control.lowered.estimate) == (1.0, -3.0)
    # all alike within the groups: Cohen's d has nothing to divide by
    assert control.d.code == "no_variance"
    assert trait(found, "agreeableness").control is None
    assert "Asking for Extraversion moves it by 4.0 points" in " ".join(sentences(found))


def test_noise_gives_an_effect_size(population: Run) -> None:
    found = population(replace(STEADY, noise=0.8), temperature=0.7, repeats=2)
    control = trait(found, "extraversion").control
    assert control.d.estimate > 5
    assert control.d.low < control.d.estimate < control.d.high
    assert trait(found, "extraversion").retest.estimate > 0.9
    assert trait(found, "openness").noise.estimate > 0.1


def test_one_personality_for_all(population: Run) -> None:
    found = population(replace(STEADY, plays=False, noise=0.0))
    assert found.alike.estimate == 1.0
    assert found.distinct == 1
    assert found.inertia.estimate == pytest.approx(1.0)
    said = sentences(found)
    assert said[0].startswith("The bot plays 12 personas as one personality")
    assert any(s.startswith("Asking for Extraversion does not move it") for s in said)
    assert trait(found, "extraversion").control.reached.estimate == 0.5


def test_personas_that_differ_are_not_called_one(population: Run) -> None:
    found = population(STEADY)
    assert found.distinct == 4
    assert found.alike.estimate < 0.9
    assert not any("one personality" in s for s in sentences(found))
    assert "stay the same: Openness, Conscientiousness, Neuroticism" in " ".join(sentences(found))


def test_constant_answers_are_one_personality_and_not_nan(population: Run) -> None:
    found = population(Actor(constant=3))
    assert found.inertia.code == "no_variance"
    assert found.alike.estimate == 1.0
    assert "one personality" in sentences(found)[0]
    json.dumps(to_row(found, "bot", []), allow_nan=False)
    assert "nan" not in document(found, "bot", []).markdown().lower()


def test_all_refused(population: Run) -> None:
    keys = [d.key for d in INSTRUMENT.domains]
    found = population(Actor(refuses=dict.fromkeys(keys, 1.0)), kinds=["name"])
    assert sentences(found)[0].startswith("Nothing was measured")
    json.dumps(to_row(found, "bot", []), allow_nan=False)
    assert all(t.trend.code == "no_data" for t in found.traits)


def test_spread_against_a_reference(population: Run) -> None:
    reference = {"extraversion": Reference(1.0, n=500), "agreeableness": Reference(4.0)}
    found = population(STEADY, reference=reference)
    ratio = trait(found, "extraversion").ratio
    # six at 5 and six at 1: the standard deviation is 2 * sqrt(12 / 11)
    assert ratio.estimate == pytest.approx(2 * (12 / 11) ** 0.5)
    assert ratio.low < ratio.estimate < ratio.high
    assert trait(found, "openness").ratio.code == "no_data"
    assert any(s.startswith("Agreeableness has collapsed") for s in sentences(found))
    assert not any(s.startswith("Extraversion has collapsed") for s in sentences(found))


def test_groups(population: Run) -> None:
    found = population(replace(STEADY, noise=0.6), temperature=0.7, repeats=2)
    by_trait = {c.trait: c for c in found.contrasts}
    contrast = by_trait["agreeableness"]
    assert (contrast.first, contrast.second) == ("harsh", "kind")
    assert contrast.difference == pytest.approx(-2, abs=0.4)
    assert contrast.d.high < -2
    assert abs(by_trait["extraversion"].difference) < 0.4


def test_a_changed_name_that_moves_a_trait_is_found(population: Run) -> None:
    class Prejudiced(Actor):
        def answer(self, request: ChatRequest) -> str:
            told = request.messages[0].content
            if "years old" in told and "Ann" not in told:
                request = replace(
                    request,
                    messages=(
                        replace(request.messages[0], content=told + " conscientiousness=4"),
                        *request.messages[1:],
                    ),
                )
            return super().answer(request)

    found = population(Prejudiced(truth={"conscientiousness": 2}), kinds=["name", "age", "lines"])
    by_kind = {part.kind: part for part in found.robustness}
    assert by_kind["name"].shifts["conscientiousness"].difference.estimate == -2.0
    assert by_kind["name"].same.estimate == pytest.approx(0.8)
    assert by_kind["age"].same.estimate == by_kind["lines"].same.estimate == 1.0
    said = " ".join(sentences(found))
    assert "Another name moves scores it should not: Conscientiousness +2.0 points" in said
    assert "Another age changes 12 personas' scores by 0.00 points" in said


def test_variants_change_one_thing() -> None:
    ann = person(1)
    named, older, moved = (variant(ann, kind) for kind in ("name", "age", "lines"))
    assert named.id == "p1~name"
    assert "Ann" not in named.system
    assert named.system.splitlines()[1:] == ann.system.splitlines()[1:]
    assert older.system == ann.system.replace("21 years", "26 years")
    assert moved.system != ann.system
    assert sorted(moved.system.splitlines()) == sorted(ann.system.splitlines())
    assert moved.system.splitlines()[0] == ann.system.splitlines()[0]
    assert variant(ann, "name") == variant(ann, "name")


@pytest.mark.parametrize(
    ("system", "kinds"),
    [
        ("be nice", set()),
        ("My name is Bo. I bake. I sing.", {"name", "lines"}),
        ("age: 88\nquiet", {"age"}),
        ("You are a shy person. You bake.", set()),
        ("You play this role.\n\nA baker. Aged 40. Sings.", {"age", "lines"}),
    ],
)
def test_what_can_be_changed(system: str, kinds: set[str]) -> None:
    persona = Persona("p", system)
    assert {k for k in ("name", "age", "lines") if variant(persona, k)} == kinds


def test_very_old_people_get_younger() -> None:
    changed = variant(Persona("p", "A woman of 88 years of age. Age: 88"), "age")
    assert changed.system == "A woman of 83 years of age. Age: 83"


def test_references_are_read_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_text('{"extraversion": {"sd": 0.8, "mean": 3.3, "n": 500}, "openness": 0.6}')
    assert read_reference(file, INSTRUMENT) == {
        "extraversion": Reference(0.8, 3.3, 500),
        "openness": Reference(0.6),
    }
    for text in ("[]", '{"openness": 0}', '{"openness": {"mean": 3}}', '{"openness": "x"}', "x"):
        file.write_text(text)
        with pytest.raises(FormatError, match="is no reference"):
            read_reference(file, INSTRUMENT)
    file.write_text('{"charm": 1}')
    with pytest.raises(InstrumentError, match="charm"):
        read_reference(file, INSTRUMENT)
    with pytest.raises(InputError, match="cannot read"):
        read_reference(tmp_path / "none.json", INSTRUMENT)
