"""Results for people: a card a speaker, or one line each where there are many.

It must read the same without colour and in a pipe, so everything is said in characters;
colour only repeats it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.text import Text

from persona_lab.cli.output import plain
from persona_lab.detectors import Result
from persona_lab.dialogue import Dialogue
from persona_lab.profile import Evidence, Profile, TraitScore, Unscored
from persona_lab.traits import MBTI, Trait

MOST_CARDS = 20
"""More speakers than this are shown one a line."""

LABELS = {"high": "cyan", "low": "magenta", "abstain": "dim"}
"""Colours; neither pole is the good one."""

_NAME = max(len("conscientiousness"), len("extraversion"))
_LABEL = len("conscientious")
_SHORTEST_BAR, _LONGEST_BAR = 11, 41
_QUOTE = 80
_ITEMS_SHOWN = 2
_INDENT = 2
_LEGEND = "+ high pole, - low pole, ? unsure or not shown; X in a type is such a letter"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What a bar is drawn with."""

    track: str
    band: str
    point: str
    limit: str
    limit_in_band: str
    dash: str
    dot: str
    cut: str


_UNICODE = Glyphs("·", "━", "●", "│", "┿", "–", "·", "…")  # noqa: RUF001
_ASCII = Glyphs(".", "=", "O", "|", "+", "-", "-", "...")


def glyphs(encoding: str) -> Glyphs:
    """Characters that the terminal or pipe can show."""
    try:
        "".join([_UNICODE.track, _UNICODE.band, _UNICODE.point, _UNICODE.limit_in_band]).encode(
            encoding
        )
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return _UNICODE


@dataclass(frozen=True, slots=True)
class Block:
    """All that is known about one speaker of one dialogue."""

    dialogue: Dialogue | None
    results: tuple[Result, ...]

    @property
    def word_count(self) -> int:
        """Words of the speaker."""
        return max(result.word_count for result in self.results)


def blocks(results: Iterable[tuple[Dialogue | None, Result]]) -> Iterator[Block]:
    """Put the frameworks of a speaker together."""
    for _, group in groupby(results, key=lambda pair: (pair[1].id, pair[1].speaker)):
        pairs = list(group)
        yield Block(pairs[0][0], tuple(result for _, result in pairs))


def show(
    console: Console,
    results: Iterable[tuple[Dialogue | None, Result]],
    *,
    explain: bool = False,
    before: Callable[[], None] | None = None,
) -> bool:
    """Print results as they come, cards or lines.

    The first :data:`MOST_CARDS` are held back until it is known whether more follow.

    Args:
        console: for results.
        results: with their dialogues.
        explain: quote what the scores rest on.
        before: is called once, before anything is printed.

    Returns:
        Was any score printed?
    """
    waiting: list[Block] = []
    many = scored = False
    for block in blocks(results):
        scored = scored or any(isinstance(r, Profile) for r in block.results)
        if many:
            console.print(line(block, console), soft_wrap=True)
            continue
        waiting.append(block)
        if len(waiting) > MOST_CARDS:
            many = True
            if before is not None:
                before()
            console.print(header(console), style="bold", soft_wrap=True)
            for held in waiting:
                console.print(line(held, console), soft_wrap=True)
    if many:
        quotes = "; what moved the scores is in --json" if explain else ""
        console.print(f"{_LEGEND}{quotes}", style="dim", soft_wrap=True)
        return scored
    if before is not None:
        before()
    for block in waiting:
        for part in card(block, console, explain=explain):
            console.print(part, soft_wrap=True)
        console.print()
    return scored


def card(block: Block, console: Console, *, explain: bool) -> Iterator[Text]:
    """Lines about one speaker."""
    marks = glyphs(console.encoding)
    first = block.results[0]
    title = Text().append(plain(first.id), style="bold")
    if first.speaker is not None:
        title.append(f" {marks.dot} {plain(first.speaker)}", style="bold")
    yield _ends(title, Text(f"{block.word_count:,} words", style="dim"), console.width)
    said = {u.id: u.text for u in block.dialogue.utterances} if block.dialogue else {}
    scored = [result for result in block.results if isinstance(result, Profile)]
    for profile in scored:
        yield from _traits(profile, console.width, marks)
        if explain:
            yield from _quotes(profile.evidence, profile, said, console.width, marks)
            yield from _ratings(profile, console.width, marks)
    reasons = {r.reason: r for r in block.results if isinstance(r, Unscored)}
    for reason in reasons:
        yield _note(f"not scored: {reason}", "yellow")
    messages = {w.message: w.code for r in block.results for w in r.warnings}
    for message, code in messages.items():
        if message not in reasons:
            yield _note(f"{code}: {message}", "yellow")


