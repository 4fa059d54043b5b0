"""Profiles, dialogues and consistency reports as they show in a notebook.

Small pieces of HTML with their styles inline: a notebook may stand on a dark page, or on a
site that drops pictures and styles, so every number is also there as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from persona_lab.traits import MBTI

if TYPE_CHECKING:
    from persona_lab.consistency.report import Report, Unread
    from persona_lab.dialogue import Dialogue
    from persona_lab.profile import Profile, TraitScore, Unscored, Warning_

_MOST_TURNS: Final = 30
_BAR: Final = 160
_DASH: Final = "\u2013"
_FAINT: Final = "opacity:.65"
_LEFT: Final = "text-align:left"
_MOST_CHARACTERS: Final = 600


def profile_html(profile: Profile) -> str:
    """A profile: title, one row a trait, warnings."""
    kind = f", {profile.type}" if profile.type else ""
    about = f"{profile.framework.title}{kind}, {profile.word_count:,} words"
    rows = []
    for trait in profile.framework.traits:
        name = f"{trait.low} {_DASH} {trait.high}" if profile.framework is MBTI else trait.key
        label = {"high": "high", "low": "low", "abstain": "unsure"}
        if profile.framework is MBTI:
            label |= {"high": trait.high, "low": trait.low}
        rows.append([name, *_trait_cells(profile.traits.get(trait.key), label)])
    heads = ("trait", "", "level" if profile.measure == "shown" else "p", "90 % interval", "label")
    return _box(
        _title((profile.id, profile.speaker), about),
        _table(heads, rows, raw=1),
        *map(_warning, profile.warnings),
    )


def unscored_html(found: Unscored | Unread) -> str:
    """Why there is no score."""
    from persona_lab.profile import Unscored

    reason = found.reason if isinstance(found, Unscored) else found.score.reason
    title = _title((found.id, found.speaker), f"{found.word_count:,} words")
    return _box(title, f"<div>not scored: {escape(reason)}</div>")


def dialogue_html(dialogue: Dialogue) -> str:
    """A dialogue: who speaks, what is known about them, the turns (the first, of a long one)."""
    turns = dialogue.utterances
    speakers = dialogue.speaker_names
    about = f"{len(turns)} turn{'s' * (len(turns) != 1)}, {_listed(speakers) or 'nobody speaks'}"
    rows = [[str(i), u.speaker, _cut(u.text)] for i, u in enumerate(turns[:_MOST_TURNS])]
    left = len(turns) - len(rows)
    known = [_speaker(dialogue, name) for name in dialogue.speakers]
    more = [f'<div style="{_FAINT}">and {left} more turns</div>'] if left > 0 else []
    return _box(
        _title((dialogue.id, dialogue.focus), about),
        *[line for line in known if line],
        _table(("turn", "speaker", "text"), rows, left_from=1) if rows else "",
        *more,
    )


def report_html(report: Report) -> str:
    """A consistency report: overall score and parts, explanation, contradictions, words."""
    from persona_lab.consistency.parts import Score

    rows = []
    for name, part in {"consistency": report.score, **report.parts}.items():
        if isinstance(part, Score):
            cells = [_bar(part.value, part.low, part.high), f"{part.value:.2f}"]
            rows.append([name, *cells, f"{part.low:.2f}{_DASH}{part.high:.2f}"])
        else:
            rows.append([name, "", "unscored", part.reason])
    row = report.to_row()
    lines = [f'<div style="margin-top:4px">{escape(report.explanation)}</div>']
    if row["change_point"] and row["change_point"]["words"]:
        change = row["change_point"]
        said = f"changes (p = {change['probability']:.2f}): {escape(change['words'])}"
        lines.append(f"<div>{said}</div>")
    for pair in row["contradictions"][:3]:
        lines.append(
            f"<div>contradiction (p = {pair['p']:.2f}): {_said(_cut(pair['a']), pair['a_turn'])} "
            f"against {_said(_cut(pair['b']), pair['b_turn'])}</div>"
        )
    if report.markers:
        words = ", ".join(f"{escape(m.word)} ({m.z:.1f})" for m in report.markers)
        lines.append(f"<div>words that mark it (z): {words}</div>")
    about = f"{report.framework.title}, {report.word_count:,} words"
    return _box(
        _title((report.id, report.speaker), about),
        _table(("part", "", "score", "90 % interval"), rows, raw=1),
        *lines,
        *map(_warning, report.warnings),
    )


def _trait_cells(score: TraitScore | None, label: Mapping[str, str]) -> list[str]:
    if score is None:
        return ["", "unscored", "", ""]
    if score.shown is not None:
        shown = score.shown
        said = shown.why_in_words or label[score.label]
        interval = f"{shown.level_low:+.1f} to {shown.level_high:+.1f}"
        return [_bar(*shown.on_track, 0.5), f"{shown.level:+.1f}", interval, said]
    bar = _bar(score.p_high, score.low, score.high, score.threshold)
    interval = f"{score.low:.2f}{_DASH}{score.high:.2f}"
    return [bar, f"{score.p_high:.2f}", interval, label[score.label]]


def _bar(value: float, low: float, high: float, threshold: float | None = None) -> str:
    """A track from 0 to 1 with interval, point and threshold, in the text's own colour."""
    x, a, b = (6 + share * (_BAR - 12) for share in (value, low, high))
    mark = ""
    if threshold is not None:
        t = 6 + threshold * (_BAR - 12)
        mark = f'<path d="M{t:.1f},1V15" stroke="currentColor"/>'
    return (
        f'<svg width="{_BAR}" height="16" role="img" aria-label="{value:.2f}">'
        f'<path d="M6,8H{_BAR - 6}" stroke="currentColor" opacity=".25"/>{mark}'
        f'<path d="M{a:.1f},8H{b:.1f}" stroke="#56B4E9" stroke-width="4" stroke-linecap="round"/>'
        f'<circle cx="{x:.1f}" cy="8" r="4.5" fill="#0072B2" stroke="white"/></svg>'
    )


