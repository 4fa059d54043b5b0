"""Settings of a training run, each field documented; ``tune`` writes them as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from persona_lab.errors import TrainingError


@dataclass(frozen=True, slots=True)
class LexicalSettings:
    """Settings of the lexical component.

    Attributes:
        words: shortest and longest word n-gram.
        chars: shortest (2 or more) and longest character n-gram inside words.
        max_words: most frequent word n-grams kept.
        max_chars: most frequent character n-grams kept; 0 for none.
        min_df: texts that a term must occur in.
        c: inverse strength of the L2 penalty (scikit-learn's ``C``) for Big Five traits.
        c_short: the same for registers whose texts are short (median under 60 words).
        c_mbti: the same for MBTI axes.
        prior_power: how far MBTI types are weighted to their real share, 0..1.
    """

    words: tuple[int, int] = (1, 2)
    chars: tuple[int, int] = (2, 4)
    max_words: int = 40_000
    max_chars: int = 20_000
    min_df: int = 4
    c: float = 0.4
    c_short: float = 8.0
    c_mbti: float = 2.0
    prior_power: float = 0.5

    def __post_init__(self) -> None:
        if self.chars[0] < 2:
            raise TrainingError(
                f"character n-grams of {self.chars[0]} are no use; begin with 2 or more"
            )


@dataclass(frozen=True, slots=True)
class PooledSettings:
    """Settings of the pooled component's head.

    Attributes:
        c: inverse L2 penalty for Big Five traits, on standardised vectors.
        c_short: the same for short texts.
        c_mbti: the same for MBTI axes.
        steps: of Adam on attention queries and weights together, after the linear start;
            0 leaves mean pooling.
        learning_rate: of Adam.
        query_decay: L2 penalty on queries: strong keeps attention near the mean.
        prior_power: as for the lexical component.
    """

    c: float = 1e-3
    c_short: float = 3e-3
    c_mbti: float = 1e-3
    steps: int = 0
    learning_rate: float = 1e-3
    query_decay: float = 1.0
    prior_power: float = 0.5


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a training run; each field is documented in its class."""

    lexical: LexicalSettings = field(default_factory=LexicalSettings)
    pooled: PooledSettings = field(default_factory=PooledSettings)
    n_folds: int = 5
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Settings:
        """Read what :meth:`to_json` wrote, or a part of it."""
        lexical: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in given.get("lexical", {}).items()
        }
        rest = {k: v for k, v in given.items() if k not in ("lexical", "pooled")}
        try:
            return cls(
                LexicalSettings(**lexical), PooledSettings(**given.get("pooled", {})), **rest
            )
        except TypeError as error:
            raise TrainingError(f"unknown setting: {error}") from error
