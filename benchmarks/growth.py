"""How time and memory grow with the number of texts, their length, and the turns of a dialogue.

Run: python benchmarks/growth.py [--out FILE.json] [--plot docs/growth.svg] [--only LINE ...]

Each size runs in a process of its own, which first scores one short text so that loading is
not counted. The slope of the logarithms tells how time grows: 1 is linear, 2 quadratic.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speed.figures import slope, spread
from speed.growth_table import growth_lines
from speed.machine import Others, machine, peak_memory_mb
from speed.ours import request
from speed.output import BenchmarkError, tell, write_json
from speed.texts import documents, texts_of
from speed.worker import Worker, serve

if TYPE_CHECKING:
    from persona_lab.detectors.base import Request
    from persona_lab.dialogue import Dialogue

_WORDS = 40
"""Words of each text where the number of texts grows."""

_TURN_WORDS = 12
_QUICK = 20
"""With --quick, sizes above the smallest times this are left out."""

_COLOURS = {"lexical": "C0", "pooled": "C1", "consistency": "C2"}

_SHORT_S = 1.0
"""Sizes that take less than this are measured several times."""

_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the plot.

    Attributes:
        name: for ``--only``.
        what: for people.
        grows: what the sizes count: ``texts``, ``words`` or ``turns``.
        detector: whose scores; ``consistency`` is the judge with the pooled model.
        sizes: rising.
        full: further sizes with ``--full``.
    """

    name: str
    what: str
    grows: str
    detector: str
    sizes: tuple[int, ...]
    full: tuple[int, ...] = ()


_TURNS = (10, 30, 100, 300, 1000, 2000)
_LENGTHS = (50, 150, 500, 1500, 5000, 15_000, 50_000)
_MANY = (100, 300, 1000, 3000, 10_000, 30_000, 100_000)

LINES = {
    line.name: line
    for line in (
        Line("texts-lexical", f"texts of {_WORDS} words, lexical", "texts", "lexical", _MANY),
        Line("texts-pooled", f"texts of {_WORDS} words, pooled", "texts", "pooled",
             _MANY[:4], _MANY[4:]),
        Line("words-lexical", "words of one text, lexical", "words", "lexical", _LENGTHS),
        Line("words-pooled", "words of one text, pooled", "words", "pooled", _LENGTHS),
        Line("turns-pooled", "turns of one dialogue, pooled", "turns", "pooled", _TURNS),
        Line("turns-consistency", "turns of one dialogue, consistency", "turns", "consistency",
             _TURNS),
    )
}  # fmt: skip


# -- worker side --------------------------------------------------------------------------


def handlers(line: Line) -> dict[str, Callable[..., Any]]:
    """What the worker of a size can be asked."""
    work = opened(line)
    work(1)

    def measure(size: int) -> dict[str, Any]:
        """Seconds, repeated where that is quick, and the peak memory of this process."""
        seconds: list[float] = []
        while not seconds or (len(seconds) < _REPEATS and sum(seconds) < _SHORT_S):
            seconds.append(work(size))
        return {"seconds": seconds, "memory_mb": peak_memory_mb()}

    return {"measure": measure}


def opened(line: Line) -> Callable[[int], float]:
    """Load the model; the function scores one size and returns the seconds."""
    from persona_lab.detectors.registry import load_detector

    _, found = documents()  # always the same ones: growth is no matter of the corpus
    if line.detector == "consistency":
        from persona_lab.consistency.judge import ConsistencyJudge

        detector = load_detector("pooled")

        def score(size: int) -> float:
            judge = ConsistencyJudge(detector)  # a new one: it keeps the vectors of turns
            dialogue = talk(size, found)
            start = time.perf_counter()
            deque(judge.reports(dialogue), maxlen=0)
            return time.perf_counter() - start

        return score
    detector = load_detector(line.detector)

    def profiles(size: int) -> float:
        given = requests(line.grows, size, found)
        start = time.perf_counter()
        deque(detector.profiles(given, frameworks=("bigfive",)), maxlen=0)
        return time.perf_counter() - start

    return profiles


def requests(grows: str, size: int, found: Sequence[Sequence[str]]) -> Iterator[Request]:
    """What is scored, made while it is read: a list would be memory of the benchmark's own."""
    from persona_lab.detectors import Request

    if grows == "turns":
        dialogue = talk(size, found)
        for speaker in dialogue.choose(None):
            yield Request.of(dialogue, speaker)
        return
    sizes = (_WORDS for _ in range(size)) if grows == "texts" else iter((size,))
    yield from map(request, texts_of(sizes, found))