def _speaker(dialogue: Dialogue, name: str) -> str:
    known = dialogue.speakers[name]
    facts = [f"{trait} {value:g}" for trait, value in known.labels.items()]
    facts += [f"\u201c{line}\u201d" for line in known.persona]
    if not facts:
        return ""
    return f"<div><b>{escape(name)}</b>: {escape('; '.join(facts))}</div>"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "\u2026"


def _said(text: str, turn: int | None) -> str:
    where = "persona" if turn is None else f"turn {turn}"
    return f"\u201c{escape(text)}\u201d ({where})"


def _warning(warning: Warning_) -> str:
    return f'<div style="{_FAINT}">{escape(warning.code)}: {escape(warning.message)}</div>'


def _listed(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _title(names: Iterable[str | None], about: str) -> str:
    who = " \u00b7 ".join(escape(name) for name in names if name)
    return f'<div><b>{who}</b> <span style="{_FAINT}">{escape(about)}</span></div>'


def _table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, raw: int = -1, left_from: int = 99
) -> str:
    """A table; all cells are escaped but those of the column ``raw``.

    Args:
        heads: names of the columns.
        rows: cells.
        raw: column that holds HTML.
        left_from: texts are set to the left from this column on, and in the first.
    """
    head = "".join(f'<th style="{_LEFT}">{escape(name)}</th>' for name in heads)
    body = []
    for row in rows:
        cells = []
        for place, cell in enumerate(row):
            style = f' style="{_LEFT}"' if place == 0 or place >= left_from else ""
            cells.append(f"<td{style}>{cell if place == raw else escape(cell)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _box(*parts: str) -> str:
    return f'<div style="margin:4px 0">{"".join(parts)}</div>'
