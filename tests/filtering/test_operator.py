"""The operator in other people's pipelines: dictionaries, numpy, pandas, datasets."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from persona_lab.errors import ModelError
from persona_lab.filtering.fields import FieldError
from persona_lab.filtering.scorer import PersonalityScorer
from tests.filtering.conftest import GERMAN, LOUD, QUIET, talk

MESSAGES = [
    [{"role": "user", "content": LOUD}, {"role": "assistant", "content": QUIET}],
    [{"role": "user", "content": QUIET}, {"role": "assistant", "content": LOUD}],
]


def test_lists() -> None:
    scored = PersonalityScorer("toy")({"id": ["a", "b", "c"], "text": [LOUD, QUIET, GERMAN]})
    assert scored["id"] == ["a", "b", "c"]
    loud, quiet, german = scored["extraversion.p_high"]
    assert loud > 0.9 > 0.1 > quiet and german is None
    assert scored["status"] == ["scored", "scored", "unscored"]
    assert scored["code"] == [None, None, "language"] and scored["language"] == ["en", "en", "de"]
    assert "label.openness" not in scored and "EI.label" in scored


def test_numpy_as_ray_gives_it() -> None:
    batch = {"text": np.array([LOUD, GERMAN], object), "n": np.array([1, 2])}
    scored = PersonalityScorer("toy", frameworks=["bigfive"], fields=["extraversion.p_high"])(batch)
    assert list(scored) == ["text", "n", "extraversion.p_high"]
    assert scored["extraversion.p_high"].dtype == float
    assert np.isnan(scored["extraversion.p_high"]).tolist() == [False, True]
    assert scored["n"].tolist() == [1, 2]


def test_pandas_with_a_chosen_speaker() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"messages": MESSAGES, "x": [1, 2]})
    scored = PersonalityScorer("toy", speaker="assistant")(frame)
    assert isinstance(scored, pandas.DataFrame) and scored["x"].tolist() == [1, 2]
    assert (scored["extraversion.p_high"] > 0.5).tolist() == [False, True]


def test_several_speakers_need_a_choice_or_a_line_each() -> None:
    batch = {"messages": MESSAGES, "x": [1, 2]}
    scored = PersonalityScorer("toy")(batch)
    assert scored["code"] == ["several_speakers"] * 2
    each = PersonalityScorer("toy", each_speaker=True)(batch)
    assert each["x"] == [1, 1, 2, 2]
    assert each["speaker"] == ["user", "assistant"] * 2
    assert [p > 0.5 for p in each["extraversion.p_high"]] == [True, False, False, True]


def test_a_column_of_json_and_a_bad_row() -> None:
    records = [json.dumps(talk("a", ("x", LOUD))), "{", json.dumps({"text": QUIET}, indent=1)]
    scored = PersonalityScorer("toy", record="raw")({"raw": records})
    assert scored["status"] == ["scored", "unscored", "scored"]
    assert scored["code"] == [None, "unreadable", None]


def test_target_and_columns() -> None:
    scorer = PersonalityScorer("toy", target="E+ N-", columns="text=body")
    scored = scorer({"body": [LOUD + " calm", QUIET + " worry"]})
    assert scored["target.hits"] == [1.0, 0.0]
    assert scored["target.match"][0] > 0.9 > 0.1 > scored["target.match"][1]


def test_datasets(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    given = datasets.Dataset.from_dict({"text": [LOUD, QUIET] * 3})
    scored = given.map(PersonalityScorer("toy"), batched=True, batch_size=4)
    assert [p > 0.5 for p in scored["extraversion.p_high"]] == [True, False] * 3


def test_it_is_pickled_without_its_model() -> None:
    scorer = PersonalityScorer("toy", frameworks=["bigfive"])
    before = len(pickle.dumps(scorer))
    expected = scorer({"text": [LOUD]})
    packed = pickle.dumps(scorer)
    assert len(packed) == before < 2000
    assert pickle.loads(packed)({"text": [LOUD]}) == expected


def test_mistakes() -> None:
    with pytest.raises(FieldError, match="unknown field 'extra'"):
        PersonalityScorer("toy", fields=["extra"])({"text": [LOUD]})
    with pytest.raises(ModelError, match="does not score 'hexaco'"):
        PersonalityScorer("toy", frameworks=["hexaco"])({"text": [LOUD]})


def test_an_empty_batch() -> None:
    scored = PersonalityScorer("toy", fields=["words"])({"text": []})
    assert scored == {"text": [], "words": []}