def talk(turns: int, found: Sequence[Sequence[str]]) -> Dialogue:
    """Two speakers in turns; at least two turns each, so that there is something to compare."""
    from persona_lab.dialogue import Dialogue, Utterance

    said = texts_of((_TURN_WORDS for _ in range(max(4, turns))), found)
    return Dialogue(
        "talk", tuple(Utterance(str(i), "AB"[i % 2], text) for i, text in enumerate(said))
    )


# -- driver -------------------------------------------------------------------------------


def measure_line(line: Line, sizes: Sequence[int]) -> dict[str, Any]:
    """All sizes of a line, and the slopes."""
    points = []
    for size in sizes:
        tell(f"{line.what}: {size:,}")
        with Worker(__file__, "--worker", line.name) as worker:
            found = worker.ask("measure", size=size)
        seconds = spread(found["seconds"])["median"]
        points.append({"size": size, "seconds": seconds, "memory_mb": found["memory_mb"],
                       "repeats": len(found["seconds"])})  # fmt: skip
    return {"name": line.name, "what": line.what, "grows": line.grows,
            "detector": line.detector, "points": points,
            **slopes(points)}  # fmt: skip


def slopes(points: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Slopes of time over all sizes and over the larger half of them (two at least)."""
    sizes = [float(point["size"]) for point in points]
    seconds = [float(point["seconds"]) for point in points]
    upper = min(len(points) - 2, len(points) // 2)
    return {"slope": slope(sizes, seconds), "upper_slope": slope(sizes[upper:], seconds[upper:])}


def plot(lines: Sequence[dict[str, Any]], file: Path) -> None:
    """Time above and memory below, against texts, words and turns; logarithmic."""
    try:
        import matplotlib
    except ImportError:
        raise SystemExit(
            "the plot needs matplotlib: pip install 'persona-lab[notebooks]'"
        ) from None
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "growth", "font.size": 9})
    from matplotlib import pyplot

    kinds = list(dict.fromkeys(line["grows"] for line in lines))
    figure, axes = pyplot.subplots(
        2, len(kinds), figsize=(3.2 * len(kinds), 5), sharex="col", squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for column, kind in enumerate(kinds):
        above, below = axes[0][column], axes[1][column]
        for line in (one for one in lines if one["grows"] == kind):
            sizes = [point["size"] for point in line["points"]]
            label = f"{line['what'].rsplit(', ', 1)[-1]} (slope {line['upper_slope']:.2f})"
            look: dict[str, Any] = {"marker": "o", "ms": 3, "color": _COLOURS[line["detector"]]}
            above.plot(sizes, [p["seconds"] for p in line["points"]], label=label, **look)
            below.plot(sizes, [p["memory_mb"] for p in line["points"]], **look)
        above.set(xscale="log", yscale="log", ylabel="seconds" if not column else "")
        above.legend(fontsize=7, frameon=False)
        below.set(xscale="log", xlabel=kind, ylim=(0, 1.1 * below.get_ylim()[1]),
                  ylabel="peak memory, MB" if not column else "")  # fmt: skip
        for one in (above, below):
            one.minorticks_off()  # most of the file would be their strokes
            one.grid(alpha=0.3)
            one.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    pyplot.close(figure)


def chosen_sizes(line: Line, *, quick: bool, full: bool) -> tuple[int, ...]:
    """The sizes of a run."""
    if quick:
        return tuple(size for size in line.sizes if size <= _QUICK * line.sizes[0])
    return line.sizes + (line.full if full else ())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="write the result there as JSON")
    parser.add_argument("--plot", type=Path, help="draw it there (SVG or PNG)")
    parser.add_argument("--only", nargs="+", choices=LINES, metavar="LINE",
                        help=f"lines: {', '.join(LINES)}")  # fmt: skip
    parser.add_argument("--full", action="store_true", help="as many texts for the pooled model")
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--worker", choices=LINES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        serve(lambda: handlers(LINES[given.worker]))
        return
    began, others, found = time.perf_counter(), Others(), []
    for name in given.only or LINES:
        line = LINES[name]
        try:
            found.append(measure_line(line, chosen_sizes(line, quick=given.quick, full=given.full)))
        except BenchmarkError as error:
            sys.exit(f"{line.what}: {error}")
    result = {
        "benchmark": "growth",
        "machine": machine() | others.found(),
        "settings": {"words": _WORDS, "turn_words": _TURN_WORDS, "quick": given.quick,
                     "full": given.full},
        "lines": found,
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    if given.out:
        write_json(given.out, result)
    if given.plot:
        plot(found, given.plot)
    print("\n".join(growth_lines(result, None)))


if __name__ == "__main__":
    main()
