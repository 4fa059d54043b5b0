"""Pictures of profiles: what is drawn is what the frame says, and odd frames are no surprise."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
pytest.importorskip("seaborn")
matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from persona_lab.errors import FormatError, InputError, TargetError  # noqa: E402
from persona_lab.reports import plots  # noqa: E402
from persona_lab.reports.plots.space import principal_components  # noqa: E402
from persona_lab.reports.plots.theme import HATCHES, LINES, MARKERS, PALETTE  # noqa: E402
from persona_lab.traits import BIG_FIVE  # noqa: E402

Draw = Callable[..., Any]


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    pyplot.close("all")


def scores(n: int = 1, **changes: Any) -> Any:
    """Speakers with all five traits, random but always the same."""
    rng = np.random.default_rng(1)
    rows = []
    for i in range(n):
        for key in BIG_FIVE.keys:
            p = round(float(rng.uniform(0.2, 0.8)), 3)
            rows.append(
                {
                    "speaker": f"speaker {i}",
                    "trait": key,
                    "p_high": p,
                    "low": p - 0.1,
                    "high": p + 0.1,
                    "label": "abstain" if 0.4 < p < 0.6 else "high" if p > 0.5 else "low",
                    "threshold": 0.5,
                    "reason": None,
                }
            )
    return pandas.DataFrame(rows).assign(**changes)


def drawn(ax: Any, name: str) -> list[Any]:
    """Lines of one kind."""
    return [line for line in ax.lines if line.get_gid() == name]


def render(ax: Any) -> None:
    """Draw for good: a text that cannot be set, or a layout that fails, shows only here."""
    ax.figure.savefig(io.BytesIO(), format="png")


def words(ax: Any) -> str:
    """All texts of a picture."""
    return " | ".join(t.get_text() for t in ax.figure.findobj(matplotlib.text.Text))


# profile


def test_a_profile_draws_value_interval_and_threshold() -> None:
    frame = scores()
    frame.loc[1, "threshold"] = 0.3
    ax = plots.profile(frame)
    render(ax)
    assert [float(v.get_xdata()[0]) for v in drawn(ax, "value")] == list(frame.p_high)
    ends = [tuple(line.get_xdata()) for line in drawn(ax, "interval")]
    assert ends == list(zip(frame.low, frame.high, strict=True))
    assert [float(t.get_xdata()[0]) for t in drawn(ax, "threshold")] == [0.5, 0.3, 0.5, 0.5, 0.5]
    heights = [float(v.get_ydata()[0]) for v in drawn(ax, "value")]
    assert heights == sorted(heights, reverse=True)
    assert [t.get_text() for t in ax.get_yticklabels()] == list(frame.trait)


def test_what_is_unsure_is_hollow() -> None:
    frame = scores()
    ax = plots.profile(frame)
    hollow = [v.get_markerfacecolor() == "white" for v in drawn(ax, "value")]
    assert hollow == list(frame.label == "abstain") and 0 < sum(hollow) < 5


def test_an_unscored_trait_is_written_not_drawn() -> None:
    frame = scores()
    frame.loc[2, ["p_high", "low", "high"]] = np.nan
    ax = plots.profile(frame)
    render(ax)
    assert len(drawn(ax, "value")) == 4 and len(drawn(ax, "interval")) == 4
    texts = [t for t in ax.texts if t.get_text() == "unscored"]
    assert [t.get_position()[1] for t in texts] == [2.0]


def test_series_stand_beside_each_other_and_differ_in_more_than_colour() -> None:
    ax = plots.profile(scores(3), by="speaker")
    render(ax)
    first = [v for v in drawn(ax, "value") if v.get_ydata()[0] > 3.5]
    assert len({float(v.get_ydata()[0]) for v in first}) == 3
    assert len({v.get_color() for v in first}) == len({v.get_marker() for v in first}) == 3
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [f"speaker {i}" for i in range(3)]


def test_a_target_is_a_star_at_its_value() -> None:
    ax = plots.profile(scores(), target={"openness": 0.8, "neuroticism": 0.0})
    (stars,) = drawn(ax, "target")
    assert list(stars.get_xdata()) == [0.8, 0.0] and list(stars.get_ydata()) == [4.0, 0.0]
    ax = plots.profile(scores(), target="E+")
    assert list(drawn(ax, "target")[0].get_xdata()) == [1.0]
    with pytest.raises(TargetError):
        plots.profile(scores(), target="nonsense")


def test_one_row_and_other_names_of_columns() -> None:
    frame = pandas.DataFrame({"domain": ["honesty"], "score": [0.9]})
    ax = plots.profile(frame, value="score", trait="domain")
    render(ax)
    assert [float(v.get_xdata()[0]) for v in drawn(ax, "value")] == [0.9]
    assert not drawn(ax, "interval")


def test_mbti_axes_are_named_from_low_to_high() -> None:
    frame = pandas.DataFrame({"trait": ["EI", "JP"], "p_high": [0.2, 0.7]})
    ax = plots.profile(frame)
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert names == ["I \u2013 E", "P \u2013 J"]


def test_drawing_into_given_axes() -> None:
    figure, (left, right) = pyplot.subplots(1, 2)
    assert plots.profile(scores(), ax=right) is right
    assert not left.lines and len(figure.axes) == 2


# radar


def test_a_radar_closes_its_lines() -> None:
    frame = scores(2)
    ax = plots.radar(frame, by="speaker", target=dict.fromkeys(BIG_FIVE.keys, 0.5))
    render(ax)
    lines = drawn(ax, "value")
    for line, name in zip(lines, ("speaker 0", "speaker 1"), strict=True):
        mine = list(frame[frame.speaker == name].p_high)
        assert list(line.get_ydata()) == [*mine, mine[0]]
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    (target,) = drawn(ax, "target")
    assert list(target.get_ydata()) == [0.5] * 6 and target.get_linestyle() == "--"


def test_a_radar_does_not_join_over_a_gap() -> None:
    frame = scores()
    frame.loc[2, "p_high"] = np.nan
    (line,) = drawn(plots.radar(frame), "value")
    assert len(line.get_ydata()) == 4 and line.get_linestyle() == "None"


def test_a_radar_refuses_what_it_cannot_show() -> None:
    with pytest.raises(InputError, match="needs three traits, and there are 2"):
        plots.radar(scores().head(2))
    with pytest.raises(InputError, match="polar"):
        plots.radar(scores(), ax=pyplot.subplots()[1])


# heat map


def test_cells_hold_the_numbers() -> None:
    frame = scores(3)
    frame.loc[7, "p_high"] = np.nan
    ax = plots.heatmap(frame)
    render(ax)
    cells = ax.collections[0].get_array()
    assert cells.shape == (3, 5)
    expected = frame.p_high.to_numpy().reshape(3, 5)
    assert np.ma.filled(cells, np.nan) == pytest.approx(expected, nan_ok=True)
    told = [t.get_text() for t in ax.texts]
    assert len(told) == 14
    first = f"{frame.p_high[0]:.2f}".removeprefix("0")
    assert told[0] == (f"({first})" if frame.label[0] == "abstain" else first)
    assert ax.get_xlabel() == "in brackets: unsure; hatched: unscored"


def test_values_of_another_kind_are_named_by_the_caller() -> None:
    frame = scores(2).rename(columns={"p_high": "match"})
    ax = plots.heatmap(frame, value="match", label="match with the persona")
    assert ax.collections[0].colorbar.ax.get_ylabel() == "match with the persona"
    ax = plots.profile(frame, value="match", by="speaker", label="match with the persona")
    assert ax.get_xlabel() == "match with the persona"


def test_forty_speakers_with_long_names() -> None:
    frame = scores(40)
    frame["speaker"] = "a very long name of a speaker with $ signs_and more, number " + (
        frame.speaker.str.removeprefix("speaker ")
    )
    frame["id"] = frame.speaker.str[-2:]
    ax = plots.heatmap(frame, index=["id", "speaker"])
    render(ax)
    assert len(ax.get_yticklabels()) == 40
    assert max(len(t.get_text()) for t in ax.get_yticklabels()) <= 30
    figure = ax.figure
    boxes = [t.get_window_extent() for t in ax.get_yticklabels()]
    assert min(box.x0 for box in boxes) >= 0
    assert all(a.y0 >= b.y1 - 1 for a, b in pairwise(boxes))
    assert figure.get_size_inches()[1] > 10


def test_two_values_for_one_cell_are_an_error() -> None:
    twice = pandas.concat([scores(), scores()])
    with pytest.raises(InputError, match="two values for 'speaker 0' and 'openness'"):
        plots.heatmap(twice)


# trait space


def test_principal_components_by_hand() -> None:
    # two traits that agree and one that is independent of both
    values = np.array([[1, 2, 1], [-1, -2, 1], [1, 2, -1], [-1, -2, -1.0]])
    found = principal_components(values)
    assert found.explained == pytest.approx([2 / 3, 1 / 3])
    assert found.loadings == pytest.approx(np.array([[1, 0], [1, 0], [0, 1]]), abs=1e-9)
    assert found.scores[:, 0] == pytest.approx(np.sqrt(2) * np.array([1, -1, 1, -1]))


def test_profiles_lie_where_their_components_are() -> None:
    frame = scores(12, group="a")
    frame.loc[frame.speaker == "speaker 3", "group"] = "b"
    frame.loc[30, "p_high"] = np.nan
    ax = plots.trait_space(frame, by="group")
    render(ax)
    table = frame.pivot(index="speaker", columns="trait", values="p_high")
    table = table.loc[frame.speaker.unique(), list(BIG_FIVE.keys)].dropna()
    expected = principal_components(table.to_numpy())
    first, second = drawn(ax, "value")
    assert len(first.get_xdata()) == 10
    place = list(table.index).index("speaker 3")
    assert float(second.get_xdata()[0]) == pytest.approx(expected.scores[place, 0])
    assert f"({expected.explained[0]:.0%} of variance)" in ax.get_xlabel()
    assert "1 of 12 not placed" in words(ax)
    arrows = [t.xy for t in ax.texts if t.get_gid() == "loading"]
    ratio = np.array(arrows) / expected.loadings
    assert ratio == pytest.approx(np.full((5, 2), ratio[0, 0]))


def test_few_profiles_are_named_and_many_are_not() -> None:
    few, many = plots.trait_space(scores(12)), plots.trait_space(scores(40))
    assert "speaker 7" in words(few) and "speaker 7" not in words(many)
    assert "speaker 7" in words(plots.trait_space(scores(40), labels=True))


def test_no_name_is_cut_off_or_hides_a_point() -> None:
    frame = scores(25)
    frame["speaker"] = "somebody called " + frame.speaker
    ax = plots.trait_space(frame)
    render(ax)
    whole = ax.figure.bbox
    names = [t for t in ax.texts if t.get_gid() == "name"]
    assert len(names) == 25
    for text in names:
        box = text.get_window_extent()
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1
        assert text.get_zorder() < drawn(ax, "value")[0].get_zorder()


def test_a_map_needs_profiles_and_traits_that_vary() -> None:
    with pytest.raises(InputError, match="2 complete profiles"):
        plots.trait_space(scores(2))
    with pytest.raises(InputError, match="0 such traits"):
        plots.trait_space(scores(5, p_high=0.5))
    with pytest.raises(InputError, match="index="):
        plots.trait_space(pandas.concat([scores(5), scores(5)]))


# all


@pytest.mark.parametrize("draw", [plots.profile, plots.radar, plots.heatmap, plots.trait_space])
def test_errors_of_frames(draw: Draw) -> None:
    name = draw.__name__
    with pytest.raises(FormatError, match=rf"plots\.{name} needs a column 'p_high'"):
        draw(scores().drop(columns="p_high"))
    with pytest.raises(InputError, match="the frame has no rows"):
        draw(scores().head(0))
    with pytest.raises(InputError, match="the first reason: no words"):
        draw(scores(p_high=np.nan, reason="no words"))


@pytest.mark.parametrize("draw", [plots.profile, plots.radar])
def test_too_many_or_mixed_speakers(draw: Draw) -> None:
    with pytest.raises(InputError, match="at most 7 series"):
        draw(scores(40), by="speaker")
    with pytest.raises(InputError, match="'openness' more than once"):
        draw(scores(2))


def test_global_settings_stay_as_they_were() -> None:
    before = dict(matplotlib.rcParams)
    plots.profile(scores())
    with plots.use_theme():
        assert matplotlib.rcParams["axes.prop_cycle"].by_key()["color"] == list(PALETTE)
    with pytest.raises(ZeroDivisionError), plots.use_theme():
        1 / 0  # noqa: B018
    assert dict(matplotlib.rcParams) == before


def test_the_theme_holds_whatever_the_settings_are() -> None:
    with matplotlib.rc_context({"font.size": 30, "axes.labelsize": 40}):
        ax = plots.profile(scores())
    assert ax.xaxis.label.get_size() == 9


def test_series_differ_without_colour() -> None:
    n = len(PALETTE)
    assert len(set(PALETTE)) == len(set(MARKERS)) == len(set(HATCHES)) == n
    assert len({str(line) for line in LINES}) == n


def test_reports_do_not_import_matplotlib() -> None:
    code = "import sys, persona_lab.reports.html; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_seaborn_the_error_names_the_extra() -> None:
    code = "import sys; sys.modules['seaborn'] = None\nimport persona_lab.reports.plots"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "needs the package 'seaborn'" in done.stderr
    assert "pip install 'persona-lab[notebooks]'" in done.stderr
