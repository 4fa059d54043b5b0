"""What a run of PsyCoT has to confess: failures, repairs, straight lines, position bias."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from persona_lab.detectors.psycot.variants import Asked


@dataclass(slots=True)
class Report:
    """Counts over a run; safe to fill from many threads.

    Attributes:
        ratings: item ratings that were read.
        choices: A/B choices that were read.
        repaired: replies that took a second request.
        failures: replies that could not be used, by code.
        straight_lined: traits of texts whose items all got one rating.
    """

    ratings: int = 0
    choices: int = 0
    repaired: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    straight_lined: int = 0
    _bias: list[float] = field(default_factory=list)
    _flips: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add(self, asked: Asked) -> None:
        """Count what was said about one trait of one part."""
        with self._lock:
            self.ratings += len(asked.ratings)
            self.choices += len(asked.first)
            self.repaired += asked.repaired
            self.failures.update(asked.failures)
            if len(asked.first) == 2:
                first, second = asked.first.values()
                self._bias.append((first + second) / 2 - 0.5)
                self._flips += (first >= 0.5) == (second >= 0.5)

    def failed(self, code: str) -> None:
        """Count a text that could not be asked about."""
        with self._lock:
            self.failures[code] += 1

    @property
    def position_bias(self) -> float | None:
        """Mean P(A) over both orders, minus one half: -0.5 always B, +0.5 always A."""
        return sum(self._bias) / len(self._bias) if self._bias else None

    @property
    def flip_rate(self) -> float | None:
        """Share of choices that turned around when the options changed places."""
        return self._flips / len(self._bias) if self._bias else None

    def summary(self) -> str:
        """One line for people."""
        failures = ", ".join(f"{n} {code}" for code, n in self.failures.most_common()) or "none"
        parts = [
            f"{self.ratings:,} item ratings, {self.choices:,} choices",
            f"unreadable replies: {failures}",
            f"repaired: {self.repaired}",
            f"traits rated in a straight line: {self.straight_lined}",
        ]
        if self.position_bias is not None and self.flip_rate is not None:
            parts.append(
                f"option A {self.position_bias:+.2f} from even, {100 * self.flip_rate:.0f} % of "
                "choices turned with the order"
            )
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "ratings": self.ratings,
            "choices": self.choices,
            "repaired": self.repaired,
            "failures": dict(self.failures),
            "straight_lined": self.straight_lined,
            "pairs": len(self._bias),
            "position_bias": self.position_bias,
            "flip_rate": self.flip_rate,
        }
