"""The reader as a detector: rows, reasons, evidence, and what may not matter."""

from __future__ import annotations

import pytest

from persona_lab.detectors import Request
from persona_lab.detectors.reader.detector import ReaderDetector
from persona_lab.dialogue import Dialogue, Utterance
from persona_lab.errors import ModelError
from persona_lab.profile import Profile, Unscored
from tests.detectors.reader.acted import toy_reader


@pytest.fixture
def reader() -> ReaderDetector:
    return toy_reader()


def talk(*turns: str, id: str = "d") -> Dialogue:
    return Dialogue(id, tuple(Utterance(f"t{i}", "Ann", text) for i, text in enumerate(turns)))


def profile(reader: ReaderDetector, *turns: str, **how: object) -> Profile:
    found = reader.profile(talk(*turns), **how)  # type: ignore[arg-type]
    assert isinstance(found, Profile)
    return found


def test_a_row_says_what_is_shown(reader: ReaderDetector) -> None:
    found = profile(reader, "the party was there", "we went")
    row = found.to_row()
    trait = row["traits"]["extraversion"]
    assert row["measure"] == "shown"
    assert (trait["label"], trait["why"], trait["turns"]) == ("high", None, ["t0"])
    assert 0.9 < trait["level"] <= 2.0
    assert trait["level_low"] < trait["level"] < trait["level_high"]
    assert trait["p_high"] > 0.9
    calm = row["traits"]["neuroticism"]
    assert (calm["label"], calm["why"], calm["turns"]) == ("abstain", "nothing_shown", [])
    assert calm["p_high"] == pytest.approx(0.5, abs=1e-3)
    assert Profile.from_row(row).to_row() == row


def test_mbti_letters_that_are_not_shown_are_open(reader: ReaderDetector) -> None:
    found = profile(reader, "alone with the logic", framework="mbti")
    assert found.type == "IXTX"


def test_both_poles_are_mixed(reader: ReaderDetector) -> None:
    found = profile(reader, "the party was there", "then we went alone")
    shown = found.traits["extraversion"].shown
    assert shown is not None
    assert shown.why == "mixed"
    assert set(shown.turns) == {"t0", "t1"}


def test_a_word_that_shows_nothing_is_too_short(reader: ReaderDetector) -> None:
    found = profile(reader, "there")
    assert {s.shown.why for s in found.traits.values() if s.shown} == {"too_short"}
    assert [w.code for w in found.warnings] == ["too_short"]
    assert profile(reader, "party").traits["extraversion"].label == "high"


def test_evidence_quotes_the_sentence(reader: ReaderDetector) -> None:
    text = "We went there. Then it was a party! And that was it."
    found = profile(reader, text, explain=True)
    (best, *_) = found.evidence
    assert (best.utterance_id, best.trait) == ("t0", "extraversion")
    assert best.quote(text).strip() == "Then it was a party!"
    assert best.weight > 1
    assert all(e.quote(text) != "We went there. " for e in found.evidence)


def test_a_text_is_encoded_once_also_with_evidence(reader: ReaderDetector) -> None:
    turns = ("We went there. Then it was a party!", "and that was it")
    profile(reader, *turns, explain=True)
    assert len(reader.encoder.encoded) == 2  # type: ignore[attr-defined]


def test_company_and_order_do_not_matter(reader: ReaderDetector) -> None:
    texts = ("the party was there", "worry and worry", "we went alone", "the plan was logic")
    requests = [Request.single(talk(text, id=text), None) for text in texts]
    together = list(reader.profiles(requests))
    backwards = list(reader.profiles(requests[::-1]))
    alone = [r for request in requests for r in reader.profiles([request])]
    assert together == alone
    assert sorted(
        backwards, key=lambda r: (r.id, r.framework.name if r.framework else "")
    ) == sorted(together, key=lambda r: (r.id, r.framework.name if r.framework else ""))
    mixed = profile(reader, *texts), profile(reader, *texts[::-1])
    for key, score in mixed[0].traits.items():
        assert score.p_high == pytest.approx(mixed[1].traits[key].p_high, abs=1e-4)


def test_layout_does_not_matter(reader: ReaderDetector) -> None:
    one = profile(reader, "the party was there")
    other = profile(reader, "  the\tparty   was there ")
    assert one.traits == other.traits


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "no_words"), ("!!!", "no_words"), ("INFP", "no_words"), ("привет как дела", "language")],
)
def test_what_cannot_be_read_has_its_reason(reader: ReaderDetector, text: str, code: str) -> None:
    found = reader.profile(talk(text))
    assert isinstance(found, Unscored)
    assert found.code == code


def test_an_unknown_framework_is_refused(reader: ReaderDetector) -> None:
    with pytest.raises(ModelError, match="does not score 'hexaco'"):
        reader.profile("party", framework="hexaco")


def test_what_the_partner_says_does_not_rub_off(reader: ReaderDetector) -> None:
    after = [
        Dialogue("d", (Utterance("0", "Q", asked), Utterance("1", "Ann", "we went")))
        for asked in ("it was a party ?", "alone ?", "there ?")
    ]
    found = [next(reader.profiles([Request.of(d, "Ann")])) for d in after]
    assert all(isinstance(f, Profile) and f.traits == found[0].traits for f in found)  # type: ignore[union-attr]
