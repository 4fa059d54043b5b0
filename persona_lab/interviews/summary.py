"""``profile.json``: all that an interview has shown, as one object of JSON types."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from persona_lab.errors import InputError, RowError
from persona_lab.instruments import Instrument
from persona_lab.instruments.quality import acquiescence, straight_lined
from persona_lab.interviews.comparing import effects
from persona_lab.interviews.junit import Case
from persona_lab.interviews.labels import Labels, align, targets_met
from persona_lab.interviews.records import Record
from persona_lab.interviews.result import Measurement
from persona_lab.interviews.self_report import PROTOCOL as SELF_REPORT
from persona_lab.interviews.self_report import ratings_of
from persona_lab.interviews.validity import method_agreement
from persona_lab.llm.budget import Prices, Usage
from persona_lab.studies.alignment import side_of
from persona_lab.version import __version__

FORMAT: Final = "persona-lab interview 1"
_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class Cost:
    """What one model was used for.

    Attributes:
        role: ``bot`` or ``judge``.
        model: its name.
        usage: of this session; replies from a cassette are counted as replayed.
        prices: None where they are not known.
    """

    role: str
    model: str
    usage: Usage
    prices: Prices | None = None

    def to_row(self) -> dict[str, Any]:
        """As JSON types."""
        used = self.usage
        price = None if self.prices is None else self.prices.of(used.tokens_in, used.tokens_out)
        row = asdict(used) | {"seconds": round(used.seconds, 1), "price": price}
        return {"role": self.role, "model": self.model} | row


@dataclass(frozen=True, slots=True)
class Findings:
    """What goes into a profile.

    Attributes:
        instrument: what was asked about.
        settings: how, JSON types.
        records: all answers.
        measured: from their ratings.
        targets: wanted positions by persona (``""`` for none).
        labels: of people, if there are any.
        costs: by model.
        adaptive: see :func:`~persona_lab.interviews.adaptive.savings`; None if it was not used.
        problems: rows of files that could not be read.
        notes: for the reader, one sentence each.
    """

    instrument: Instrument
    settings: Mapping[str, Any]
    records: Sequence[Record]
    measured: Sequence[Measurement]
    targets: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    labels: Labels | None = None
    costs: Sequence[Cost] = ()
    adaptive: Mapping[str, Any] | None = None
    problems: Sequence[RowError] = ()
    notes: Sequence[str] = ()


def summarize(found: Findings) -> dict[str, Any]:
    """Put a profile together: the content of ``profile.json``."""
    instrument = found.instrument
    named = {name: wanted for name, wanted in found.targets.items() if wanted}
    labels = found.labels
    problems = [*found.problems, *(labels.problems if labels else ())]
    return {
        "format": FORMAT,
        "version": __version__,
        "bots": list(dict.fromkeys(m.bot for m in found.measured)),
        "instrument": {
            "name": instrument.name,
            "title": instrument.title,
            "framework": instrument.framework,
            "n_items": len(instrument.items),
            "scale": [instrument.scale.low, instrument.scale.high],
            "citation": instrument.citation,
            "domains": [
                {key: getattr(d, key) for key in ("key", "name", "trait", "high", "low")}
                for d in instrument.domains
            ],
        },
        "settings": dict(found.settings),
        "targets": {name: dict(wanted) for name, wanted in named.items()},
        "measurements": [m.to_row() for m in found.measured],
        "say_versus_do": say_versus_do(found.measured),
        "method_agreement": method_agreement(found.measured),
        "effects": effects(found.measured),
        "targets_met": targets_met(_by_subject(named, found.measured), found.measured),
        "alignment": align(labels, found.measured) if labels else [],
        "answers": answers(found.records, instrument),
        "adaptive": None if found.adaptive is None else dict(found.adaptive),
        "cost": [cost.to_row() for cost in found.costs],
        "problems": [str(problem) for problem in problems],
        "notes": list(found.notes),
    }


def _by_subject(
    targets: Mapping[str, Mapping[str, float]], measured: Sequence[Measurement]
) -> dict[str, dict[str, float]]:
    """Targets under the names that alignment goes by."""
    names = {m.persona or "": m.persona or m.bot for m in measured}
    return {names.get(name, name): dict(wanted) for name, wanted in targets.items()}


def say_versus_do(measured: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Self-report and the other protocols of each subject side by side.

    Returns:
        One object a subject with two protocols or more: ``bot``, ``persona``, ``columns``
        (protocol and rater), and ``rows`` with ``domain``, ``scores`` (as the columns) and
        ``gaps``: each score minus the first column's, None where one is missing.
    """
    found = []
    for bot, persona in dict.fromkeys((m.bot, m.persona) for m in measured):
        mine = [m for m in measured if (m.bot, m.persona) == (bot, persona)]
        if len({m.protocol for m in mine}) < 2:
            continue
        # what the bot says of itself is what all else is held against
        mine.sort(key=lambda m: m.protocol != SELF_REPORT)
        rows = []
        for domain in mine[0].domains:
            scores = [m.domains[domain].score for m in mine]
            gaps = [None if None in (s, scores[0]) else s - scores[0] for s in scores]  # type: ignore[operator]
            rows.append({"domain": domain, "scores": _rounded(scores), "gaps": _rounded(gaps)})
        columns = [{"protocol": m.protocol, "rater": m.rater} for m in mine]
        found.append({"bot": bot, "persona": persona, "columns": columns, "rows": rows})
    return found