def _traits(profile: Profile, width: int, marks: Glyphs) -> Iterator[Text]:
    head = Text(" " * _INDENT).append(profile.framework.title, style="italic")
    if profile.type is not None:
        head.append(f"  {profile.type}", style="bold")
    shown = profile.measure == "shown"
    interval = 10 if shown else 9
    rest = _INDENT + _NAME + 2 + 2 + 4 + 2 + _LABEL
    bar_width = width - rest - interval - 2
    if bar_width < _SHORTEST_BAR:  # a narrow terminal: the band still shows the interval
        interval, bar_width = 0, max(width - rest, _SHORTEST_BAR)
    bar_width = min(bar_width, _LONGEST_BAR)
    bar_width -= 1 - bar_width % 2  # odd, so that one half has a place of its own
    left, middle, right, name = ("-2", "0", "2", "level") if shown else ("0", "0.5", "1", "p")
    scale = left + middle.center(bar_width - 2 * len(left) + len(left) - len(right)) + right
    head.pad_right(max(_INDENT + _NAME + 2 - head.cell_len, 1))
    head.append(f"{scale}{name:>6}" + ("     90 %" if interval else ""), style="dim")
    yield head
    for trait in profile.framework.traits:
        text = Text(" " * _INDENT + _title(trait, profile, marks).ljust(_NAME) + "  ")
        if trait.key not in profile.traits:
            yield text.append("not scored, see below", style="dim")
            continue
        score = profile.traits[trait.key]
        text.append(bar(score, bar_width, marks), style=LABELS[score.label])
        text.append(f"  {_value(score)}")
        if interval:
            text.append(f"  {_interval(score, marks)}", style="dim")
        style = "bold" if score.label != "abstain" else "dim"
        text.append(f"  {reading(trait, score)}", style=style)
        yield text


def _value(score: TraitScore) -> str:
    return f"{score.p_high:.2f}" if score.shown is None else f"{score.shown.level:+.1f}"


def _interval(score: TraitScore, marks: Glyphs) -> str:
    if score.shown is None:
        return f"{score.low:.2f}{marks.dash}{score.high:.2f}"
    return f"{score.shown.level_low:+.1f} {score.shown.level_high:+.1f}"


def bar(score: TraitScore, width: int, marks: Glyphs) -> str:
    """Draw a probability with its interval in a track from 0 to 1, or a level from -2 to 2.

    Args:
        score: what to draw; its threshold is marked, too, or the level 0.
        width: characters; 0 is the first one and 1 the last.
        marks: to draw with.
    """

    def place(p: float) -> int:
        return round(min(max(p, 0.0), 1.0) * (width - 1))

    point, low, high, limit = score.p_high, score.low, score.high, score.threshold
    if score.shown is not None:
        (point, low, high), limit = score.shown.on_track, 0.5
    cells = [marks.track] * width
    cells[place(limit)] = marks.limit
    for i in range(place(low), place(high) + 1):
        cells[i] = marks.band if cells[i] == marks.track else marks.limit_in_band
    cells[place(point)] = marks.point
    return "".join(cells)


def reading(trait: Trait, score: TraitScore) -> str:
    """The label in plain words, or why there is none."""
    if score.shown is not None and score.shown.why_in_words is not None:
        return score.shown.why_in_words
    return {"high": trait.high, "low": trait.low, "abstain": "unsure"}[score.label]


def _title(trait: Trait, profile: Profile, marks: Glyphs) -> str:
    if profile.framework is MBTI:
        return f"{trait.high} {marks.dash} {trait.low}"
    return trait.key


