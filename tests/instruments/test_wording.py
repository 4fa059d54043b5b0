"""Statements and questions made from items.

``wording_golden.json`` holds all derived sentences of the bundled items; every one was read
by a person. A changed rule that changes one of them needs the same care.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from persona_lab.instruments import InstrumentError, first_person, question, third_person
from persona_lab.instruments.grammar import base, singular
from persona_lab.instruments.loading import list_instruments, load_instrument
from persona_lab.instruments.wording import FOLLOW_UP

GOLDEN: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "wording_golden.json").read_text(encoding="utf-8")
)
BUNDLED = {item.text for info in list_instruments() for item in load_instrument(info.name).items}


def test_every_bundled_item_was_read() -> None:
    assert set(GOLDEN) == BUNDLED


@pytest.mark.parametrize("text", sorted(BUNDLED))
def test_bundled_items(text: str) -> None:
    first, third, asked = GOLDEN[text]
    assert first_person(text) == first
    assert third_person(text) == third
    assert question(text) == f"{asked} {FOLLOW_UP}"
    # what carries a subject stays as it is, and gives the same sentences
    assert first_person(first) == first
    assert third_person(first) == third_person(third) == third
    assert question(first) == question(text)


# Sentences in the shapes of other inventories, with what must come of them.
SHAPES = [
    # implied subject, other verbs and coordination
    ("Rely on my friends", "I rely on my friends", "The author relies on their friends"),
    ("Reply late and forget names", None, "The author replies late and forgets names"),
    ("Wash and iron my shirts", None, "The author washes and irons their shirts"),
    ("Put time and effort into my work", None, "The author puts time and effort into their work"),
    ("Like to read and write", None, "The author likes to read and write"),
    ("Can cook and sing", "I can cook and sing", "The author can cook and sing"),
    ("Have always been shy", None, "The author has always been shy"),
    ("Went to a party", "I went to a party", "The author went to a party"),
    ("Planned a trip", "I planned a trip", "The author planned a trip"),
    ("Impose my will on others", None, "The author imposes their will on others"),
    ("Misrepresent the facts", None, "The author misrepresents the facts"),
    ("Comment on everything", None, "The author comments on everything"),
    ("Do not think that I'm better", None, "The author does not think that they are better"),
    # adjectives
    ("Cheerful.", "I am cheerful", "The author is cheerful"),
    ("Warm.", "I am warm", "The author is warm"),
    ("Willing to wait.", "I am willing to wait", "The author is willing to wait"),
    ("Not easily upset", "I am not easily upset", "The author is not easily upset"),
    ("Strong personality.", "I have a strong personality", "The author has a strong personality"),
    # third person without a subject
    ("Is often late.", "I am often late", "The author is often late"),
    ("Worries a lot.", "I worry a lot", "The author worries a lot"),
    ("Is calm, carries on.", "I am calm and carry on", "The author is calm and carries on"),
    ("Defends own rights.", "I defend my own rights", "The author defends their own rights"),
    ("Does not gossip.", "I do not gossip", "The author does not gossip"),
    # second person
    ("You are fond of your cat", "I am fond of my cat", "The author is fond of their cat"),
    ("Are not afraid of you", "I am not afraid of me", None),
    ("Your mood changes fast", "My mood changes fast", "The author's mood changes fast"),
    ("Crowds make you feel lost", "Crowds make me feel lost", "Crowds make the author feel lost"),
    (
        "Your fears rule you more than you rule them",
        "My fears rule me more than I rule them",
        "The author's fears rule them more than they rule them",
    ),
    # a subject is there already
    ("I'm always late", "I'm always late", "The author is always late"),
    ("Sometimes I don't listen", None, "Sometimes the author doesn't listen"),
    (
        "When I'm angry, I shout at my friends",
        "When I'm angry, I shout at my friends",
        "When the author is angry, they shout at their friends",
    ),
    ("It's easy for me to rest", None, "It's easy for the author to rest"),
    ("Money is good.", "Money is good", "The author thinks that money is good"),
    ("People can change", "People can change", "The author thinks that people can change"),
    # questions
    ("Do you sleep well?", "I sleep well", "The author sleeps well"),
    ("Have you ever stolen anything?", "I have stolen something", None),
    ("If you are late, do you call?", "If I am late, I call", "If the author is late, they call"),
    (
        "Are your feelings easily hurt?",
        'I answer "yes" to: Are your feelings easily hurt?',
        'The author answers "yes" to: Are your feelings easily hurt?',
    ),
]


@pytest.mark.parametrize(("text", "first", "third"), SHAPES)
def test_other_shapes(text: str, first: str | None, third: str | None) -> None:
    if first is not None:
        assert first_person(text) == first
    if third is not None:
        assert third_person(text) == third
    assert first_person(first_person(text)) == first_person(text)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Am often late", "Are you often late?"),
        ("Can handle stress", "Can you handle stress?"),
        ("Have always been shy", "Have you always been shy?"),
        ("Is calm, carries on.", "Would you say that you are calm and carry on?"),
        ("Am really not shy", "Would you say that you are really not shy?"),
        ("Went to a party", "Would you say that you went to a party?"),
        ("I'm fond of my cat", "Are you fond of your cat?"),
        ("When I'm angry, I shout", "Would you say that when you're angry, you shout?"),
        ("Money is good.", "Would you say that money is good?"),
        ("Do you sleep well?", "Do you sleep well?"),
    ],
)
def test_questions(text: str, asked: str) -> None:
    assert question(text) == f"{asked} {FOLLOW_UP}"


def test_other_subjects_and_pronouns() -> None:
    text = "Believe that I am better than others"
    assert (
        third_person(text, "Ann", pronouns="she") == "Ann believes that she is better than others"
    )
    assert third_person("Lose my temper", "Bob", pronouns="he") == "Bob loses his temper"
    assert third_person("When I'm sad, I eat", "Ann", pronouns="she") == (
        "When Ann is sad, she eats"
    )
    assert third_person("Feel sorry for those who are worse off than myself", "The speaker") == (
        "The speaker feels sorry for those who are worse off than the speaker"
    )


def test_other_scripts_are_refused_rather_than_garbled() -> None:
    for derive in (first_person, third_person, question):
        with pytest.raises(InstrumentError, match="English"):
            derive("杞人忧天")


def test_verb_forms() -> None:
    forms = {"go": "goes", "carry": "carries", "play": "plays", "miss": "misses", "fix": "fixes"}
    forms |= {"watch": "watches", "am": "is", "have": "has", "don't": "doesn't", "can": "can"}
    assert {verb: singular(verb) for verb in forms} == forms
    for verb in ("go", "carry", "play", "miss", "watch", "lose", "use", "tease"):
        assert base(singular(verb)) == verb
    assert base("less") is None


@pytest.mark.data
def test_no_derived_sentence_of_the_real_pools_has_a_loose_subject(data_dir: Path) -> None:
    """Some 900 further items: no "I" or "you" left in the third person, one subject only."""
    names = ("english/ipip_300.json", "english/ipip_hexaco.json", "mpi/mpi_1k.csv")
    paths = [data_dir / "ipip" / name for name in names]
    if not all(path.exists() for path in paths):
        pytest.skip("the IPIP pools are not among the corpora here")
    texts = {item.text for path in paths for item in load_instrument(path).items}
    assert len(texts) > 850
    for text in texts - {"Feel your anxiety overwhelms me"}:  # mixes both in the source
        first, third = first_person(text), third_person(text)
        assert first_person(first) == first
        words = set(third.replace("'", " ").split())
        assert third.startswith(("The author", "When ")), third
        assert not words & {"I", "me", "my", "myself", "you", "your", "am"}, third
