"""Consistency for people: a card a speaker, or one line each where there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.console import Console
from rich.text import Text

from persona_lab.cli.output import plain
from persona_lab.cli.tables import MOST_CARDS, Glyphs, glyphs, shortened
from persona_lab.consistency.drift import Drift
from persona_lab.consistency.entailment import Conflict
from persona_lab.consistency.parts import LIKELY, NotScored, Score
from persona_lab.consistency.report import PARTS, Report, Unread
from persona_lab.consistency.stability import Stability
from persona_lab.consistency.target import TargetMatch

_SPARKS = "▁▂▃▄▅▆▇█"
_DIGITS = "0123456789"
_TRACK = 21
_NAME = 17
_QUOTE = 300
_MOST_POINTS = 60


def show(
    console: Console, results: Iterable[Report | Unread], *, before: Callable[[], None]
) -> None:
    """Print results as they come; cards are held back until it is known whether more follow.

    Args:
        console: for results.
        results: in order.
        before: is called once, before anything is printed.
    """
    waiting: list[Report | Unread] = []
    many = False
    for result in results:
        if many:
            console.print(line(result), soft_wrap=True)
            continue
        waiting.append(result)
        if len(waiting) > MOST_CARDS:
            many = True
            before()
            console.print(header(), style="bold", soft_wrap=True)
            for held in waiting:
                console.print(line(held), soft_wrap=True)
    if many:
        return
    before()
    for result in waiting:
        for part in card(result, console):
            console.print(part, soft_wrap=True)
        console.print()


def header() -> str:
    """The heading of the lines."""
    names = " ".join(name[:9].rjust(9) for name in PARTS)
    return f"{'id':<24} {'speaker':<14} {'score':>5}  {names}  change"


def line(result: Report | Unread) -> Text:
    """One speaker in one line."""
    row = result.to_row()
    text = Text(f"{_fit(row['id'], 24)} {_fit(row['speaker'] or '', 14)} ")
    if row["score"] is None:
        return text.append(f"not scored: {row['code']}", style="yellow")
    text.append(f"{row['score']:5.2f}  ", style="bold")
    cells = (row["parts"][name] for name in PARTS)
    text.append(" ".join("-".rjust(9) if x is None else f"{x:9.2f}" for x in cells))
    change = row["change_point"]
    if change is not None and change["probability"] >= LIKELY:
        text.append(f"  turn {change['turn']}", style="yellow")
    return text


def card(result: Report | Unread, console: Console) -> Iterator[Text]:
    """Lines about one speaker."""
    marks = glyphs(console.encoding)
    if isinstance(result, Unread):
        who = f" {marks.dot} {plain(result.speaker)}" if result.speaker else ""
        yield Text(plain(result.id) + who, style="bold")
        yield Text(f"  not scored: {plain(result.score.reason)}", style="yellow")
        return
    yield Text(f"{plain(result.id)} {marks.dot} {plain(result.speaker)}", style="bold").append(
        f"  {result.word_count:,} words", style="not bold dim"
    )
    yield from _scores(result, marks)
    yield from _trajectory(result, console, marks)
    yield from _course(result)
    yield from _pair(result, marks)
    if result.markers:
        words = ", ".join(f"{plain(m.word)} ({m.z:.1f})" for m in result.markers)
        yield Text(f"  words that mark it (z): {words}")
    for warning in result.warnings:
        yield Text(f"  {warning.code}: {plain(warning.message)}", style="yellow")


def sparkline(values: Sequence[float], *, unicode: bool) -> str:
    """Numbers from 0 to 1 as characters; of many, evenly spaced ones.

    Args:
        values: in order.
        unicode: bars; else digits, tenths rounded down.
    """
    if len(values) > _MOST_POINTS:
        step = (len(values) - 1) / (_MOST_POINTS - 1)
        values = [values[round(i * step)] for i in range(_MOST_POINTS)]
    marks = _SPARKS if unicode else _DIGITS
    return "".join(marks[min(int(max(v, 0.0) * len(marks)), len(marks) - 1)] for v in values)


def _scores(result: Report, marks: Glyphs) -> Iterator[Text]:
    score = result.score
    if isinstance(score, NotScored):
        yield Text(f"  not scored: {score.reason}", style="yellow")
    else:
        yield _bar("consistency", score, marks, style="bold")
    reasons: dict[str, list[str]] = {}
    for name, part in result.parts.items():
        if isinstance(part, Score):
            yield _bar(name, part, marks)
        elif part.code != "not_asked":
            reasons.setdefault(part.reason, []).append(name)
    for reason, names in reasons.items():
        yield Text(f"  not scored: {', '.join(names)}: {plain(reason)}", style="yellow")
    if isinstance(score, Score):
        yield Text(f"  {plain(result.explanation)}", style="italic")


def _bar(name: str, score: Score, marks: Glyphs, style: str = "") -> Text:
    cells = [marks.track] * _TRACK
    for i in range(round(score.low * (_TRACK - 1)), round(score.high * (_TRACK - 1)) + 1):
        cells[i] = marks.band
    cells[round(score.value * (_TRACK - 1))] = marks.point
    text = Text(f"  {name.ljust(_NAME)} {''.join(cells)}  {score.value:.2f}", style=style)
    return text.append(f"  {score.low:.2f}{marks.dash}{score.high:.2f}", style="not bold dim")


def _trajectory(result: Report, console: Console, marks: Glyphs) -> Iterator[Text]:
    """Trait probabilities and the match with the target, window by window."""
    unicode = _can_show(_SPARKS, console.encoding)
    rows: list[tuple[str, list[float]]] = []
    n = 0
    if isinstance(result.stability, Stability):
        n = len(result.stability.windows)
        for trait in result.framework.traits:
            rows.append((trait.key, [w.traits[trait.key] for w in result.stability.windows]))
    if isinstance(result.target, TargetMatch):
        rows.append(("target match", [w.match for w in result.target.windows]))
    if n:
        note = "" if unicode else "; 9 is highest"
        yield Text(
            f"  over {n} window{'s' * (n != 1)} of turns, first {marks.dash} last{note}",
            style="dim",
        )
    for name, values in rows:
        ends = f"{values[0]:.2f} {marks.dash} {values[-1]:.2f}"
        yield Text(f"  {name.ljust(_NAME)} {sparkline(values, unicode=unicode)}  {ends}")


def _course(result: Report) -> Iterator[Text]:
    if not isinstance(result.drift, Drift):
        return
    point = result.drift.change_point
    if not point.likely:
        yield Text(f"  no change point (probability {point.probability:.2f})")
        return
    if point.in_words is not None:
        yield Text(
            f"  changes at turn {point.turn} (probability {point.probability:.2f}): "
            f"{point.in_words}",
            style="bold",
        )
        return
    moved = sorted(point.shift.items(), key=lambda item: -abs(item[1]))[:3]
    traits = ", ".join(f"{key} {shift:+.1f}" for key, shift in moved)
    yield Text(
        f"  changes at turn {point.turn} (probability {point.probability:.2f}); "
        f"log-odds after minus before: {traits}",
        style="bold",
    )


def _pair(result: Report, marks: Glyphs) -> Iterator[Text]:
    """All contradictions, quoted; where there is none, the pair most worth a look."""
    part = result.contradiction
    if isinstance(part, NotScored):
        return
    for pair in part.conflicts:
        what = "the persona" if pair.earlier_turn is None else "itself"
        yield Text(f"  contradicts {what} (p {pair.probability:.2f})", style="bold")
        yield from _quoted(pair, marks)
    if part.suspect is not None:
        p = part.suspect.probability
        yield Text(f"  no contradiction is likely; the pair most worth a look (p {p:.2f}):")
        yield from _quoted(part.suspect, marks)


def _quoted(pair: Conflict, marks: Glyphs) -> Iterator[Text]:
    for turn, text in ((pair.earlier_turn, pair.earlier), (pair.later_turn, pair.later)):
        where = "persona" if turn is None else f"turn {turn}"
        quote = shortened(text, _QUOTE, marks.cut)
        yield Text(f'    {where.ljust(9)} "{quote}"', style="italic")


def _can_show(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _fit(text: str, width: int) -> str:
    return plain(text)[:width].ljust(width)