def _quotes(
    evidence: Sequence[Evidence],
    profile: Profile,
    said: Mapping[str, str],
    width: int,
    marks: Glyphs,
) -> Iterator[Text]:
    traits = {trait.key: trait for trait in profile.framework.traits}
    if evidence:
        yield Text(" " * _INDENT + "what moved it most (log-odds)", style="dim")
    for found in evidence:
        trait = traits[found.trait]
        pole = trait.high if found.weight > 0 else trait.low
        text = Text(" " * _INDENT + f"{found.weight:+.2f}  ")
        text.append(pole.ljust(_LABEL if profile.framework is not MBTI else 1))
        room = min(_QUOTE, width - text.cell_len - 4)
        quote = found.quote(said.get(found.utterance_id, ""))
        quote = shortened(quote, max(room, 20), marks.cut)
        text.append(f'  "{quote}"', style="italic")
        yield text


def _ratings(profile: Profile, width: int, marks: Glyphs) -> Iterator[Text]:
    """The items that were rated furthest from the middle, of each trait."""
    if profile.items:
        yield Text(" " * _INDENT + "items rated furthest from the middle", style="dim")
    for trait in profile.framework.traits:
        mine = [rating for rating in profile.items if rating.trait == trait.key]
        mine.sort(key=lambda rating: -abs(rating.position - 0.5))
        for rating in mine[:_ITEMS_SHOWN]:
            pole = trait.high if rating.position > 0.5 else trait.low
            text = Text(" " * _INDENT + f"{rating.rating:4.1f}  ")
            text.append(pole.ljust(_LABEL if profile.framework is not MBTI else 1))
            room = max(width - text.cell_len - 2, 20)
            yield text.append(f"  {shortened(rating.statement, room, marks.cut)}", style="italic")


def shortened(text: str, length: int, cut: str) -> str:
    """The beginning of a text on one line, cut at a word where that loses little."""
    text = plain(text[: 8 * length])
    if len(text) <= length:
        return text
    kept = text[: length - len(cut)]
    space = kept.rfind(" ")
    return (kept[:space] if space > length // 2 else kept).rstrip(" ,;:") + cut


def header(console: Console) -> str:
    """The heading of the lines."""
    name, speaker = _line_widths(console)
    return f"{'id'.ljust(name)} {'speaker'.ljust(speaker)}   words  reads as"


def line(block: Block, console: Console) -> Text:
    """One speaker in one line: Big Five signs, MBTI type, and what to know about it."""
    marks = glyphs(console.encoding)
    name, speaker = _line_widths(console)
    first = block.results[0]
    text = Text(_fit(plain(first.id), name, marks.cut))
    text.append(" " + _fit(plain(first.speaker or ""), speaker, marks.cut))
    text.append(f" {block.word_count:7,}", style="dim")
    codes: dict[str, None] = {}
    for result in block.results:
        codes |= dict.fromkeys(warning.code for warning in result.warnings)
        if isinstance(result, Unscored):
            codes = {f"not scored: {result.code}": None} | codes
            codes.pop(result.code, None)
        elif result.framework is MBTI:
            text.append(f"  {result.type}", style="bold")
        else:
            text.append(" ")
            for trait in result.framework.traits:
                score = result.traits.get(trait.key)
                label = score.label if score is not None else "abstain"
                sign = {"high": "+", "low": "-", "abstain": "?"}[label]
                text.append(f" {trait.letter}{sign}", style=LABELS[label])
    if codes:
        text.append("  " + ", ".join(codes), style="yellow")
    return text


def _line_widths(console: Console) -> tuple[int, int]:
    """Columns for id and speaker: what the rest of a line leaves, at most 40 and 20."""
    room = max(console.width - 40, 24)
    return min(room * 2 // 3, 40), min(room // 3, 20)


def _fit(text: str, width: int, cut: str) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - len(cut)] + cut


def _note(message: str, style: str) -> Text:
    return Text(" " * _INDENT + plain(message), style=style)


def _ends(left: Text, right: Text, width: int) -> Text:
    """Two texts at the two ends of a line."""
    line = left.copy()
    line.append(" " * max(width - left.cell_len - right.cell_len, 2))
    return line.append_text(right)
