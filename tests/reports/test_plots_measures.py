"""Pictures of measures: courses, calibration, agreement, filters, words, effects."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
pytest.importorskip("seaborn")
matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from persona_lab.errors import FormatError, InputError  # noqa: E402
from persona_lab.psychometrics.agreement import wilson  # noqa: E402
from persona_lab.reports import plots  # noqa: E402
from persona_lab.reports.plots.filtering import ledger_bars  # noqa: E402
from persona_lab.training.metrics import ece  # noqa: E402

Draw = Callable[..., Any]


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    pyplot.close("all")


def drawn(ax: Any, name: str) -> list[Any]:
    """Lines and patches of one kind."""
    return [thing for thing in (*ax.lines, *ax.patches) if thing.get_gid() == name]


def render(ax: Any) -> None:
    """Draw for good."""
    ax.figure.savefig(io.BytesIO(), format="png")


def words(ax: Any) -> str:
    """All texts of a picture."""
    return " | ".join(t.get_text() for t in ax.figure.findobj(matplotlib.text.Text))


# trajectory


def course(traits: tuple[str, ...] = ("openness",), **changes: Any) -> Any:
    rows = [
        {
            "speaker": "Ann",
            "turn": float(turn),
            "trait": trait,
            "p_high": 0.3 + 0.05 * turn,
            "low": 0.2 + 0.05 * turn,
            "high": 0.4 + 0.05 * turn,
            "change_turn": 5,
            "change_probability": 0.8,
        }
        for turn in range(0, 10, 2)
        for trait in traits
    ]
    return pandas.DataFrame(rows).assign(**changes)


def test_a_course_with_band_and_change() -> None:
    frame = course()
    ax = plots.trajectory(frame.sample(frac=1, random_state=0))
    render(ax)
    (line,) = drawn(ax, "value")
    assert list(line.get_xdata()) == [0, 2, 4, 6, 8]
    assert list(line.get_ydata()) == list(frame.p_high)
    (band,) = [c for c in ax.collections if c.get_gid() == "band"]
    corners = {(round(x, 6), round(y, 6)) for x, y in band.get_paths()[0].vertices}
    assert {(0.0, 0.2), (8.0, 0.8), (4.0, 0.4), (4.0, 0.6)} <= corners
    (change,) = drawn(ax, "change")
    assert list(change.get_xdata()) == [4.5, 4.5] and change.get_linestyle() == "-"
    assert "change at turn 5 (probability 0.80)" in words(ax)


def test_an_unlikely_change_is_dotted_and_said_to_be_none() -> None:
    ax = plots.trajectory(course(change_probability=0.2))
    (change,) = drawn(ax, "change")
    assert change.get_linestyle() == ":"
    assert "no clear change (probability 0.20); if any, at turn 5" in words(ax)
    assert "(probability < 0.01)" in words(plots.trajectory(course(change_probability=0.001)))
    nothing = course(change_turn=np.nan, change_probability=np.nan)
    assert not drawn(plots.trajectory(nothing), "change")


def test_quotes_are_numbered_at_their_turns() -> None:
    said = "I said $5 and <b> and " + "a great deal more of it, " * 20
    ax = plots.trajectory(course(), quotes={6: said, 2: "Short."})
    render(ax)
    lines = drawn(ax, "quote")
    assert [float(line.get_xdata()[0]) for line in lines] == [2, 6]
    text = words(ax)
    assert "1  turn 2: \u201cShort.\u201d" in text and "2  turn 6: \u201cI said" in text
    longest = next(t for t in ax.texts if t.get_text().startswith("2  turn 6"))
    assert longest.get_text().count("\n") == 1 and longest.get_text().endswith("\u2026\u201d")
    assert longest.get_window_extent().y0 >= 0


def test_several_traits_without_bands() -> None:
    ax = plots.trajectory(course(("openness", "neuroticism", "EI")), traits=["EI", "openness"])
    render(ax)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["openness", "I \u2013 E"]
    assert not [c for c in ax.collections if c.get_gid() == "band"]


def test_a_missing_window_leaves_a_gap_and_one_window_is_a_point() -> None:
    frame = course()
    frame.loc[2, ["p_high", "low", "high"]] = np.nan
    (line,) = drawn(plots.trajectory(frame), "value")
    assert np.isnan(line.get_ydata()[2]) and len(line.get_ydata()) == 5
    render(plots.trajectory(course().head(1)))


def test_a_course_is_of_one_speaker() -> None:
    two = pandas.concat([course(), course(speaker="Bob")])
    with pytest.raises(InputError, match="'speaker' has 2"):
        plots.trajectory(two)
    with pytest.raises(InputError, match="no trait 'honesty'; there are: openness"):
        plots.trajectory(course(), traits="honesty")


# calibration


def outcomes(n: int = 400) -> Any:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.1, 0.9, n)
    return pandas.DataFrame({"p_high": p, "actual": (rng.uniform(size=n) < p).astype(float)})


def test_bins_are_of_equal_count_with_wilsons_intervals() -> None:
    frame = outcomes()
    ax = plots.reliability_diagram(frame)
    render(ax)
    (line,) = drawn(ax, "value")
    ranked = frame.sort_values("p_high").to_numpy().reshape(10, 40, 2).mean(axis=1)
    assert line.get_xdata() == pytest.approx(ranked[:, 0])
    assert line.get_ydata() == pytest.approx(ranked[:, 1])
    known = wilson(round(ranked[0, 1] * 40), 40)
    assert list(drawn(ax, "interval")[0].get_ydata()) == [known.low, known.high]
    error = ece(frame.actual.to_numpy(), frame.p_high.to_numpy(), np.ones(400))
    assert f"ECE {error:.3f}, n = 400" in words(ax)


def test_bars_count_the_probabilities() -> None:
    frame = outcomes()
    bars = drawn(plots.reliability_diagram(frame), "counts")
    counts = np.histogram(frame.p_high, bins=20, range=(0, 1))[0]
    heights = np.array([bar.get_height() for bar in bars])
    assert heights / heights.max() == pytest.approx(counts / counts.max())


def test_rows_without_label_are_told_and_series_have_their_own_error() -> None:
    frame = pandas.concat([outcomes().assign(model="a"), outcomes(50).assign(model="b")])
    frame.iloc[:7, 1] = np.nan
    ax = plots.reliability_diagram(frame, by="model")
    render(ax)
    assert "7 without score or label" in words(ax)
    assert "a: ECE" in words(ax) and "n = 393" in words(ax) and "n = 50" in words(ax)


def test_one_outcome_is_one_point() -> None:
    ax = plots.reliability_diagram(outcomes(1))
    render(ax)
    assert len(drawn(ax, "value")[0].get_xdata()) == 1


def test_outcomes_must_be_yes_or_no() -> None:
    with pytest.raises(InputError, match="0 and 1 in 'actual'"):
        plots.reliability_diagram(outcomes().assign(actual=3.5))
    with pytest.raises(InputError, match="no row has both"):
        plots.reliability_diagram(outcomes().assign(actual=np.nan))


# risk and length


def risks(**changes: Any) -> Any:
    frame = pandas.DataFrame({"coverage": [1.0, 0.5, 0.1], "risk": [0.4, 0.3, 0.1]})
    return frame.assign(**changes)


def test_risk_is_drawn_by_coverage() -> None:
    frame = pandas.concat([risks(model="a"), risks(model="b", risk=[0.2, np.nan, 0.1])])
    ax = plots.risk_coverage(frame, by="model")
    render(ax)
    a, b = drawn(ax, "value")
    assert (list(a.get_xdata()), list(a.get_ydata())) == ([0.1, 0.5, 1.0], [0.1, 0.3, 0.4])
    assert list(b.get_xdata()) == [0.1, 1.0]
    assert ax.get_ylim()[0] == 0.0 and ax.get_ylim()[1] > 0.5
    assert plots.risk_coverage(risks(risk=[0.9, 0.8, 0.7])).get_ylim()[1] > 0.9


def lengths(**changes: Any) -> Any:
    return pandas.DataFrame(
        {
            "words_low": [60, 15, 500],
            "words_high": [120, 30, np.nan],
            "accuracy": [0.6, 0.5, 0.7],
            "majority": [0.5, 0.52, np.nan],
            "n": [100, 2000, 30],
        }
    ).assign(**changes)


def test_lengths_in_order_with_their_counts() -> None:
    ax = plots.length_curve(lengths())
    render(ax)
    (line,) = drawn(ax, "value")
    assert list(line.get_xdata()) == [0, 1, 2] and list(line.get_ydata()) == [0.5, 0.6, 0.7]
    names = [t.get_text() for t in ax.get_xticklabels()]
    assert names == ["15\u201330\nn = 2,000", "60\u2013120\nn = 100", "\u2265 500\nn = 30"]
    (majority,) = drawn(ax, "majority")
    assert majority.get_ydata()[:2] == pytest.approx([0.52, 0.5])


def test_series_of_other_lengths_share_the_axis() -> None:
    frame = pandas.concat(
        [lengths(kind="essay"), lengths(kind="forum", majority=np.nan, accuracy=0.8).tail(1)]
    )
    frame = frame.assign(low=frame.accuracy - 0.1, high=frame.accuracy + 0.1)
    ax = plots.length_curve(frame, by="kind")
    render(ax)
    one, two = drawn(ax, "value")
    assert list(two.get_xdata()) == [2] and len(one.get_xdata()) == 3
    assert len(drawn(ax, "interval")) == 4 and len(drawn(ax, "majority")) == 1


# agreement of methods


def pairs() -> Any:
    measures = [(t, m) for m in ("form", "talk") for t in ("E", "N")]
    rows = []
    for i, (t1, m1) in enumerate(measures):
        for t2, m2 in measures[:i]:
            r = 0.7 if t1 == t2 else -0.001
            rows.append({"trait_1": t1, "method_1": m1, "trait_2": t2, "method_2": m2, "r": r})
    return pandas.DataFrame(rows)


def test_the_validity_diagonal_is_framed() -> None:
    frame = pairs()
    frame.loc[0, "r"] = np.nan
    ax = plots.mtmm(frame)
    render(ax)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["N", "E", "N", "E"]
    places = {(round(p.get_x()), round(p.get_y())) for p in drawn(ax, "validity")}
    # rows and columns: N form, E form, N talk, E talk
    assert places == {(0, 2), (1, 3)}
    cells = ax.collections[0].get_array()
    assert cells[2, 0] == 0.7 and cells[3, 0] == -0.001 and np.ma.is_masked(cells[0, 3])
    assert [(p.get_x(), p.get_y()) for p in drawn(ax, "missing")] == [(0, 1)]
    assert "\u2212.00" not in words(ax) and "form" in words(ax)


def test_a_pair_twice_is_an_error() -> None:
    twice = pandas.concat([pairs(), pairs().head(1)])
    with pytest.raises(InputError, match="more than once"):
        plots.mtmm(twice)


def test_many_measures_have_no_numbers() -> None:
    rng = np.random.default_rng(0)
    measures = [(f"trait {i}", m) for m in ("a", "b", "c") for i in range(9)]
    rows = [
        {"trait_1": a[0], "method_1": a[1], "trait_2": b[0], "method_2": b[1], "r": rng.uniform()}
        for i, a in enumerate(measures)
        for b in measures[:i]
    ]
    ax = plots.mtmm(pandas.DataFrame(rows))
    render(ax)
    assert len(drawn(ax, "validity")) == 27


# filters


def ledger() -> Any:
    return pandas.DataFrame(
        [
            (0, "kept", None, None),
            (1, "dropped", "e >= 0.5 (it is 0.2)", None),
            (1, "dropped", "another speaker of the row does not pass", None),
            (2, "dropped", "e >= 0.5 (it is 0.1); words > 9 (it is 3)", None),
            (3, "unscored", "the text seems to be in 'de'", "language"),
            (4, "dropped", "it repeats an earlier row", None),
            (5, "kept", None, None),
            (5, "kept", None, None),
            (6, "dropped", "a + b > 1 (a is 0.2, b is 0.1)", None),
        ],
        columns=["ordinal", "verdict", "reason", "code"],
    )


def test_bars_count_rows_and_conditions() -> None:
    bars = {(b.verdict, b.name): (b.rows, b.alone) for b in ledger_bars(ledger())}
    assert bars == {
        ("kept", "kept"): (2, 2),
        ("dropped", "dropped"): (4, 4),
        ("dropped", "e >= 0.5"): (2, 1),
        ("dropped", "a + b > 1"): (1, 1),
        ("dropped", "it repeats an earlier row"): (1, 1),
        ("dropped", "words > 9"): (1, 0),
        ("unscored", "unscored"): (1, 1),
        ("unscored", "language"): (1, 1),
    }


def test_the_overview_draws_these_bars() -> None:
    frame = ledger()
    ax = plots.ledger_overview(frame)
    render(ax)
    bars = ledger_bars(frame)
    assert [p.get_width() for p in drawn(ax, "alone")] == [b.alone for b in bars]
    assert [p.get_width() for p in drawn(ax, "shared")] == [b.rows - b.alone for b in bars]
    assert [t.get_text() for t in ax.get_yticklabels()] == [b.name for b in bars]
    assert "2  (29 %)" in words(ax)


def test_many_reasons_share_a_bar() -> None:
    frame = pandas.DataFrame(
        {"verdict": "dropped", "reason": [f"x > {i} (it is 0)" for i in range(20)]}
    )
    bars = ledger_bars(frame, most=3)
    assert [b.name for b in bars][1:] == [
        "dropped",
        "x > 0",
        "x > 1",
        "18 other reasons",
        "unscored",
    ]
    assert bars[4].rows == 18
    render(plots.ledger_overview(frame))


def test_a_ledger_without_verdicts_is_an_error() -> None:
    with pytest.raises(InputError, match="is the run finished"):
        plots.ledger_overview(ledger().assign(verdict=None))


# words


def markers() -> Any:
    return pandas.DataFrame(
        {
            "word": ["sun", "the", "rain", "a", "none"],
            "log_odds": [1.5, 0.1, -2.0, -0.2, np.nan],
            "z": [4.0, 1.0, -3.0, -1.5, np.nan],
        }
    )


def test_bars_of_words() -> None:
    ax = plots.marker_words(markers(), names=("summer", "winter"))
    render(ax)
    assert [p.get_width() for p in ax.patches] == [1.5, 0.1, -0.2, -2.0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["rain", "a", "the", "sun"]
    assert "+4.0" in words(ax) and "\u22123.0" in words(ax) and "pale: |z|" in words(ax)
    sun, _, _, rain = ax.patches
    assert sun.get_hatch() is None and rain.get_hatch() is not None
    assert ax.get_xlabel().startswith("\u2190 winter") and ax.get_xlabel().endswith("summer \u2192")


def test_only_the_strongest_words_of_each_side() -> None:
    ax = plots.marker_words(markers(), most=1)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["rain", "sun"]
    one = plots.marker_words(markers().head(1))
    render(one)
    assert "\u2190" not in one.get_xlabel()
    with pytest.raises(InputError, match="all z-scores are 0"):
        plots.marker_words(markers().assign(z=0.0))


# effects


def effects() -> Any:
    return pandas.DataFrame(
        {
            "name": ["openness", "neuroticism", "EI"],
            "effect": [0.8, -0.1, np.nan],
            "low": [0.5, -0.4, np.nan],
            "high": [1.1, 0.2, np.nan],
        }
    )


def test_a_forest_of_effects() -> None:
    ax = plots.effect_sizes(effects(), negligible=0.2, label="Cohen's d")
    render(ax)
    values = drawn(ax, "value")
    assert [float(v.get_xdata()[0]) for v in values] == [0.8, -0.1]
    # an interval that holds 0 has a hollow mark
    assert [v.get_markerfacecolor() == "white" for v in values] == [False, True]
    assert [tuple(i.get_xdata()) for i in drawn(ax, "interval")] == [(0.5, 1.1), (-0.4, 0.2)]
    (shade,) = drawn(ax, "negligible")
    assert (shade.get_x(), shade.get_width()) == (-0.2, 0.4)
    assert "unscored" in words(ax) and ax.get_xlabel() == "Cohen's d"


def test_effects_by_group() -> None:
    frame = pandas.concat([effects().assign(bot="a"), effects().assign(bot="b")])
    render(plots.effect_sizes(frame, by="bot"))
    with pytest.raises(InputError, match="'openness' more than once; give by="):
        plots.effect_sizes(frame)


# all

FRAMES: list[tuple[Draw, Callable[[], Any], str]] = [
    (plots.trajectory, course, "p_high"),
    (plots.reliability_diagram, outcomes, "actual"),
    (plots.risk_coverage, risks, "risk"),
    (plots.length_curve, lengths, "accuracy"),
    (plots.mtmm, pairs, "r"),
    (plots.ledger_overview, ledger, "verdict"),
    (plots.marker_words, markers, "z"),
    (plots.effect_sizes, effects, "effect"),
]


@pytest.mark.parametrize(
    ("draw", "make", "column"), FRAMES, ids=lambda x: getattr(x, "__name__", x)
)
def test_errors_of_frames(draw: Draw, make: Callable[[], Any], column: str) -> None:
    with pytest.raises(FormatError, match=rf"plots\.{draw.__name__} needs a column '{column}'"):
        draw(make().drop(columns=column))
    with pytest.raises(InputError, match="the frame has no rows"):
        draw(make().head(0))
    if draw is not plots.ledger_overview:
        with pytest.raises(InputError, match="has nothing to draw"):
            draw(make().assign(**{column: np.nan}))


@pytest.mark.parametrize(
    ("draw", "make", "column"), FRAMES, ids=lambda x: getattr(x, "__name__", x)
)
def test_given_axes_are_used(draw: Draw, make: Callable[[], Any], column: str) -> None:
    figure, ax = pyplot.subplots()
    assert draw(make(), ax=ax) is ax
    figure.savefig(io.BytesIO(), format="svg")
