"""Predicted personalities against human labels."""

from __future__ import annotations

import pytest

from persona_lab.errors import TargetError
from persona_lab.psychometrics import wilson
from persona_lab.studies.alignment import (
    DimensionLabel,
    PredictedType,
    align_dimensions,
    align_types,
    parse_type,
    side_of,
)


def test_a_tie_goes_to_the_first_letter_and_the_other_way_to_the_second() -> None:
    scores = [{"E": 30, "I": 70}, {"S": 50, "N": 50}, {"T": 60, "F": 40}, {"P": 50, "J": 50}]
    predicted = PredictedType.from_scores(scores)
    assert (predicted.letters, predicted.tied) == ("ISTP", (1, 3))
    assert predicted.other_way() == "INTJ"
    assert PredictedType.from_scores([{}, *scores[1:]]).letters == "XSTP"


def test_letters_are_compared_where_people_agree() -> None:
    predicted = {
        "Ann": PredictedType("ESTP", (1,)),
        "Bo": PredictedType.parse("infp"),
        "Cy": PredictedType("XNFJ"),
        "nobody": PredictedType("ENTJ"),
    }
    human = {"Ann": "EXTP", "Bo": "XNTX", "Cy": "INFJ", "Dee": "ESFJ"}
    result = align_types(predicted, human)
    # Ann 3 of 3, Bo 1 of 2, Cy 3 of 4 with one abstention
    assert (result.letters.correct, result.letters.total) == (7, 9)
    assert result.letters.estimate == wilson(7, 9)
    assert (result.whole.correct, result.whole.total) == (1, 3)
    assert {axis: (p.correct, p.total) for axis, p in result.by_axis.items()} == {
        "EI": (1, 2),
        "SN": (2, 2),
        "TF": (2, 3),
        "PJ": (2, 2),
    }
    assert result.abstained == 1
    # Ann's tie is on a letter that people left open
    assert (result.ties, result.letters_other_way.correct) == (0, 7)
    assert (result.missing, result.unlabelled) == (("Dee",), ("nobody",))


def test_ties_count_both_ways() -> None:
    predicted = {"Ann": PredictedType("ESTP", (0, 1)), "Bo": PredictedType("ESTP", (3,))}
    result = align_types(predicted, {"Ann": "ENTP", "Bo": "ESTP"})
    assert (result.letters.correct, result.whole.correct, result.ties) == (7, 1, 3)
    # the other way Ann is INTP, Bo ESTJ
    assert (result.letters_other_way.correct, result.whole_other_way.correct) == (6, 0)
    assert result.to_row()["ties"]["to_second_letter"] == {
        "correct": 6,
        "accuracy": 0.75,
        "whole_types_correct": 0,
    }


def test_nobody_in_common() -> None:
    result = align_types({}, {"Ann": "ENTP"})
    row = result.to_row()
    assert (row["correct"], row["total"], row["accuracy"]) == (0, 0, None)
    assert row["code"] == "no_data"


@pytest.mark.parametrize("code", ["ENT", "NETP", "ENTPA", "E?TP"])
def test_what_is_no_type(code: str) -> None:
    with pytest.raises(TargetError, match="not an MBTI type"):
        parse_type(code)


def test_sides_of_a_scale() -> None:
    assert [side_of(x, (1, 5)) for x in (2.59, 2.6, 3, 3.4, 3.41)] == ["L", "X", "X", "X", "H"]
    # (4 - 1) / 5 is not exactly .6 in binary
    assert (side_of(4, (1, 6)), side_of(3, (1, 6))) == ("X", "X")


def test_dimensions_as_incharacter_scores_them() -> None:
    human = {
        "Ann": {"E": DimensionLabel(4.6, "H"), "N": DimensionLabel(3.0, "X")},
        "Bo": {"E": DimensionLabel(1.4, "L"), "N": DimensionLabel(4.2, "H")},
        "Cy": {"E": DimensionLabel(3.1, "X"), "N": DimensionLabel(1.0, "L")},
    }
    predicted = {
        "Ann": {"E": 3.2, "N": 1.0},
        "Bo": {"E": 3.0, "N": 2.2},
        "Cy": {"E": 5.0},
    }
    result = align_dimensions(predicted, human, (1, 5))
    # Ann E 3.2 is above the middle, Bo E 3.0 is not, Bo N 2.2 is on the wrong side
    assert (result.accuracy.correct, result.accuracy.total) == (2, 3)
    assert (result.by_dimension["E"].correct, result.by_dimension["N"].correct) == (2, 0)
    assert (result.full.correct, result.full.total) == (1, 2)
    assert result.mae.estimate == pytest.approx((1.4 + 1.6 + 2.0) / 4 / 3)
    # by the .6/.4 rule the first two predictions are between
    assert (result.three_way.correct, result.three_way.total) == (0, 3)
    assert (result.decided.correct, result.decided.total) == (0, 1)
    assert result.missing == 1