def answers(records: Sequence[Record], instrument: Instrument) -> dict[str, Any]:
    """Counts of answers, of what could not be used, and of oddities.

    Returns:
        ``n``, ``scored``, ``unscored`` by protocol and code, ``flags`` by protocol and flag,
        ``listed`` (unscored ones with their reasons, at most 200), and ``response_style`` a
        subject: ``straight_lined`` and ``acquiescence`` (-1 to 1) of closed answers.
    """
    unscored = [r for r in records if r.status != "scored"]
    return {
        "n": len(records),
        "scored": len(records) - len(unscored),
        "unscored": _counts((r.protocol, r.code or "unknown") for r in unscored),
        "flags": _counts((r.protocol, flag) for r in records for flag in r.flags),
        "listed": [
            {
                "id": r.id,
                "persona": r.persona,
                "protocol": r.protocol,
                "item": r.item,
                "code": r.code,
                "reason": r.reason,
            }
            for r in unscored[:_LISTED]
        ],
        "response_style": _styles(records, instrument),
    }


def _counts(pairs: Any) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for protocol, name in pairs:
        found.setdefault(protocol, Counter())[name] += 1
    return {protocol: dict(counts.most_common()) for protocol, counts in found.items()}


def _styles(records: Sequence[Record], instrument: Instrument) -> list[dict[str, Any]]:
    closed = [r for r in records if r.protocol == SELF_REPORT]
    found = []
    for bot, persona in dict.fromkeys((r.bot, r.persona) for r in closed):
        given = ratings_of(r for r in closed if (r.bot, r.persona) == (bot, persona))
        values = [value for value in given.values() if value is not None]
        index = acquiescence(given, instrument.items, instrument.scale)
        found.append(
            {
                "bot": bot,
                "persona": persona,
                "straight_lined": straight_lined(values),
                "acquiescence": None if index is None else round(index, 3),
            }
        )
    return found


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 4) for value in values]


def target_cases(profile: Mapping[str, Any]) -> list[Case]:
    """Test cases: does each profile lie on the side of its target?

    A target between .4 and .6 asks for no side and is not tested. Without targets each domain
    is a case that passes if it was scored.
    """
    cases = []
    for m in profile["measurements"]:
        group = ".".join(filter(None, (m["bot"], m["persona"], m["protocol"], m["rater"])))
        wanted = profile["targets"].get(m["persona"] or "", {})
        for key, result in m["domains"].items():
            cases.append(_case(group, key, result, wanted.get(key), bool(profile["targets"])))
    return [case for case in cases if case is not None]


def _case(
    group: str, key: str, result: Mapping[str, Any], target: float | None, has_targets: bool
) -> Case | None:
    side = None if target is None else side_of(target, (0.0, 1.0))
    if has_targets and side in (None, "X"):
        return None
    if result["score"] is None:
        return Case(group, key, "skipped", f"unscored: {result['reason']}")
    low, high = result["low"], result["high"]
    interval = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
    said = f"{result['score']:.2f}{interval}"
    if side is None:
        return Case(group, key, "passed", said)
    right = (result["score"] > 0.5) == (side == "H") and result["score"] != 0.5
    return Case(group, key, "passed" if right else "failed", f"{said}; target {target:g}")


def read_profile(path: Path) -> dict[str, Any]:
    """Read a ``profile.json``.

    Raises:
        InputError: it cannot be read, or is something else.
    """
    given = path / "profile.json" if path.is_dir() else path
    try:
        profile: Any = json.loads(given.read_text(encoding="utf-8"))
        if profile["format"] != FORMAT:
            raise KeyError("format")
        [m["domains"] for m in profile["measurements"]]
    except OSError as error:
        raise InputError(
            f"cannot read {given}: {error.strerror}; give the profile.json that 'persona-lab "
            "interview' wrote, or its folder"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{given} is no profile; give the profile.json that 'persona-lab interview' wrote"
        ) from None
    assert isinstance(profile, dict)
    return profile
